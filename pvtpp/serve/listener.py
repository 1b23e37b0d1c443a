"""Takes connections for a server of asyncio: so many at once, so many a second, and none that asks for nothing."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Callable, Set

from pvtpp.serve.config import ServeConfig

BACKLOG = 64
SEND_BUFFER = 1 << 18
"""Bytes that wait in the system for a slow viewer at most; what it gets would only grow older there."""
NAP_S = 0.05


class Listener:
    """Takes connections for as long as it runs.

    While all places are taken others wait in the system's queue, or are turned down there: whoever storms the service
    takes time from its visitors, and none from the tracker.

    Parameters
    ----------
    listening
        A bound socket that does not block.
    make_protocol
        Makes the server's protocol for a connection.
    open_count
        Says how many connections the server has.
    config
        The limits.
    """

    def __init__(
        self,
        listening: socket.socket,
        make_protocol: Callable[[], Any],
        open_count: Callable[[], int],
        config: ServeConfig,
    ):
        self._listening, self._make, self._open_count, self._config = listening, make_protocol, open_count, config
        self._waiting: Set[Any] = set()

    def admit(self, transport: Any) -> None:
        """Note that a permitted request came on this connection."""
        self._waiting.discard(transport)

    async def run(self) -> None:
        """Take connections until it is cancelled."""
        loop = asyncio.get_running_loop()
        period = 1 / self._config.connections_per_s
        # A page and its files come at once.
        credit, last = 0.0, loop.time()
        while True:
            credit, last = min(credit + (loop.time() - last) / period, 10.0), loop.time()
            if credit < 1:
                await asyncio.sleep(period)
                continue
            if self._open_count() >= self._config.connections:
                await asyncio.sleep(NAP_S)
                continue
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError:
                # It broke off before it was taken, or this process has no descriptor left.
                await asyncio.sleep(NAP_S)
                continue
            credit -= 1
            await self._take(connection)

    async def _take(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # The system ends a connection whose other side takes nothing.
                milliseconds = round(self._config.stuck_s * 1e3)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
            transport, _ = await loop.connect_accepted_socket(self._make, connection)
        except OSError:
            connection.close()
            return
        self._waiting.add(transport)
        loop.call_later(self._config.admission_s, self._end_if_idle, transport)

    def _end_if_idle(self, transport: Any) -> None:
        if transport in self._waiting:
            self._waiting.discard(transport)
            transport.abort()
