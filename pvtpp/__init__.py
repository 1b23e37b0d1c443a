"""Latency-aware visual tracking: a tracker's result is a trajectory that can be asked where the target is now.

What a program needs is here: `LiveTracker`, `Frame`, `create_tracker`, `create_predictor`, `load_dataset`, `evaluate`,
`score` and `Result`. They are imported when they are first used, so that ``import pvtpp`` costs nothing.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from pvtpp.public import (
        Frame,
        LiveTracker,
        Result,
        create_predictor,
        create_tracker,
        evaluate,
        load_dataset,
        score,
    )

__version__ = "0.2.0"
__all__ = [
    "Frame",
    "LiveTracker",
    "Result",
    "create_predictor",
    "create_tracker",
    "evaluate",
    "load_dataset",
    "score",
]

# catkin generates pvtpp.msg and pvtpp.srv into a folder of its own.
__path__ = extend_path(__path__, __name__)


def __getattr__(name: str) -> Any:
    """Import what is offered when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'pvtpp' has no attribute {name!r}; it offers: {', '.join(__all__)}")
    if name == "Frame":
        # Needed by all, so it must not pull in the rest.
        found = import_module("pvtpp.tracker").Frame
    else:
        found = getattr(import_module("pvtpp.public"), name)
    globals()[name] = found
    return found


def __dir__() -> List[str]:
    """List what is offered, imported or not."""
    return sorted({*globals(), *__all__})
