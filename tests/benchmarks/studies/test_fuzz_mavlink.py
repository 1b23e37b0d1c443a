"""Random packets do the camera component of MAVLink no harm; a longer run is made by the module's own command."""

import ast
import subprocess
import sys

import pytest

pytest.importorskip("pymavlink")

from pvtpp.errors import InputError
from pvtpp.mavlink.camera import CameraComponent
from pvtpp_benchmarks.studies.fuzz_mavlink import run


def test_random_packets_raise_nothing_and_leave_nothing_behind():
    # In a process of its own, in which nothing else uses memory.
    command = [sys.executable, "-m", "pvtpp_benchmarks.studies.fuzz_mavlink", "--packets", "600", "--seed", "3"]
    found = ast.literal_eval(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert found["packets"] == 600 and found["unreadable_answers"] == 0
    # It is commands that the component was reached by, not noise alone.
    assert found["messages"] > 200 and found["sent"] > 200 and found["targets"] > 0


def test_a_component_that_keeps_what_it_was_sent_is_found(monkeypatch):
    received, kept = CameraComponent.received, []

    def keeping(self, message, now_ns):
        kept.append(bytes(1000))
        return received(self, message, now_ns)

    monkeypatch.setattr(CameraComponent, "received", keeping)
    with pytest.raises(InputError, match="memory grew by"):
        run(600, seed=3)
