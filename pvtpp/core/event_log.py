"""The event log: what was captured, processed and known when. A run writes one; scoring and replay read it.

A file is JSON lines: a header object, one array per event in the order it happened, and a closing row, without which
the log counts as cut off: ``["end", n, {...}]`` with the number of events and what the run found out about itself.
Times are integer nanoseconds, boxes ``[cx, cy, w, h]`` in pixels; numbers read back to the bit.

    ["init", t, frame, capture, box, busy, unpushed]
                                                    a target is given; the commands that the stages are at, by name, and
                                                    whether the newest frame has not been propagated to yet
    ["frame", t, frame, capture]                    the camera delivers
    ["initialised", t]                              the tracker has started on the target
    ["track", t, frame, capture, search box | null] the tracker takes a frame
    ["result", t, frame, capture, box, score]       and answers; an appearance similarity may follow the score
    ["propagate", t, capture | null]                propagation takes a frame, or only a new result
    ["propagated", t, result capture, [[capture, cx, cy, w, h, quality], ...], displacement | null]
                                                    the result on later frames; [from capture, cx, cy, w, h, quality]
    ["encoded", t]                                  the predictors have read the features of the newest results
    ["trajectory", t, predictor, evidence, valid until | null, extrapolation, knot times, means, derivatives, sigmas]
                                                    and `true` at the end where it is in the stabilised frame
    ["presence", t, presence]                       TRACKING, UNCERTAIN or LOST, from now on
    ["failed", t, command]                          a stage could not do what it was asked
    ["done", t, command]                            a stage has finished a command whose target is gone
    ["time", t]                                     the tracker has waited long enough and goes on
    ["reset", t]                                    there is no target any more
    ["gyro", t, measured, [x, y, z]]                the camera turns: radians per second, IMU axes
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any, Callable, Dict, Iterable, List, NoReturn, Optional, Sequence, Tuple

import numpy as np

from pvtpp.core.log_rows import check_meta, check_rows
from pvtpp.core.presence import Presence
from pvtpp.detection import Detections
from pvtpp.errors import InputError
from pvtpp.files import read_text, whole_file
from pvtpp.track import Displacement, PropagatedBox
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory, TrajectoryTable

_LOG = logging.getLogger(__name__)
FORMAT = "pvtpp-event-log"
VERSION = 2
KINDS = (
    "init",
    "frame",
    "initialised",
    "track",
    "result",
    "propagate",
    "propagated",
    "encoded",
    "trajectory",
    "presence",
    "detected",
    "failed",
    "done",
    "time",
    "reset",
    "gyro",
)


class EventLog:
    """Events as plain rows in memory.

    Parameters
    ----------
    meta
        Whatever JSON-able facts say how the run was made.
    rows
        Events that there are already.
    sink
        Called with every row as it is added, by whoever adds it: under the live tracker's lock, so it must only put the
        row somewhere (``queue.SimpleQueue().put``). One that raises is reported once and not called again.
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
        # By predictor, with the number of rows that each was made of.
        self._tables: Dict[str, Tuple[int, np.ndarray, TrajectoryTable]] = {}

    def _add(self, row: list) -> None:
        self._keep(row)
        if self._sink:
            try:
                self._sink(row)
            except Exception:
                # Raised into the state machine it would end the tracking that it reports.
                self._sink = None
                _LOG.exception("the event log's sink raised, it gets no more events")

    def _keep(self, row: list) -> None:
        self.rows.append(row)

    def init(
        self,
        t_ns: int,
        frame: int,
        capture_ns: int,
        box: np.ndarray,
        busy: Sequence[str] = (),
        unpushed: bool = False,
    ) -> None:
        """Add that a target was given: `box` is ``[cx, cy, w, h]``, pixels."""
        self._add(["init", t_ns, frame, capture_ns, box.tolist(), list(busy), unpushed])

    def frame(self, t_ns: int, frame: int, capture_ns: int) -> None:
        """Add that the camera delivered a frame."""
        self._add(["frame", t_ns, frame, capture_ns])

    def initialised(self, t_ns: int) -> None:
        """Add that the tracker has started."""
        self._add(["initialised", t_ns])

    def track(self, t_ns: int, frame: int, capture_ns: int, search_box: Optional[np.ndarray]) -> None:
        """Add that the tracker took a frame."""
        self._add(["track", t_ns, frame, capture_ns, None if search_box is None else search_box.tolist()])

    def result(self, t_ns: int, frame: int, capture_ns: int, output: TrackerOutput) -> None:
        """Add the tracker's answer for a frame."""
        seen: list = [] if output.similarity is None else [output.similarity]
        if output.resembling is not None:
            seen += [output.resembling.tolist()]
        self._add(["result", t_ns, frame, capture_ns, output.box.tolist(), output.score, *seen])

    def propagate(self, t_ns: int, capture_ns: Optional[int]) -> None:
        """Add that propagation took a frame, or (None) a new result."""
        self._add(["propagate", t_ns, capture_ns])

    def propagated(
        self, t_ns: int, result_ns: int, boxes: Sequence[PropagatedBox], displacement: Optional[Displacement]
    ) -> None:
        """Add what propagation found for the result captured at `result_ns`."""
        rows = [[each.t_ns, *each.box.tolist(), each.quality] for each in boxes]
        way = (
            None if displacement is None else [displacement.from_ns, *displacement.moved.tolist(), displacement.quality]
        )
        self._add(["propagated", t_ns, result_ns, rows, way])

    def encoded(self, t_ns: int) -> None:
        """Add that the predictors have encoded the newest results."""
        self._add(["encoded", t_ns])

    def trajectory(self, t_ns: int, predictor: str, trajectory: Trajectory) -> None:
        """Add that a predictor's trajectory became the current one."""
        self._add(["trajectory", t_ns, predictor, *trajectory.to_row()])

    def presence(self, t_ns: int, presence: Presence, probability: Optional[float] = None) -> None:
        """Add that presence changed, and how probable it is that the target is followed, where that is known."""
        self._add(["presence", t_ns, presence.value, *([] if probability is None else [round(probability, 6)])])

    def detected(self, t_ns: int, capture_ns: int, found: Detections) -> None:
        """Add what the detector found in the frame captured at `capture_ns`."""
        self._add(["detected", t_ns, capture_ns, found.boxes.tolist(), found.scores.tolist()])

    def failed(self, t_ns: int, command: str) -> None:
        """Add that a command of this name failed."""
        self._add(["failed", t_ns, command])

    def done(self, t_ns: int, command: str) -> None:
        """Add that a stage has finished a command of this name whose target is gone."""
        self._add(["done", t_ns, command])

    def time(self, t_ns: int) -> None:
        """Add that the tracker has waited long enough."""
        self._add(["time", t_ns])

    def reset(self, t_ns: int) -> None:
        """Add that the target was forgotten."""
        self._add(["reset", t_ns])

    def gyro(self, t_ns: int, measured_ns: int, rate: np.ndarray) -> None:
        """Add a sample of the gyro: (3,), radians per second, IMU axes."""
        self._add(["gyro", t_ns, measured_ns, rate.tolist()])

    def of_kind(self, *kinds: str) -> List[list]:
        """Return the events of these kinds, in order."""
        return [row for row in self.rows if row[0] in kinds]

    def trajectories(self, predictor: str) -> Tuple[np.ndarray, TrajectoryTable]:
        """Return one predictor's trajectories; read off the rows once and remembered until the log grows.

        Returns
        -------
        ndarray
            When each became available, int64 nanoseconds.
        TrajectoryTable
            The trajectories.

        Raises
        ------
        InputError
            For a predictor that the log does not have.
        """
        known = self._tables.get(predictor)
        if known is None or known[0] != len(self.rows):
            rows = [row for row in self.rows if row[0] == "trajectory" and row[2] == predictor]
            if not rows:
                there = ", ".join(self.predictors)
                raise InputError(f"no trajectories of predictor {predictor!r} in the log, it has: {there}")
            available = np.array([row[1] for row in rows], dtype=np.int64)
            known = self._tables[predictor] = len(self.rows), available, TrajectoryTable(rows, 3)
        return known[1:]

    @property
    def predictors(self) -> List[str]:
        """The names of the predictors whose trajectories it holds."""
        return list(dict.fromkeys(row[2] for row in self.rows if row[0] == "trajectory"))

    def write(self, path: str) -> None:
        """Write the log, whole or not at all. Raises InputError where it cannot be written."""
        lines = [header_line(self.meta), *map(row_line, self.rows), row_line(["end", len(self.rows), {}])]
        with whole_file(path) as part, open(part, "w", encoding="ascii") as file:
            file.writelines(lines)

    @classmethod
    def read(cls, path: str, cut_off: bool = False) -> EventLog:
        """Read the log at `path`.

        Parameters
        ----------
        path
            The file.
        cut_off
            Take what there is of a log whose run was killed, instead of refusing it.

        Raises
        ------
        InputError
            If it is missing, cut off, of another format or version, and for events of an unknown kind or out of order.
        """
        text = read_text(path)
        first, _, body = text.strip().partition("\n")
        if cut_off and not text.endswith("\n"):
            # The last row was being written.
            body = body.rpartition("\n")[0]
        try:
            header = json.loads(first)
            rows = json.loads("[" + body.replace("\n", ",") + "]")
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: not a complete event log ({error})") from None
        meta = _checked_meta(header, path)
        closed = bool(rows) and isinstance(rows[-1], list) and rows[-1][:2] == ["end", len(rows) - 1]
        if closed:
            found = rows.pop()[2:]
            meta.update(*(each for each in found[:1] if isinstance(each, dict)))
            check_meta(meta, path)
        elif not cut_off:
            raise InputError(f"{path}: the event log is cut off (no closing line for its {len(rows)} events)")
        if not _in_order(rows):
            _explain(rows, path)
        check_rows(rows, path)
        return cls(meta, rows)


