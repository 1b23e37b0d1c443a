"""What a service is bound to, and what it takes from others at most."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Optional

from pvtpp.validation import above, between, check, holds, optional, whole_from

LEAST_TOKEN = 16


def is_loopback(host: str) -> bool:
    """Whether this address is of this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class ServeConfig:
    """What a service is bound to, and what it takes from others at most.

    Attributes
    ----------
    host
        The address it listens on; any but that of this machine alone needs a token.
    port
        TCP port; 0 takes a free one.
    token
        What a visitor must know, at least 16 characters; None asks for none.
    picture_width
        Larger pictures are reduced to this width, pixels.
    picture_fps
        So many pictures are encoded a second at most.
    quality
        Of the JPEG pictures, 1 to 100.
    connections
        So many are open at most; more wait.
    connections_per_s
        So many are taken a second at most.
    admission_s
        A connection without a permitted request for so long is closed, seconds.
    stuck_s
        So is one whose other side takes nothing for so long.
    body_bytes
        Largest body of a request, and largest message.
    messages_per_s
        A viewer that sends more is closed.
    state_hz
        How often the state is sent.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: Optional[str] = None
    picture_width: int = 1280
    picture_fps: float = 30.0
    quality: int = 70
    connections: int = 48
    connections_per_s: float = 40.0
    admission_s: float = 5.0
    stuck_s: float = 10.0
    body_bytes: int = 4096
    messages_per_s: float = 150.0
    state_hz: float = 10.0

    def __post_init__(self) -> None:
        positive = above(0)
        check(
            self,
            {
                "port": holds("a whole number from 0 to 65535", lambda v: whole_from(0).holds(v) and v < 65536),
                "token": optional(
                    holds(
                        f"{LEAST_TOKEN} or more letters, digits, - and _",
                        lambda v: re.fullmatch(rf"[A-Za-z0-9_-]{{{LEAST_TOKEN},}}", v) is not None,
                    )
                ),
                "picture_width": whole_from(64),
                "picture_fps": positive,
                "quality": between(1, 100),
                "connections": whole_from(1),
                "connections_per_s": positive,
                "admission_s": positive,
                "stuck_s": positive,
                "body_bytes": whole_from(256),
                "messages_per_s": positive,
                "state_hz": positive,
            },
        )
        needs = holds("an address of this machine alone (127.0.0.1) where there is no token", is_loopback)
        check(self, {} if self.token else {"host": needs})
