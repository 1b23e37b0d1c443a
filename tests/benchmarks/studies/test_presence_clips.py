"""The courses of single clips: what they hold, and what is refused before anything runs."""

import json
from pathlib import Path

import numpy as np
import pytest

from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.studies.presence_clips import WORST, course, main

ROOT = Path(__file__).resolve().parents[3]


def test_the_clips_are_those_on_which_presence_costs_most():
    """So the picture hides nothing."""
    table = json.loads((ROOT / "benchmarks" / "studies" / "presence_table.json").read_text())["occluders"]["runs"]
    on, off = (table[f"47 ms {setting}"]["clips"] for setting in ("on", "off"))
    assert sorted(on, key=lambda clip: on[clip] - off[clip])[: len(WORST)] == list(WORST)


@pytest.mark.real_data
def test_a_course_has_both_settings_over_all_world_frames(data_root, weights_root):
    clip = next(iter(load("uav-mini", str(data_root / "uav-mini"), "train")))
    one = course(clip, "kcf", "20ms")
    assert len(clip.world_t_ns) == len(one["overlap"]["on"]) == len(one["overlap"]["off"])
    absent = [value is None for value in one["overlap"]["on"]]
    assert absent == np.isnan(clip.ground_truth_xywh).any(axis=1).tolist()
    assert one["presence"][0][1] > 0.9


@pytest.mark.parametrize(("path", "words"), [("nowhere/a.json/b.json", "a.json"), ("a.json", "uav-mini")])
def test_what_cannot_be_written_or_read_is_refused_before_anything_runs(path, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / "a.json").write_text("a file, not a folder")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--clips", "x", "--json", path])
    assert ended.value.code == 2 and words in capsys.readouterr().err
