"""The status: one bad result is a doubt, several a loss; coming back takes more than one good one; time has its say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.core.presence import PresenceConfig, Status, Verdict, Watch, log_odds
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput

CONFIG = PresenceConfig(lost_after=2, found_after=2)
GOOD, DOUBTFUL, MISS = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.MISS


def after(*verdicts, watch=None):
    watch = watch or Watch.begin(CONFIG)
    for number, verdict in enumerate(verdicts):
        watch = watch.after(CONFIG, number, verdict, 0.9)
    return watch


def told(watch, before=Status.TRACKING, age=0.0, spread=0.0):
    return CONFIG.judge(watch, before, age, spread)


def output(score=0.9, similarity=None):
    return TrackerOutput([0, 0, 9, 9], score, similarity=similarity)


def test_a_target_just_given_is_believed_a_miss_is_a_doubt_and_two_are_a_loss():
    assert told(after()) is Status.TRACKING
    assert told(after(GOOD, MISS)) is Status.UNCERTAIN
    assert told(after(GOOD, MISS, MISS)) is Status.LOST
    assert told(after(MISS, GOOD, MISS)) is Status.UNCERTAIN


def test_after_a_doubt_and_after_a_loss_it_takes_two_good_results():
    assert told(after(MISS, GOOD)) is Status.UNCERTAIN
    assert told(after(MISS, GOOD, GOOD)) is Status.TRACKING
    assert told(after(MISS, MISS, GOOD)) is Status.LOST
    assert told(after(MISS, MISS, GOOD, MISS, GOOD)) is Status.LOST
    assert told(after(MISS, MISS, GOOD, DOUBTFUL, GOOD)) is Status.LOST
    assert told(after(MISS, MISS, GOOD, GOOD)) is Status.TRACKING


def test_what_merely_looks_different_is_doubted_and_never_lost():
    assert told(after(*[DOUBTFUL] * 50)) is Status.UNCERTAIN
    assert told(after(MISS, DOUBTFUL, MISS)) is Status.UNCERTAIN


def test_the_loss_began_with_its_first_miss():
    assert after(GOOD, MISS, MISS, MISS).doubt_ns == 1
    assert after(MISS, GOOD, MISS).doubt_ns == 2
    assert after(MISS, MISS, GOOD, GOOD).doubt_ns is None


@given(st.lists(st.sampled_from(list(Verdict)), max_size=40))
def test_only_two_misses_lose_it_and_only_two_good_results_find_it(verdicts):
    watch = Watch.begin(CONFIG)
    for number, verdict in enumerate(verdicts, 1):
        before, newest = watch, verdicts[:number][-2:]
        watch = before.after(CONFIG, number, verdict, 0.5)
        if newest == [MISS, MISS]:
            assert told(watch) is Status.LOST
        if newest == [GOOD, GOOD]:
            assert told(watch, Status.LOST) is Status.TRACKING
        if watch.lost != before.lost:
            assert newest == ([MISS, MISS] if watch.lost else [GOOD, GOOD])


def test_a_score_is_judged_by_its_odds_against_the_targets_own_level_and_by_a_floor():
    modest, sure = (Watch.begin(CONFIG)._replace(level=log_odds(score)) for score in (0.7, 0.9999))
    assert CONFIG.verdict(modest, output(0.65)) is GOOD and CONFIG.verdict(sure, output(0.65)) is MISS
    assert CONFIG.verdict(sure, output(0.99)) is MISS and CONFIG.verdict(sure, output(0.999)) is GOOD
    assert CONFIG.verdict(Watch.begin(CONFIG), output(0.1)) is MISS
    assert CONFIG.verdict(Watch.begin(CONFIG), output(0.3)) is GOOD


def test_a_tracker_without_a_score_has_a_level_and_a_loss_it_reports_itself_is_a_miss():
    watch = after(GOOD, GOOD)._replace(level=log_odds(1.0))
    assert math.isfinite(watch.level) and math.isfinite(log_odds(0.0))
    assert CONFIG.verdict(watch, output(1.0)) is GOOD and CONFIG.verdict(watch, output(0.0)) is MISS


def test_the_level_follows_good_results_alone():
    watch = after(GOOD)
    assert watch.level == log_odds(0.9)
    assert watch.after(CONFIG, 9, MISS, 0.0).level == log_odds(0.9)
    assert watch.after(CONFIG, 9, GOOD, 0.5).level == pytest.approx((1 - CONFIG.level_rate) * log_odds(0.9))


LIKENESS = PresenceConfig(similarity_good=0.7, similarity_found=0.8, similarity_miss=0.5)


@pytest.mark.parametrize(
    ("score", "similarity", "verdict"),
    [
        (0.9, None, GOOD), (0.9, 1.0, GOOD), (0.9, 0.7, GOOD), (0.9, 0.6, DOUBTFUL), (0.9, 0.0, DOUBTFUL),
        (0.6, None, MISS), (0.6, 1.0, DOUBTFUL), (0.6, 0.6, DOUBTFUL), (0.6, 0.4, MISS), (1.0, 0.6, DOUBTFUL), (1.0, 0.4, MISS),
    ],
)  # fmt: skip
def test_a_miss_has_two_witnesses_unless_one_of_them_says_nothing(score, similarity, verdict):
    assert LIKENESS.verdict(after(GOOD), output(score, similarity)) is verdict


def test_to_be_found_it_has_to_look_more_like_itself_than_to_be_followed():
    assert LIKENESS.verdict(after(GOOD), output(0.9, 0.75)) is GOOD
    assert LIKENESS.verdict(after(MISS, MISS), output(0.9, 0.75)) is DOUBTFUL
    assert LIKENESS.verdict(after(MISS, MISS), output(0.9, 0.85)) is GOOD


def test_old_evidence_and_a_large_sigma_leave_nobody_sure_and_are_left_again_below_the_limit():
    config = CONFIG
    limits = {"age": config.uncertain_s, "spread": config.uncertain_sigma}
    for name, limit in limits.items():
        assert told(after(), **{name: limit * 0.95}) is Status.TRACKING
        assert told(after(), **{name: limit * 1.05}) is Status.UNCERTAIN
        assert told(after(), Status.UNCERTAIN, **{name: limit * 0.95}) is Status.UNCERTAIN
        assert told(after(), Status.UNCERTAIN, **{name: limit * 0.75}) is Status.TRACKING
    assert told(after(), age=config.lost_s * 1.05) is Status.LOST
    assert told(after(), Status.LOST, age=config.lost_s * 0.9) is Status.LOST


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"score_floor": 1.5}, "score_floor is 1.5, allowed is 0 to 1"),
        ({"lost_after": 0}, "lost_after is 0, allowed is any number above 0"),
        ({"uncertain_s": float("inf")}, "uncertain_s is inf"),
        ({"similarity_miss": 0.9}, "similarity_miss is 0.9, allowed is 0 to similarity_good"),
    ],
)
def test_constants_out_of_range_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        PresenceConfig(**wrong)
