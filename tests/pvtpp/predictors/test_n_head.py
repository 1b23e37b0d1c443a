"""The published N-head modules as a predictor: inputs, knots, short histories and errors."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec, check_inputs
from pvtpp.predictors.n_head import NHead, files
from pvtpp.track import PropagatedBox, Track
from pvtpp.tracker import TrackerOutput

MS = 1_000_000
FRAME = 10**9 / 30
TEMPLATE, SEARCH = (1, 2, 3, 3), (1, 2, 5, 5)


class Fake:
    """An engine that keeps what it was given and answers with `answer(inputs)`, shape ``(1, heads, 4)``."""

    def __init__(self, answer, heads=3, history=3, **features):
        def spec(name, *shape):
            return TensorSpec(name, shape, np.dtype(np.float32))

        self.inputs = (spec("motion", 1, history, 4), spec("interval", 1, history))
        self.inputs += tuple(spec(name, *shape) for name, shape in features.items())
        self.outputs = (spec("offset", 1, heads, 4),)
        self.answer, self.seen = answer, []

    def run(self, inputs):
        check_inputs(inputs, self.inputs, "fake")
        self.seen.append(inputs)
        return {"offset": np.asarray(self.answer(inputs), np.float32)}


def extrapolate(inputs, heads=3):
    """Head n answers n, times the signed relative motion factor: constant velocity in the paper's terms."""
    factor = (inputs["motion"] / inputs["interval"][..., None]).mean(axis=1)
    return np.arange(1, heads + 1)[None, :, None] * factor[:, None]


def track(boxes, frames, encodings=None):
    result = Track()
    for i, (box, frame) in enumerate(zip(boxes, frames)):
        encoding = encodings[i] if encodings else None
        result = result.with_result(round(frame * FRAME), np.array(box, float), encoding=encoding)
    return result


def moving(frames, velocity=(6.0, -3.0), start=(300.0, 200.0, 40.0, 30.0)):
    start = np.array(start)
    return track([start + frame * np.array([*velocity, 0, 0]) for frame in frames], frames)


def test_constant_velocity_is_predicted_exactly_at_every_knot_and_between():
    predictor = NHead(Fake(extrapolate))
    trajectory = predictor.predict(moving([0, 2, 3, 6]))
    for ahead in (0, 0.25, 1, 1.5, 2, 2.9, 3):
        box = trajectory.at(round((6 + ahead) * FRAME)).box
        np.testing.assert_allclose(box, [300 + 6 * (6 + ahead), 200 - 3 * (6 + ahead), 40, 30], atol=1e-4)


def test_the_trajectory_starts_at_the_propagated_box():
    newest = moving([0, 2, 4, 6])
    propagated = newest.with_propagated([PropagatedBox(round(8 * FRAME), newest.boxes[-1] + (12, -6, 0, 0), 0.9)])
    trajectory = NHead(Fake(extrapolate)).predict(propagated)
    assert trajectory.evidence_ns == round(8 * FRAME)
    for frame in (8, 9, 11):
        box = trajectory.at(round(frame * FRAME)).box
        np.testing.assert_allclose(box, [300 + 6 * frame, 200 - 3 * frame, 40, 30], atol=1e-4)


def test_inputs_are_steps_relative_to_the_box_before_and_real_intervals_in_frames():
    engine = Fake(extrapolate)
    boxes = [[0, 0, 10, 20], [5, 0, 20, 20], [5, 10, 20, 10], [25, 10, 20, 10]]
    NHead(engine).predict(track(boxes, [0, 1, 3, 6]))
    motion = [[0.5, 0, np.log(2), 0], [0, 0.5, 0, np.log(0.5)], [1, 0, 0, 0]]
    np.testing.assert_allclose(engine.seen[0]["motion"], [motion], rtol=1e-6)
    np.testing.assert_array_equal(engine.seen[0]["interval"], [[1, 2, 3]])


@pytest.mark.parametrize(("milliseconds", "frames"), [(1, 1), (16, 1), (33, 1), (49, 1), (51, 2), (100, 3), (2000, 60)])
def test_intervals_are_rounded_to_whole_frames_and_never_below_one(milliseconds, frames):
    engine = Fake(extrapolate)
    box = np.array([9.0, 9, 4, 4])
    NHead(engine).predict(Track().with_result(0, box).with_result(milliseconds * MS, box))
    assert engine.seen[0]["interval"].tolist() == [[frames] * 3]


def test_another_frame_rate_moves_knots_and_intervals():
    engine = Fake(extrapolate)
    trajectory = NHead(engine, kappa=10.0).predict(moving([0, 3, 6, 9]))
    assert engine.seen[0]["interval"].tolist() == [[1, 1, 1]]
    assert np.diff(trajectory.t_ns).tolist() == [100 * MS] * 3


