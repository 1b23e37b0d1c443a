"""Those who look: each gets the newest picture when it asks for one, and the newest state; nothing waits in a queue."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from contextlib import suppress
from typing import Any, Awaitable, Callable, Dict, List, Optional, Set

from pvtpp.errors import InputError
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.pictures import Picture
from pvtpp.serve.session import Session

MOST_ASKED = 2
"""Pictures that a viewer may ask for ahead: one is on its way while another one is shown."""
TOO_MUCH, NOT_UNDERSTOOD = 1008, 1003
Command = Callable[[Dict[str, Any]], Awaitable[Dict[str, Any]]]


class Viewers:
    """All of them; its methods are called in the loop's thread but for `waiting` and `offer_from_thread`.

    Parameters
    ----------
    session
        What is shown.
    command
        Carries out a command and returns the answer.
    config
        The limits.
    """

    def __init__(self, session: Session, command: Command, config: ServeConfig):
        self._session, self._command, self._config = session, command, config
        self._loop = asyncio.get_running_loop()
        self._all: Set[Viewer] = set()
        self._asked = 0
        self._newest: Optional[Picture] = None
        self._state = ""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._all)

    def waiting(self) -> bool:
        """Whether anybody waits for a picture; from any thread."""
        return self._asked > 0

    def offer_from_thread(self, picture: Picture) -> None:
        """Show a picture; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._offer, picture)
        except RuntimeError:
            # The loop has ended.
            return

    async def send_states(self) -> None:
        """Send the state to all, again and again, until it is cancelled."""
        while True:
            if self._all:
                self._state = json.dumps({**self._session.state(), "viewers": len(self._all)})
                for viewer in self._all:
                    viewer.state = self._state
                    viewer.changed.set()
            await asyncio.sleep(1 / self._config.state_hz)

    async def serve(self, socket: Any) -> None:
        """Serve one viewer until it goes; `socket` is an aiohttp WebSocketResponse that is prepared."""
        viewer = Viewer(socket)
        self._all.add(viewer)
        sender = asyncio.ensure_future(self._send(viewer))
        try:
            await self._receive(viewer)
        finally:
            self._all.discard(viewer)
            self._count()
            sender.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sender

    def _count(self) -> None:
        self._asked = sum(viewer.asked for viewer in self._all)

    def _offer(self, picture: Picture) -> None:
        self._newest = picture
        for viewer in self._all:
            viewer.picture = picture
            viewer.changed.set()

    async def _receive(self, viewer: Viewer) -> None:
        from aiohttp import WSMsgType

        budget, last = self._config.messages_per_s, time.monotonic()
        async for message in viewer.socket:
            now = time.monotonic()
            budget = min(budget + (now - last) * self._config.messages_per_s, self._config.messages_per_s) - 1
            last = now
            if budget < 0:
                await viewer.socket.close(code=TOO_MUCH, message=b"too many messages")
                return
            if message.type != WSMsgType.TEXT:
                await viewer.socket.close(code=NOT_UNDERSTOOD, message=b"messages are JSON texts")
                return
            try:
                asked = parsed(message.data)
            except InputError as error:
                viewer.answers.append(json.dumps({"type": "error", "error": str(error)}))
            else:
                if asked.get("type") == "next":
                    self._next(viewer)
                    continue
                viewer.answers.append(json.dumps(await self._command(asked)))
            viewer.changed.set()

    def _next(self, viewer: Viewer) -> None:
        viewer.asked = min(viewer.asked + 1, MOST_ASKED)
        self._count()
        newest = self._session.pictures.newest
        if viewer.sent is None and newest is not None:
            if self._newest is not None and self._newest.frame.t_ns == newest.t_ns:
                viewer.picture = self._newest
            else:
                # Whoever has just come sees the newest frame even if no other one follows.
                self._session.pictures.again()
        viewer.changed.set()

    async def _send(self, viewer: Viewer) -> None:
        while True:
            await viewer.changed.wait()
            viewer.changed.clear()
            while viewer.answers:
                await viewer.socket.send_str(viewer.answers.pop(0))
            state, viewer.state = viewer.state, None
            if state is not None:
                await viewer.socket.send_str(state)
            picture = viewer.picture
            if picture is not None and viewer.asked and picture is not viewer.sent:
                viewer.asked -= 1
                self._count()
                viewer.picture, viewer.sent = None, picture
                await viewer.socket.send_bytes(packed(self._session.about(picture), picture.jpeg))


class Viewer:
    """One of them: what it is still to be sent, and how many pictures it has asked for."""

    def __init__(self, socket: Any):
        self.socket = socket
        self.changed = asyncio.Event()
        self.answers: List[str] = []
        self.state: Optional[str] = None
        self.picture: Optional[Picture] = None
        self.sent: Optional[Picture] = None
        self.asked = 0


def parsed(data: Any) -> Dict[str, Any]:
    """Read a JSON object. Raises InputError for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("not JSON") from None
    if not isinstance(found, dict):
        raise InputError("not a JSON object")
    return found


def packed(about: Dict[str, Any], jpeg: bytes) -> bytes:
    """A picture as one message: length of the JSON that follows (32 bits, little endian), the JSON, the JPEG."""
    head = json.dumps(about).encode()
    return struct.pack("<I", len(head)) + head + jpeg
