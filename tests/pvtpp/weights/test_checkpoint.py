"""Checkpoints hold tensors, or they are not read."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.weights.checkpoint import match, read_checkpoint, write_weights

torch = pytest.importorskip("torch")

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(4)}


class Runs:
    """A malicious pickle: on loading it creates a file."""

    def __init__(self, path, call=open, *arguments):
        self.path, self.call, self.arguments = path, call, arguments or ("w",)

    def __reduce__(self):
        return self.call, (str(self.path), *self.arguments)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.pth"


@pytest.mark.parametrize("nest", [None, "state_dict", "model", "net"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_nested_and_data_parallel_files_give_the_same_tensors(path, nest, prefix):
    tensors = {prefix + name: tensor for name, tensor in TENSORS.items()}
    torch.save({nest: tensors, "epoch": 3, "best": np.float64(0.5)} if nest else tensors, path)
    found = read_checkpoint(path)
    assert list(found) == list(TENSORS)
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_a_prefix_of_some_names_alone_stays(path):
    torch.save({"module.a": TENSORS["b"], "b": TENSORS["b"]}, path)
    assert list(read_checkpoint(path)) == ["module.a", "b"]


@pytest.mark.parametrize("plain", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(path, tmp_path, plain):
    content = {"a": 1, "more": Runs(tmp_path / "ran")}
    path.write_bytes(pickle.dumps(content, protocol=2)) if plain else torch.save(content, path)
    with pytest.raises(InputError, match=r"checkpoint\.pth: (not a file of tensors alone|damaged)") as refusal:
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()
    assert "io.open" in str(refusal.value)
    assert "weights_only" not in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("plain", [True, False])
def test_a_blocked_module_is_named_but_not_how_to_allow_it(path, tmp_path, plain):
    content = {"more": Runs(tmp_path / "ran", os.mkdir, 0o700)}
    path.write_bytes(pickle.dumps(content, protocol=2)) if plain else torch.save(content, path)
    with pytest.raises(InputError, match=r"it was not loaded \(Trying to load .*posix\.mkdir.*\)$") as refusal:
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()
    assert (
        "weights_only" not in str(refusal.value) and "trust" not in str(refusal.value) and len(str(refusal.value)) < 400
    )


def test_an_object_dtype_is_refused_too(path, tmp_path):
    torch.save({**TENSORS, "more": np.array([Runs(tmp_path / "ran")], dtype=object)}, path)
    with pytest.raises(InputError):
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_named(path, share):
    torch.save(TENSORS, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=r"checkpoint\.pth: (damaged|not a file)"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [{"epoch": 3}, [TENSORS["b"]], {"state_dict": {}}])
def test_a_file_without_named_tensors_is_refused(path, content):
    torch.save(content, path)
    with pytest.raises(InputError, match=r"holds no tensors by name.*state_dict, model, net"):
        read_checkpoint(path)


def test_a_tensor_without_a_name_is_refused(path):
    torch.save({0: TENSORS["b"], "b": TENSORS["b"]}, path)
    with pytest.raises(InputError, match=r"checkpoint\.pth: a tensor is called 0, expected text"):
        read_checkpoint(path)


def test_a_card_that_is_no_json_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"m\.json: cannot be written as JSON .* not finite"):
        write_weights(tmp_path / "m.safetensors", TENSORS, {"kappa": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(path):
    with pytest.raises(InputError, match=r"checkpoint\.pth: no such checkpoint"):
        read_checkpoint(path)


def test_match_says_what_differs_and_keeps_long_lists_short():
    wanted = {f"n{i}": torch.zeros(2) for i in range(9)}
    with pytest.raises(InputError, match="f: not the weights of X: the file lacks n0, n1, n2 and 6 more"):
        match(wanted, {}, "f", "X")
    with pytest.raises(InputError, match="f: not the weights of X: X has no place for a"):
        match({}, {"a": torch.zeros(1)}, "f", "X")
    with pytest.raises(InputError, match=r"other shapes: n0 is \[3\], not \[2\]"):
        match({"n0": torch.zeros(2)}, {"n0": torch.zeros(3)}, "f", "X")
    assert list(match(wanted, wanted, "f", "X")) == list(wanted)


@pytest.mark.parametrize("strange", [torch.eye(2).to_sparse(), torch.zeros(2, 2, dtype=torch.cfloat)])
def test_sparse_and_complex_tensors_are_refused(strange):
    with pytest.raises(InputError, match="f: not the weights of X: the file has sparse or complex numbers: n"):
        match({"n": torch.zeros(2, 2)}, {"n": strange}, "f", "X")


def test_a_torch_that_could_run_code_is_not_used(path, monkeypatch):
    torch.save(TENSORS, path)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(InputError, match=r"torch 2\.5\.1\+cpu can be made to run"):
        read_checkpoint(path)
