"""What the tests of closed loops share: their helpers."""

import sys
from pathlib import Path

folder = str(Path(__file__).parent / "helpers")
if folder not in sys.path:
    sys.path.append(folder)
