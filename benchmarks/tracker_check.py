"""Check that a tracker keeps its contract, on a small generated clip, before it is used in a benchmark."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput, as_tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic import AerialClip, render

EASY = AerialClip(
    name="check", width=320, height=240, seconds=1.2, target_px=40.0, agility=0.8, distractor=False, occlusions=()
)
"""The clip that is generated where none is given: a large, slow target without distractor or occlusion."""
FOLLOWS = 0.3
"""The mean IoU above which a tracker counts as following the target."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one clause of the contract.

    Attributes
    ----------
    name
        Name of the clause.
    passed
        Whether the tracker keeps it.
    detail
        What was found.
    required
        False where failing is only a warning about quality.
    """

    name: str
    passed: bool
    detail: str
    required: bool = True


class _Broken(Exception):
    """The tracker broke a clause of the contract; the message says how."""


@dataclass
class _Bench:
    """New trackers and the clip for them: frames with their images loaded, and true boxes, shape ``(n, 4)``."""

    make_tracker: Callable[[], Any]
    frames: List[Frame]
    truth: np.ndarray
    _first_run: Optional[np.ndarray] = None

    def fresh(self, start: bool = True) -> Tracker:
        """A new tracker, initialised on the first frame if `start`."""
        tracker = as_tracker(self.make_tracker())
        if start:
            tracker.init(self.frames[0], self.truth[0].copy())
        return tracker

    def follow(self, tracker: Tracker, indices: Sequence[int]) -> np.ndarray:
        """Boxes and scores of the tracker on these frames, shape ``(n, 5)``."""
        return np.array([_row(tracker.track(self.frames[index]), index) for index in indices]).reshape(-1, 5)

    def first_run(self) -> np.ndarray:
        """Boxes and scores of a new tracker on all frames after the first; computed once."""
        if self._first_run is None:
            self._first_run = self.follow(self.fresh(), range(1, len(self.frames)))
        return self._first_run


def check_tracker(make_tracker: Callable[[], Any], clip: Optional[VideoSequence] = None) -> List[CheckResult]:
    """Check a tracker against every clause of its contract.

    Parameters
    ----------
    make_tracker
        Returns at each call a new tracker, or a plain object with ``init(image, xywh)`` and ``update(image)``.
    clip
        An annotated sequence with images, at least 12 camera frames and the target present in all of them. None
        generates one.

    Returns
    -------
    list of CheckResult
        One result per clause. Whatever the tracker raises becomes a failed result.

    Raises
    ------
    InputError
        For a clip that is too short or without images, and for one whose target is absent at times.
    """
    clip = render(EASY) if clip is None else clip
    truth = xywh_to_box(clip.ground_truth_xywh[:: clip.stride])
    if len(truth) < 12 or not np.isfinite(truth).all():
        raise InputError(
            f"{clip.name}: checking a tracker needs 12 frames or more, all with the target; this has {len(truth)}"
        )
    frames = [clip.frame(index) for index in range(len(clip))]
    loaded = [Frame(frame.index, frame.t_ns, frame.image, frame.source) for frame in frames]
    bench = _Bench(make_tracker, loaded, truth)
    results = []
    for clause in _CLAUSES:
        # A tracker that writes into its images must not change those of the next clause.
        bench.frames = [Frame(frame.index, frame.t_ns, frame.image.copy(), frame.source) for frame in loaded]
        results.append(_result(bench, *clause))
    return results


def _result(bench: _Bench, name: str, clause: Callable[[_Bench], str], required: bool) -> CheckResult:
    try:
        return CheckResult(name, True, clause(bench), required)
    except _Broken as broken:
        return CheckResult(name, False, str(broken), required)
    except (Exception, SystemExit) as error:
        return CheckResult(name, False, f"raised {_named(error)}", required)


def _init(bench: _Bench) -> str:
    bench.fresh()
    return f"starts on {bench.frames[0].image.shape[1]}x{bench.frames[0].image.shape[0]} pixels"


def _output(bench: _Bench) -> str:
    run = bench.first_run()
    return f"{len(run)} boxes, scores {run[:, 4].min():.2f}..{run[:, 4].max():.2f}"


def _follows(bench: _Bench) -> str:
    overlap = iou(bench.first_run()[:, :4], bench.truth[1:])
    found = f"mean IoU {overlap.mean():.2f}, last frame {overlap[-1]:.2f}"
    if not overlap.mean() > FOLLOWS:
        raise _Broken(f"loses an easy target: {found}, expected a mean above {FOLLOWS}")
    return found


def _deterministic(bench: _Bench) -> str:
    again = bench.follow(bench.fresh(), range(1, len(bench.frames)))
    _same(bench.first_run(), again, "two fresh trackers differ")
    return "two runs are bit-identical"


def _full_reset(bench: _Bench) -> str:
    tracker = bench.fresh()
    bench.follow(tracker, range(1, len(bench.frames) // 2))
    image = bench.frames[0].image
    elsewhere = np.array(
        [image.shape[1] * 0.2, image.shape[0] * 0.25, bench.truth[0, 2] * 1.5, bench.truth[0, 3] * 1.5]
    )
    tracker.init(bench.frames[2], elsewhere)
    bench.follow(tracker, range(3, 8))
    tracker.init(bench.frames[0], bench.truth[0].copy())
    _same(
        bench.first_run(), bench.follow(tracker, range(1, len(bench.frames))), "init() does not forget what was before"
    )
    return "after another target, init() starts as a new tracker does"


def _skipped_frames(bench: _Bench) -> str:
    indices = [1, 4, 5, 10, len(bench.frames) - 1]
    run = bench.follow(bench.fresh(), indices)
    return f"shown 5 of {len(bench.frames)} frames: mean IoU {iou(run[:, :4], bench.truth[indices]).mean():.2f}"


def _leaves_input_alone(bench: _Bench) -> str:
    box, tracker = bench.truth[0].copy(), bench.fresh(start=False)
    images = [frame.image.copy() for frame in bench.frames[:3]]
    shown = [Frame(frame.index, frame.t_ns, image.copy()) for frame, image in zip(bench.frames, images)]
    tracker.init(shown[0], box)
    for frame in shown[1:]:
        tracker.track(frame)
    if any((frame.image != image).any() for frame, image in zip(shown, images)):
        raise _Broken("writes into the image it is given")
    if (box != bench.truth[0]).any():
        raise _Broken("writes into the box it is given")
    return "image and box are as they were"


def _search_box(bench: _Bench) -> str:
    moved = bench.truth[0] * [1, 1, 1.25, 1.25] + [0.75 * bench.truth[0, 2], 0, 0, 0]
    plain = _row(bench.fresh().track(bench.frames[1]), 1)
    steered = _row(bench.fresh().track(bench.frames[1], search_box=moved), 1)
    return "accepted and ignored" if (plain == steered).all() else "honoured: the answer depends on it"


def _bad_box(bench: _Bench) -> str:
    middle = bench.truth[0, :2].tolist()
    cases = [
        ("a box of NaN", [np.nan] * 4),
        ("a box without width", [*middle, 0.0, 20.0]),
        ("a box of negative height", [*middle, 20.0, -20.0]),
        ("a box of three numbers", [*middle, 20.0]),
    ]
    return _refusals(
        [(what, partial(bench.fresh(start=False).init, bench.frames[0], np.array(box))) for what, box in cases]
    )


def _bad_image(bench: _Bench) -> str:
    def frame(image: np.ndarray) -> Frame:
        return Frame(1, bench.frames[1].t_ns, lambda: image)

    good = bench.frames[1].image
    cases: List[Tuple[str, np.ndarray]] = [
        ("an empty image", np.zeros((0, 0, 3), dtype=np.uint8)),
        ("a float image", good.astype(np.float64)),
        ("a grey image", good[:, :, 0]),
    ]
    tries: List[Tuple[str, Callable[[], Any]]] = []
    for what, image in cases:
        tries.append((f"{what} in init()", partial(bench.fresh(start=False).init, frame(image), bench.truth[0].copy())))
        tries.append((f"{what} in track()", partial(bench.fresh().track, frame(image))))
    return _refusals(tries)


def _track_before_init(bench: _Bench) -> str:
    return _refusals([("track() before init()", partial(bench.fresh(start=False).track, bench.frames[1]))])


def _time(bench: _Bench) -> str:
    tracker, times = bench.fresh(), []
    for frame in bench.frames[1:]:
        start = time.perf_counter()
        tracker.track(frame)
        times.append((time.perf_counter() - start) * 1e3)
    median, p95 = np.percentile(times, [50, 95])
    return f"{median:.1f} ms a frame (median), {p95:.1f} ms (95th percentile), {len(times)} frames"


_CLAUSES: Tuple[Tuple[str, Callable[[_Bench], str], bool], ...] = (
    ("init", _init, True),
    ("output", _output, True),
    ("follows the target", _follows, False),
    ("deterministic", _deterministic, True),
    ("full reset", _full_reset, True),
    ("skipped frames", _skipped_frames, True),
    ("input unchanged", _leaves_input_alone, True),
    ("search box", _search_box, True),
    ("bad first box", _bad_box, True),
    ("bad image", _bad_image, True),
    ("track before init", _track_before_init, True),
    ("time per frame", _time, False),
)


def _row(output: Any, index: int) -> np.ndarray:
    """Box and score of an output, shape ``(5,)``; checked again, since any object with both may have been returned."""
    if not (hasattr(output, "box") and hasattr(output, "score")):
        raise _Broken(f"frame {index}: track() returned {type(output).__name__}, expected a TrackerOutput")
    try:
        checked = TrackerOutput(output.box, output.score)
    except (InputError, TypeError, ValueError) as error:
        raise _Broken(f"frame {index}: {error}") from None
    return np.append(checked.box, checked.score)


def _same(first: np.ndarray, second: np.ndarray, what: str) -> None:
    differs = (first != second).any(axis=1)
    if differs.any():
        row = int(np.argmax(differs))
        pixels = np.abs(first[row, :4] - second[row, :4]).max()
        raise _Broken(f"{what}: first at frame {row + 1}, by {pixels:.3g} px; {differs.sum()} of {len(first)} frames")


def _refusals(tries: Sequence[Tuple[str, Callable[[], Any]]]) -> str:
    """Check that each of these calls raises an exception, best an InputError; SystemExit does not count."""
    others = []
    for what, attempt in tries:
        try:
            attempt()
        except InputError:
            continue
        except SystemExit as error:
            raise _Broken(f"{what}: raised {_named(error)}") from None
        except Exception as error:
            others.append(f"{what}: {_named(error)}")
        else:
            raise _Broken(f"accepts {what} without an error")
    return "refused with InputError" if not others else f"refused, though not with InputError ({others[0]})"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
