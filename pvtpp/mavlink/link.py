"""A UDP socket and a thread for a camera component."""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, NamedTuple, Optional, Tuple, Type

from pvtpp.addresses import Address, parse_address
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink.camera import CameraComponent
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.dialect import Wire

_LOG = logging.getLogger(__name__)
KINDS = ("udpout", "udpin")
LARGEST_DATAGRAM = 65535
LONGEST_WAIT_S = 0.5
AT_ONCE = 64
"""So many datagrams are read before what is due is looked at again."""
PEERS, PEER_NS = 8, 60_000_000_000
"""Of who sends to a listening component, so many get what it sends; who is silent for so long no longer does."""


class Endpoint(NamedTuple):
    """Where a component sends to (``udpout``), or listens (``udpin``)."""

    kind: str
    host: str
    port: int


def parse_endpoint(text: str) -> Endpoint:
    """Read ``udpout:HOST:PORT`` (send to that address) or ``udpin:HOST:PORT`` (listen there, answer who sends).

    Raises
    ------
    InputError
        For anything else.
    """
    kind, _, rest = text.partition(":")
    address = parse_address(rest)
    if kind not in KINDS or address is None:
        raise InputError(
            f"MAVLink {text!r}: expected udpout:HOST:PORT (sends there) or udpin:HOST:PORT (listens there), such as "
            "udpout:192.168.1.10:14550; for a serial port there is mavlink-router"
        )
    return Endpoint(kind, *address)


def check_endpoint(text: str) -> None:
    """Raise InputError where `MavlinkLink` could not use this address: a bad one, no such host, a port in use."""
    _opened(parse_endpoint(text), text)[0].close()


class MavlinkLink:
    """Connects a live tracker to a ground station or an autopilot, in a thread of its own, until `close`.

    Parameters
    ----------
    endpoint
        As of `parse_endpoint`.
    live
        Returns the live tracker that answers at present.
    clock
        Integer nanoseconds: the clock of the live tracker.
    config
        Settings; None for the defaults.
    on_error
        Called in the thread with what goes wrong there, once for each text; None: it is logged.

    Attributes
    ----------
    component
        The camera.
    heard
        How many messages have come so far.

    Raises
    ------
    InputError
        Where the address cannot be used, or pymavlink is not installed.
    """

    def __init__(
        self,
        endpoint: str,
        live: Callable[[], LiveTracker],
        clock: Callable[[], int] = time.time_ns,
        config: Optional[MavlinkConfig] = None,
        on_error: Optional[Callable[[Exception], None]] = None,
    ):
        config = config or MavlinkConfig()
        self.component = CameraComponent(config, live)
        self._wire = Wire(config.system_id, config.component_id)
        self._clock, self._on_error = clock, on_error
        self._reported: Dict[str, bool] = {}
        self._socket, self._to = _opened(parse_endpoint(endpoint), endpoint)
        # When each peer sent last, by real time.
        self._peers: Dict[Address, int] = {}
        self.heard = 0
        self._wake, self._woken = socket.socketpair()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="pvtpp mavlink", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        """Host and port of its own socket."""
        name = self._socket.getsockname()
        return name[0], name[1]

    def close(self) -> None:
        """Stop the gimbal, where there is one, and end the thread; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._wake.send(b".")
        if self._thread is not threading.current_thread():
            self._thread.join(5.0)
        for each in (self._socket, self._wake, self._woken):
            each.close()

    def __enter__(self) -> MavlinkLink:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]
    ) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closed:
            try:
                self._send(self.component.due(self._clock()))
                wait = min(max((self.component.next_ns - self._clock()) * 1e-9, 0.0), LONGEST_WAIT_S)
                ready, _, _ = select.select([self._socket, self._woken], [], [], wait)
                if self._socket in ready:
                    self._receive()
            except Exception as error:
                self._complain(error)
                # What fails at once would fail a million times a second.
                select.select([self._woken], [], [], 0.05)
        self._send(self.component.close())

    def _receive(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, sender = self._socket.recvfrom(LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except ConnectionError:
                # Nobody listens there yet.
                continue
            found = self._wire.read(data)
            self.heard += len(found)
            if found and self._to is None:
                self._note_peer((sender[0], sender[1]))
            for message in found:
                self._send(self.component.received(message, self._clock()))

    def _note_peer(self, sender: Address) -> None:
        now = time.monotonic_ns()
        self._peers[sender] = now
        if len(self._peers) > PEERS:
            del self._peers[min(self._peers, key=lambda peer: self._peers[peer])]
        self._peers = {peer: last for peer, last in self._peers.items() if now - last < PEER_NS}

    def _send(self, messages: Iterable[Any]) -> None:
        for message in messages:
            packet = self._wire.write(message)
            for peer in [self._to] if self._to is not None else list(self._peers):
                try:
                    self._socket.sendto(packet, peer)
                except (BlockingIOError, ConnectionError):
                    # UDP loses packets anyway.
                    continue
                except OSError as error:
                    self._complain(error)

    def _complain(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text in self._reported or len(self._reported) >= 100:
            return
        self._reported[text] = True
        if self._on_error is None:
            _LOG.warning("MAVLink: %s", text)
        else:
            self._on_error(error)


def _opened(endpoint: Endpoint, text: str) -> Tuple[socket.socket, Optional[Address]]:
    """The socket, and where it sends to; None for who sends to it."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise InputError(f"MAVLink {text}: no such host ({error.strerror or error})") from None
    # A name such as localhost may have addresses of both kinds, and ground stations listen on IPv4.
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        # A whole network may be sent to, such as 192.168.1.255.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if endpoint.kind == "udpin":
            made.bind(address)
    except OSError as error:
        made.close()
        raise InputError(f"MAVLink {text}: cannot listen there ({error.strerror or error})") from None
    return made, None if endpoint.kind == "udpin" else (str(address[0]), int(address[1]))
