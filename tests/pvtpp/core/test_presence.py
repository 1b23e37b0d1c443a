"""Presence: one bad result is a doubt, several a loss; coming back takes more than one good one; time counts too."""

import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.core.presence import Assessment, Presence, PresenceConfig, ResultHistory, log_odds
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput

CONFIG = PresenceConfig(lost_after=2, found_after=2)
GOOD, DOUBTFUL, MISS = Assessment.GOOD, Assessment.DOUBTFUL, Assessment.MISS


def after(*assessments):
    history = ResultHistory.begin(CONFIG)
    for number, assessment in enumerate(assessments):
        history = history.after(CONFIG, number, assessment, 0.9)
    return history


def presence(history, before=Presence.TRACKING, age=0.0, spread=0.0):
    return CONFIG.presence(history, before, age, spread)


def output(score=0.9, similarity=None):
    return TrackerOutput([0, 0, 9, 9], score, similarity=similarity)


def test_a_target_just_given_is_believed_a_miss_is_a_doubt_and_two_are_a_loss():
    assert presence(after()) is Presence.TRACKING
    assert presence(after(GOOD, MISS)) is Presence.UNCERTAIN
    assert presence(after(GOOD, MISS, MISS)) is Presence.LOST
    assert presence(after(MISS, GOOD, MISS)) is Presence.UNCERTAIN


def test_after_a_doubt_and_after_a_loss_it_takes_two_good_results():
    assert presence(after(MISS, GOOD)) is Presence.UNCERTAIN
    assert presence(after(MISS, GOOD, GOOD)) is Presence.TRACKING
    assert presence(after(MISS, MISS, GOOD)) is Presence.LOST
    assert presence(after(MISS, MISS, GOOD, MISS, GOOD)) is Presence.LOST
    assert presence(after(MISS, MISS, GOOD, DOUBTFUL, GOOD)) is Presence.LOST
    assert presence(after(MISS, MISS, GOOD, GOOD)) is Presence.TRACKING


def test_what_merely_looks_different_is_doubted_and_never_lost():
    assert presence(after(*[DOUBTFUL] * 50)) is Presence.UNCERTAIN
    assert presence(after(MISS, DOUBTFUL, MISS)) is Presence.UNCERTAIN


def test_the_loss_began_with_its_first_miss():
    assert after(GOOD, MISS, MISS, MISS).doubt_ns == 1
    assert after(MISS, GOOD, MISS).doubt_ns == 2
    assert after(MISS, MISS, GOOD, GOOD).doubt_ns is None


@given(st.lists(st.sampled_from(list(Assessment)), max_size=40))
def test_only_two_misses_lose_it_and_only_two_good_results_find_it(assessments):
    history = ResultHistory.begin(CONFIG)
    for number, assessment in enumerate(assessments, 1):
        before, newest = history, assessments[:number][-2:]
        history = before.after(CONFIG, number, assessment, 0.5)
        if newest == [MISS, MISS]:
            assert presence(history) is Presence.LOST
        if newest == [GOOD, GOOD]:
            assert presence(history, Presence.LOST) is Presence.TRACKING
        if history.lost != before.lost:
            assert newest == ([MISS, MISS] if history.lost else [GOOD, GOOD])


def test_a_score_is_low_by_its_odds_against_the_targets_own_level_or_below_a_least_one():
    modest, sure = (ResultHistory.begin(CONFIG)._replace(level=log_odds(score)) for score in (0.7, 0.9999))
    assert CONFIG.assess(modest, output(0.65)) is GOOD and CONFIG.assess(sure, output(0.65)) is MISS
    assert CONFIG.assess(sure, output(0.99)) is MISS and CONFIG.assess(sure, output(0.999)) is GOOD
    assert CONFIG.assess(ResultHistory.begin(CONFIG), output(0.1)) is MISS
    assert CONFIG.assess(ResultHistory.begin(CONFIG), output(0.3)) is GOOD


def test_a_tracker_without_a_score_has_a_level_and_a_loss_it_reports_itself_is_a_miss():
    history = after(GOOD, GOOD)._replace(level=log_odds(1.0))
    assert math.isfinite(history.level) and math.isfinite(log_odds(0.0))
    assert CONFIG.assess(history, output(1.0)) is GOOD and CONFIG.assess(history, output(0.0)) is MISS


def test_the_level_follows_good_results_alone():
    history = after(GOOD)
    assert history.level == log_odds(0.9)
    assert history.after(CONFIG, 9, MISS, 0.0).level == log_odds(0.9)
    assert history.after(CONFIG, 9, GOOD, 0.5).level == pytest.approx((1 - CONFIG.level_rate) * log_odds(0.9))


SIMILARITY = PresenceConfig(similarity_good=0.7, similarity_found=0.8, similarity_miss=0.5)


@pytest.mark.parametrize(
    ("score", "similarity", "assessment"),
    [
        (0.9, None, GOOD), (0.9, 1.0, GOOD), (0.9, 0.7, GOOD), (0.9, 0.6, DOUBTFUL), (0.9, 0.0, DOUBTFUL),
        (0.6, None, MISS), (0.6, 1.0, DOUBTFUL), (0.6, 0.6, DOUBTFUL), (0.6, 0.4, MISS),
        (1.0, 0.6, DOUBTFUL), (1.0, 0.4, MISS),
    ],
)  # fmt: skip
def test_a_miss_takes_a_low_score_and_a_low_similarity_unless_one_of_them_says_nothing(score, similarity, assessment):
    assert SIMILARITY.assess(after(GOOD), output(score, similarity)) is assessment


def test_to_be_found_it_has_to_look_more_like_itself_than_to_be_followed():
    assert SIMILARITY.assess(after(GOOD), output(0.9, 0.75)) is GOOD
    assert SIMILARITY.assess(after(MISS, MISS), output(0.9, 0.75)) is DOUBTFUL
    assert SIMILARITY.assess(after(MISS, MISS), output(0.9, 0.85)) is GOOD


def test_old_evidence_and_a_large_sigma_make_presence_uncertain_until_they_are_well_below_the_limit():
    config = CONFIG
    limits = {"age": config.uncertain_s, "spread": config.uncertain_sigma}
    for name, limit in limits.items():
        assert presence(after(), **{name: limit * 0.95}) is Presence.TRACKING
        assert presence(after(), **{name: limit * 1.05}) is Presence.UNCERTAIN
        assert presence(after(), Presence.UNCERTAIN, **{name: limit * 0.95}) is Presence.UNCERTAIN
        assert presence(after(), Presence.UNCERTAIN, **{name: limit * 0.75}) is Presence.TRACKING
    assert presence(after(), age=config.lost_s * 1.05) is Presence.LOST
    assert presence(after(), Presence.LOST, age=config.lost_s * 0.9) is Presence.LOST


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"least_score": 1.5}, "least_score is 1.5, allowed is a number from 0 to 1"),
        ({"lost_after": 0}, "lost_after is 0, allowed is a number above 0"),
        ({"uncertain_s": float("inf")}, "uncertain_s is inf"),
        ({"similarity_miss": 0.9}, "similarity_miss is 0.9, allowed is 0 to similarity_good"),
    ],
)
def test_constants_out_of_range_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        PresenceConfig(**wrong)


def test_the_constants_of_a_log_come_back_and_those_of_another_version_are_refused():
    config = PresenceConfig(lost_after=3, coast_s=0.7)
    values = asdict(config)
    assert PresenceConfig.from_dict(values) == config
    del values["coast_s"]
    with pytest.raises(InputError, match="another version, whose constants differ in coast_s, speed"):
        PresenceConfig.from_dict({**values, "speed": 1})
