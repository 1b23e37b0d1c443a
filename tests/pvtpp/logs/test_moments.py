"""What a log says was known at each frame is what the live tracker would have said then."""

import numpy as np
import pytest

from pvtpp import predictors
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.logs.cut import of_time
from pvtpp.logs.moments import moments
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.studies.ego_motion import swung
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip


def run(clip, **options):
    return simulate(
        clip,
        Oracle(clip),
        {name: predictors.create(name) for name in ("kalman", "hold")},
        lambda index: 50_000_000,
        first_box=xywh_to_box(clip.ground_truth_xywh)[0],
        **options,
    )


@pytest.fixture(scope="module")
def clip():
    return render(AerialClip("log", 4, seconds=2.0, width=160, height=96, target_px=20.0, occlusions=()))


@pytest.fixture(scope="module")
def log(clip):
    return run(clip, presence=PresenceConfig())


@pytest.fixture(scope="module")
def turning():
    """The log of a run whose camera turns, with a gyro."""
    clip = swung(9, seconds=1.5)
    return run(clip, gyro=clip.gyro)


def test_each_frame_has_the_newest_trajectory_of_its_time(log, clip):
    seen = list(moments(log))
    assert [each.frame for each in seen] == list(range(len(clip)))
    assert [each.t_ns for each in seen] == clip.camera_t_ns.tolist()
    for each in seen:
        for name in ("kalman", "hold"):
            # In the simulator the frame arrives before a stage is done at the same time.
            known = [row for row in log.rows if row[0] == "trajectory" and row[2] == name and row[1] < each.t_ns]
            known = known or [row for row in log.rows if row[0] == "trajectory" and row[2] == name][:1]
            expected = Trajectory.from_row(known[-1][3:]).at(each.t_ns)
            np.testing.assert_array_equal(each.predictions[name].box, expected.box)
            assert each.predictions[name].age == expected.age
    assert {each.presence for each in seen} == {"TRACKING"} and {each.target for each in seen} == {1}


def test_targets_are_counted_and_between_them_there_is_none(log):
    box, reset_at = log.rows[1][4], 60
    late = log.rows[reset_at][1]
    hold = next(row for row in log.rows if row[0] == "trajectory" and row[2] == "hold")
    rows = [
        *log.rows[:reset_at],
        ["reset", late],
        ["frame", late + 1, 90, late + 1],
        ["frame", late + 2, 91, late + 2],
        ["propagate", late + 2, late + 2],
        ["init", late + 3, 91, late + 2, box],
        ["trajectory", late + 3, *hold[2:]],
        ["frame", late + 4, 92, late + 4],
    ]
    seen = list(moments(EventLog(log.meta, rows)))[-3:]
    assert [each.frame for each in seen] == [90, 91, 92]
    assert [each.target for each in seen] == [0, 2, 2]
    assert [sorted(each.predictions) for each in seen] == [[], ["hold"], ["hold"]]
    assert seen[0].presence is None and seen[1].presence is None


def test_a_log_with_a_gyro_answers_in_the_image_of_the_frame():
    clip = swung(9, seconds=1.5)
    seen = list(moments(run(clip, gyro=clip.gyro)))
    truth = xywh_to_box(clip.ground_truth_xywh)[:: clip.stride]
    with_gyro = np.mean([np.linalg.norm(each.predictions["hold"].box[:2] - truth[each.frame, :2]) for each in seen])
    blind = list(moments(run(clip)))
    without = np.mean([np.linalg.norm(each.predictions["hold"].box[:2] - truth[each.frame, :2]) for each in blind])
    assert with_gyro < 0.6 * without


@pytest.mark.parametrize("from_s", [0.02, 0.21, 0.5, 0.77, 1.4])
def test_a_part_knows_what_was_known_at_its_frames(from_s, log, turning):
    for whole in (log, turning):
        part = list(moments(of_time(whole, from_s, 1.45)))
        frames = {each.frame: each for each in moments(whole)}
        assert 1 <= len(part) < len(frames)
        for each in part:
            expected = frames[each.frame]
            assert each[1:6] == expected[1:6] and list(each.predictions) == list(expected.predictions)
            for name, made in each.predictions.items():
                np.testing.assert_allclose(made.box, expected.predictions[name].box, rtol=1e-9)
                assert made.age == expected.predictions[name].age


def test_a_part_after_the_target_was_forgotten_has_none(log):
    reset = log.rows[60][1] + 1
    whole = EventLog(log.meta, [*log.rows[:60], ["reset", reset], *([*each] for each in log.of_kind("frame")[-5:])])
    part = of_time(whole, (whole.rows[-5][1] - whole.rows[0][1]) * 1e-9 - 1e-4, 9.0)
    assert [each.target for each in moments(part)] == [0] * 5 and not part.of_kind("init")


def test_a_log_without_a_target_has_frames_only():
    log = EventLog({}, [["frame", 5, 0, 3], ["frame", 9, 1, 8]])
    assert [plain(each) for each in moments(log)] == [(0, 3, 5, 0, {}), (1, 8, 9, 0, {})]


def plain(each):
    return each.frame, each.t_ns, each.arrived_ns, each.target, each.predictions
