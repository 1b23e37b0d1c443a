"""Training windows: reproducible, in real time, and as exact as the annotations they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

pytest.importorskip("torch")
from pvtpp.predictors.motion import Motion
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.training.tracker_error import ErrorModel, FlowError
from pvtpp.training.windows import PROPAGATED, BoxPool, WindowConfig, sample

TRUTH = ErrorModel(shares=(1.0, 0.0, 0.0, 0.0))
PLAIN = WindowConfig(absent=0, doubting=0, starting=0, carrying=0, rounded=0, interpolated=0, error=TRUTH)


def pool(sequences=4, frames=900, velocity=(1.5, -0.5)):
    t = np.arange(frames)[:, None]
    made = []
    for number in range(sequences):
        size = np.full((frames, 2), 40.0 + number)
        made.append(np.concatenate([500 + t * velocity, size], axis=1))
    return BoxPool(made)


def test_the_same_generator_gives_the_same_windows():
    first, second = (sample(pool(), WindowConfig(), np.random.default_rng(5), 300) for _ in range(2))
    for name in ("boxes", "t", "score", "propagated", "there", "horizon", "truth", "weight", "displacement", "quality"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_times_run_forward_to_the_newest_result_and_horizons_are_ahead_of_it():
    windows = sample(pool(), WindowConfig(), np.random.default_rng(0), 2000)
    assert (np.diff(windows.t, axis=1) > 0).all() and (windows.t[:, -1] == 0).all()
    assert (windows.horizon >= 0).all() and windows.horizon.max() < 0.5


def test_without_error_boxes_and_truth_lie_on_one_motion_in_real_time():
    """Straight motion in the annotations: with any rate, skip and delay, past and future have the same velocity."""
    windows = sample(pool(), PLAIN, np.random.default_rng(1), 500)
    oldest = np.arange(500), np.argmax(windows.there, axis=1)
    velocity = (windows.boxes[:, -1] - windows.boxes[oldest]) / -windows.t[oldest][:, None]
    expected = windows.boxes[:, -1:] + windows.horizon[..., None] * velocity[:, None]
    np.testing.assert_allclose(windows.truth[windows.weight > 0], expected[windows.weight > 0], atol=1e-6)
    assert windows.weight.mean() > 0.95


def test_a_given_error_has_its_size():
    still = pool(velocity=(0.0, 0.0))
    config = replace(PLAIN, error=ErrorModel(shares=(0.0, 1.0, 0.0, 0.0)))
    windows = sample(still, config, np.random.default_rng(2), 3000)
    kept = windows.weight[:, 0] > 0
    relative = (windows.boxes[kept, :, :2] - windows.truth[kept, :1, :2]) / windows.truth[kept, :1, 2:]
    moves = relative - relative.mean(axis=1, keepdims=True)
    assert moves.std() == pytest.approx(0.02, rel=0.06)


def test_absent_targets_repeat_the_last_result_at_score_zero():
    windows = sample(pool(), replace(PLAIN, absent=1.0), np.random.default_rng(3), 300)
    stale = windows.score[:, 1:] == 0
    assert stale.any()
    np.testing.assert_array_equal(windows.boxes[:, 1:][stale], windows.boxes[:, :-1][stale])


def test_frames_without_a_target_are_not_learnt_from():
    rows = pool().box[:900].copy()
    rows[300:700] = np.nan
    windows = sample(BoxPool([rows]), PLAIN, np.random.default_rng(4), 500)
    assert np.isfinite(windows.boxes).all() and np.isfinite(windows.truth).all()
    assert 0 < windows.weight.mean() < 0.9


def test_too_short_sequences_weigh_nothing():
    """Two results and what is asked must fit."""
    windows = sample(BoxPool([pool().box[:20]]), PLAIN, np.random.default_rng(4), 200)
    assert not windows.weight[windows.t[:, -2] < -2].any() and windows.weight.any()
    used = (windows.weight > 0).any(1)
    assert (windows.t[np.arange(200), np.argmax(windows.there, axis=1)][used] > -2).all()
    slow = replace(PLAIN, processing_s=(8.0, 9.0))
    assert not sample(pool(frames=30), slow, np.random.default_rng(4), 200).weight.any()
    with pytest.raises(InputError, match="allowed are seconds up to 10"):
        WindowConfig(processing_s=(15.0, 250.0))
    assert all(np.isfinite(array).all() for array in windows.inputs().values())


def track_of(windows, i):
    """Window i as a track: results with the displacements between them, then the propagated boxes."""
    track, propagated, before = Track(), [], None
    for j, t in enumerate(windows.t[i]):
        t_ns, box, score = round(t * 1e9), windows.boxes[i, j], windows.score[i, j]
        if not windows.there[i, j]:
            continue
        if windows.propagated[i, j]:
            propagated.append(PropagatedBox(t_ns, box, score))
            continue
        track = track.with_result(t_ns, box, score)
        if before is not None and windows.quality[i, j - 1] > 0:
            moved = windows.displacement[i, j - 1].copy()
            moved[2:] = windows.boxes[i, j - 1, 2:] * np.expm1(moved[2:])
            track = track.with_propagated((), Displacement(before, moved, windows.quality[i, j - 1]))
        before = t_ns
    return track.with_propagated(propagated) if propagated and len(track) else track


@pytest.mark.parametrize("carrying", [0.0, 1.0])
def test_the_predictor_makes_the_same_inputs_of_a_track(carrying):
    windows = sample(pool(), WindowConfig(carrying=carrying, fps30=1.0, absent=0), np.random.default_rng(6), 40)
    inputs, predictor = windows.inputs(), Motion()
    assert predictor.history == windows.boxes.shape[1] and bool(inputs["innovation"].any()) == bool(carrying)
    for i in range(40):
        track = track_of(windows, i)
        if not len(track) or np.diff(windows.t[i]).max() > 0.9:
            continue
        for name, made in predictor.inputs(track).items():
            np.testing.assert_allclose(made[0], inputs[name][i], atol=1e-6, err_msg=name)


def propagated_windows(count=2000, **flow):
    config = replace(
        PLAIN, carrying=1.0, propagated_error=ErrorModel(shares=(0.0, 1.0, 0.0, 0.0)), flow=FlowError(**flow)
    )
    return sample(pool(), config, np.random.default_rng(8), count)


def test_with_a_propagation_the_newest_boxes_go_on_frame_by_frame():
    windows = propagated_windows()
    propagated = windows.propagated.sum(axis=1)
    assert set(propagated) == set(range(PROPAGATED + 1))
    for count in range(1, PROPAGATED + 1):
        some = propagated == count
        assert windows.propagated[some, -count:].all() and not windows.propagated[some, :-count].any()
        steps = np.diff(windows.t[some], axis=1)[:, -count + 1 :] if count > 1 else np.empty((0, 0))
        # Propagated boxes follow each other by one camera frame, and are the newest until the next one comes.
        assert np.allclose(steps, steps[:, :1]) if count > 1 else True
    assert np.median(windows.horizon[:, 0]) <= 1 / 15


def test_the_displacement_is_that_of_the_truth_and_not_of_the_tracker():
    """The tracker errs by 2 % of the target's size, the flow hardly: displacements follow the truth."""
    windows = propagated_windows(certain=(1e-6, 1e-6), uncertain=(2e-6, 2e-6), missing=0.0)
    interval = np.diff(windows.t, axis=1)
    velocity = windows.displacement[..., :2] / interval[..., None]
    said = (windows.quality > 0) & windows.there[:, :-1]
    spread = (velocity - np.median(velocity, axis=1, keepdims=True))[said] * 0.01
    assert said.mean() > 0.7 and np.abs(spread).max() < 0.01
    own = np.diff(windows.boxes[..., :2], axis=1)
    follows = windows.propagated[:, 1:] > 0
    assert np.abs(own - windows.displacement[..., :2])[follows].max() < 0.01
    assert np.abs(own - windows.displacement[..., :2])[said].std() > 0.5


