"""An engine that tells what it does: how timing, calibration and comparison look into a tracker without touching it."""

from __future__ import annotations

import time
from typing import Callable, Dict, Mapping, NamedTuple

import numpy as np

from pvtpp.inference.engine import Engine


class Call(NamedTuple):
    """One run of the engine called `name`; `begin` and `end` in seconds of ``time.perf_counter``."""

    name: str
    begin: float
    end: float
    inputs: Mapping[str, np.ndarray]
    outputs: Dict[str, np.ndarray]


class WatchedEngine:
    """`engine`, calling `watch` after each run. The arrays are the run's own: what is to be kept beyond it must be copied."""

    def __init__(self, name: str, engine: Engine, watch: Callable[[Call], None]):
        self.inputs, self.outputs = engine.inputs, engine.outputs
        self._name, self._engine, self._watch = name, engine, watch

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """All outputs by name; see `Engine`."""
        begin = time.perf_counter()
        outputs = self._engine.run(inputs)
        self._watch(Call(self._name, begin, time.perf_counter(), inputs, outputs))
        return outputs


def observed(engines: Mapping[str, Engine], watch: Callable[[Call], None]) -> Dict[str, Engine]:
    """Each of the engines, observed by its name."""
    return {name: WatchedEngine(name, engine, watch) for name, engine in engines.items()}
