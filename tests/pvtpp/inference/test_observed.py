"""Observing an engine does not change its outputs."""

import numpy as np

from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.observed import observed


class Doubles:
    inputs = (TensorSpec("x", (2,), np.dtype(np.float32)),)
    outputs = (TensorSpec("y", (2,), np.dtype(np.float32)),)

    def run(self, inputs):
        return {"y": inputs["x"] * 2}


def test_every_call_is_reported_with_its_name_times_and_arrays():
    calls = []
    engine = observed({"head": Doubles()}, calls.append)["head"]
    x = np.array([1, 2], np.float32)
    answer = engine.run({"x": x})
    (call,) = calls
    assert answer["y"].tolist() == [2, 4] and call.outputs is answer and call.inputs["x"] is x
    assert call.name == "head" and call.begin <= call.end
    assert (engine.inputs, engine.outputs) == (Doubles.inputs, Doubles.outputs)
