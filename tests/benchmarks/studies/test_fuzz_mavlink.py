"""Random packets do the camera component of MAVLink no harm; a longer run is made by the module's own command."""

import pytest

pytest.importorskip("pymavlink")

from pvtpp_benchmarks.studies.fuzz_mavlink import run


def test_random_packets_raise_nothing_and_leave_nothing_behind():
    found = run(600, seed=3)
    assert found["packets"] == 600 and found["unreadable_answers"] == 0
    # It is commands that the component was reached by, not noise alone.
    assert found["messages"] > 200 and found["sent"] > 200 and found["targets"] > 0
