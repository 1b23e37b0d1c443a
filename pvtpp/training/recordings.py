"""Recordings of a tracker's results and features along a clip, so that predictors which read features train from disk.

A recording is one online run on a simulated clock: the tracker takes the newest frame whenever it is free, so a slow
one skips frames. Any tracker will do whose results have `features` with `template` (the same for all frames) and
`search`, of whatever size, with a batch axis: those of NanoTrack V3 are 1 x 96 x 8 x 8 and 1 x 96 x 16 x 16.
`recorded_windows` makes training windows of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pvtpp.clip import Clip, LazyFrames
from pvtpp.core.event_log import EventLog
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import StateMachine
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.networks.rules import BELOW_1, count_from
from pvtpp.predictors.hold import Hold
from pvtpp.tracker import Frame, Tracker, TrackerOutput, takes_search_box
from pvtpp.training.rules import RANGE
from pvtpp.training.tracker_error import log_uniform
from pvtpp.validation import at_least, check

FORMAT = "pvtpp recording 2"
KINDS = {
    **dict.fromkeys(("t_ns", "available_ns", "truth_t_ns"), "i"),
    **dict.fromkeys(("boxes", "scores", "searched", "search", "template", "truth"), "f"),
    "seen": "b",
}
"""Kinds of the numbers in a recording's arrays, as NumPy calls them: integers, fractions, truth values."""
WAIT_S = 0.2
"""Seconds between checks whether another process has written a recording."""


