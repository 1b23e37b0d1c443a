"""A predictor is known by the file it is made from, so that logs of other weights are not taken for its own."""

import shutil

import pytest

from pvtpp.errors import InputError
from pvtpp.predictors.motion import WEIGHTS
from pvtpp.predictors.registry import digest


def test_the_committed_weights_are_known_by_what_is_in_them(tmp_path):
    copy = tmp_path / "motion.onnx"
    shutil.copyfile(WEIGHTS, copy)
    assert digest("motion") == digest(f"motion:{copy}") != ""
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert digest("motion") != digest(f"motion:{copy}")


def test_a_law_without_a_file_has_no_digest_and_a_missing_file_is_named():
    assert digest("hold") == digest("kalman:pvt") == ""
    with pytest.raises(InputError, match="nowhere.onnx"):
        digest("motion:nowhere.onnx")
