"""An artefact is accepted after the parity check and not before; a refused, damaged or exchanged one is not opened."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from pvtpp.boxes import iou
from pvtpp.errors import InputError
from pvtpp.export.artefact import ExportConfig, config_of, export, verify
from pvtpp.export.parity import CandidateError, Difference, Parity, ParityError, compare_tracks
from pvtpp.inference.artefact import SIDECAR, read
from pvtpp.weights.store import sha256

CARD = {"model": "follower", "source": {"file": "follower.pth", "sha256": "0" * 64}}


def score(found, truth):
    return float(iou(found, truth).mean())


@pytest.fixture
def gate(make_tracker, clip):
    return lambda reference, candidate: compare_tracks(make_tracker, reference, candidate, [clip], score)


@pytest.fixture
def exported(engines, gate):
    return partial(export, engines, gate=gate, card=CARD)


@pytest.mark.parametrize("form", ["grouped", "unrolled"])
@pytest.mark.parametrize("pixels", [False, True])
def test_what_passes_lies_there_with_its_sidecar(exported, make_tracker, clip, tmp_path, form, pixels):
    config = ExportConfig(form, pixels=pixels)
    artefact = exported(tmp_path / "out", config)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out"]
    assert sorted(file.name for file in artefact.folder.iterdir()) == [SIDECAR, "compass.onnx", "eye.onnx"]
    card = json.loads((artefact.folder / SIDECAR).read_text())
    assert config_of(artefact) == config and card["model"] == "follower" and card["source"]["sha256"] == "0" * 64
    assert card["graphs"]["eye"]["inputs"][0]["dtype"] == ("uint8" if pixels else "float32")
    assert card["parity"]["tensors"]["compass.step"]["absolute"] < 1e-5 and card["parity"]["boxes"]["frames"] == 7
    tracker = make_tracker(read(artefact.folder).engines())
    tracker.init(clip.frame(0), clip.truth[0])
    assert np.isfinite(tracker.track(clip.frame(1)).box).all()


def test_a_folder_behind_a_link_is_written_to_and_the_one_we_stand_in_is_refused(exported, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    exported(tmp_path / "link", ExportConfig())
    assert read(tmp_path / "empty").card["form"] == "grouped"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty", "link"]
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(InputError, match="empty: is replaced as a whole.*name another folder"):
        exported(".", ExportConfig())
    assert read(".").card["form"] == "grouped"


def differing(reference, candidate):
    difference = Difference()
    difference.add(np.zeros(1), np.ones(1))
    return Parity({"eye.features": difference})


def test_what_does_not_pass_leaves_nothing(engines, tmp_path):
    with pytest.raises(ParityError, match="eye.features differs"):
        export(engines, tmp_path / "out", ExportConfig(), differing, CARD)
    assert not list(tmp_path.iterdir())


def test_what_does_not_pass_leaves_the_one_before(exported, engines, tmp_path):
    before = exported(tmp_path / "out", ExportConfig()).card
    with pytest.raises(ParityError):
        export(engines, tmp_path / "out", ExportConfig(), differing, CARD)
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert read(tmp_path / "out").card == before


def test_a_later_export_takes_the_place_of_the_one_before(exported, tmp_path):
    exported(tmp_path / "out", ExportConfig())
    (tmp_path / "out" / "bench.json").write_text("{}")
    (tmp_path / "out" / "predictor.onnx").write_text("the user's own")
    assert exported(tmp_path / "out", ExportConfig("unrolled")).card["form"] == "unrolled"
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    there = {SIDECAR, "bench.json", "compass.onnx", "eye.onnx", "predictor.onnx"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == there


def test_graphs_of_a_damaged_export_go_with_it(exported, tmp_path):
    exported(tmp_path / "out", ExportConfig())
    card = json.loads((tmp_path / "out" / SIDECAR).read_text())
    (tmp_path / "out" / "eye.onnx").rename(tmp_path / "out" / "old.onnx")
    card["graphs"]["eye"]["file"] = "old.onnx"
    (tmp_path / "out" / SIDECAR).write_text(json.dumps(card))
    (tmp_path / "out" / "compass.onnx").write_bytes(b"cut off")
    exported(tmp_path / "out", ExportConfig())
    assert {file.name for file in (tmp_path / "out").iterdir()} == {SIDECAR, "compass.onnx", "eye.onnx"}


def test_where_the_new_one_cannot_be_put_in_place_the_old_one_is_back(exported, tmp_path, monkeypatch):
    exported(tmp_path / "out", ExportConfig())
    replace = Path.replace

    def failing(self, target):
        if self.name.endswith(".part"):
            raise OSError("device is gone")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError, match="out: cannot write .device is gone"):
        exported(tmp_path / "out", ExportConfig("unrolled"))
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert read(tmp_path / "out").card["form"] == "grouped"


def test_a_folder_of_something_else_is_left_alone(exported, tmp_path):
    (tmp_path / "photographs.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        exported(tmp_path, ExportConfig())
    assert [file.name for file in tmp_path.iterdir()] == ["photographs.txt"]


def corrupted(folder, change, sign=True):
    """Change the numbers of a graph's largest weight and, with `sign`, its hash in the sidecar."""
    path = folder / "compass.onnx"
    model = onnx.load(str(path))
    tensor = max(model.graph.initializer, key=lambda each: len(each.raw_data) if each.data_type == 1 else 0)
    tensor.CopyFrom(onnx.numpy_helper.from_array(change(onnx.numpy_helper.to_array(tensor).copy()), tensor.name))
    onnx.save(model, str(path))
    if sign:
        card = json.loads((folder / SIDECAR).read_text())
        card["graphs"]["compass"]["sha256"] = sha256(path)
        (folder / SIDECAR).write_text(json.dumps(card))