@dataclass(frozen=True)
class Recording:
    """One run of a tracker: n results, the first of which is the box that it was started on.

    Boxes are ``[cx, cy, w, h]`` in pixels.

    Attributes
    ----------
    clip
        Name of the clip.
    t_ns, available_ns
        Capture time of each result's frame, and when the result was available, nanoseconds, ``(n,)``.
    boxes, scores
        The results, ``(n, 4)`` and ``(n,)``.
    searched
        The box that each result's search region was placed on, ``(n, 4)``.
    seen
        Whether the result has features, bool, ``(n,)``: False for the first.
    search
        Features of the search regions, float16, ``(n, C, H, W)``; zero where `seen` is False.
    template
        Features of the template, float16, ``(C, h, w)``.
    truth_t_ns, truth
        Times ``(m,)``, nanoseconds, and true boxes ``(m, 4)``, NaN where the target is absent.

    Raises
    ------
    InputError
        If the shapes do not fit each other, or there are fewer than two results.
    """

    clip: str
    t_ns: np.ndarray
    available_ns: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    searched: np.ndarray
    seen: np.ndarray
    search: np.ndarray
    template: np.ndarray
    truth_t_ns: np.ndarray
    truth: np.ndarray

    def __post_init__(self) -> None:
        n, m = len(self.t_ns), len(self.truth_t_ns)
        expected = {
            "available_ns": (n,),
            "boxes": (n, 4),
            "scores": (n,),
            "searched": (n, 4),
            "seen": (n,),
            "truth": (m, 4),
        }
        found = {name: getattr(self, name).shape for name in expected}
        wrong = [f"{name} {shape}" for name, shape in found.items() if shape != expected[name]]
        if n < 2 or wrong or self.search.ndim != 4 or len(self.search) != n or self.template.ndim != 3:
            raise InputError(
                f"recording of {self.clip}: {n} results (at least 2) and {m} truths with search {self.search.shape}, "
                f"template {self.template.shape}{'; these do not fit: ' * bool(wrong)}{', '.join(wrong)}"
            )

    def __len__(self) -> int:
        return len(self.t_ns)

    def write(self, path: str | Path) -> None:
        """Write one ``.npz`` file, whole or not at all."""
        with whole_file(path, keep_extension=True) as part:
            arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
            np.savez(part, format=np.array(FORMAT), **arrays)

    @classmethod
    def read(cls, path: str | Path) -> Recording:
        """Read a file that `write` wrote; no code in it is ever run.

        Raises
        ------
        InputError
            For a file that is missing, damaged or no recording.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if str(file["format"]) != FORMAT:
                    raise InputError(f"{path}: format is {str(file['format'])!r}, expected {FORMAT!r}")
                arrays = {f.name: file[f.name] for f in fields(cls)}
            wrong = [name for name, kind in KINDS.items() if arrays[name].dtype.kind != kind or not arrays[name].ndim]
            if wrong:
                raise InputError(f"{path}: no recording, or damaged ({wrong[0]} is {arrays[wrong[0]].dtype})")
        except InputError:
            raise
        except OSError as error:
            raise InputError(f"{path}: no recording, or damaged ({error.strerror or error})") from None
        except Exception:
            # Damaged archives raise errors of many kinds. NumPy's own message for such a file suggests to load it with
            # pickle, which can run code.
            raise InputError(f"{path}: no recording, or damaged; delete it and call again") from None
        return cls(**{**arrays, "clip": str(arrays["clip"])})


@dataclass(frozen=True)
class RecordingPlan:
    """How often and how each clip is recorded.

    Attributes
    ----------
    runs
        Runs of each clip, each with its own start and processing time.
    processing_s
        Bounds of a run's processing time, seconds, log-uniform.
    jitter
        Standard deviation, within a run, of the logarithm of the processing time.
    starts
        Runs start within this first share of the clip, evenly spaced.
    first_box
        Largest error of the first box: of the centre in target sizes, of the size as a logarithm.
    displaced
        Largest displacement of a search region from the last result, in target sizes; each run draws a bound of its
        own up to this one. A tracker that learns on regions which all follow their target closely forgets how to find
        one that has moved.
    longest
        Most results in a run.
    seed
        Of every random draw.

    Raises
    ------
    InputError
        For a value out of range.
    """

    runs: int = 6
    processing_s: tuple[float, float] = (0.02, 0.2)
    jitter: float = 0.1
    starts: float = 0.75
    first_box: float = 0.03
    displaced: float = 0.0
    longest: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        rules = {
            "runs": count_from(1),
            "processing_s": RANGE,
            "jitter": at_least(0),
            "starts": BELOW_1,
            "first_box": at_least(0),
            "displaced": at_least(0),
            "longest": count_from(2),
        }
        check(self, rules)


class _Enough(Exception):
    """As many results as wanted are recorded."""


class _Recorder:
    """The tracker of a simulation; keeps search boxes and features of its results until there are `most`."""

    def __init__(
        self, tracker: Tracker, clip: Clip, most: int | None, displace: Callable[[int, np.ndarray], np.ndarray] | None
    ):
        self._tracker, self._clip, self._most, self._displace = tracker, clip, most, displace
        self.searched: list[np.ndarray] = []
        self.search: list[np.ndarray] = []
        self.template: np.ndarray | None = None

    def init(self, frame: Frame, box: np.ndarray) -> None:
        self._tracker.init(frame, box)
        self._last = np.asarray(box, dtype=np.float64)

    def track(self, frame: Frame, search_box: np.ndarray | None = None) -> TrackerOutput:
        # The given box is a result too.
        if self._most is not None and len(self.search) + 1 >= self._most:
            raise _Enough
        searched = self._displace(frame.index, self._last) if self._displace else self._last
        output = self._tracker.track(frame, searched) if self._displace else self._tracker.track(frame)
        self._last = output.box
        self.searched.append(searched)
        seen, self.template = (self._feature(output.features, name) for name in ("search", "template"))
        self.search.append(np.asarray(seen[0], dtype=np.float16))
        return output

    def _feature(self, features: Any, name: str) -> np.ndarray:
        """The array of this name; InputError where the tracker does not give it as `record` says."""
        array: Any = getattr(features, name, None)
        fits = isinstance(array, np.ndarray) and array.ndim == 4 and len(array) == 1
        if fits and array.dtype.kind == "f":
            return array
        if isinstance(features, Mapping):
            found = "a dict; types.SimpleNamespace(**features) makes attributes of it"
        elif array is None:
            found = f"without {name}" if features is not None else "None"
        else:
            shape = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            found = f"with {name} {shape}"
        raise InputError(
            f"clip {self._clip.name}: {type(self._tracker).__name__} gives no features to record: they are {found}; "
            "expected are attributes template (1, C, h, w) and search (1, C, H, W), arrays of float32"
        )


def record(
    tracker: Tracker,
    clip: Clip,
    processing_ns: Callable[[int], int],
    start: int = 0,
    first_box: np.ndarray | None = None,
    longest: int | None = None,
    displace: Callable[[int, np.ndarray], np.ndarray] | None = None,
) -> Recording:
    """Run the tracker over the clip on a simulated clock, and record its results and features.

    Parameters
    ----------
    tracker
        Gives results whose `features` have the attributes `template`, ``(1, C, h, w)``, the same for all frames, and
        `search`, ``(1, C, H, W)``: arrays of float32 with a batch axis.
    clip
        What it runs on.
    processing_ns
        The processing time for each frame number, nanoseconds.
    start
        The first frame.
    first_box
        What the tracker is started on; None takes the truth.
    longest
        Most results; None records to the end of the clip.
    displace
        Frame number and last result to the box that is searched round, ``[cx, cy, w, h]``; None leaves it to the
        tracker.

    Raises
    ------
    InputError
        Where there is no truth to start from, for a tracker whose results have no features, and for one that takes no
        search box where search regions are displaced.
    """
    t_ns = clip.frame_t_ns()
    box = clip.box_at(t_ns[start]) if first_box is None else np.asarray(first_box, dtype=np.float64)
    if not np.isfinite(box).all():
        raise InputError(f"clip {clip.name}: no target in frame {start} to start the tracker on")
    if displace and not takes_search_box(tracker):
        raise InputError(
            f"{type(tracker).__name__} takes no search box, so its search regions cannot be displaced; "
            "RecordingPlan.displaced must be 0"
        )
    recorder, log = _Recorder(tracker, clip, longest, displace), EventLog()
    predictors = {"hold": Hold()}
    costs = Costs(lambda number: processing_ns(start + number))
    simulator = Simulator(StateMachine(predictors, log=log), recorder, predictors, costs)
    with suppress(_Enough):
        simulator.run(LazyFrames(clip.frame, start, clip.length), box)
    if recorder.template is None:
        raise InputError(f"clip {clip.name}: ends with frame {start}, there is nothing to track")
    # What the tracker was still at when the recording ended has no result.
    results = log.of_kind("result")
    search, searched = recorder.search[: len(results)], recorder.searched[: len(results)]
    times = [t_ns[start], *(row[3] for row in results)]
    available = [t_ns[start], *(row[1] for row in results)]
    boxes, scores = [box, *(row[4] for row in results)], [1.0, *(row[5] for row in results)]
    return Recording(
        clip.name,
        np.array(times, dtype=np.int64),
        np.array(available, dtype=np.int64),
        np.array(boxes),
        np.array(scores),
        np.array([box, *searched]),
        np.arange(len(times)) > 0,
        np.stack([np.zeros_like(search[0]), *search]),
        np.asarray(recorder.template[0], dtype=np.float16),
        np.asarray(clip.truth_t_ns, dtype=np.int64),
        np.asarray(clip.truth, dtype=np.float64),
    )


def record_all(
    tracker: Tracker,
    clips: Iterable[Clip],
    plan: RecordingPlan,
    folder: str | Path,
    source: str = "",
    progress: Callable[[str], None] | None = None,
    wait: bool = False,
) -> Iterator[Recording]:
    """Record every run of the plan, one file each; files that exist are read instead, so an interrupted call continues.

    Parameters
    ----------
    tracker
        Gives results with features.
    clips
        What it runs on, read one by one.
    plan
        The runs of each clip.
    folder
        Where the files go.
    source
        Tells trackers apart: it, the plan, frame times and truth decide a file's name.
    progress
        Called with a line of text after every run.
    wait
        Run nothing, and wait for another process that writes to the same folder.
    """
    for clip in clips:
        for run in range(plan.runs):
            path = Path(folder) / f"{clip.name}.{run}of{plan.runs}.{_digest(clip, plan, source)}.npz"
            while wait and not path.is_file():
                time.sleep(WAIT_S)
            if not path.is_file():
                _run(tracker, clip, plan, run).write(path)
                if progress:
                    progress(f"{clip.name}, run {run + 1} of {plan.runs}")
            yield Recording.read(path)


def _run(tracker: Tracker, clip: Clip, plan: RecordingPlan, run: int) -> Recording:
    rng = np.random.default_rng(
        [plan.seed, run, int.from_bytes(hashlib.sha256(clip.name.encode()).digest()[:4], "big")]
    )
    processing = float(log_uniform(rng, plan.processing_s, 1)[0]) * 1e9
    varied = np.rint(processing * np.exp(plan.jitter * rng.normal(size=clip.length))).astype(np.int64)
    wanted = int(plan.starts * clip.length * run / plan.runs)
    known = np.isfinite(clip.frame_truth()).all(1)
    there = np.flatnonzero(known[:-1]).tolist()
    if not there:
        raise InputError(f"clip {clip.name}: no frame shows a target")
    start = next((i for i in there if i >= wanted), there[0])
    box = clip.box_at(clip.frame(start).t_ns)
    off = rng.uniform(-plan.first_box, plan.first_box, 4)
    first = np.concatenate([box[:2] + off[:2] * box[2:], box[2:] * np.exp(off[2:])])
    # Drawn last: without displacements a run is what it was before there were any.
    bound = rng.uniform(0, plan.displaced)
    shift = rng.uniform(-bound, bound, (clip.length, 2))

    def displace(frame: int, last: np.ndarray) -> np.ndarray:
        return np.concatenate([last[:2] + shift[frame] * last[2:], last[2:]])

    return record(
        tracker,
        clip,
        lambda frame: int(varied[frame]),
        start,
        first,
        plan.longest,
        displace if plan.displaced else None,
    )


def _digest(clip: Clip, plan: RecordingPlan, source: str) -> str:
    facts = (FORMAT, source, sorted(asdict(plan).items()), clip.frame_t_ns())
    return hashlib.sha256(repr(facts).encode() + np.asarray(clip.truth).tobytes()).hexdigest()[:10]
