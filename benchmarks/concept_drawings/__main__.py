"""Draw the pictures of the concept pages anew.

python -m pvtpp_benchmarks.concept_drawings         # in a checkout, from its root
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, Dict, List, Optional

from pvtpp.files import whole_file
from pvtpp_benchmarks.concept_drawings import curves, presence, takeover, timelines, trajectories
from pvtpp_benchmarks.report.drawing import Drawing
from pvtpp_benchmarks.report.svg import document

FOLDER = os.path.join("docs", "concepts", "drawings")
DRAWINGS: Dict[str, Callable[[], Drawing]] = {
    "latency.svg": timelines.latency,
    "permitted_latency.svg": curves.permitted_latency,
    "propagation.svg": timelines.propagation,
    "takeover.svg": takeover.takeover,
    "presence.svg": presence.states,
    "search.svg": presence.search,
    "trajectory.svg": trajectories.trajectory,
    "predictors.svg": trajectories.predictors,
}
"""By file in `FOLDER`."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="folder of the checkout (default: the working directory)")
    folder = os.path.join(parser.parse_args(arguments).root, FOLDER)
    os.makedirs(folder, exist_ok=True)
    for name, draw in DRAWINGS.items():
        path = os.path.join(folder, name)
        with whole_file(path) as part, open(part, "w", encoding="utf-8") as file:
            file.write(document(draw()))
        sys.stdout.write(f"{path}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
