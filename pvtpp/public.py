"""What `import pvtpp` offers, imported when it is first asked for: see `pvtpp.__init__`."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union
from uuid import uuid4

from pvtpp import defaults
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live import live_tracker
from pvtpp.predictors import Predictor
from pvtpp.predictors import create as create_predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import PLAIN, Frame, Tracker
from pvtpp_benchmarks.cluster import executors
from pvtpp_benchmarks.datasets import load as load_dataset
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Entry, Progress, check_entries, evaluate_all
from pvtpp_benchmarks.grid import PREDICTORS, Names, make_grid
from pvtpp_benchmarks.provenance import data_facts, facts
from pvtpp_benchmarks.result import Result
from pvtpp_benchmarks.scoring import score_logs
from pvtpp_trackers.factory import MakeTracker, create_tracker
from pvtpp_trackers.registry import source_digest
from pvtpp_trackers.styles import adapt, check_style

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


class LiveTracker(live_tracker.LiveTracker):
    """The live tracker in the product's default configuration: ``LiveTracker("nanotrack-v3")`` is all that it takes.

    Parameters
    ----------
    tracker
        A name of `create_tracker`, an object that follows the `Tracker` protocol, or a plain init/update object.
    predictor
        A name of `create_predictor`, or predictors by name, the leading one first.
    propagation
        ``optical_flow``, ``none``, or a propagator.
    search_region
        ``predicted``: the tracker looks where the predictor has the target; ``last``: round its own last result.
    presence
        ``on``: assess every result, coast and search where the target is lost; ``off``: believe every result; or the
        constants of the monitor.
    style
        What the tracker was written for: ``plain`` (this project, OpenCV), ``pysot``, ``got10k`` or ``rgb``.
    options
        Those of `pvtpp.live.live_tracker.LiveTracker`: `log`, `clock`, `config`, `on_error`, `on_result`, `gyro`,
        `detector`.
    """

    def __init__(
        self,
        tracker: Any = defaults.TRACKER,
        predictor: Union[str, Mapping[str, Predictor]] = defaults.PREDICTOR,
        propagation: Union[str, Propagator] = defaults.PROPAGATION,
        search_region: str = defaults.SEARCH_REGION,
        presence: Union[str, PresenceConfig] = defaults.PRESENCE,
        style: str = PLAIN,
        **options: Any,
    ):
        super().__init__(
            create_tracker(tracker, style=style) if isinstance(tracker, str) else adapt(tracker, style),
            defaults.predictors(predictor) if isinstance(predictor, str) else predictor,
            defaults.propagator(propagation) if isinstance(propagation, str) else propagation,
            search_region,
            presence=defaults.presence(presence) if isinstance(presence, str) else presence,
            **options,
        )


@dataclass(frozen=True)
class _MakeOwn:
    """Makes the user's own tracker: `make` is a class, or any function without arguments that returns a tracker.

    `style` is what that was written for, of `pvtpp_trackers.styles`.
    """

    make: Callable[[], Any]
    style: str = PLAIN

    @property
    def name(self) -> str:
        """Of the class or function, for the table."""
        return str(getattr(self._code, "__name__", type(self._code).__name__))

    def digest(self) -> str:
        """Tell it from an earlier state of the same code, as far as its source is known; else from every other."""
        code, given = self._code, "" if self.style == PLAIN else self.style
        if isinstance(self.make, partial):
            given += repr((self.make.args, self.make.keywords))
        module = getattr(code, "__module__", "")
        source = source_digest(module) or _source(code) or uuid4().hex
        return hashlib.sha256(f"{source} {given}".encode()).hexdigest()[:12]

    @property
    def _code(self) -> Any:
        return self.make.func if isinstance(self.make, partial) else self.make

    def __call__(self, sequence: Optional[VideoSequence] = None) -> Tracker:
        return adapt(self.make(), self.style)


def _check_sendable(make: Any) -> None:
    """Raise InputError where the tracker's class or function cannot be sent to worker processes."""
    try:
        pickle.dumps(make)
    except Exception as error:
        raise InputError(
            f"tracker {make.name}: cannot be sent to worker processes ({error}); allowed is a class or function at the "
            "top of a module, or workers=1"
        ) from None


