"""Presence: what results say adds up to a probability, time takes from it, and three states are read off it."""

import math
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.appearance import FEATURES, PIXELS
from pvtpp.core.presence import Belief, Presence, PresenceConfig, log_odds, with_presence
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput

CONFIG = PresenceConfig()
KINDS = {kind: replace(CONFIG, kind=kind) for kind in (FEATURES, PIXELS)}
FRAME = 33_333_333
T, U, L = Presence.TRACKING, Presence.UNCERTAIN, Presence.LOST


def output(score=1.0, similarity=None):
    return TrackerOutput([0, 0, 9, 9], score, similarity=similarity)


def after(*outputs, config=CONFIG, step=FRAME):
    belief = Belief(0, 3.0)
    for number, each in enumerate(outputs, 1):
        belief = belief.after(config, number * step, each)
    return belief


def presence(probability, before=T, age=0.0, spread=0.0):
    return CONFIG.presence(probability, before, age, spread)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", [0.9999, 1.0])
def test_results_like_the_target_keep_it_and_others_lose_it_within_a_few(kind, score):
    config = KINDS[kind]
    good, bad = output(score, 1.0), output(0.6 if score < 1 else 1.0, 0.1)
    assert after(*[good] * 20, config=config).probability > 0.9
    lost = after(*[good] * 20, *[bad] * 8, config=config)
    assert lost.probability < config.lost_below
    assert after(*[good] * 20, bad, config=config).probability > config.lost_below
    assert after(*[good] * 20, *[bad] * 8, *[good] * 8, config=config).probability > config.uncertain_below


@given(st.sampled_from([*KINDS]), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=30))
def test_the_probability_is_one_and_no_result_counts_more_than_its_share(kind, results):
    config, belief = KINDS[kind], Belief(0, 3.0)
    for number, (score, similarity) in enumerate(results, 1):
        belief = belief.after(config, number * FRAME, output(score, similarity))
        assert 0 < belief.probability < 1 and abs(belief.evidence) <= config.most


@given(st.sampled_from([*KINDS]), st.floats(0.01, 0.999), st.floats(0, 1), st.floats(0, 1))
def test_more_similar_never_speaks_less_for_the_target(kind, score, one, other):
    config, (less, more) = KINDS[kind], sorted((one, other))
    assert config.evidence(output(score, less), 5.0) <= config.evidence(output(score, more), 5.0)


def test_scores_of_an_unknown_scale_are_compared_with_the_targets_own():
    """A tracker whose scores are low all the time has not lost its target; one whose score falls may have."""
    low = [output(0.4, 1.0)] * 30
    assert after(*low).probability > 0.9
    high = [output(0.999, 0.9)] * 30
    assert after(*high, *[output(0.4, 0.6)] * 6).probability < 0.3


def test_without_a_similarity_and_without_scores_every_result_is_believed():
    assert after(*[output()] * 50).probability > 0.9


def test_a_tracker_that_reports_not_found_loses_the_target():
    assert after(*[output(1.0, 0.9)] * 5, *[output(0.0, 0.9)] * 6).probability < CONFIG.lost_below


def test_without_results_the_probability_drifts_to_what_is_usual():
    usual = CONFIG.return_rate / (CONFIG.return_rate + CONFIG.loss_rate)
    neutral = replace(CONFIG, most=1e-9)
    for odds in (-4.0, 4.0):
        later = Belief(0, odds).after(neutral, 60 * 10**9, output())
        assert later.probability == pytest.approx(usual, abs=1e-6)
        assert Belief(0, odds).after(neutral, 0, output()).odds == pytest.approx(odds, abs=1e-6)


def test_states_follow_the_probability_with_hysteresis():
    assert presence(0.99) is T and presence(CONFIG.uncertain_below - 0.01) is U
    assert presence(CONFIG.lost_below - 0.01) is L
    # Left again at a share of the limit.
    assert presence(CONFIG.uncertain_below + 0.01, U) is U and presence(0.9, U) is T
    assert presence(CONFIG.lost_below + 0.01, L) is L and presence(0.5, L) is U


@pytest.mark.parametrize("sign", [1, -1])
def test_old_evidence_and_evidence_from_the_future_are_uncertain_and_then_lost(sign):
    assert presence(0.99, age=sign * (CONFIG.uncertain_s + 0.01)) is U
    assert presence(0.99, age=sign * (CONFIG.lost_s + 0.01)) is L
    assert presence(0.99, U, age=sign * CONFIG.uncertain_s * 0.9) is U
    assert presence(0.99, L, age=sign * CONFIG.lost_s * 0.9) is L


def test_a_sigma_larger_than_the_target_is_uncertain():
    assert presence(0.99, spread=CONFIG.uncertain_sigma * 1.01) is U
    assert presence(0.99, U, spread=CONFIG.uncertain_sigma * 0.9) is U
    assert presence(0.99, U, spread=CONFIG.uncertain_sigma * 0.7) is T


def test_the_constants_are_read_back_and_those_of_another_version_are_refused():
    assert PresenceConfig.from_dict(asdict(CONFIG)) == CONFIG
    values = asdict(CONFIG)
    del values["better_by"], values["settled_above"]
    assert PresenceConfig.from_dict(values).better_by > 1e3, "logs from before that rule are replayed without it"
    del values["share"]
    with pytest.raises(InputError, match="another version, whose constants differ in share"):
        PresenceConfig.from_dict(values)


@pytest.mark.parametrize("wrong", [{"known": 1.5}, {"loss_rate": 0}, {"kind": "smell"}, {"lost_below": -0.1}])
def test_constants_out_of_range_are_named(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=f"PresenceConfig.{name}"):
        PresenceConfig(**wrong)


def test_the_constants_know_what_the_tracker_can_describe():
    class Plain:
        def init(self, frame, box):
            pass

        def track(self, frame, search_box=None):
            return output()

    class Describing(Plain):
        def describe(self, box):
            return None

    assert with_presence(Plain(), None)[1] is None
    assert with_presence(Plain(), CONFIG)[1].kind == PIXELS
    assert with_presence(Describing(), CONFIG)[1].kind == FEATURES


def test_the_log_odds_of_any_score_are_finite():
    assert log_odds(0.5) == 0 and all(math.isfinite(log_odds(score)) for score in (0.0, 1.0))
    assert log_odds(1.0) == -log_odds(0.0) > 16
