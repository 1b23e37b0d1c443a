"""A log as an MCAP file, which Foxglove plays: video, boxes, status and plots.

Topics: ``/camera/image`` (where there is a video), ``/target/boxes`` and ``/result/boxes`` to draw on it, ``/target``
and ``/result`` to plot, ``/log`` with what happened, and ``/events``, every event of the log as it is: so an export
loses nothing. The file's metadata ``pvtpp`` is what the log says of its run. Times are those of the log.
"""

from __future__ import annotations

import base64
import json
from typing import IO, Any, Dict, Iterable, List, Optional, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.logs.moments import Moment, moments
from pvtpp.logs.schemas import SCHEMAS
from pvtpp.trajectory import Prediction

JPEG_QUALITY = 80
LINE_LOOP = 2
INFO, WARNING, ERROR = 2, 3, 4
BLUE, ORANGE, WHITE = (0.24, 0.82, 1.0), (1.0, 0.47, 0.0), (1.0, 1.0, 1.0)
FAINT = 0.4
TOPICS = {
    "/camera/image": "foxglove.CompressedImage",
    "/target/boxes": "foxglove.ImageAnnotations",
    "/result/boxes": "foxglove.ImageAnnotations",
    "/target": "pvtpp.Target",
    "/result": "pvtpp.Result",
    "/log": "foxglove.Log",
    "/events": "pvtpp.Event",
}
SAID = {"init": INFO, "reset": INFO, "presence": INFO, "failed": ERROR, "time": WARNING}
"""Kinds of events that go to ``/log``, and their level there."""


def write_mcap(stream: IO[bytes], log: EventLog, images: Iterable[Tuple[int, np.ndarray]] = ()) -> Dict[str, int]:
    """Write a log as MCAP.

    Parameters
    ----------
    stream
        The file, open for writing.
    log
        The log of a run, or a part of one.
    images
        Number and image (uint8 BGR) of frames, in order; those that are not in the log are left out.

    Returns
    -------
    dict
        Number of messages by topic.

    Raises
    ------
    InputError
        Where the package mcap is not installed, and for a log whose times begin before 0.
    """
    try:
        from mcap.writer import Writer
    except ImportError as error:
        raise InputError(f"MCAP needs the package mcap: pip install 'pvtpp[mcap]' ({error})") from None
    if min([*(row[1] for row in log.rows[:1]), *(row[3] for row in log.of_kind("frame")[:1])], default=0) < 0:
        raise InputError("MCAP has no times before 0, the log begins before")
    writer = _Writer(Writer(stream))
    writer.begin(log)
    for row in log.rows:
        writer.event(row)
    pictures = iter(images)
    picture = next(pictures, None)
    for seen in moments(log):
        while picture is not None and picture[0] < seen.frame:
            picture = next(pictures, None)
        if picture is not None and picture[0] == seen.frame:
            writer.image(seen, picture[1])
        writer.target(seen)
    writer.writer.finish()
    return writer.counts


