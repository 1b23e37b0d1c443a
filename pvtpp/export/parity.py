"""The parity check: an exported network is accepted if its tensors, boxes and tracks are those of its source.

*Tensors*: every output of every graph, on the same frame in the same state. *Boxes*: before every frame the candidate
gets the reference's last box, so that no early difference grows (teacher forcing). *Tracks*: both run on their own over
whole clips, and their mean scores are compared; single boxes mean nothing there, since a difference of 1e-6 can change
which proposal wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pvtpp.clip import Clip
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.inference.observed import Call, observed
from pvtpp.tracker import Frame, Tracker

Engines = Mapping[str, Engine]
MakeTracker = Callable[[Engines], Tracker]
Score = Callable[[np.ndarray, np.ndarray], float]
"""From boxes and truth, both ``(n, 4)`` ``[cx, cy, w, h]``, truth NaN where absent, to a number such as the AUC."""


class ParityError(InputError):
    """The candidate differs too much from what it was exported from."""


class CandidateError(ParityError):
    """The candidate gave no answer at all, perhaps because of its runtime."""


@dataclass(frozen=True)
class Tolerance:
    """What passes the parity check.

    Attributes
    ----------
    tensor
        Largest difference of a tensor, divided by the reference's largest value where that is above 1.
    box_px, box_share
        This share of the teacher-forced boxes must differ by at most so many pixels.
    score
        Largest difference of the mean scores.
    """

    tensor: float
    box_px: float
    box_share: float
    score: float


TOLERANCES = {
    "fp32": Tolerance(tensor=1e-4, box_px=0.5, box_share=1.0, score=0.005),
    "fp16": Tolerance(tensor=0.02, box_px=0.25, box_share=0.99, score=0.01),
    "int8": Tolerance(tensor=0.6, box_px=2.0, box_share=0.95, score=0.02),
}
"""By precision.

The lower two leave a margin over what NanoTrack V3 shows on the clips of uav-mini's train split: boxes within 0.024 px
on 99 % of frames in half precision, within 0.96 px on 95 % in eight bits.
"""


@dataclass
class Difference:
    """The largest difference of one tensor over all frames.

    Attributes
    ----------
    absolute
        In the tensor's unit.
    relative
        Divided by the reference's largest value, where that is above 1.
    """

    absolute: float = 0.0
    relative: float = 0.0

    def add(self, reference: np.ndarray, candidate: np.ndarray) -> None:
        """Take in one pair of tensors; ParityError if their shapes differ."""
        if reference.shape != candidate.shape:
            raise ParityError(f"shapes differ: {list(reference.shape)} and {list(candidate.shape)}")
        difference = float(np.abs(candidate.astype(np.float64) - reference).max())
        # Not max(): that drops a NaN, which must fail.
        self.absolute = float(np.maximum(self.absolute, difference))
        self.relative = float(np.maximum(self.relative, difference / max(1.0, float(np.abs(reference).max()))))


@dataclass
class Parity:
    """What the comparison found.

    Attributes
    ----------
    tensors
        Differences by ``graph.output``.
    boxes
        For each frame the largest difference of a coordinate of the teacher-forced boxes, pixels.
    scores
        For each clip the scores of reference and candidate, each running on its own.
    """

    tensors: dict[str, Difference] = field(default_factory=dict)
    boxes: list[float] = field(default_factory=list)
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The findings as the sidecar holds them."""
        found: dict[str, Any] = {"tensors": {name: asdict(each) for name, each in self.tensors.items()}}
        if self.boxes:
            quantiles = {f"p{q}_px": float(np.percentile(self.boxes, q)) for q in (50, 90, 95, 99)}
            found["boxes"] = {"frames": len(self.boxes), **quantiles, "max_px": float(max(self.boxes))}
        if self.scores:
            reference, candidate = np.mean(list(self.scores.values()), axis=0).tolist()
            found["tracks"] = {"clips": len(self.scores), "reference": reference, "candidate": candidate}
        return found

    def check(self, tolerance: Tolerance) -> None:
        """Raise ParityError for the first finding outside `tolerance`; NaN always is."""
        for name, difference in self.tensors.items():
            if not difference.relative <= tolerance.tensor:
                raise ParityError(
                    f"tensor {name} differs by {difference.absolute:.2e} ({difference.relative:.2e} of its largest "
                    f"value), allowed is {tolerance.tensor:.0e}"
                )
        if self.boxes:
            far = float(np.percentile(self.boxes, 100 * tolerance.box_share))
            if not far <= tolerance.box_px:
                raise ParityError(
                    f"teacher-forced boxes differ by {far:.2f} px at the {tolerance.box_share:.0%} point of "
                    f"{len(self.boxes)} frames, allowed is {tolerance.box_px:g}"
                )
        if self.scores:
            reference, candidate = np.mean(list(self.scores.values()), axis=0)
            if not abs(reference - candidate) <= tolerance.score:
                raise ParityError(
                    f"mean score over {len(self.scores)} clips is {candidate:.4f}, the reference's {reference:.4f}; "
                    f"allowed is a difference of {tolerance.score:g}"
                )


