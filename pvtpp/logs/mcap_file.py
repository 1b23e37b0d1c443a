"""A log as an MCAP file, which Foxglove plays: video, boxes, status and plots.

Its topics are those of `pvtpp.logs.messages`; the image is there where there is a video. Since ``/events`` has every
event of the log as it is, an export loses nothing. The file's metadata ``pvtpp`` is what the log says of its run. Times
are those of the log.
"""

from __future__ import annotations

import json
from typing import IO, Any, Dict, Iterable, Tuple

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.logs.messages import IMAGE, TOPICS, Message, of_event, of_image, of_moment
from pvtpp.logs.moments import moments
from pvtpp.logs.schemas import SCHEMAS


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
        writer.add(row[1], of_event(row))
    pictures = iter(images)
    picture = next(pictures, None)
    for seen in moments(log):
        while picture is not None and picture[0] < seen.frame:
            picture = next(pictures, None)
        if picture is not None and picture[0] == seen.frame:
            image = of_image(seen.t_ns, picture[1], f"frame {seen.frame}")
            writer.add(seen.arrived_ns, [(IMAGE, image)])
        writer.add(seen.arrived_ns, of_moment(seen))
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

    def add(self, t_ns: int, messages: Iterable[Tuple[str, Message]]) -> None:
        for topic, message in messages:
            number = self.counts.get(topic, 0)
            self.counts[topic] = number + 1
            data = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
            self.writer.add_message(self._channels[topic], t_ns, data, t_ns, number)
