"""A predictor is identified by the files it is made from, so that logs of other weights are not taken for its own."""

import json
import shutil

import pytest

from pvtpp.errors import InputError
from pvtpp.predictors import ensemble, joint
from pvtpp.predictors.motion import WEIGHTS
from pvtpp.predictors.registry import create, digest, names, reads_features


def test_the_committed_weights_are_identified_by_their_content(tmp_path):
    copy = tmp_path / "motion.onnx"
    shutil.copyfile(WEIGHTS, copy)
    assert digest("motion") == digest(f"motion:{copy}") != ""
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert digest("motion") != digest(f"motion:{copy}")


def test_a_predictor_without_a_file_has_no_digest_and_a_missing_file_is_named():
    assert digest("hold") == digest("kalman:pvt") == ""
    with pytest.raises(InputError, match="nowhere.onnx"):
        digest("motion:nowhere.onnx")


def test_a_predictor_of_several_files_is_identified_by_all_of_them(tmp_path, monkeypatch):
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
    assert digest(f"ensemble:{tmp_path / 'm.onnx'}") == digest("motion")
    assert digest(f"ensemble:{copies[0]}") == digest(name)
    monkeypatch.setattr(ensemble, "WEIGHTS", copies[0])
    assert digest("ensemble") != digest("motion")


def test_every_predictor_says_whether_it_reads_features():
    predictors = {name: create(name) for name in names()}
    assert [name for name, each in predictors.items() if each.reads_features] == ["joint"]
    assert all(type(each).reads_features is reads_features(each) for each in predictors.values())
    assert not reads_features(object())