def read_meta(path: str) -> Dict[str, Any]:
    """Read what a log says of its run, without its events. Raises InputError for a file that is no log."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            header = json.loads(file.readline())
    except OSError as error:
        raise InputError(f"{path}: cannot read event log ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not an event log ({error})") from None
    return _checked_meta(header, path)


class Unlogged(EventLog):
    """A log that keeps nothing, for a run without end; its `sink` gets every row all the same."""

    def _keep(self, row: list) -> None:
        pass


def header_line(meta: Dict[str, Any]) -> str:
    """Return the first line of a log's file."""
    return json.dumps({"format": FORMAT, "version": VERSION, "meta": meta}) + "\n"


def row_line(row: list) -> str:
    """Return one event's line of a log's file."""
    return json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n"


def _checked_meta(header: Any, path: str) -> Dict[str, Any]:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(f"{path}: not an event log (its first line is no {FORMAT} header)")
    version, meta = header.get("version"), header.get("meta")
    if version != VERSION:
        raise InputError(f"{path}: event log version {version!r}, this pvtpp reads version {VERSION}")
    if not isinstance(meta, dict):
        raise InputError(f"{path}: its header has no 'meta' object")
    check_meta(meta, path)
    return meta


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
    """Say whether a whole log lies at `path`, going by its closing line alone."""
    try:
        with open(path, "rb") as file:
            file.seek(max(os.path.getsize(path) - 65536, 0))
            last = file.read()
            return last.endswith(b"\n") and last.splitlines()[-1].startswith(b'["end"')
    except (OSError, IndexError):
        return False
