"""A module is read from its files as it was written, and other files are refused."""

from __future__ import annotations

import json

import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from pvtpp.networks import weights  # noqa: E402
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture
def network():
    torch.manual_seed(3)
    return NHeadNetwork(NHeadConfig("motion", heads=4, factor="signed", width=8, narrow=5))


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "m.safetensors"
    weights.save(network, path, {"note": "a test"})
    return path


def test_module_and_card_come_back(network, saved):
    found, card = weights.load(saved)
    assert found.config == network.config and not found.training
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in found.state_dict().items())
    assert card["note"] == "a test"
    assert sorted(path.name for path in saved.parent.iterdir()) == ["m.json", "m.safetensors"]


def test_a_card_that_describes_another_module_is_refused(saved):
    card_path = saved.with_suffix(".json")
    card = json.loads(card_path.read_text())
    card["config"]["heads"] = 6
    card_path.write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"m\.safetensors: .*the file lacks decoders\.motion\.heads\.4\.weight"):
        weights.load(saved)
    card["config"].update(heads=4, width=9)
    card_path.write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"other shapes: .*motion\.encode\.0\.weight is \[8, 8\], not \[9, 8\]"):
        weights.load(saved)


@pytest.mark.parametrize("text", ["{}", "[1]", '{"format": "other", "config": {}}'])
def test_a_card_of_another_format_is_refused(saved, text):
    saved.with_suffix(".json").write_text(text)
    with pytest.raises(InputError, match=r"m\.json: format is .*expected 'pvtpp n-head 1'"):
        weights.load(saved)


def test_missing_and_torn_files_are_named(saved):
    with pytest.raises(InputError, match=r"absent\.safetensors: cannot read"):
        weights.load(saved.with_name("absent.safetensors"))
    saved.write_bytes(saved.read_bytes()[:100])
    with pytest.raises(InputError, match=r"m\.safetensors: damaged"):
        weights.load(saved)
    saved.with_suffix(".json").write_text("{")
    with pytest.raises(InputError, match=r"m\.json: no JSON"):
        weights.load(saved)
    saved.with_suffix(".json").unlink()
    with pytest.raises(InputError, match=r"m\.json: cannot read"):
        weights.load(saved)
    with pytest.raises(InputError, match=r"\.safetensors, got '\.pth'"):
        weights.load(saved.with_suffix(".pth"))


def test_a_folder_that_is_not_there_leaves_nothing_behind(network, tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        weights.save(network, tmp_path / "absent" / "m.safetensors")
    assert list(tmp_path.iterdir()) == []
