"""The options of MAVLink, for every command that follows a target live."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from pvtpp.arguments import option_name
from pvtpp.cli.track_files import warn
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink.config import GimbalConfig, MavlinkConfig
from pvtpp.mavlink.dialect import messages, parse_ids
from pvtpp.mavlink.link import MavlinkLink, check_endpoint

AUTO = "auto"
DEPENDENT = ("mavlink_lead", "mavlink_id", "mavlink_video_delay", "mavlink_gimbal")


def add_mavlink(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("MAVLink")
    group.add_argument(
        "--mavlink",
        metavar="udpout:HOST:PORT",
        help="be a camera that tracks, for a ground station or an autopilot there; udpin:HOST:PORT listens",
    )
    group.add_argument(
        "--mavlink-lead",
        metavar="SECONDS",
        help="the delay of the link: boxes are predicted for the moment when they arrive; auto: as TIMESYNC measures "
        "it (default 0)",
    )
    group.add_argument("--mavlink-id", metavar="SYSTEM[:COMPONENT]", help="of this camera (default 1:100)")
    group.add_argument(
        "--mavlink-video-delay",
        type=float,
        metavar="SECONDS",
        help="how old the picture is on which the operator draws the target (default 0)",
    )
    group.add_argument(
        "--mavlink-gimbal",
        type=float,
        metavar="DEGREES",
        help="turn the vehicle's gimbal after the target, with a camera of this horizontal field of view",
    )


def checked(options: argparse.Namespace, memory_s: float = LiveConfig.memory_s) -> Optional[MavlinkConfig]:
    """Return what the options say; None without ``--mavlink``.

    Parameters
    ----------
    options
        Of the command line.
    memory_s
        How long the command's live tracker keeps frames, seconds.

    Raises
    ------
    InputError
        For values that are not allowed, an address that cannot be used, options without ``--mavlink``, and where
        pymavlink is not installed.
    """
    given = [name for name in DEPENDENT if getattr(options, name) is not None]
    if options.mavlink is None:
        if given:
            raise InputError(f"{option_name(given[0])} needs --mavlink udpout:HOST:PORT")
        return None
    messages()
    check_endpoint(options.mavlink)
    system, component = parse_ids("1" if options.mavlink_id is None else options.mavlink_id)
    degrees, delay_s = options.mavlink_gimbal, options.mavlink_video_delay or 0.0
    if delay_s > memory_s:
        raise InputError(
            f"--mavlink-video-delay {delay_s:g}: frames are in memory for {memory_s:g} s, allowed is 0 to {memory_s:g}"
        )
    return MavlinkConfig(
        system_id=system,
        component_id=component,
        lead_s=_lead(options.mavlink_lead),
        video_delay_s=delay_s,
        gimbal=None if degrees is None else GimbalConfig(degrees),
    )


@contextmanager
def connected(
    endpoint: Optional[str],
    config: Optional[MavlinkConfig],
    live: LiveTracker,
    clock: Callable[[], int],
    warn: Callable[[str], None] = warn,
) -> Iterator[None]:
    """Have the live tracker be a camera component within the block; nothing where `config` is None.

    `warn` takes a line on what goes wrong.
    """
    if endpoint is None or config is None:
        yield
        return
    with MavlinkLink(endpoint, lambda: live, clock, config, lambda error: warn(f"MAVLink: {error}")) as link:
        yield
    if not link.heard:
        warn(f"MAVLink {endpoint}: nothing was heard from there; is a ground station at that address?")


def _lead(text: Optional[str]) -> Optional[float]:
    if text == AUTO:
        return None
    try:
        return 0.0 if text is None else float(text)
    except ValueError:
        raise InputError(f"--mavlink-lead {text!r}: expected seconds, or {AUTO}") from None
