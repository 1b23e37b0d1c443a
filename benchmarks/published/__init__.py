"""Published figures that a new tracker is compared with: the e-LAE curves of 17 trackers on an AGX Xavier.

They were read off the figure of the PVT++ paper: see `source`, `digitised` and `hardware` in ``elae.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp_benchmarks.metrics import SIGMAS

FILE = Path(__file__).with_name("elae.json")


@dataclass(frozen=True)
class Published:
    """The published curves.

    Attributes
    ----------
    facts
        Where they are from and what they were measured on, by name: `source`, `digitised`, `hardware`, `mode` ...
    curves
        By data set (``DTB70``, ``UAVDT``, ``UAV123``), measure (``auc``, ``dp``) and tracker the values at the 51
        permitted latencies, shape ``(51,)``.
    offline
        By tracker and data set AUC and DP at zero latency, as printed.
    """

    facts: Mapping[str, Any]
    curves: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]
    offline: Mapping[str, Mapping[str, Tuple[float, float]]]

    @property
    def datasets(self) -> List[str]:
        """The names of the data sets."""
        return list(self.curves)

    def dataset(self, name: str) -> str:
        """Return the published name of a data set that is called `name` here, such as ``UAVDT_ta``.

        Raises
        ------
        InputError
            For a data set that was not published.
        """
        for known in self.datasets:
            first, _, rest = name.lower().partition("_")
            if first == known.lower() and rest in ("", "official", "ta", "30fps"):
                return known
        raise InputError(f"no published curves of data set {name!r}, there are those of: {', '.join(self.datasets)}")

    def table(self, dataset: str, measure: str) -> List[Tuple[str, float, float, float, float]]:
        """Return the table of one data set and measure, the best mean first.

        Returns
        -------
        list of tuple
            Tracker, and the values at permitted latency 0, 0.5 and 1 and their mean over all 51 (mAUC or mDP).
        """
        rows = [
            (name, float(values[0]), float(values[25]), float(values[50]), float(values.mean()))
            for name, values in self.curves[dataset][measure].items()
        ]
        return sorted(rows, key=lambda row: -row[4])


def published() -> Published:
    """Read the published curves."""
    content = read_json(FILE)
    curves: Dict[str, Dict[str, Dict[str, np.ndarray]]] = {}
    for key, values in content.pop("curves").items():
        dataset, measure, tracker = key.split(" ", 2)
        if len(values) != len(SIGMAS):
            raise InputError(f"{FILE}: {len(values)} values of {key}, expected {len(SIGMAS)}")
        curves.setdefault(dataset, {}).setdefault(measure, {})[tracker] = np.array(values)
    offline = {
        tracker: {dataset: (float(both[0]), float(both[1])) for dataset, both in each.items()}
        for tracker, each in content.pop("offline").items()
    }
    return Published(content, curves, offline)