@pytest.mark.parametrize("change", [lambda w: w * 1.01, lambda w: -w, lambda w: w * np.nan])
def test_a_graph_corrupted_on_purpose_is_refused_and_gone(exported, engines, gate, tmp_path, change):
    folder = tmp_path / "out"
    exported(folder, ExportConfig())
    verify(read(folder), engines, gate)
    corrupted(folder, change)
    with pytest.raises(ParityError):
        verify(read(folder), engines, gate)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: corrupted(folder, lambda w: -w, sign=False), r"compass.onnx: sha256 is .* says"),
        (
            lambda folder: (folder / "eye.onnx").write_bytes((folder / "eye.onnx").read_bytes()[:100]),
            "eye.onnx: sha256",
        ),
        (lambda folder: (folder / "eye.onnx").unlink(), "eye.onnx: cannot read"),
        (lambda folder: (folder / SIDECAR).unlink(), "no exported network"),
        (lambda folder: (folder / SIDECAR).write_text("{"), "no JSON"),
        (lambda folder: (folder / SIDECAR).write_text('{"format": 99, "graphs": {}}'), "not a sidecar of format 1"),
    ],
)
def test_a_damaged_artefact_is_not_opened(exported, tmp_path, damage, words):
    exported(tmp_path / "out", ExportConfig())
    damage(tmp_path / "out")
    with pytest.raises(InputError, match=words):
        read(tmp_path / "out")


def test_a_graph_of_other_inputs_than_the_sidecar_says_is_refused(exported, tmp_path):
    exported(tmp_path / "out", ExportConfig())
    path = tmp_path / "out" / SIDECAR
    card = json.loads(path.read_text())
    card["graphs"]["eye"]["inputs"][0]["shape"] = [1, 3, 127, 127]
    path.write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"eye.onnx: its inputs are .*12, 12.* says .*127"):
        read(tmp_path / "out").engines()


def test_where_a_backend_of_the_board_fails_the_artefact_stays(exported, engines, tmp_path):
    artefact = exported(tmp_path / "out", ExportConfig())

    def failing(reference, candidate):
        raise CandidateError("the candidate fails on a, frame 1: CUDA: out of memory")

    with pytest.raises(InputError, match="out: onnxruntime: the candidate fails .* out of memory; it stays as it is"):
        verify(artefact, engines, failing, "onnxruntime")
    assert read(tmp_path / "out").card == artefact.card
    with pytest.raises(ParityError):
        verify(artefact, engines, failing)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("values", [{"form": "rolled"}, {"precision": "fp8"}, {"pixels": "yes"}])
def test_an_unknown_configuration_is_refused(values):
    with pytest.raises(InputError, match="allowed is one of: "):
        ExportConfig(**values)
