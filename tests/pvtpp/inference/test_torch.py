"""A torch module behind the engine interface behaves as any other engine."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine

torch = pytest.importorskip("torch")


def spec(name, *shape):
    return TensorSpec(name, shape, np.dtype(np.float32))


class Adds(torch.nn.Module):
    def forward(self, a, b):
        return a + b, a * 2


@pytest.fixture
def engine():
    return TorchEngine(Adds(), [spec("a", 2), spec("b", 2)], [spec("sum", 2), spec("twice", 2)])


A, B = np.array([1, 2], np.float32), np.array([3, 5], np.float32)


def test_named_arrays_in_whatever_order_give_named_arrays(engine):
    found = engine.run({"b": B, "a": A})
    assert list(found) == ["sum", "twice"]
    assert found["sum"].tolist() == [4, 7] and found["twice"].tolist() == [2, 4]


def test_read_only_inputs_are_taken_and_outputs_are_the_caller_s(engine):
    frozen = A.copy()
    frozen.flags.writeable = False
    first = engine.run({"a": frozen, "b": B})["sum"]
    engine.run({"a": 9 * A, "b": B})
    assert first.tolist() == [4, 7] and first.flags.writeable


def test_one_tensor_is_one_output_and_the_module_is_in_evaluation_mode():
    dropout = TorchEngine(torch.nn.Dropout(0.9), [spec("x", 2)], [spec("y", 2)])
    assert dropout.run({"x": A})["y"].tolist() == A.tolist()


@pytest.mark.parametrize("inputs", [{"a": A}, {"a": A, "b": B[:1]}, {"a": A, "b": B.astype(np.float64)}])
def test_inputs_that_do_not_fit_are_named(engine, inputs):
    with pytest.raises(InputError, match="torch module: "):
        engine.run(inputs)


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="device 'abacus'"):
        TorchEngine(Adds(), [], [], device="abacus")


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"pvtpp\[train\]"):
        TorchEngine(Adds(), [], [])
