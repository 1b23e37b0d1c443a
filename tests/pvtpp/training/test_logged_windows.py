"""Windows from event logs: the inputs of the flight to the bit, one clock, and nothing learnt from lost targets."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.predictors.hold import Hold

torch = pytest.importorskip("torch")
from pvtpp.boxes import xywh_to_box  # noqa: E402
from pvtpp.predictors.motion import INPUTS, Motion  # noqa: E402
from pvtpp.training.logged_windows import LoggedPool, LoggedRun  # noqa: E402
from pvtpp_benchmarks import processing  # noqa: E402
from pvtpp_benchmarks.datasets.sequence import VideoSequence  # noqa: E402
from pvtpp_benchmarks.oracle import Oracle  # noqa: E402
from pvtpp_benchmarks.score import score_online  # noqa: E402
from pvtpp_benchmarks.simulation import simulate  # noqa: E402

SPEED, SIDE = 3.0, 40.0


def sequence(name="clip", frames=40, absent=(), speed=SPEED):
    rows = np.array([[100 + speed * i, 80.0, SIDE, 30.0] for i in range(frames)])
    rows[list(absent)] = np.nan
    return VideoSequence(name, rows, 30.0, 30.0)


def log_of(clip, time="47ms", noise=0.0, predictors=None):
    first = xywh_to_box(clip.ground_truth_xywh[0])
    took = processing.parse(time).start(clip.name)
    return simulate(clip, Oracle(clip, noise, seed=1), predictors or {"hold": Hold()}, took, first_box=first)


def run_of(clip, **options):
    truth = xywh_to_box(clip.ground_truth_xywh)
    return LoggedRun.of(clip.name, log_of(clip, **options), clip.world_t_ns, truth)


class Spy(Motion):
    """The committed predictor; keeps what its network was given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def predict(self, track):
        self.seen.append(self.inputs(track))
        return super().predict(track)


def test_the_inputs_are_those_of_the_flight_to_the_bit():
    spy, clip = Spy(), sequence()
    log_of(clip, noise=0.02, predictors={"motion": spy})
    made = run_of(clip, noise=0.02)
    assert len(made) == len(spy.seen) > 15
    for name in INPUTS:
        np.testing.assert_array_equal(made.inputs[name], np.concatenate([each[name] for each in spy.seen]))


def test_every_moment_is_asked_at_the_frames_that_the_benchmark_scores():
    clip = sequence(absent=(20, 21))
    log, made = log_of(clip, noise=0.02), run_of(clip, noise=0.02)
    # Holding still is a mean of zero relative to the newest box, so the overlap with zero is that of `hold`.
    overlaps, weights = [], []
    for _, windows in LoggedPool([made]).every(7):
        truth, weight = windows["truth"].double(), windows["weight"].double()
        size = torch.exp(truth[..., 2:])
        low = torch.maximum(truth[..., :2] - size / 2, torch.tensor(-0.5))
        high = torch.minimum(truth[..., :2] + size / 2, torch.tensor(0.5))
        shared = (high - low).clamp(min=0).prod(-1)
        overlaps.append((shared / (size.prod(-1) + 1 - shared))[weight > 0])
        weights.append(weight.sum())
    found = torch.cat(overlaps)
    assert sum(weights) == len(found) == 40 - 2
    # The mode `strict` is the mean overlap without the first frame, whose box was given.
    scored = score_online(log, clip, "hold", "strict").curves["auc"].value[0]
    assert found[0].item() == 1 and found[1:].mean().item() == pytest.approx(scored, abs=1e-6)


def test_drawn_windows_lie_on_the_motion_of_the_clip():
    pool = LoggedPool([run_of(sequence()), run_of(sequence("other"), time="85ms")])
    made, again = (pool.sample(np.random.default_rng(1), 100, 4, 0.38) for _ in range(2))
    assert all(torch.equal(made[name], again[name]) for name in made) and made["horizon"].shape == (100, 4)
    known = made["weight"] > 0
    velocity = SPEED * 30 / SIDE
    torch.testing.assert_close(made["truth"][..., 0][known], (made["horizon"] * velocity)[known], rtol=1e-4, atol=1e-4)
    assert known.float().mean() > 0.9 and made["horizon"].max() <= 0.38 and made["horizon"].min() >= 0


def test_each_clip_is_drawn_as_often_as_another_however_many_runs_it_has():
    pool = LoggedPool(
        [run_of(sequence("still", speed=0.0)), *(run_of(sequence(), time=time) for time in ("20ms", "47ms", "85ms"))]
    )
    made = pool.sample(np.random.default_rng(0), 2000, 4, 0.38)
    standing = ((made["truth"][..., 0] == 0) | (made["weight"] == 0)).all(1).double().mean().item()
    assert standing == pytest.approx(0.5, abs=0.06)


def test_no_window_ends_with_a_result_that_has_lost_the_target():
    clip = sequence()
    made = run_of(clip)
    lost = made.box.copy()
    lost[5:, 1] += 500
    away = LoggedRun(**{**vars(made), "box": lost})
    assert sum(map(len, LoggedPool([away]).clips)) == 5
    with pytest.raises(InputError, match="none of 1 is ever on its target"):
        LoggedPool([LoggedRun(**{**vars(made), "box": made.box + 1000})])


def test_a_digest_tells_runs_apart():
    one, other = LoggedPool([run_of(sequence())]), LoggedPool([run_of(sequence(), noise=0.02)])
    assert one.digest() == LoggedPool([run_of(sequence())]).digest() != other.digest()


def test_a_log_without_a_result_is_refused():
    clip = sequence()
    with pytest.raises(InputError, match="log of clip: 0 targets"):
        LoggedRun.of("clip", EventLog(log_of(clip).meta), clip.world_t_ns, xywh_to_box(clip.ground_truth_xywh))
