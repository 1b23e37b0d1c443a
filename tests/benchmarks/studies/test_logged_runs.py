"""Logged runs to learn from: of training clips alone, and videos that are left out are left out whole."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.studies import logged_runs


def kept(tmp_path, names=("boat1", "person12_1")):
    """Clips whose runs lie in the folder."""
    clips = [VideoSequence(name, [[100 + 3.0 * i, 80, 40, 30] for i in range(30)], 30.0, 30.0) for name in names]
    options = {"propagation": "none", "search_region": "last", "presence": "off", "processing": "47ms"}
    grid = make_grid("uav-mini", "truth", predictors="hold", starts=2, offline=False, **options)
    for spec, _ in grid.cells():
        for job in jobs(clips, spec, str(tmp_path)):
            obtain(job, Oracle)
    return {clip.name: clip for clip in clips}


def test_every_log_is_a_run_of_its_clip(tmp_path):
    found = list(logged_runs.logs(str(tmp_path), kept(tmp_path)))
    assert sorted(clip.name for _, clip in found) == ["boat1", "boat1", "person12_1", "person12_1"]
    for log, clip in found:
        run = logged_runs.run_of(log, clip)
        assert run.clip == log.meta["sequence"] and len(run) > 5
        np.testing.assert_array_equal(run.truth, [[120 + 3.0 * i, 95, 40, 30] for i in range(30)])


def test_a_log_of_a_clip_that_is_not_for_learning_is_refused(tmp_path):
    known = kept(tmp_path)
    with pytest.raises(InputError, match="of clip person12_1, allowed are boat1"):
        list(logged_runs.logs(str(tmp_path), {"boat1": known["boat1"]}))


def test_a_folder_without_logs_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no event log"):
        list(logged_runs.logs(str(tmp_path), {}))


@pytest.mark.real_data
def test_clips_to_learn_from_are_left_out_once_and_videos_whole(data_root):
    names = sorted(logged_runs.clips(str(data_root), logged_runs.LEARNT))
    folds = logged_runs.folds(names)
    assert sorted(name for fold in folds for name in fold) == names and all(folds)
    for members in logged_runs.VIDEOS.values():
        assert sum(bool(set(members) & set(fold)) for fold in folds) == 1
    chosen_on = logged_runs.clips(str(data_root), logged_runs.CHOSEN_ON)
    assert chosen_on and not set(chosen_on) & set(names)
