"""The timing script in its short form, with a real master: it runs, nothing is left out, and nothing grows."""

from __future__ import annotations

import json
import os
import sys

import ros_world


def test_a_short_soak_gives_every_figure(world, tmp_path):
    path = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "pvtpp_ros_nodes.latency_study",
        "--soak",
        "6",
        "--idle-s",
        "2",
        "--json",
        str(path),
    ]
    site = str(ros_world.site_of(world.devel))
    said = ros_world.run(command, ros_world.ROOT, PYTHONPATH=os.pathsep.join([str(ros_world.ROOT), site]))
    figures = json.loads(path.read_text())["sizes"]["640x360"]
    # How fast it is, it says itself. Only what holds on a busy machine too is asked for here.
    assert 0 < figures["target_hz"] < 101 and figures["publishing_cores"] > 0
    assert figures["result_ms"]["p50"] > 15 and "target_jitter_ms" in said
    first, _, last = figures["memory_mib_thirds"]
    assert last < first + 30
    assert min(third["p50"] for third in figures["evidence_age_ms_thirds"]) > 0
