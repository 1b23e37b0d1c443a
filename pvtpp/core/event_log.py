"""The event log: what was captured, processed and known when. A run writes one; scoring and replay read it.

A file is JSON lines: a header object, one array per event in the order it happened, and a closing ``["end", n]`` without
which the log counts as interrupted. Times are integer nanoseconds, boxes ``[cx, cy, w, h]``; numbers read back to the bit.

    ["init", t, frame, capture, box]                a target is given
    ["frame", t, frame, capture]                    the camera delivers
    ["start", t, frame, capture, search box | null] the tracker takes a frame
    ["result", t, frame, capture, box, score]       and answers; where somebody looked, a similarity follows the score
    ["lane", t, capture | null]                     the propagation takes a frame, or only a new anchor
    ["propagated", t, anchor, [[capture, cx, cy, w, h, quality], ...], way | null]
                                                    the anchor's box on later frames, the way to it from the one before
    ["trajectory", t, predictor, evidence, valid until | null, extrapolation, knot times, means, derivatives, sigmas]
                                                    and `true` behind them where it is in the stabilised frame
    ["status", t, status]                           TRACKING, UNCERTAIN or LOST, from now on
    ["reset", t]                                    there is no target any more
    ["gyro", t, measured, [x, y, z]]                the camera turns: radians per second, IMU axes
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any, Callable, Dict, Iterable, List, NoReturn, Optional, Sequence, Tuple

import numpy as np

from pvtpp.core.presence import Status
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.track import Displacement, PropagatedBox
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory, TrajectoryTable

_LOG = logging.getLogger(__name__)
FORMAT = "pvtpp-event-log"
VERSION = 1
KINDS = ("init", "frame", "start", "result", "lane", "propagated", "trajectory", "status", "reset", "gyro")


class EventLog:
    """Events as plain rows, and `meta`: whatever JSON-able facts tell how the run was made.

    `sink` is called with every row as it is added, by whoever adds it: under the live tracker's lock, so it must do no more
    than put the row somewhere (``queue.SimpleQueue().put``). One that raises is reported once and not called again.
    """

    def __init__(
        self,
        meta: Optional[Dict[str, Any]] = None,
        rows: Iterable[list] = (),
        sink: Optional[Callable[[list], None]] = None,
    ):
        self.meta = dict(meta or {})
        self.rows: List[list] = list(rows)
        self._sink = sink
        self._tables: Dict[Tuple[str, int], Tuple[np.ndarray, TrajectoryTable]] = {}

    def _add(self, row: list) -> None:
        self._keep(row)
        if self._sink:
            try:
                self._sink(row)
            except Exception:
                # Raised into the pipeline it would end the tracking it was told about.
                self._sink = None
                _LOG.exception("the event log's sink raised, it gets no more events")

    def _keep(self, row: list) -> None:
        self.rows.append(row)

    def init(self, t_ns: int, frame: int, capture_ns: int, box: np.ndarray) -> None:
        self._add(["init", t_ns, frame, capture_ns, box.tolist()])

    def frame(self, t_ns: int, frame: int, capture_ns: int) -> None:
        self._add(["frame", t_ns, frame, capture_ns])

    def start(self, t_ns: int, frame: int, capture_ns: int, search_box: Optional[np.ndarray]) -> None:
        self._add(["start", t_ns, frame, capture_ns, None if search_box is None else search_box.tolist()])

    def result(self, t_ns: int, frame: int, capture_ns: int, output: TrackerOutput) -> None:
        looked = [] if output.similarity is None else [output.similarity]
        self._add(["result", t_ns, frame, capture_ns, output.box.tolist(), output.score, *looked])

    def lane(self, t_ns: int, capture_ns: Optional[int]) -> None:
        self._add(["lane", t_ns, capture_ns])

    def propagated(
        self, t_ns: int, anchor_ns: int, boxes: Sequence[PropagatedBox], displacement: Optional[Displacement]
    ) -> None:
        rows = [[each.t_ns, *each.box.tolist(), each.quality] for each in boxes]
        way = (
            None if displacement is None else [displacement.from_ns, *displacement.moved.tolist(), displacement.quality]
        )
        self._add(["propagated", t_ns, anchor_ns, rows, way])

    def trajectory(self, t_ns: int, predictor: str, trajectory: Trajectory) -> None:
        self._add(["trajectory", t_ns, predictor, *trajectory.to_row()])

    def status(self, t_ns: int, status: Status) -> None:
        self._add(["status", t_ns, status.value])

    def reset(self, t_ns: int) -> None:
        self._add(["reset", t_ns])

    def gyro(self, t_ns: int, measured_ns: int, rate: np.ndarray) -> None:
        self._add(["gyro", t_ns, measured_ns, rate.tolist()])

    def of_kind(self, *kinds: str) -> List[list]:
        """The events of these kinds, in order."""
        return [row for row in self.rows if row[0] in kinds]

    def trajectories(self, predictor: str) -> Tuple[np.ndarray, TrajectoryTable]:
        """One predictor's trajectories: when each became available (int64), and the trajectories as a table.

        Read off the rows once and remembered until the log grows. Raises InputError for a predictor that did not listen.
        """
        key = (predictor, len(self.rows))
        if key not in self._tables:
            rows = [row for row in self.rows if row[0] == "trajectory" and row[2] == predictor]
            if not rows:
                raise InputError(
                    f"no trajectories of predictor {predictor!r} in the log, it has: {', '.join(self.predictors)}"
                )
            available = np.array([row[1] for row in rows], dtype=np.int64)
            self._tables[key] = available, TrajectoryTable([row[3:] for row in rows])
        return self._tables[key]

    @property
    def predictors(self) -> List[str]:
        """The names of the predictors that listened to the run."""
        return list(dict.fromkeys(row[2] for row in self.rows if row[0] == "trajectory"))

    def write(self, path: str) -> None:
        """Write the log, whole or not at all. Raises InputError where it cannot be written."""
        header = {"format": FORMAT, "version": VERSION, "meta": self.meta}
        lines = [json.dumps(header)]
        lines += [json.dumps(row, separators=(",", ":"), allow_nan=False) for row in self.rows]
        lines.append(json.dumps(["end", len(self.rows)]))
        with whole_file(path) as part, open(part, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    @classmethod
    def read(cls, path: str) -> EventLog:
        """The log at `path`. Raises InputError if it is missing, cut off, of another format or a newer version, and for
        events of an unknown kind or out of order."""
        try:
            with open(path, encoding="ascii") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot read event log ({error})") from None
        header_line, _, body = text.strip().partition("\n")
        try:
            header = json.loads(header_line)
            rows = json.loads("[" + body.replace("\n", ",") + "]")
        except ValueError as error:
            raise InputError(f"{path}: not a complete event log ({error})") from None
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise InputError(f"{path}: not an event log (its first line is no {FORMAT} header)")
        version = header.get("version")
        if version != VERSION:
            raise InputError(f"{path}: event log version {version!r}, this pvtpp reads version {VERSION}")
        if not rows or rows[-1] != ["end", len(rows) - 1]:
            raise InputError(f"{path}: the event log is cut off (no closing line for its {len(rows)} events)")
        del rows[-1]
        if not _in_order(rows):
            _explain(rows, path)
        return cls(header.get("meta"), rows)


class Unlogged(EventLog):
    """A log that keeps nothing, for a run without end; `sink` is told all the same."""

    def _keep(self, row: list) -> None:
        pass


def _in_order(rows: List[list]) -> bool:
    """Whether all are events of known kinds whose times never decrease; asked of all rows at once, for speed."""
    try:
        times = [row[1] for row in rows]
        return (
            set(map(type, rows)) <= {list}
            and set(map(type, times)) <= {int}
            and {row[0] for row in rows}.issubset(KINDS)
            and times == sorted(times)
        )
    except (TypeError, LookupError):
        return False


def _explain(rows: List[Any], path: str) -> NoReturn:
    last = None
    # The header is line 1.
    for number, row in enumerate(rows, start=2):
        if not (isinstance(row, list) and len(row) > 1 and row[0] in KINDS and type(row[1]) is int):
            shown = json.dumps(row)[:80]
            raise InputError(
                f"{path}, line {number}: {shown} is no event: expected [kind, time in ns, ..], of {', '.join(KINDS)}"
            )
        if last is not None and row[1] < last:
            raise InputError(f"{path}, line {number}: {row[0]!r} at t_ns={row[1]} comes after an event at t_ns={last}")
        last = row[1]
    raise InputError(f"{path}: not an event log")


def is_complete(path: str) -> bool:
    """Whether a whole log lies at `path`, judged by its closing line alone."""
    try:
        with open(path, "rb") as file:
            file.seek(max(os.path.getsize(path) - 64, 0))
            return file.read().splitlines()[-1].startswith(b'["end"')
    except (OSError, IndexError):
        return False
