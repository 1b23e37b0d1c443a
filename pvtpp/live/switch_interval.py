"""The interpreter's switch interval, which is the whole process's."""

from __future__ import annotations

import sys
from typing import Optional, Tuple


def lower_switch_interval(wanted: Optional[float]) -> Optional[Tuple[float, float]]:
    """Set the interpreter's switch interval to at most `wanted` seconds; return what it was and what it is now."""
    before = sys.getswitchinterval()
    if wanted is None or wanted >= before:
        return None
    sys.setswitchinterval(wanted)
    return before, sys.getswitchinterval()
