"""Makes the helpers of the tests of trackers importable."""

import sys
from pathlib import Path

HELPERS = Path(__file__).parent / "helpers"
if str(HELPERS) not in sys.path:
    sys.path.append(str(HELPERS))