def test_the_oldest_step_is_repeated_for_missing_ones():
    engine = Fake(extrapolate)
    NHead(engine).predict(track([[0, 0, 10, 10], [10, 0, 10, 10], [10, 20, 10, 10]], [0, 2, 3]))
    assert engine.seen[0]["motion"][0, :, :2].tolist() == [[1, 0], [1, 0], [0, 2]]
    assert engine.seen[0]["interval"].tolist() == [[2, 2, 1]]


def test_only_the_newest_steps_count():
    engine = Fake(extrapolate)
    NHead(engine).predict(moving(range(12)))
    np.testing.assert_allclose(engine.seen[0]["motion"][0, :, 0], [6 / 40] * 3, rtol=1e-6)


def test_with_one_result_the_target_stands_still_and_the_network_is_not_run():
    engine = Fake(extrapolate)
    trajectory = NHead(engine).predict(moving([4]))
    assert (trajectory.mean == trajectory.mean[0]).all() and not trajectory.derivative.any()
    assert engine.seen == []


def test_an_empty_track_is_refused():
    with pytest.raises(InputError, match="empty"):
        NHead(Fake(extrapolate)).predict(Track())


def test_knots_are_the_present_and_every_head_and_the_last_box_is_held():
    newest = moving([0, 2, 4, 5])
    trajectory = NHead(Fake(lambda inputs: extrapolate(inputs, 6), heads=6)).predict(newest)
    assert len(trajectory.t_ns) == 7 and trajectory.t_ns[0] == trajectory.evidence_ns == newest.evidence_ns
    assert trajectory.valid_until_ns == trajectory.t_ns[-1] == newest.evidence_ns + 200 * MS
    beyond = trajectory.at(trajectory.t_ns[-1] + 500 * MS)
    np.testing.assert_array_equal(beyond.box, trajectory.mean[-1])
    assert not beyond.velocity.any()
    assert (trajectory.sigma > 0).all() and (np.diff(trajectory.sigma, axis=0) > 0).all()


@given(st.floats(0.2, 5), st.floats(-500, 500), st.lists(st.floats(-8, 8), min_size=16, max_size=16))
def test_scaling_or_shifting_the_image_scales_or_shifts_the_answer(scale, shift, errors):
    predictor = NHead(Fake(lambda inputs: np.tanh(extrapolate(inputs))))
    boxes = np.array([300.0, 200, 40, 30]) + np.reshape(errors, (4, 4))
    plain = predictor.predict(track(boxes, [0, 1, 3, 4])).mean
    moved = predictor.predict(track(boxes + [shift, -shift, 0, 0], [0, 1, 3, 4])).mean
    scaled = predictor.predict(track(boxes * scale, [0, 1, 3, 4])).mean
    np.testing.assert_allclose(moved, plain + [shift, -shift, 0, 0], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(scaled, plain * scale, rtol=1e-4, atol=1e-3)


def test_an_extreme_answer_gives_valid_boxes_and_nan_is_refused():
    wild = NHead(Fake(lambda inputs: np.full((1, 3, 4), -1e4))).predict(moving([0, 1]))
    assert np.isfinite(wild.mean).all() and (wild.mean[:, 2:] > 0).all()
    with pytest.raises(InputError, match="not finite; its weights are damaged"):
        NHead(Fake(lambda inputs: np.full((1, 3, 4), np.nan))).predict(moving([0, 1]))


def features(value, template=TEMPLATE, search=SEARCH):
    template, search = (np.full(shape, value, np.float32) for shape in (template, search))
    return SimpleNamespace(template=template, search=search)


def visual(history=3):
    return Fake(extrapolate, history=history, template=TEMPLATE, search=(1, history, *SEARCH[1:]))


def seen_by(predictor, values):
    """A track with encodings; None among the values is a result without features, as the first box is."""
    outputs = [TrackerOutput(np.array([9.0, 9, 4, 4]), features=None if v is None else features(v)) for v in values]
    frames = range(len(values))
    return track([o.box for o in outputs], frames, [predictor.encode(o) for o in outputs])


def test_a_motion_module_reads_no_features():
    predictor = NHead(Fake(extrapolate))
    assert predictor.encode(TrackerOutput(np.ones(4), features=features(1))) is None
    assert not predictor.reads_features and NHead(visual()).reads_features


@pytest.mark.parametrize(
    ("values", "used"), [([None, 1, 2, 3], [1, 2, 3]), ([0, 1, 2, 3, 4], [2, 3, 4]), ([None, 1], [1, 1, 1])]
)
def test_features_go_with_the_steps_that_led_to_them(values, used):
    engine = visual()
    predictor = NHead(engine)
    predictor.predict(seen_by(predictor, values))
    (inputs,) = engine.seen
    assert inputs["search"].shape == (1, 3, 2, 5, 5)
    assert inputs["search"][0, :, 0, 0, 0].tolist() == used
    assert inputs["template"].shape == TEMPLATE and (inputs["template"] == used[-1]).all()


def test_a_result_without_features_is_refused_where_they_are_needed():
    predictor = NHead(visual())
    with pytest.raises(InputError, match=r"t_ns=66666667 has no features \(template, search\)"):
        predictor.predict(seen_by(predictor, [None, 1, None]))


@pytest.mark.parametrize(
    ("given_features", "message"),
    [
        (features(1, search=(1, 96, 16, 16)), r"'search' is float32\[1, 96, 16, 16\], .* takes float32 1 x 2 x 5 x 5"),
        (SimpleNamespace(template=features(1).template), "'search' is NoneType"),
        ("maps", "'template' is NoneType"),
    ],
)
def test_features_of_another_tracker_are_refused(given_features, message):
    with pytest.raises(InputError, match=message):
        NHead(visual()).encode(TrackerOutput(np.ones(4), features=given_features))


def encoder_of(shape=(1, 3, 3, 3)):
    encoder = Fake(None)
    names = ("template", TEMPLATE), ("search", SEARCH)
    encoder.inputs = tuple(TensorSpec(name, shape, np.dtype(np.float32)) for name, shape in names)
    encoder.outputs = (TensorSpec("similarity", shape, np.dtype(np.float32)),)
    encoder.run = lambda inputs: {"similarity": np.full(shape, inputs["search"].flat[0] * 10, np.float32)}
    return encoder


def test_with_an_encoder_each_frame_is_encoded_once_and_kept():
    engine = Fake(extrapolate, similarity=(1, 3, 3, 3, 3))
    predictor = NHead(engine, encoder=encoder_of())
    predictor.predict(seen_by(predictor, [None, 1, 2, 3]))
    assert engine.seen[0]["similarity"][0, :, 0, 0, 0].tolist() == [10, 20, 30]


def test_an_encoder_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="the encoder makes 'similarity'"):
        NHead(Fake(extrapolate, similarity=(1, 3, 3, 3, 3)), encoder=encoder_of((1, 3, 4, 4)))