class _Writer:
    def __init__(self, writer: Any):
        self.writer = writer
        self.counts: Dict[str, int] = {}
        self._channels: Dict[str, int] = {}

    def begin(self, log: EventLog) -> None:
        self.writer.start("", "pvtpp")
        schemas = {
            name: self.writer.register_schema(name, "jsonschema", json.dumps(schema).encode())
            for name, schema in SCHEMAS.items()
        }
        for topic, name in TOPICS.items():
            self._channels[topic] = self.writer.register_channel(topic, "json", schemas[name])
        self.writer.add_metadata("pvtpp", {"meta": json.dumps(log.meta), "events": str(len(log.rows))})

    def event(self, row: list) -> None:
        t_ns = row[1]
        self._add("/events", t_ns, {"kind": row[0], "row": row})
        if row[0] == "result":
            self._result(row)
        if row[0] in SAID:
            self._add(
                "/log",
                t_ns,
                {
                    "timestamp": _time(t_ns),
                    "level": SAID[row[0]],
                    "message": _sentence(row),
                    "name": "pvtpp",
                    "file": "",
                    "line": 0,
                },
            )

    def image(self, seen: Moment, image: np.ndarray) -> None:
        import cv2

        found, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not found:
            raise InputError(f"frame {seen.frame}: the image cannot be encoded as JPEG")
        message = {
            "timestamp": _time(seen.t_ns),
            "frame_id": "camera",
            "data": base64.b64encode(data.tobytes()).decode("ascii"),
            "format": "jpeg",
        }
        self._add("/camera/image", seen.arrived_ns, message)

    def target(self, seen: Moment) -> None:
        loops: List[Dict[str, Any]] = []
        for number, (name, made) in enumerate(seen.predictions.items()):
            self._add("/target", seen.arrived_ns, _target(seen, name, made))
            if number == 0:
                grown = np.concatenate([made.box[:2], made.box[2:] + 2 * made.sigma[:2]])
                loops += [_loop(seen.t_ns, made.box, BLUE, 1.0), _loop(seen.t_ns, grown, BLUE, FAINT)]
        texts = []
        if loops:
            text = seen.presence.lower() if seen.presence else "followed"
            texts = [_text(seen.t_ns, loops[0]["points"][0], text)]
        # Without a target an empty message, so that the last box does not stay on the image.
        self._add("/target/boxes", seen.arrived_ns, {"circles": [], "points": loops, "texts": texts})

    def _result(self, row: list) -> None:
        _, t_ns, frame, capture_ns, box, score, *more = row
        message = {
            "timestamp": _time(capture_ns),
            "frame": frame,
            "box": _centred(box),
            "score": score,
            "latency_ms": (t_ns - capture_ns) / 1e6,
        }
        self._add("/result", t_ns, {**message, "similarity": more[0]} if more else message)
        loop = _loop(capture_ns, np.array(box), ORANGE, 1.0)
        self._add("/result/boxes", t_ns, {"circles": [], "points": [loop], "texts": []})

    def _add(self, topic: str, t_ns: int, message: Dict[str, Any]) -> None:
        number = self.counts.get(topic, 0)
        self.counts[topic] = number + 1
        data = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
        self.writer.add_message(self._channels[topic], t_ns, data, t_ns, number)


def _time(t_ns: int) -> Dict[str, int]:
    return {"sec": max(t_ns, 0) // 10**9, "nsec": max(t_ns, 0) % 10**9}


def _centred(values: Iterable[float]) -> Dict[str, float]:
    return dict(zip(("cx", "cy", "w", "h"), map(float, values)))


def _target(seen: Moment, name: str, made: Prediction) -> Dict[str, Any]:
    message: Dict[str, Any] = {
        "timestamp": _time(seen.t_ns),
        "frame": seen.frame,
        "target": seen.target,
        "predictor": name,
        "box": _centred(made.box),
        "xywh": dict(zip(("left", "top", "width", "height"), map(float, box_to_xywh(made.box)))),
        "velocity": _centred(made.velocity),
        "sigma": _centred(made.sigma),
        "age_ms": made.age * 1e3,
    }
    known: Dict[str, Optional[Any]] = {"presence": seen.presence, "probability": seen.probability}
    return {**message, **{key: value for key, value in known.items() if value is not None}}


def _loop(t_ns: int, box: np.ndarray, colour: Tuple[float, float, float], alpha: float) -> Dict[str, Any]:
    left, top, width, height = map(float, box_to_xywh(box))
    corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    return {
        "timestamp": _time(t_ns),
        "type": LINE_LOOP,
        "points": [{"x": x, "y": y} for x, y in corners],
        "outline_color": _colour(colour, alpha),
        "outline_colors": [],
        "fill_color": _colour(colour, 0.0),
        "thickness": 2.0,
    }


def _text(t_ns: int, position: Dict[str, float], text: str) -> Dict[str, Any]:
    return {
        "timestamp": _time(t_ns),
        "position": position,
        "text": text,
        "font_size": 12.0,
        "text_color": _colour(WHITE, 1.0),
        "background_color": _colour((0.0, 0.0, 0.0), 0.6),
    }


def _colour(colour: Tuple[float, float, float], alpha: float) -> Dict[str, float]:
    return {**dict(zip("rgb", colour)), "a": alpha}


def _sentence(row: list) -> str:
    if row[0] == "init":
        return f"a target is given on frame {row[2]}"
    if row[0] == "presence":
        return f"presence {row[2]}" + (f", probability {row[3]:.2f}" if len(row) > 3 else "")
    if row[0] == "failed":
        return f"{row[2]} failed"
    return "there is no target any more" if row[0] == "reset" else "the tracker has waited long enough and goes on"
