"""A live view in Foxglove: the newest frame and what is known of the target, by a WebSocket server of foxglove-sdk.

Messages and schemas are those of an exported log (`pvtpp.logs.messages`), without events and results. The server asks
for no password: whoever reaches its port sees the picture.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from typing import Any, Dict, Tuple

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.logs.messages import IMAGE, TOPICS, of_image, of_moment
from pvtpp.logs.moments import Moment
from pvtpp.logs.schemas import SCHEMAS
from pvtpp.tracker import Frame

_LOG = logging.getLogger(__name__)
SHOWN = (IMAGE, "/target/boxes", "/target")
BACKLOG = 32
"""So many messages wait for a viewer at most; of a slow one the oldest are dropped."""


def require_sdk() -> Any:
    """Return the package foxglove; raises InputError where it is not installed."""
    try:
        import foxglove
    except ImportError as error:
        raise InputError(
            f"a live view needs foxglove-sdk and Python 3.10 or newer: pip install 'pvtpp[foxglove]' ({error})"
        ) from None
    return foxglove


def check_address(host: str, port: int) -> None:
    """Raise InputError where `FoxgloveView` could not listen there, or foxglove-sdk is not installed."""
    require_sdk()
    try:
        socket.create_server((host, port), family=_family(host, port)).close()
    except OSError as error:
        raise _unusable(host, port, error.strerror or error) from None


def _family(host: str, port: int) -> int:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]


def _unusable(host: str, port: int, why: object) -> InputError:
    return InputError(f"a live view on {host}:{port}: cannot listen there ({why})")


class FoxgloveView:
    """Serves viewers until `close`, from a thread of its own: neither they nor the encoding delay who shows something.

    Parameters
    ----------
    host, port
        Where it listens; port 0 is one that is free.

    Attributes
    ----------
    address
        Host and port where it listens.

    Raises
    ------
    InputError
        Where it cannot listen there, or foxglove-sdk is not installed.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8765):
        foxglove = require_sdk()
        # Its own, so that nothing else that the process shows comes here; its channels end with it.
        context = self._context = foxglove.Context()
        self._channels: Dict[str, Any] = {
            topic: foxglove.Channel(topic, schema=SCHEMAS[TOPICS[topic]], context=context) for topic in SHOWN
        }
        try:
            self._server = foxglove.start_server(
                name="pvtpp", host=host, port=port, context=context, message_backlog_size=BACKLOG
            )
        except Exception as error:
            raise _unusable(host, port, error) from None
        self.address = host, int(self._server.port)
        self._newest: Mailbox[Tuple[Frame, Moment]] = Mailbox()
        self._failed = False
        self._thread = threading.Thread(target=self._work, name="pvtpp foxglove", daemon=True)
        self._thread.start()

    def show(self, frame: Frame, seen: Moment) -> None:
        """Show a frame and what is known at it, as soon as there is time for it; an older one that waits is dropped."""
        self._newest.put((frame, seen))

    def close(self) -> None:
        """End the server and the thread; may be called twice."""
        if not self._thread.is_alive():
            return
        self._newest.close()
        self._thread.join(5.0)
        for channel in self._channels.values():
            channel.close()
        self._server.stop()

    def _work(self) -> None:
        while self._newest.wait():
            waiting = self._newest.pop()
            if waiting is not None:
                try:
                    self._publish(*waiting)
                except Exception:
                    # One frame less; the next is tried, and the reason is said once.
                    if not self._failed:
                        _LOG.exception("the live view failed on a frame")
                    self._failed = True

    def _publish(self, frame: Frame, seen: Moment) -> None:
        if self._channels[IMAGE].has_sinks():
            self._log(IMAGE, of_image(seen.t_ns, frame.image, f"frame {frame.index}"))
        for topic, message in of_moment(seen):
            if self._channels[topic].has_sinks():
                self._log(topic, message)

    def _log(self, topic: str, message: Dict[str, Any]) -> None:
        self._channels[topic].log(json.dumps(message, separators=(",", ":"), allow_nan=False))