@pytest.mark.parametrize("kappa", [0, -30.0, float("inf"), float("nan")])
def test_a_wrong_frame_rate_is_refused(kappa):
    with pytest.raises(InputError, match="kappa"):
        NHead(Fake(extrapolate), kappa=kappa)


@pytest.mark.parametrize("encoder", [5, ["a"], "../../x", "/x.onnx"])
def test_a_card_whose_encoder_is_no_file_name_is_refused(tmp_path, encoder):
    (tmp_path / "m.json").write_text(json.dumps({"encoder": encoder}))
    with pytest.raises(InputError, match="m.json: 'encoder' is .*, expected the name of a file beside it"):
        files(str(tmp_path / "m.onnx"))


@pytest.mark.parametrize(
    ("where", "specs", "message"),
    [
        ("inputs", [("motion", (1, None, 4)), ("interval", (1, 3))], "'motion' .* fixed size"),
        ("inputs", [("interval", (1, 3))], "'motion' .* has none"),
        ("inputs", [("motion", (1, 3, 4)), ("interval", (1, 2))], "disagree"),
        ("outputs", [("offset", (1, 3, 5))], "'offset'"),
    ],
)
def test_an_engine_of_another_kind_is_refused(where, specs, message):
    engine = Fake(extrapolate)
    setattr(engine, where, tuple(TensorSpec(name, shape, np.dtype(np.float32)) for name, shape in specs))
    with pytest.raises(InputError, match=message):
        NHead(engine)


@pytest.mark.parametrize("kind", ["motion", "visual", "joint"])
def test_the_published_modules_in_torch_run_as_one_network_or_as_two(kind):
    torch = pytest.importorskip("torch")
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine, as_engines

    torch.manual_seed(1)
    network = NHeadNetwork(NHeadConfig(kind, heads=2, channels=2, width=4, narrow=4))
    whole = NHead(as_engine(network, 3, 5))
    values = [None, 0.1, -0.2, 0.3, 0.5]
    expected = whole.predict(seen_by(whole, values))
    assert len(expected.t_ns) == 3
    if kind != "motion":
        decoder, encoder = as_engines(network, 3, 5)
        split = NHead(decoder, encoder=encoder)
        np.testing.assert_allclose(split.predict(seen_by(split, values)).mean, expected.mean, rtol=1e-6)
