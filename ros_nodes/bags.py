"""What a recorded bag holds: event logs, ground truth, and images as a sequence."""

from __future__ import annotations

import json
from typing import Any, List, NamedTuple, Tuple

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.bag_reader import Bag


class Truth(NamedTuple):
    """Where the target was.

    Attributes
    ----------
    t_ns
        Times ``(n,)``, int64 nanoseconds, on the clock of the images' stamps.
    xywh
        Boxes ``(n, 4)``, ``[left, top, w, h]`` in pixels; NaN while the target is absent.
    fps
        The rate of the times, Hz.
    """

    t_ns: np.ndarray
    xywh: np.ndarray
    fps: float

    @classmethod
    def of(cls, t_ns: Any, xywh: Any, source: str) -> Truth:
        """Sort ground truth by time, and compute its rate.

        Parameters
        ----------
        t_ns, xywh
            As of this class, in any order.
        source
            Named in errors.

        Raises
        ------
        InputError
            There are fewer than two times.
        """
        times, first = np.unique(np.asarray(t_ns, dtype=np.int64), return_index=True)
        if len(times) < 2:
            raise InputError(f"{source}: {len(times)} times with ground truth, at least two are needed")
        # A rate is published as 30, and its times are rounded to nanoseconds.
        return cls(times, np.asarray(xywh, dtype=np.float64)[first], round(1e9 / float(np.median(np.diff(times))), 3))

    def until(self, t_ns: int) -> Truth:
        """Keep what is not later than `t_ns`."""
        known = self.t_ns <= t_ns
        return self._replace(t_ns=self.t_ns[known], xywh=self.xywh[known])


def event_logs(bag: Bag, topic: str) -> List[Tuple[int, EventLog]]:
    """Read the event logs of a bag; one that had begun before the recording is left out.

    Parameters
    ----------
    bag
        An open bag.
    topic
        Of Event messages.

    Returns
    -------
    list
        The logs in order, each with its target's id.

    Raises
    ------
    InputError
        Lines are missing: such a log would not replay to what flew.
    """
    found: List[Tuple[int, List[Any]]] = []
    begun = False
    for event in bag.messages(topic):
        if event.number == 0:
            found.append((event.target_id, []))
            begun = True
        elif begun and (event.target_id, event.number) != (found[-1][0], len(found[-1][1])):
            target, lines = found[-1]
            missing = f"the events {len(lines)} to {event.number - 1} of target {target} are missing"
            raise InputError(f"{bag.filename}: {missing} on {topic}; the log would not replay to what flew")
        if begun:
            found[-1][1].append(json.loads(event.line))
    return [(target, EventLog(lines[0]["meta"], lines[1:])) for target, lines in found if len(lines) > 1]


def truth_of_bag(bag: Bag, topic: str) -> Truth:
    """Read ground truth from a topic of Roi messages. Raises InputError where there are none."""
    rois = [(conversions.stamp_ns(roi.header.stamp), roi.xywh) for roi in bag.messages(topic)]
    return Truth.of([t_ns for t_ns, _ in rois], [xywh for _, xywh in rois], f"{bag.filename}, {topic}")


def truth_of_sequence(sequence: VideoSequence, begin_ns: int) -> Truth:
    """Take the ground truth of a data set's sequence that was played from `begin_ns` on."""
    return Truth(sequence.world_t_ns + begin_ns, sequence.ground_truth_xywh, sequence.world_fps)


class BagSequence(VideoSequence):
    """The images of a bag as a sequence at their own rate, each read when it is used."""

    _bag: Bag
    _topic: str
    _received_ns: List[int]
    _stretch: images.StreamStretch

    @classmethod
    def of(cls, bag: Bag, topic: str, truth: Truth) -> BagSequence:
        """Make a sequence of a topic of images.

        Parameters
        ----------
        bag
            An open bag; it stays open as long as the sequence is used.
        topic
            Of Image or CompressedImage messages.
        truth
            Ground truth; the target counts as absent in images whose stamp it does not have.

        Raises
        ------
        InputError
            There are fewer than two images.
        """
        stamps, received_ns = [], []
        for t_ns, message in bag.records(topic):
            stamps.append(conversions.stamp_ns(message.header.stamp))
            received_ns.append(t_ns)
        if len(stamps) < 2:
            raise InputError(f"{bag.filename}: {len(stamps)} images on {topic}, at least two are needed")
        at = np.clip(np.searchsorted(truth.t_ns, stamps), 0, len(truth.t_ns) - 1)
        boxes = np.where((truth.t_ns[at] == stamps)[:, None], truth.xywh[at], np.nan)
        fps = round(1e9 / float(np.median(np.diff(stamps))), 3)
        made = cls(topic, boxes, fps, fps, source=f"{bag.filename}, {topic}")
        for name, value in (
            ("_bag", bag),
            ("_topic", topic),
            ("_received_ns", received_ns),
            ("_stretch", images.StreamStretch()),
        ):
            object.__setattr__(made, name, value)
        return made

    def frame(self, index: int) -> Frame:
        """Return a frame whose image is read when it is used."""
        return Frame(
            index, int(self.camera_t_ns[index]), lambda: self._image(index), source=f"{self.source}, image {index}"
        )

    def _image(self, index: int) -> np.ndarray:
        at_ns = self._received_ns[index]
        # Of several that were received in the same nanosecond, the one that is at this place among them.
        place = index - self._received_ns.index(at_ns)
        message = [found for _, found in self._bag.records(self._topic, at_ns, at_ns + 1)][place]
        if index and not self._stretch.known and self._is_deep(message):
            # The levels are the first image's, whichever is read first.
            self._image(0)
        convert = images.raw_image if hasattr(message, "encoding") else images.compressed_image
        return Frame(index, 0, convert(message, self._stretch), source=f"{self.source}, image {index}").image

    @staticmethod
    def _is_deep(message: Any) -> bool:
        """Whether the image may have more than 8 bits a value."""
        encoding = images.ENCODINGS.get(getattr(message, "encoding", ""))
        return not hasattr(message, "encoding") or (encoding is not None and encoding.bits > 8)
