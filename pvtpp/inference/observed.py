"""Engines that report their runs, so that timing, calibration and comparison need no change in a tracker."""

from __future__ import annotations

import time
from typing import Callable, Dict, Mapping, NamedTuple

import numpy as np

from pvtpp.inference.engine import Engine


class Call(NamedTuple):
    """One run of an engine.

    Attributes
    ----------
    name
        Name of the engine.
    begin, end
        Start and end of the run, seconds of ``time.perf_counter``.
    inputs, outputs
        Arrays of the run by name, not copied.
    """

    name: str
    begin: float
    end: float
    inputs: Mapping[str, np.ndarray]
    outputs: Dict[str, np.ndarray]


class ObservedEngine:
    """An engine that reports each run to a callback.

    Parameters
    ----------
    name
        Name in the reports.
    engine
        The engine that does the work.
    observe
        Called after each run. The arrays of the `Call` are those of the run: what is to be kept must be copied.

    Attributes
    ----------
    inputs, outputs
        Those of `engine`.
    """

    def __init__(self, name: str, engine: Engine, observe: Callable[[Call], None]):
        self.inputs, self.outputs = engine.inputs, engine.outputs
        self._name, self._engine, self._observe = name, engine, observe

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Run the engine and report it; see `Engine.run`."""
        begin = time.perf_counter()
        outputs = self._engine.run(inputs)
        self._observe(Call(self._name, begin, time.perf_counter(), inputs, outputs))
        return outputs


def observed(engines: Mapping[str, Engine], observe: Callable[[Call], None]) -> Dict[str, Engine]:
    """Wrap each of the engines, so that `observe` gets a `Call` with the engine's name after each run."""
    return {name: ObservedEngine(name, engine, observe) for name, engine in engines.items()}
