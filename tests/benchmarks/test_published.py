"""The published curves are what the paper's figure says, and data sets are known by the names they have here."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.published import FILE, published

# Values at permitted latency 0, 0.5 and 1, and the mean as the figure's legend prints it.
PRINTED = {
    ("DTB70", "auc", "SiamRPN"): (0.414, 0.416, 0.478, 0.435),
    ("DTB70", "dp", "SiamRPN++_M"): (0.389, 0.435, 0.486, 0.436),
    ("UAVDT", "auc", "SiamFC++"): (0.519, 0.533, 0.544, 0.532),
    ("UAVDT", "dp", "TrDiMP"): (0.491, 0.499, 0.507, 0.499),
    ("UAV123", "auc", "HiFT"): (0.482, 0.496, 0.510, 0.496),
    ("UAV123", "dp", "DiMP18"): (0.700, 0.711, 0.723, 0.711),
}


def test_17_trackers_on_3_data_sets_with_two_measures_at_51_permitted_latencies():
    known = published()
    assert known.datasets == ["DTB70", "UAVDT", "UAV123"]
    for dataset in known.datasets:
        for measure in ("auc", "dp"):
            curves = known.curves[dataset][measure]
            assert len(curves) == 17 and set(curves) == set(known.offline)
            assert all(values.shape == (51,) and (np.diff(values) > -0.005).all() for values in curves.values())
    assert FILE.stat().st_size < 150_000
    assert known.facts["hardware"] == "NVIDIA Jetson AGX Xavier" and "figure" in known.facts["digitised"]


@pytest.mark.parametrize("key", PRINTED)
def test_the_table_is_the_printed_one(key):
    dataset, measure, tracker = key
    rows = published().table(dataset, measure)
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), reverse=True)
    (found,) = (row[1:] for row in rows if row[0] == tracker)
    assert found == pytest.approx(PRINTED[key], abs=0.0011)


def test_data_sets_are_known_by_their_names_here_and_others_refused():
    known = published()
    names = ("DTB70", "DTB70_official", "dtb70", "UAVDT_ta", "UAV123", "uav123")
    assert [known.dataset(name) for name in names] == ["DTB70", "DTB70", "DTB70", "UAVDT", "UAV123", "UAV123"]
    for other in ("UAV123_10fps", "UAV123_20L", "uav-mini test"):
        with pytest.raises(InputError, match="there are those of: DTB70, UAVDT, UAV123"):
            known.dataset(other)
