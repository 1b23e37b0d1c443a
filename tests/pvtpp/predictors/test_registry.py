"""A predictor is known by the file it is made from, so that logs of other weights are not taken for its own."""

import json
import shutil

import pytest

from pvtpp.errors import InputError
from pvtpp.predictors import ensemble, joint
from pvtpp.predictors.motion import WEIGHTS
from pvtpp.predictors.registry import create, digest, reads_features


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


def test_a_predictor_of_several_files_is_known_by_all_of_them(tmp_path, monkeypatch):
    copies = [tmp_path / path.name for path in joint.files()]
    for source, copy in zip(joint.files(), copies):
        shutil.copyfile(source, copy)
    name = f"joint:{copies[0]}"
    assert digest(name) == digest("joint") != ""
    copies[1].write_bytes(copies[1].read_bytes() + b"\0")
    assert digest(name) != digest("joint")
    card = tmp_path / "m.json"
    shutil.copyfile(WEIGHTS, tmp_path / "m.onnx")
    bare = digest(f"n_head:{tmp_path / 'm.onnx'}")
    card.write_text(json.dumps({"kappa": 25.0}))
    assert digest(f"n_head:{tmp_path / 'm.onnx'}") not in ("", bare)
    assert digest("ensemble") == digest("motion")
    monkeypatch.setattr(ensemble, "WEIGHTS", copies[0])
    assert digest("ensemble") != digest("motion")


def test_those_that_read_features_say_so():
    told = {name: reads_features(create(name)) for name in ("hold", "kalman", "motion", "ensemble", "joint")}
    assert [name for name, reads in told.items() if reads] == ["joint"]
