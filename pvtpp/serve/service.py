"""A service that runs: its loop in a thread of its own, and what goes along with it."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack
from typing import Any, Callable, ContextManager, List, Optional, Sequence

from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.listener import BACKLOG
from pvtpp.serve.session import Session
from pvtpp.serve.web import Web, library

Companion = Callable[[LiveTracker], ContextManager[Any]]
"""What goes along with a service, such as MAVLink: made with its live tracker, entered before the first frame and left
before the live tracker ends."""
START_S = 10.0


class Service:
    """Serves a session from now on, until `close` or the end of a ``with`` block.

    Parameters
    ----------
    session
        Is started and closed here.
    config
        What it is bound to.
    companions
        What goes along with it.
    listening
        Of `bound`; None: it is bound here.

    Raises
    ------
    InputError
        Where the address cannot be bound, or without aiohttp.

    Attributes
    ----------
    port
        That it is bound to.
    """

    def __init__(
        self,
        session: Session,
        config: ServeConfig,
        companions: Sequence[Companion] = (),
        listening: Optional[socket.socket] = None,
    ):
        library()
        self.config, self._session = config, session
        self._listening = listening or bound(config)
        self.port = int(self._listening.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._failed: List[BaseException] = []
        self._ready = threading.Event()
        self._over: Optional[asyncio.Event] = None
        self._stack = ExitStack()
        for companion in companions:
            self._stack.enter_context(companion(session.live))
        self._thread = threading.Thread(target=self._run, name="pvtpp serve", daemon=True)
        self._thread.start()
        self._ready.wait(START_S)
        if self._failed:
            self.close()
            raise self._failed[0]

    @property
    def addresses(self) -> List[str]:
        """Where the page is, for people: with the token, and by every address of this machine."""
        query = f"?token={self.config.token}" if self.config.token else ""
        hosts = _own_addresses() if self.config.host in ("0.0.0.0", "::", "") else [self.config.host]
        return [f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{query}" for host in hosts]

    def close(self) -> None:
        """End everything."""
        if self._over is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(START_S)
        self._stack.close()
        self._session.close()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *what: Any) -> None:
        self.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failed.append(error)
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        # Made here: before Python 3.10 it belongs to the loop that runs.
        self._over = asyncio.Event()
        web = Web(self._session, self.config, self._listening)
        await web.start()
        self._session.start(web.viewers.waiting)
        self._ready.set()
        await self._over.wait()
        await web.close()


def bound(config: ServeConfig) -> socket.socket:
    """Listen where the configuration says; raises InputError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host or None, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"--host {config.host}: no such address ({error.strerror or error})") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise InputError(f"{config.host}:{config.port} cannot be bound ({error.strerror or error})") from None
    return listening


def _own_addresses() -> List[str]:
    """Addresses of this machine, the one towards the network first."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the system only says which of its addresses it would use.
            probe.connect(("192.0.2.1", 9))
            found.append(str(probe.getsockname()[0]))
        except OSError:
            pass
    try:
        found += [str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    except OSError:
        pass
    return list(dict.fromkeys(found)) or ["127.0.0.1"]