def test_the_flows_error_grows_as_its_quality_falls():
    rng = np.random.default_rng(0)
    quality, error = FlowError(spread=0.0, missing=0.0).draw(rng, np.zeros((4000, 15), dtype=bool))
    good, bad = (error[(quality > low) & (quality <= high)].std(axis=0) for low, high in ((0.9, 1.0), (0.05, 0.3)))
    assert (good[:2] < 0.015).all() and (bad[:2] > 0.03).all() and (bad[2:] > good[2:]).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"results": 2}, "WindowConfig.results is 2"),
        ({"absent": 1.5}, "allowed is a number from 0 to 1"),
        ({"fps": (0.0, 30.0)}, "WindowConfig.fps"),
        ({"skips": (1, 2)}, "need as many shares"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        replace(WindowConfig(), **changes)


def test_a_pool_needs_boxes():
    with pytest.raises(InputError, match="at least one sequence"):
        BoxPool([])


@pytest.mark.parametrize("changes", [{"missing": 1.5}, {"quality": (0.5, 0.2)}, {"certain": (0.0, 0.1)}])
def test_a_flow_error_that_makes_no_sense_is_refused(changes):
    with pytest.raises(InputError, match="FlowError"):
        FlowError(**changes)


def test_error_shares_must_add_up():
    with pytest.raises(InputError, match="add up to 1"):
        ErrorModel(shares=(0.5, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("processing_s", [0.02, 0.047, 0.165])
def test_windows_show_the_frames_that_the_state_machine_would_have_taken(processing_s):
    """The schedule of windows is drawn for thousands at once; it must be the one that everything else follows."""
    from pvtpp.core.event_log import EventLog
    from pvtpp.core.simulator import Costs, Simulator
    from pvtpp.core.state_machine import StateMachine
    from pvtpp.predictors.hold import Hold
    from pvtpp.tracker import Frame, TrackerOutput
    from pvtpp.training.tracker_error import log_uniform
    from pvtpp.training.windows import _schedule

    class Still:
        def init(self, frame, box):
            self.box = box

        def track(self, frame, search_box=None):
            return TrackerOutput(self.box)

    count, fps, second = 40, 30.0, 10**9
    config = WindowConfig(processing_s=(processing_s, processing_s), jittery=0.0, dropping=0.0)
    rates, none = np.full(count, fps), np.zeros(count, dtype=bool)
    captured = _schedule(config, np.random.default_rng(5), rates, none)[0]
    # The same draws: processing time, jitter, drops, and then how late in its frame the tracker began.
    rng = np.random.default_rng(5)
    log_uniform(rng, config.processing_s, count)
    rng.random(count), rng.uniform(0.03, 0.4, count), rng.random(count)
    late = rng.random(count)
    frames = [Frame(i, round(i * second / fps)) for i in range(int(captured.max()) + 3)]
    for window in range(count):
        log, hold = EventLog(), {"hold": Hold()}
        first = round((late[window] / fps + processing_s) * second)
        costs = Costs(lambda number, first=first: first if number == 0 else round(processing_s * second))
        Simulator(StateMachine(hold, log=log), Still(), hold, costs).run(frames, [10.0, 10, 5, 5])
        taken = [0, *(row[2] for row in log.of_kind("track"))][: config.results]
        assert taken == captured[window].tolist()


def test_a_window_that_is_longer_than_its_sequence_begins_with_it():
    windows = sample(pool(sequences=1, frames=20), replace(PLAIN, fps30=1.0), np.random.default_rng(3), 400)
    used = (windows.weight > 0).any(1)
    assert 0.4 < used.mean() < 1.0
    past = windows.there.sum(1)
    assert past[used].min() == 2 and 2 < past[used].mean() < 16
    first = np.argmax(windows.there, axis=1)
    shortened = used & (past < 16)
    # It starts at the first frame, and what it has lies on the one motion of the sequence, as in a longer one.
    begun = windows.boxes[np.arange(400), first][shortened]
    assert (begun[:, 0] == 520.0).mean() == 1.0
    many = shortened
    oldest = np.arange(400)[many], first[many]
    velocity = (windows.boxes[many, -1] - windows.boxes[oldest]) / -windows.t[oldest][:, None]
    expected = windows.boxes[many, -1:] + windows.horizon[many][..., None] * velocity[:, None]
    known = windows.weight[many] > 0
    np.testing.assert_allclose(windows.truth[many][known], expected[known], atol=1e-6)
