"""Addresses of sockets as they are written."""

from __future__ import annotations

import re
from typing import Optional, Tuple

Address = Tuple[str, int]
"""Host and port."""


def parse_address(text: str) -> Optional[Address]:
    """Read ``HOST:PORT``; None for anything else. An IPv6 address stands in brackets, which are taken off."""
    found = re.fullmatch(r"([^:\s]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", text, re.ASCII)
    if not found or not 1 <= int(found[2]) <= 65535:
        return None
    return found[1].strip("[]"), int(found[2])
