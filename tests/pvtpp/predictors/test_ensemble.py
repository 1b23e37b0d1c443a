"""The ensemble: the mean of its two members where results are frequent, the learned one alone where they are rare."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.predictors import create, digest
from pvtpp.predictors.ensemble import JOINT, files, filter_share
from pvtpp.predictors.motion import WEIGHTS
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput

MS = 1_000_000


def track(count=8, interval_ms=47):
    made = Track()
    for k in range(count):
        made = made.with_result(k * interval_ms * MS, np.array([100 + 4 * k + 0.3 * k * k, 80 - 2 * k, 30, 20]))
    return made


def test_it_is_the_mean_of_both_at_the_learned_knots():
    motion, kalman, both = (create(name).predict(track()) for name in ("motion", "kalman", "ensemble"))
    assert both.t_ns == motion.t_ns and both.evidence_ns == motion.evidence_ns
    for knot, t_ns in enumerate(both.t_ns):
        filtered = kalman.at(t_ns)
        np.testing.assert_allclose(both.mean[knot], (motion.mean[knot] + filtered.box) / 2)
        np.testing.assert_allclose(both.derivative[knot], (motion.derivative[knot] + filtered.velocity) / 2)
        np.testing.assert_allclose(both.sigma[knot], (motion.sigma[knot] + filtered.sigma) / 2)
    assert np.abs(motion.mean - both.mean).max() > 1e-3


def test_a_learned_member_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path):
    own = tmp_path / "own.onnx"
    shutil.copyfile(WEIGHTS, own)
    np.testing.assert_array_equal(
        create(f"ensemble:{own}").predict(track()).mean, create("ensemble").predict(track()).mean
    )
    own.write_bytes(b"no graph")
    with pytest.raises(InputError, match="own.onnx"):
        create(f"ensemble:{own}")


def test_a_joint_member_reads_the_features_of_each_result(tmp_path):
    """Named, or by a graph beside which its encoder lies."""
    named, alone = create(f"ensemble:{JOINT}"), create(JOINT)
    assert named.reads_features and not create("ensemble").reads_features
    rng = np.random.default_rng(0)
    shapes = {"template": (1, 96, 8, 8), "search": (1, 96, 16, 16)}
    features = SimpleNamespace(**{name: rng.normal(0, 2, shape).astype(np.float32) for name, shape in shapes.items()})
    seen = TrackerOutput([100.0, 80, 30, 20], 1.0, features)
    np.testing.assert_array_equal(named.encode(seen), alone.encode(seen))
    made = track()
    made = made.with_result(8 * 47 * MS, [150.0, 64, 30, 20], encoding=named.encode(seen))
    kalman = create("kalman").predict(made)
    at_knots = np.array([kalman.at(t_ns).box for t_ns in alone.predict(made).t_ns])
    np.testing.assert_allclose(named.predict(made).mean, (alone.predict(made).mean + at_knots) / 2)
    for path in files(JOINT):
        shutil.copyfile(path, tmp_path / path.name)
    own = f"ensemble:{tmp_path / files(JOINT)[0].name}"
    np.testing.assert_array_equal(create(own).predict(made).mean, named.predict(made).mean)
    assert digest(own) == digest(f"ensemble:{JOINT}") != digest("ensemble")


def test_the_share_of_the_filter_falls_with_the_interval_of_results_and_is_0_from_200_ms_on():
    assert [round(filter_share(track(interval_ms=ms)), 6) for ms in (33, 100, 150, 200, 400)] == [0.5, 0.5, 0.25, 0, 0]
    motion, kalman, both = (create(name).predict(track(interval_ms=150)) for name in ("motion", "kalman", "ensemble"))
    at_knots = np.array([kalman.at(t_ns).box for t_ns in both.t_ns])
    np.testing.assert_allclose(both.mean, 0.75 * motion.mean + 0.25 * at_knots)
    rare = track(interval_ms=250)
    assert (create("ensemble").predict(rare).mean == create("motion").predict(rare).mean).all()


def test_with_one_result_the_target_stands_still():
    trajectory = create("ensemble").predict(track(1))
    np.testing.assert_allclose(trajectory.at(300 * MS).box, [100, 80, 30, 20], atol=1e-5)


def test_an_empty_track_is_refused():
    with pytest.raises(InputError, match="the track is empty"):
        create("ensemble").predict(Track())
