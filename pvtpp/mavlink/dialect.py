"""The messages of MAVLink, by pymavlink, which is imported when it is first needed."""

from __future__ import annotations

import re
from typing import Any, List, Tuple

from pvtpp.errors import InputError

TEXT_BYTES = 50
"""Of one STATUSTEXT; longer texts go in several, which have an id in common."""


def messages() -> Any:
    """Return pymavlink's module of the dialect *common*, MAVLink 2. Raises InputError where it is not installed."""
    try:
        from pymavlink.dialects.v20 import common
    except ImportError as error:
        raise InputError(f"MAVLink needs pymavlink: pip install 'pvtpp[mavlink]' ({error})") from None
    return common


class Wire:
    """Messages to bytes and back.

    Parameters
    ----------
    system_id, component_id
        Of the sender.
    """

    def __init__(self, system_id: int, component_id: int):
        self._common = messages()
        self._sender = self._common.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self.undecodable = 0

    def read(self, datagram: bytes) -> List[Any]:
        """Return the messages of a datagram; what is none is left out and counted in `undecodable`.

        Each datagram is read by itself, so that a damaged one takes nothing of the next.
        """
        parser = self._common.MAVLink(None)
        parser.robust_parsing = True
        found: List[Any] = []
        try:
            found = parser.parse_buffer(datagram) or []
        except Exception:
            # What it raises for damaged packets is not documented.
            self.undecodable += 1
        good = [message for message in found if not message.get_type().startswith(("BAD_DATA", "UNKNOWN"))]
        self.undecodable += len(found) - len(good)
        return good

    def write(self, message: Any) -> bytes:
        """Return the packet of a message."""
        packet: bytes = bytes(message.pack(self._sender))
        self._sender.seq = (self._sender.seq + 1) % 256
        return packet


def status_texts(common: Any, severity: int, text: str, number: int) -> List[Any]:
    """Make the STATUSTEXT messages of a text of any length; `number` (1 to 65535) is what the parts have in common."""
    data = text.encode("ascii", "replace")
    if len(data) <= TEXT_BYTES:
        return [common.MAVLink_statustext_message(severity, data)]
    parts = [data[start : start + TEXT_BYTES] for start in range(0, len(data), TEXT_BYTES)]
    if len(parts[-1]) == TEXT_BYTES:
        # The last part is the one that ends with a zero byte.
        parts.append(b"")
    return [common.MAVLink_statustext_message(severity, part, number, at) for at, part in enumerate(parts)]


def parse_ids(text: str) -> Tuple[int, int]:
    """Read ``SYSTEM`` or ``SYSTEM:COMPONENT``; the component is a camera (100) where it is not given.

    Raises
    ------
    InputError
        For anything else: systems are 1 to 255, components 1 to 255 but not 1 to 6, which are cameras of an autopilot.
    """
    found = re.fullmatch(r"(\d{1,3})(?::(\d{1,3}))?", text, re.ASCII)
    system, component = (int(found[1]), int(found[2] or 100)) if found else (0, 0)
    if not (1 <= system <= 255 and 7 <= component <= 255):
        raise InputError(
            f"MAVLink ids {text!r}: expected SYSTEM or SYSTEM:COMPONENT, systems are 1 to 255, components 7 to 255"
        )
    return system, component
