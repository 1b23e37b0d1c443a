"""The option of a live view in Foxglove, for commands that follow a target live."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from pvtpp.addresses import Address, parse_address
from pvtpp.cli.frame_records import FrameRecord
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.logs.foxglove_live import FoxgloveView, check_address
from pvtpp.logs.moments import Moment
from pvtpp.tracker import Frame

Show = Callable[[Frame, FrameRecord], None]


def add_foxglove(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--foxglove",
        metavar="HOST:PORT",
        help="show picture, box and plots live in Foxglove, which connects to ws://HOST:PORT; without a password, so "
        "127.0.0.1:8765 unless the network is your own",
    )


def checked(options: argparse.Namespace) -> Optional[Address]:
    """Return host and port; None without the option.

    Raises
    ------
    InputError
        For what is no address, one where nobody can listen, and where foxglove-sdk is not installed.
    """
    if options.foxglove is None:
        return None
    address = parse_address(options.foxglove)
    if address is None:
        raise InputError(f"--foxglove {options.foxglove!r}: expected HOST:PORT, such as 127.0.0.1:8765")
    check_address(*address)
    return address


@contextmanager
def viewed(address: Optional[Address], live: LiveTracker) -> Iterator[Show]:
    """Serve viewers within the block, and give what shows them a frame; that does nothing without an address."""
    if address is None:
        yield lambda frame, record: None
        return
    view = FoxgloveView(*address)

    def show(frame: Frame, record: FrameRecord) -> None:
        made = {name: each for name, each in record.predictions.items() if each is not None}
        target, probability = (live.target, live.probability) if made else (0, None)
        view.show(frame, Moment(record.frame, record.t_ns, record.t_ns, target, record.presence, probability, made))

    try:
        yield show
    finally:
        view.close()
