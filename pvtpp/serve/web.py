"""The service on the network: HTTP and WebSocket by aiohttp. What may be asked for is in docs/how-to/serve.md."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List, Optional

from pvtpp.errors import InputError
from pvtpp.serve.access import Access, Request
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.listener import Listener
from pvtpp.serve.session import Session
from pvtpp.serve.viewers import Viewers, parsed

MISSING = "pvtpp serve needs aiohttp: pip install 'pvtpp[serve]' (or apt install python3-aiohttp)"
LOG_EVERY_S = 10.0
PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/plots.js": ("plots.js", "text/javascript"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def library() -> Any:
    """Return the module ``aiohttp.web``; InputError, which says what to install, where it cannot be imported."""
    try:
        from aiohttp import web
    except ImportError as error:
        raise InputError(f"{MISSING} [{error}]") from None
    return web


class Web:
    """Serves a session. Made and used in the thread of a running loop.

    Parameters
    ----------
    session
        What is served.
    config
        The limits.
    listening
        A bound socket, which does not block.
    """

    def __init__(self, session: Session, config: ServeConfig, listening: socket.socket):
        self._web = web = library()
        self._session, self._config, self._listening = session, config, listening
        self._access = Access(config.token)
        self._cookie = f"pvtpp_{listening.getsockname()[1]}"
        self._files = {path: ((PAGE / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}
        self.viewers = Viewers(session, self._command, config)
        session.pictures.takers.append(self.viewers.offer_from_thread)

        @web.middleware
        async def guard(request: Any, handler: Any) -> Any:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=config.body_bytes)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/api/state", self._state)
        app.router.add_get("/api/picture.jpg", self._picture)
        for name in COMMANDS:
            app.router.add_post(f"/api/{name}", self._post)
        for path in FILES:
            app.router.add_get(path, self._file)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_quiet_logger(),
            handle_signals=False,
            keepalive_timeout=15,
            # What a refused visitor still sends is not read.
            lingering_time=0,
            shutdown_timeout=1,
        )
        self._tasks: List[Any] = []
        self._listener: Optional[Listener] = None

    async def start(self) -> None:
        """Take connections from now on."""
        await self._runner.setup()
        server = self._runner.server
        self._listener = Listener(self._listening, server, lambda: len(server.connections), self._config)
        self._tasks = [asyncio.ensure_future(each) for each in (self._listener.run(), self.viewers.send_states())]

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        self._listening.close()

    async def _guarded(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        asked = Request(
            request.headers.get("Host"),
            request.headers.get("Origin"),
            request.headers.get("Sec-Fetch-Site"),
            request.headers.get("Authorization"),
            request.query.get("token"),
            request.cookies.get(self._cookie),
            page=request.path in FILES,
        )
        refusal = self._access.refuse(asked)
        if refusal is None and (request.content_length or 0) > self._config.body_bytes:
            answer = self._text(413, f"a body has at most {self._config.body_bytes} bytes")
        elif refusal is not None:
            answer = self._text(*refusal)
        else:
            if self._listener is not None:
                self._listener.admit(request.transport)
            try:
                answer = await handler(request)
            except self._web.HTTPException as error:
                answer = self._text(error.status, error.reason)
            if asked.query and not answer.prepared:
                # The page's own requests have it from here on; other pages' never do.
                answer.set_cookie(self._cookie, asked.query, httponly=True, samesite="Strict", path="/")
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    def _text(self, status: int, text: str) -> Any:
        answer = self._web.json_response({"error": text}, status=status)
        # What else comes on this connection is not read.
        answer.force_close()
        return answer

    async def _file(self, request: Any) -> Any:
        data, kind = self._files[request.path]
        return self._web.Response(body=data, content_type=kind, charset="utf-8")

    async def _state(self, request: Any) -> Any:
        return self._web.json_response({**self._session.state(), "viewers": self.viewers.count})

    async def _picture(self, request: Any) -> Any:
        frame = self._session.pictures.newest
        if frame is None:
            return self._text(503, "no frame has come yet")
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(None, self._session.pictures.encoded, frame)
        size = "x".join(map(str, picture.image_size))
        headers = {"X-Capture-Time-Ns": str(frame.t_ns), "X-Image-Size": size}
        return self._web.Response(body=picture.jpeg, content_type="image/jpeg", headers=headers)

    async def _post(self, request: Any) -> Any:
        name = request.path.rpartition("/")[2]
        body = await request.read()
        try:
            asked = parsed(body) if body else {}
        except InputError as error:
            return self._text(400, str(error))
        answer = await self._command({**asked, "type": name})
        return self._web.json_response(answer, status=400 if answer["type"] == "error" else 200)

    async def _socket(self, request: Any) -> Any:
        # A heartbeat ends those who are gone; compression would cost time and gain nothing on JPEG.
        answer = self._web.WebSocketResponse(
            heartbeat=self._config.stuck_s, max_msg_size=self._config.body_bytes, compress=False, timeout=1.0
        )
        try:
            await answer.prepare(request)
        except ConnectionError:
            # Whoever leaves in the middle of it is no error.
            return self._text(400, "the connection is gone")
        with suppress(ConnectionError):
            await self.viewers.serve(answer)
        return answer

    async def _command(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        name = asked.get("type")
        command = COMMANDS.get(name) if isinstance(name, str) else None
        if command is None:
            return {"type": "error", "error": f"no command {name!r}, allowed are: {', '.join(COMMANDS)}"}
        loop = asyncio.get_running_loop()
        try:
            # It may wait for a lock or a disk, and viewers must not.
            found = await loop.run_in_executor(None, command, self._session, asked)
        except InputError as error:
            return {"type": "error", "command": name, "error": str(error)}
        return {"type": "done", "command": name, **found}


class _OnceInAWhile(logging.Filter):
    """Lets a record pass every `LOG_EVERY_S` seconds: strangers must not fill a board's disk with errors."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        now = time.monotonic()
        passes = now >= self._next
        if passes:
            self._next = now + LOG_EVERY_S
        return passes


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger(__name__)
    if not logger.filters:
        logger.addFilter(_OnceInAWhile())
    return logger


