"""What a run was charged for, in words and numbers that a table of results can print."""

from __future__ import annotations

from typing import Any, Dict, List

from pvtpp_benchmarks.spec import RunSpec

_NEVER = ("exposure and transport of the image", "reading and decoding of the image", "loading and first use of models")
"""Steps that no run is charged for, on either clock."""
_SIMULATED = ("the state machine and presence", "hand-over between threads")
"""Steps that take time on the wall clock alone."""


def charges(spec: RunSpec, online: bool = True) -> Dict[str, Any]:
    """Return what a run of this spec was charged for, as a result row holds it.

    Returns
    -------
    dict
        ``tracker`` (a text: the processing time as it was given, ``measured`` on the wall clock, ``nothing`` at zero
        latency), ``propagation_step_ms`` and ``predictor_ms`` (None where not charged as a constant),
        ``propagation_core`` (None without propagation), and ``not_charged``, a list of steps in words.
    """
    if not online:
        return _charged("nothing", ["everything: each frame is scored at its own time"])
    if spec.clock == "wall":
        core = "the machine's" if spec.propagation != "none" else None
        return {**_charged(spec.processing, list(_NEVER)), "propagation_core": core}
    propagated = spec.propagation != "none"
    free = [*_NEVER, *_SIMULATED]
    if not spec.predictor_ns:
        free.append("the predictor")
    if propagated and not spec.propagation_ns:
        free.append("propagation")
    return {
        **_charged(spec.processing, free),
        "propagation_step_ms": spec.propagation_ns / 1e6 if propagated else None,
        "predictor_ms": spec.predictor_ns / 1e6,
        "propagation_core": spec.propagation_core if propagated else None,
    }


def _charged(tracker: str, free: List[str]) -> Dict[str, Any]:
    return {
        "tracker": tracker,
        "propagation_step_ms": None,
        "predictor_ms": None,
        "propagation_core": None,
        "not_charged": free,
    }
