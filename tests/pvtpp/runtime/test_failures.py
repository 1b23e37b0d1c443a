"""Failures: all are counted, the newest kept, and nobody who is told can break the thread that tells."""

from pvtpp.runtime.failures import KEPT, Failures


def test_all_are_counted_and_the_newest_kept():
    failures = Failures()
    for number in range(KEPT + 5):
        failures.report(number, "track", ValueError(str(number)))
    assert failures.count == KEPT + 5
    assert [failure.t_ns for failure in failures.newest] == list(range(5, KEPT + 5))


def test_a_listener_that_raises_does_no_harm():
    told = []
    failures = Failures(lambda failure: (told.append(failure), 1 / 0))
    failures.report(1, "lane", ValueError("blind"))
    assert told == failures.newest and told[0].stage == "lane"