def compare_engines(reference: Engines, candidate: Engines, samples: int = 3, seed: int = 0) -> Parity:
    """Compare every graph on random inputs: uniform from 0 to 255 for crops, else normal."""
    parity = Parity()
    rng = np.random.default_rng(seed)
    for name, engine in reference.items():
        for _ in range(samples):
            inputs = {spec.name: _random(spec, rng) for spec in candidate[name].inputs}
            _add(parity, name, engine.run(inputs), candidate[name].run(inputs))
    return parity


def compare_tracks(
    make_tracker: MakeTracker,
    reference: Engines,
    candidate: Engines,
    clips: Iterable[Clip],
    score: Score,
    progress: Callable[[str], None] | None = None,
) -> Parity:
    """Compare tensors, teacher-forced boxes and scores over clips.

    Parameters
    ----------
    make_tracker
        Makes the tracker that runs on given engines.
    reference, candidate
        Engines by name, with the same inputs and outputs.
    clips
        The target must be present in the first frame.
    score
        Scores the boxes of a clip.
    progress
        Called with a line of text after every clip.

    Raises
    ------
    CandidateError
        If the candidate fails.
    InputError
        Without a clip of at least two frames.
    """
    parity = Parity()
    seen: tuple[dict[str, dict], dict[str, dict]] = ({}, {})

    def keeping_outputs(engines: Engines, into: dict[str, dict]) -> Tracker:
        def keep(call: Call) -> None:
            into[call.name] = call.outputs

        return make_tracker(observed(engines, keep))

    leader, follower = keeping_outputs(reference, seen[0]), keeping_outputs(candidate, seen[1])
    for clip in clips:
        truth, first = clip.frame_truth(), clip.frame(0)
        leader.init(first, truth[0])
        follower.init(first, truth[0])
        led = [truth[0]]
        for index in range(clip.length):
            if index:
                frame = clip.frame(index)
                last = led[-1]
                led.append(leader.track(frame).box)
                forced = _followed(follower, clip, frame, last)
                parity.boxes.append(float(np.abs(forced - led[-1]).max()))
            for name, outputs in seen[0].items():
                _add(parity, name, outputs, seen[1][name])
            for each in seen:
                each.clear()
        alone = _free(follower, clip, truth[0])
        parity.scores[clip.name] = (score(np.array(led), truth), score(alone, truth))
        if progress:
            both = "{:.4f} {:.4f}".format(*parity.scores[clip.name])
            progress(f"parity {clip.name}: {clip.length} frames, score of reference and candidate {both}")
    if not parity.boxes:
        raise InputError("the comparison with torch needs at least one clip of two frames")
    return parity


def _free(tracker: Tracker, clip: Clip, first: np.ndarray) -> np.ndarray:
    tracker.init(clip.frame(0), first)
    return np.array([first, *(_followed(tracker, clip, clip.frame(i)) for i in range(1, clip.length))])


def _followed(candidate: Tracker, clip: Clip, frame: Frame, search_box: np.ndarray | None = None) -> np.ndarray:
    try:
        return candidate.track(frame, search_box).box
    except InputError as error:
        raise CandidateError(f"the candidate fails on {clip.name}, frame {frame.index}: {error}") from None


def _add(parity: Parity, name: str, reference: Mapping[str, np.ndarray], candidate: Mapping[str, np.ndarray]) -> None:
    for output, array in reference.items():
        parity.tensors.setdefault(f"{name}.{output}", Difference()).add(array, candidate[output])


def _random(spec: Any, rng: np.random.Generator) -> np.ndarray:
    if spec.dtype == np.uint8:
        return rng.integers(0, 256, spec.shape, dtype=np.uint8)
    is_crop = len(spec.shape) == 4 and spec.shape[1] == 3
    return (rng.uniform(0, 255, spec.shape) if is_crop else rng.normal(size=spec.shape)).astype(spec.dtype)
