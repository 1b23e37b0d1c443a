"""Makes the helpers of the tests of reports importable, and the browser of the service's page."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for helpers in (HERE / "helpers", HERE.parents[1] / "pvtpp" / "serve" / "helpers"):
    if str(helpers) not in sys.path:
        sys.path.append(str(helpers))
