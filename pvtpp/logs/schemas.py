"""Schemas of the messages in an MCAP file: Foxglove's own, by their names and documented fields, and ours.

Foxglove shows `foxglove.CompressedImage` and `foxglove.ImageAnnotations` in its image panel and `foxglove.Log` in its
log panel, and plots any number of the others (<https://docs.foxglove.dev/docs/sdk/schemas>).
"""

from __future__ import annotations

from typing import Any, Dict

JsonSchema = Dict[str, Any]
NUMBER: JsonSchema = {"type": "number"}
TEXT: JsonSchema = {"type": "string"}
WHOLE: JsonSchema = {"type": "integer"}


def _object(title: str = "", **fields: JsonSchema) -> JsonSchema:
    named = {"title": title} if title else {}
    return {**named, "type": "object", "properties": fields}


def _list(of: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": of}


TIME = _object(sec={"type": "integer", "minimum": 0}, nsec={"type": "integer", "minimum": 0, "maximum": 999999999})
COLOUR = _object(r=NUMBER, g=NUMBER, b=NUMBER, a=NUMBER)
POINT = _object(x=NUMBER, y=NUMBER)
PIXELS = _object(left=NUMBER, top=NUMBER, width=NUMBER, height=NUMBER)
CENTRED = _object(cx=NUMBER, cy=NUMBER, w=NUMBER, h=NUMBER)

SCHEMAS: Dict[str, JsonSchema] = {
    "foxglove.CompressedImage": _object(
        "foxglove.CompressedImage",
        timestamp=TIME,
        frame_id=TEXT,
        data={"type": "string", "contentEncoding": "base64"},
        format=TEXT,
    ),
    "foxglove.ImageAnnotations": _object(
        "foxglove.ImageAnnotations",
        circles=_list(
            _object(
                timestamp=TIME,
                position=POINT,
                diameter=NUMBER,
                thickness=NUMBER,
                fill_color=COLOUR,
                outline_color=COLOUR,
            )
        ),
        points=_list(
            _object(
                timestamp=TIME,
                type={"type": "integer", "enum": [0, 1, 2, 3, 4]},
                points=_list(POINT),
                outline_color=COLOUR,
                outline_colors=_list(COLOUR),
                fill_color=COLOUR,
                thickness=NUMBER,
            )
        ),
        texts=_list(
            _object(
                timestamp=TIME, position=POINT, text=TEXT, font_size=NUMBER, text_color=COLOUR, background_color=COLOUR
            )
        ),
    ),
    "foxglove.Log": _object(
        "foxglove.Log",
        timestamp=TIME,
        level={"type": "integer", "enum": [0, 1, 2, 3, 4, 5]},
        message=TEXT,
        name=TEXT,
        file=TEXT,
        line={"type": "integer", "minimum": 0},
    ),
    "pvtpp.Target": _object(
        "pvtpp.Target",
        timestamp=TIME,
        frame=WHOLE,
        target=WHOLE,
        predictor=TEXT,
        box=CENTRED,
        xywh=PIXELS,
        velocity=CENTRED,
        sigma=CENTRED,
        age_ms=NUMBER,
        presence=TEXT,
        probability=NUMBER,
    ),
    "pvtpp.Result": _object(
        "pvtpp.Result",
        timestamp=TIME,
        frame=WHOLE,
        box=CENTRED,
        score=NUMBER,
        similarity=NUMBER,
        latency_ms=NUMBER,
    ),
    "pvtpp.Event": _object("pvtpp.Event", kind=TEXT, row={"type": "array"}),
}