def _init(session: Session, asked: Dict[str, Any]) -> Dict[str, Any]:
    t_ns, box = asked.get("t_ns"), asked.get("box")
    try:
        capture_ns = int(t_ns) if isinstance(t_ns, (str, int)) and not isinstance(t_ns, bool) else None
    except ValueError:
        capture_ns = None
    if capture_ns is None or not -(2**63) <= capture_ns < 2**63:
        raise InputError(f"t_ns is {str(t_ns)[:40]!r}, allowed is the capture time of a picture: whole nanoseconds")
    if not (isinstance(box, list) and len(box) == 4 and all(type(each) in (int, float) for each in box)):
        raise InputError(f"box is {str(box)[:80]}, allowed is [cx, cy, w, h] in pixels")
    return {"target": session.init(capture_ns, box), "t_ns": str(capture_ns)}


def _record(session: Session, asked: Dict[str, Any]) -> Dict[str, Any]:
    on = asked.get("on")
    if not isinstance(on, bool):
        raise InputError(f"on is {str(on)[:40]!r}, allowed is true or false")
    return {"path": session.start_recording() if on else session.stop_recording()}


def _simple(name: str) -> Callable[[Session, Dict[str, Any]], Dict[str, Any]]:
    def command(session: Session, asked: Dict[str, Any]) -> Dict[str, Any]:
        getattr(session, name)()
        return {}

    return command


COMMANDS: Dict[str, Callable[[Session, Dict[str, Any]], Dict[str, Any]]] = {
    "init": _init,
    "reset": _simple("reset"),
    "pause": _simple("pause"),
    "resume": _simple("resume"),
    "record": _record,
}
"""By name, what each does: it is given the session and what was asked, and returns what the answer holds."""