def _source(code: Any) -> str:
    """The text of the file that the class or function is written in; empty where there is none."""
    try:
        file = inspect.getsourcefile(code)
        return "" if file is None else Path(file).read_text(encoding="utf-8")
    except (TypeError, OSError):
        return ""


def evaluate(
    tracker: Union[str, Callable[[], Any], Sequence[Union[str, Callable[[], Any]]]],
    clips: Iterable[VideoSequence],
    processing: Optional[Names] = None,
    predictors: Names = PREDICTORS,
    *,
    style: str = PLAIN,
    logs: Optional[str] = None,
    workers: int = 1,
    cluster: Optional[str] = None,
    progress: Optional[Progress] = None,
    **settings: Any,
) -> Result:
    """Run trackers over clips as if they were as fast or slow as you say, and score them online.

    Parameters
    ----------
    tracker
        A name of `create_tracker`, a class, or a function without arguments that makes a tracker; or several of them.
        For more than one worker it must be importable: a class or function of a module.
    clips
        A data set of `load_dataset`, a part of it, or any list of sequences.
    processing
        The tracker's times per frame, such as ``["0ms", "47ms"]`` or ``"47ms"``; None: 0, 20, 47, 85 and 165 ms.
    predictors
        Names of `create_predictor`. Each is evaluated in its usual setting (`pvtpp.defaults.settings`) unless
        `settings` say otherwise.
    style
        What the tracker was written for: ``plain`` (this project, OpenCV), ``pysot``, ``got10k`` or ``rgb``, see
        `pvtpp_trackers.styles`.
    logs
        Folder in which event logs are kept, so that what has run does not run again; None keeps none.
    workers
        Processes.
    cluster
        Address of a Dask scheduler, ``tcp://HOST:PORT``, whose workers do the runs instead.
    progress
        Called with a line after each run.
    settings
        Those of `pvtpp_benchmarks.grid.make_grid`: `propagation`, `search_region`, `presence`, `starts`, `mode` ...

    Returns
    -------
    Result
        With `table`, `plot`, `compare` and `write`.

    Raises
    ------
    InputError
        For a tracker that cannot be made or fails, and for settings that are not allowed and logs that cannot be
        written, before anything is run.
    RunsLost
        In the end, where worker processes ended in the middle of runs; with `logs` the others are kept.
    """
    check_style(style)
    sequences = list(clips)
    entries = []
    for each in tracker if isinstance(tracker, (list, tuple)) else [tracker]:
        make = _maker(each, style)
        grid = make_grid(
            getattr(clips, "name", "clips"),
            make.name,
            tracker_digest=make.digest(),
            processing=processing,
            predictors=predictors,
            **settings,
        )
        if workers != 1:
            _check_sendable(make)
        entries.append(Entry(grid, make))
    check_entries(entries)
    with executors(workers, cluster) as executor:
        rows = evaluate_all(sequences, entries, logs, executor, progress)
    base = entries[0].grid.base
    return Result(tuple(rows), {**facts(base.seed), "data": data_facts(base.dataset, sequences)})


def _maker(tracker: Any, style: str) -> Union[MakeTracker, _MakeOwn]:
    """What makes a tracker of a style that is given by its name, or as what makes it."""
    if isinstance(tracker, str):
        return MakeTracker(tracker, style=style)
    if callable(tracker):
        return _MakeOwn(tracker, style)
    raise InputError(
        "evaluate() takes the name of a tracker, or a class or function that makes one, since each clip has a "
        f"tracker of its own; it was given an object of class {type(tracker).__name__}"
    )


def score(
    logs: Union[str, Sequence[str]],
    clips: Iterable[VideoSequence],
    predictors: Optional[Names] = None,
    mode: Names = ("otb",),
) -> Result:
    """Score event logs against the truth of the clips that they were made on. Nothing is run.

    Parameters
    ----------
    logs
        Files or folders.
    clips
        With the truth.
    predictors
        Their names; None: those of each run.
    mode
        Metric modes: ``otb``, ``elae`` or ``strict``.

    Raises
    ------
    InputError
        For logs of other clips, and for predictors that need more than a log holds.
    """
    places = [logs] if isinstance(logs, str) else list(logs)
    return Result(tuple(score_logs(places, clips, predictors, mode)))
