"""A damaged sidecar is refused, and the first wrong entry is named."""

from __future__ import annotations

import hashlib
import json

import pytest

from pvtpp.errors import InputError
from pvtpp.inference.artefact import SIDECAR, read

GRAPH = {"file": "head.onnx", "sha256": hashlib.sha256(b"graph").hexdigest(), "inputs": [], "outputs": []}
CARD = {"format": 1, "model": "follower", "form": "grouped", "precision": "fp32", "pixels": False, "source": {}}


def written(folder, card):
    (folder / "head.onnx").write_bytes(b"graph")
    (folder / SIDECAR).write_text(json.dumps(card))
    return folder


def test_a_complete_sidecar_is_read_and_the_source_may_be_missing(tmp_path):
    whole = {**CARD, "graphs": {"head": GRAPH}}
    assert read(written(tmp_path, whole)).card == whole
    assert read(written(tmp_path, {key: whole[key] for key in whole if key != "source"})).card == whole


@pytest.mark.parametrize("key", [*CARD, "graphs"])
@pytest.mark.parametrize("value", [None, 5, []])
def test_what_is_wrong_in_the_card_is_named(tmp_path, key, value):
    with pytest.raises(InputError, match=f"artefact.json: (not a sidecar of format 1|'{key}' is '.*', expected a)"):
        read(written(tmp_path, {**CARD, "graphs": {"head": GRAPH}, key: value}))


@pytest.mark.parametrize("key", GRAPH)
def test_what_a_graph_lacks_is_named(tmp_path, key):
    graph = {name: value for name, value in GRAPH.items() if name != key}
    with pytest.raises(InputError, match=f"artefact.json: graph 'head': '{key}' is missing, expected a"):
        read(written(tmp_path, {**CARD, "graphs": {"head": graph}}))


@pytest.mark.parametrize(
    ("graphs", "words"), [({}, "'graphs' is empty"), ({"head": 5}, "'head': is no object but int")]
)
def test_missing_or_wrong_graphs_are_refused(tmp_path, graphs, words):
    with pytest.raises(InputError, match=words):
        read(written(tmp_path, {**CARD, "graphs": graphs}))
