"""The picture of single clips: what it is made of, and what it refuses before anything runs."""

import numpy as np
import pytest

from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.studies.presence_clips import Course, course, draw, main

pytest.importorskip("matplotlib")


def test_a_clip_is_drawn_with_the_time_in_which_its_target_is_hidden(tmp_path):
    seconds, overlap = np.arange(30) / 30, np.full(30, 0.7)
    overlap[10:15] = np.nan
    one = Course(seconds, {"off": overlap / 2, "on": overlap}, np.array([[0.0, 0.95], [0.4, 0.2], [0.97, 0.2]]))
    draw(str(tmp_path / "clips.svg"), {"one": one, "two": one}, "two clips")
    drawn = (tmp_path / "clips.svg").read_text()
    assert drawn.lstrip().startswith("<?xml") and drawn.count("dddddd") == 2


@pytest.mark.real_data
def test_a_course_has_both_settings_over_all_world_frames(data_root, weights_root):
    clip = next(iter(load("uav-mini", str(data_root / "uav-mini"), "train")))
    one = course(clip, "kcf", "20ms")
    assert len(one.seconds) == len(one.overlaps["on"]) == len(one.overlaps["off"])
    assert one.probability[0, 1] > 0.9 and one.probability[-1, 0] == one.seconds[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--out", "a.bmp", "--clips", "x"], "a.bmp: unknown ending"), (["--out", "a.svg", "--clips", "x"], "uav-mini")],
)
def test_what_cannot_be_drawn_is_refused_before_anything_runs(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), *arguments])
    assert ended.value.code == 2 and words in capsys.readouterr().err
