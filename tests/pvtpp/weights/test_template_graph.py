"""The template graph is derived once for each backbone, with all its weights."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pvtpp import inference, weights
from pvtpp.errors import InputError
from pvtpp.weights import nanotrack_template_graph

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.real_data


@pytest.fixture
def backbone(weights_root, tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    return weights.path("nanotrack-v3", weights_root) / "nanotrackv3_backbone.onnx"


def test_it_takes_127_pixels_and_keeps_the_weights(backbone):
    derived = nanotrack_template_graph(backbone)
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 127, 127)).astype(np.float32)
    assert inference.load(derived).run({"input": image})["output"].shape == (1, 96, 8, 8)
    before, after = (onnx.load(str(path)).graph for path in (backbone, derived))
    assert list(after.initializer) == list(before.initializer)
    assert list(after.node) == list(before.node)


def test_it_is_written_once_and_then_needs_no_onnx(backbone, tmp_path, monkeypatch):
    path = nanotrack_template_graph(backbone)
    cache = tmp_path / "cache" / "weights" / "nanotrack"
    assert path.relative_to(cache).parts[1:] == ("nanotrackv3_backbone_127.onnx",)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    before = path.stat().st_mtime_ns
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert nanotrack_template_graph(backbone) == path
    assert path.stat().st_mtime_ns == before


def test_a_copy_beside_the_backbone_is_taken_first(backbone, tmp_path, monkeypatch):
    derived = nanotrack_template_graph(backbone).read_bytes()
    beside = tmp_path / "weights"
    beside.mkdir()
    (beside / backbone.name).write_bytes(backbone.read_bytes())
    (beside / "nanotrackv3_backbone_127.onnx").write_bytes(derived)
    assert nanotrack_template_graph(beside / backbone.name).parent == beside


@pytest.mark.parametrize("damage", [lambda data: data[:-300], lambda data: data.replace(b"50be1320", b"00000000")])
def test_a_torn_copy_or_one_of_another_backbone_is_derived_again(backbone, damage):
    path = nanotrack_template_graph(backbone)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert nanotrack_template_graph(backbone).read_bytes() == whole


def test_without_onnx_the_extra_is_named(backbone, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pvtpp\[weights\]"):
        nanotrack_template_graph(backbone)


def test_an_unwritable_cache_is_named(backbone, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="PVTPP_CACHE"):
        nanotrack_template_graph(backbone)


def test_a_backbone_that_is_no_graph_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "nanotrackv3_backbone.onnx").write_bytes(b"no graph")
    with pytest.raises(InputError, match="nanotrackv3_backbone.onnx: cannot derive"):
        nanotrack_template_graph(tmp_path / "nanotrackv3_backbone.onnx")
