"""What is known of a frame and of an event, as messages that Foxglove shows: for files and for a live view.

Topics: ``/camera/image``, ``/target/boxes`` and ``/result/boxes`` to draw on it, ``/target`` and ``/result`` to plot,
``/log`` with what happened, and ``/events``, every event as it is. `pvtpp.logs.schemas` has their schemas.
"""

from __future__ import annotations

import base64
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.errors import InputError
from pvtpp.logs.moments import Moment
from pvtpp.trajectory import Prediction

Message = Dict[str, Any]
JPEG_QUALITY = 80
LINE_LOOP = 2
INFO, WARNING, ERROR = 2, 3, 4
BLUE, ORANGE, WHITE = (0.24, 0.82, 1.0), (1.0, 0.47, 0.0), (1.0, 1.0, 1.0)
FAINT = 0.4
IMAGE = "/camera/image"
TOPICS = {
    IMAGE: "foxglove.CompressedImage",
    "/target/boxes": "foxglove.ImageAnnotations",
    "/result/boxes": "foxglove.ImageAnnotations",
    "/target": "pvtpp.Target",
    "/result": "pvtpp.Result",
    "/log": "foxglove.Log",
    "/events": "pvtpp.Event",
}
SAID = {"init": INFO, "reset": INFO, "presence": INFO, "failed": ERROR, "time": WARNING}
"""Kinds of events that go to ``/log``, and their level there."""


def of_event(row: list) -> Iterator[Tuple[str, Message]]:
    """Make the messages of an event of a log: topic and content."""
    t_ns = row[1]
    yield "/events", {"kind": row[0], "row": row}
    if row[0] == "result":
        yield from _result(row)
    if row[0] in SAID:
        said = {"timestamp": _time(t_ns), "level": SAID[row[0]], "message": _sentence(row)}
        yield "/log", {**said, "name": "pvtpp", "file": "", "line": 0}


def of_image(t_ns: int, image: np.ndarray, what: str) -> Message:
    """Make the message of an image (uint8 BGR) of a capture time; InputError, which names `what`, where that fails."""
    import cv2

    found, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not found:
        raise InputError(f"{what}: the image cannot be encoded as JPEG")
    return {
        "timestamp": _time(t_ns),
        "frame_id": "camera",
        "data": base64.b64encode(data.tobytes()).decode("ascii"),
        "format": "jpeg",
    }


def of_moment(seen: Moment) -> Iterator[Tuple[str, Message]]:
    """Make the messages of what was known at a frame: topic and content."""
    loops: List[Message] = []
    for number, (name, made) in enumerate(seen.predictions.items()):
        yield "/target", _target(seen, name, made)
        if number == 0:
            grown = np.concatenate([made.box[:2], made.box[2:] + 2 * made.sigma[:2]])
            loops += [_loop(seen.t_ns, made.box, BLUE, 1.0), _loop(seen.t_ns, grown, BLUE, FAINT)]
    texts = []
    if loops:
        text = seen.presence.lower() if seen.presence else "followed"
        texts = [_text(seen.t_ns, loops[0]["points"][0], text)]
    # Without a target an empty message, so that the last box does not stay on the image.
    yield "/target/boxes", {"circles": [], "points": loops, "texts": texts}


def _result(row: list) -> Iterator[Tuple[str, Message]]:
    _, t_ns, frame, capture_ns, box, score, *more = row
    message = {
        "timestamp": _time(capture_ns),
        "frame": frame,
        "box": _centred(box),
        "score": score,
        "latency_ms": (t_ns - capture_ns) / 1e6,
    }
    yield "/result", {**message, "similarity": more[0]} if more else message
    loop = _loop(capture_ns, np.array(box), ORANGE, 1.0)
    yield "/result/boxes", {"circles": [], "points": [loop], "texts": []}


def _time(t_ns: int) -> Dict[str, int]:
    return {"sec": max(t_ns, 0) // 10**9, "nsec": max(t_ns, 0) % 10**9}


def _centred(values: Iterable[float]) -> Dict[str, float]:
    return dict(zip(("cx", "cy", "w", "h"), map(float, values)))


def _target(seen: Moment, name: str, made: Prediction) -> Message:
    message: Message = {
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


def _loop(t_ns: int, box: np.ndarray, colour: Tuple[float, float, float], alpha: float) -> Message:
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


def _text(t_ns: int, position: Dict[str, float], text: str) -> Message:
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
