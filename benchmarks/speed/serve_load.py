"""What a service costs the tracker: processor time and age of the evidence, without, with viewers and under attack.

    python -m pvtpp_benchmarks.speed.serve_load --seconds 60 --json serve_load.json

Frames of the generated aerial clip come at `--fps` to a live tracker that takes `--tracker-ms` and sleeps meanwhile, as
one on a GPU does; each run is given the same. ``alone`` is the live tracker without a service. Then come a service
without a viewer, with one, with three, and one with a viewer under each attack: bodies of 1 GB, 10,000 connections,
viewers that read nothing, malformed WebSockets. Viewers and attackers are processes of their own; the attackers give
way to all others (nice 19), as if they were on another machine. Processor time is that of the tracker's process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Optional, Sequence

import cv2

from pvtpp import predictors, propagation
from pvtpp.arguments import check_options, comma_separated
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker, OnResult
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.service import Service
from pvtpp.serve.session import Session
from pvtpp.serve.web import library
from pvtpp.sources.recorded import Played, Recorded, TimedImage
from pvtpp.sources.source import Warn
from pvtpp.validation import at_least
from pvtpp_benchmarks.process_use import resident_mib
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.speed.live_soak import Queries, TimedTruth, percentiles, shown
from pvtpp_benchmarks.speed.propagation_frame import scene

LEAST_S, WARM_UP_S = 1.0, 2.0
CONNECTIONS = 10_000
HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
NEXT = b'{"type":"next"}'


class Run:
    """One run: a session on the generated clip, measured.

    Parameters
    ----------
    options
        Of the command line.
    clip
        Images, and the true boxes ``[cx, cy, w, h]``, shape ``(n, 4)``.
    """

    def __init__(self, options: argparse.Namespace, clip: Any):
        self._options, (self._images, self._boxes) = options, clip

    def measure(self, others: Callable[[str], Any], served: bool) -> Dict[str, Any]:
        """Measure it while `others`, which is given the address, goes on; without a service where not `served`."""
        with tempfile.TemporaryDirectory() as folder:
            session = Session(self._live, Played(self._recorded()), ["kalman"], ServeConfig(), folder, print)
            if not served:
                session.start(lambda: False)
                try:
                    return self._figures(session)
                finally:
                    session.close()
            with Service(session, ServeConfig(port=0)) as service:
                with contextlib.ExitStack() as stack:
                    stack.enter_context(others(f"127.0.0.1:{service.port}"))
                    return self._figures(session)

    def _figures(self, session: Session) -> Dict[str, Any]:
        options, live = self._options, session.live
        while session.pictures.newest is None:
            time.sleep(0.01)
        live.init(session.pictures.newest, self._boxes[shown(session.pictures.newest.index)])
        time.sleep(WARM_UP_S)
        queries = Queries(live, 200.0, options.seconds)
        pictures, cpu, begin = session.pictures.count, time.process_time(), time.perf_counter()
        memory = resident_mib()
        queries.start()
        time.sleep(options.seconds)
        queries.over = True
        queries.join()
        took = time.perf_counter() - begin
        ages = queries.rows[:, 1]
        return {
            "cpu_percent": round((time.process_time() - cpu) / took * 100, 1),
            "evidence_age_ms": percentiles(ages, 1e3),
            "evidence_age_frames": percentiles(ages, options.fps),
            "queries": len(ages),
            "pictures_per_s": round((session.pictures.count - pictures) / took, 1),
            "memory_mib": [round(memory, 1), round(resident_mib(), 1)],
            "errors": len(live.errors),
        }

    def _live(self, on_result: OnResult) -> LiveTracker:
        return LiveTracker(
            TimedTruth(self._boxes, self._options.tracker_ms / 1e3, False),
            {"kalman": predictors.create("kalman")},
            propagation.create("optical_flow"),
            "predicted",
            config=LiveConfig(switch_interval_s=0.001),
            presence=PresenceConfig(),
            on_result=on_result,
        )

    def _recorded(self) -> Recorded:
        def read(warn: Warn) -> Iterator[TimedImage]:
            index = 0
            while True:
                # A copy, since a camera fills a new buffer for each frame.
                yield TimedImage(round(index * 1e9 / self._options.fps), self._images[shown(index)].copy())
                index += 1

        return Recorded("generated clip", self._options.fps, None, read)


@contextlib.contextmanager
def processes(*roles: str, address: str) -> Iterator[None]:
    """Run others in these roles, each in a process of its own, until the end of the block."""
    command = [sys.executable, "-m", "pvtpp_benchmarks.speed.serve_load", "--address", address, "--role"]
    started = [subprocess.Popen([*command, role]) for role in roles]
    try:
        yield
        ended = [role for role, each in zip(roles, started) if each.poll() not in (None, 0)]
        if ended:
            raise InputError(f"these others failed: {', '.join(ended)}")
    finally:
        for each in started:
            each.terminate()
            each.wait()


async def look(address: str) -> None:
    """View pictures as the page does."""
    import aiohttp

    async with aiohttp.ClientSession() as client, client.ws_connect(f"http://{address}/ws") as opened:
        for _ in range(2):
            await opened.send_str(NEXT.decode())
        async for message in opened:
            if message.type == aiohttp.WSMsgType.BINARY:
                await opened.send_str(NEXT.decode())


def large_bodies(address: str) -> None:
    """Send bodies of 1 GB, again and again."""
    head = f"POST /api/init HTTP/1.1\r\nHost: {address}\r\nContent-Length: {1 << 30}\r\n\r\n".encode()
    chunked = f"POST /api/init HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    while True:
        for begin, rest in ((head, b"x" * 65536), (chunked, piece)):
            with contextlib.suppress(OSError), _connected(address) as opened:
                opened.sendall(begin)
                for _ in range((1 << 30) // 65536):
                    opened.sendall(rest)


def many_connections(address: str) -> None:
    """Open connections as fast as possible, `CONNECTIONS` in all, and hold as many as the system allows."""
    held: List[socket.socket] = []
    for number in range(10**9):
        opened = socket.socket()
        opened.setblocking(False)
        with contextlib.suppress(OSError):
            opened.connect(_pair(address))
        held.append(opened)
        if len(held) > 500:
            held.pop(0).close()
        if number % CONNECTIONS == CONNECTIONS - 1:
            time.sleep(1.0)


def slow_readers(address: str) -> None:
    """Open WebSockets, ask for pictures and read nothing."""
    held: List[socket.socket] = []
    while True:
        with contextlib.suppress(OSError):
            opened = socket.create_connection(_pair(address), timeout=2.0)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.sendall(HANDSHAKE.format(host=address).encode())
            held.append(opened)
        for each in held[-40:]:
            with contextlib.suppress(OSError):
                each.send(_masked(NEXT, 0x81))
        if len(held) > 60:
            held.pop(0).close()
        time.sleep(0.02)


def malformed(address: str) -> None:
    """Open WebSockets and send what no WebSocket sends, or valid texts without end."""
    rng = random.Random(0)
    while True:
        with contextlib.suppress(OSError), _connected(address) as opened:
            opened.sendall(HANDSHAKE.format(host=address).encode())
            for _ in range(200):
                first = rng.choice([0x81, 0x80, 0x82, 0x8B, 0xF1, 0x89, rng.randrange(256)])
                opened.sendall(_masked(bytes(rng.randrange(256) for _ in range(rng.randrange(126))), first))


ATTACKS: Dict[str, Callable[[str], None]] = {
    "large_bodies": large_bodies,
    "many_connections": many_connections,
    "slow_readers": slow_readers,
    "malformed": malformed,
}


RUNS: Dict[str, Sequence[str]] = {
    "alone": (),
    "service": (),
    "one_viewer": ("viewer",),
    "three_viewers": ("viewer",) * 3,
    **{name: ("viewer", name) for name in ATTACKS},
}
"""By name, the others of each run."""


def play(role: str, address: str) -> None:
    """Do what a role does; ends with the process."""
    if role == "viewer":
        asyncio.run(look(address))
    else:
        os.nice(19)
        ATTACKS[role](address)


def _pair(address: str) -> Any:
    host, port = address.split(":")
    return host, int(port)


def _connected(address: str) -> socket.socket:
    return socket.create_connection(_pair(address), timeout=2.0)


def _masked(payload: bytes, first: int) -> bytes:
    return bytes([first, 0x80 | len(payload)]) + struct.pack("!I", 0) + payload


def scenarios(options: argparse.Namespace) -> Dict[str, Dict[str, Any]]:
    """Measure all of them."""
    run = Run(options, scene(*options.size))
    found: Dict[str, Dict[str, Any]] = {}
    for name in options.runs:
        roles = RUNS[name]

        def others(address: str, roles: Sequence[str] = roles) -> ContextManager[None]:
            return processes(*roles, address=address)

        row = found[name] = run.measure(others, served=name != "alone")
        print(f"{name:>24}  {row['cpu_percent']:6.1f} %  {row['evidence_age_ms']} ms", flush=True)
    return found


def against(found: Dict[str, Dict[str, Any]]) -> Dict[str, Dict[str, float]]:
    """What each run took more than the live tracker alone; empty where that was not run."""
    alone = found.get("alone")
    if alone is None:
        return {}
    return {
        name: {
            "cpu_percent": round(row["cpu_percent"] - alone["cpu_percent"], 1),
            "evidence_age_ms_p50": round(row["evidence_age_ms"]["p50"] - alone["evidence_age_ms"]["p50"], 2),
        }
        for name, row in found.items()
        if row is not alone
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 720], metavar=("W", "H"), help="default: 1280 720")
    parser.add_argument("--tracker-ms", type=float, default=20.0, help="default: %(default)s")
    parser.add_argument(
        "--runs", type=comma_separated, default=tuple(RUNS), metavar="A,B", help=f"of {', '.join(RUNS)} (default: all)"
    )
    parser.add_argument("--role", choices=["viewer", *ATTACKS], help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    if options.role:
        play(options.role, options.address)
        return 0
    unknown = [name for name in options.runs if name not in RUNS]
    if unknown or not options.runs:
        parser.error(f"--runs: no run {', '.join(unknown)}, allowed are: {', '.join(RUNS)}")
    cv2.setNumThreads(1)
    try:
        check_options(options, {"seconds": at_least(LEAST_S)})
        library()
        check_writable(options.json)
        found = scenarios(options)
    except InputError as error:
        parser.error(str(error))
    cost = against(found)
    if cost:
        print("against the live tracker alone:", cost)
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key not in ("json", "role", "address")}
        write_json(options.json, {"protocol": facts(0), "settings": settings, "cost": cost, "runs": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
