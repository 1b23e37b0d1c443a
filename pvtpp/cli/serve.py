"""Serve the live tracker as a page for a browser: see the picture, draw the target, follow it.

The page shows the live picture with the predicted box, the state and the latency; the box is drawn with mouse or
finger, and tracking starts on the picture that it was drawn on. The same is there as JSON and WebSocket. Ctrl-C,
SIGTERM or SIGHUP ends it.

On this machine alone it asks for no token unless the environment sets one. With --host it listens to the network, and
prints an address with a token.

  pvtpp serve rtsp://192.168.1.20/live --host 0.0.0.0
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import sys
import time
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from pvtpp.arguments import as_options
from pvtpp.cli import live_options, mavlink_options
from pvtpp.cli.signals import end_requests
from pvtpp.cli.sources import add_source, open_source
from pvtpp.core.log_file import LogFile
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker, OnResult
from pvtpp.live.warm_up import warm_up
from pvtpp.predictors import Predictor
from pvtpp.serve.config import ServeConfig, is_loopback
from pvtpp.serve.service import Companion, Service, bound
from pvtpp.serve.session import Session
from pvtpp.serve.web import library
from pvtpp.sources.recorded import Played, Recorded
from pvtpp.sources.source import Source
from pvtpp.tracker import Frame
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_trackers.factory import create_tracker

TOKEN_VARIABLE = "PVTPP_SERVE_TOKEN"
NAP_S = 0.2
MEMORY_S = 6.0
"""A person takes seconds to draw a box; as many frames as memory allows are kept for so long."""
SWITCH_INTERVAL_S = 0.001
"""The tracker waits no longer than this for the interpreter's lock while the service works."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_source(parser)
    live_options.add_live(parser)
    parser.add_argument("--log", metavar="FILE", help="the event log (.jsonl), which `pvtpp replay` takes")
    mavlink_options.add_mavlink(parser)
    group = parser.add_argument_group("service")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default %(default)s, this machine alone; 0.0.0.0: every network); a token is "
        f"asked for, of the environment variable {TOKEN_VARIABLE}, else a new one",
    )
    group.add_argument("--port", type=int, default=8080, help="(default %(default)s; 0: a free one)")
    group.add_argument(
        "--recordings", metavar="DIR", default="recordings", help="where recordings go (default %(default)s)"
    )
    group.add_argument(
        "--picture-width", type=int, default=1280, metavar="PIXELS", help="largest width of a picture (default 1280)"
    )
    group.add_argument(
        "--picture-fps", type=float, default=30.0, metavar="N", help="most pictures a second (default 30)"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    library()
    chosen = live_options.checked(options)
    config, companions = _config(options), _companions(options)
    if options.log:
        if not options.log.endswith(".jsonl"):
            raise InputError(f"--log {options.log}: the name must end in .jsonl")
        check_writable(options.log)
    # An address that cannot be used is said before weights are loaded and anything is written.
    with bound(config) as listening:
        return _serve(options, chosen, config, listening, companions)


def _serve(
    options: argparse.Namespace,
    chosen: Dict[str, Predictor],
    config: ServeConfig,
    listening: socket.socket,
    companions: Sequence[Companion],
) -> int:
    opened = open_source(options.source, options.fps, options.capture_offset, patient=True)
    source: Source = Played(opened) if isinstance(opened, Recorded) else opened
    tracker = create_tracker(options.tracker, options.weights, options.style)
    _warm(tracker, options.tracker)
    about = {
        # The camera is running: nobody waits for the tools that know the power state.
        "protocol": facts(0, power_state=False),
        "source": source.name,
        "capture_offset": options.capture_offset,
        "clock": "wall",
        **{name: getattr(options, name) for name in live_options.SETTINGS},
    }
    log = LogFile(options.log, about, background=True) if options.log else None

    def make_live(on_result: OnResult) -> LiveTracker:
        return LiveTracker(
            tracker,
            log=log,
            config=LiveConfig(memory_s=MEMORY_S, switch_interval_s=SWITCH_INTERVAL_S),
            on_result=on_result,
            **live_options.parts(options, chosen),
        )

    session = Session(make_live, source, options.predictors, config, options.recordings, _warn)
    try:
        with end_requests(raising=False) as over, Service(session, config, companions, listening) as service:
            for address in service.addresses:
                print(f"pvtpp serve: {address}", flush=True)
            while not over.is_set():
                time.sleep(NAP_S)
    finally:
        session.close()
        if log is not None:
            log.meta.update(_said(session))
            log.close()
    return over.status if over.signum not in (None, signal.SIGINT) else 0


def _config(options: argparse.Namespace) -> ServeConfig:
    token: Optional[str] = os.environ.get(TOKEN_VARIABLE) or None
    if token is None and not is_loopback(options.host):
        token = secrets.token_urlsafe(16)
    with as_options(options):
        return ServeConfig(
            options.host, options.port, token, picture_width=options.picture_width, picture_fps=options.picture_fps
        )


def _companions(options: argparse.Namespace) -> Sequence[Companion]:
    """What goes along with the service, as asked for."""
    mavlink = mavlink_options.checked(options, MEMORY_S)
    if mavlink is None:
        return ()
    return (lambda live: mavlink_options.connected(options.mavlink, mavlink, live, time.time_ns, _warn),)


def _warm(tracker: Any, name: str) -> None:
    """Load what is loaded at first use, before anybody draws a target; on noise, since no camera need be there yet."""
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    warm_up(tracker, name, Frame(0, 0, noise, "noise"), np.array([320.0, 180, 64, 64]))


def _said(session: Session) -> Dict[str, Any]:
    live = session.live
    return {"counts": live.counts, "timings": session.timings, "failures": _lines([f.error for f in live.errors])}


def _lines(errors: List[Exception]) -> List[str]:
    return [str(error) for error in errors]


def _warn(text: str) -> None:
    print(f"pvtpp serve: warning: {text}", file=sys.stderr, flush=True)
