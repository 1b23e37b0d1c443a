"""Failures: all are counted, the newest kept, and a callback cannot break the thread that reports."""

import traceback
import weakref

import numpy as np

from pvtpp.live.failures import KEPT, Failures


def test_all_are_counted_and_the_newest_kept():
    failures = Failures()
    for number in range(KEPT + 5):
        failures.report(number, "track", ValueError(str(number)))
    assert failures.count == KEPT + 5
    assert [failure.t_ns for failure in failures.newest] == list(range(5, KEPT + 5))


def test_a_callback_that_raises_does_no_harm():
    given = []
    failures = Failures(lambda failure: (given.append(failure), 1 / 0))
    failures.report(1, "propagate", ValueError("blind"))
    assert given == failures.newest and given[0].stage == "propagate"


def test_what_is_kept_holds_no_image_alive():
    given, images = [], []
    failures = Failures(
        lambda failure: given.append(
            "".join(traceback.format_exception(None, failure.error, failure.error.__traceback__))
        )
    )

    def track():
        image = np.zeros((4, 4))
        images.append(weakref.ref(image))
        try:
            image.nonsense  # noqa: B018
        except AttributeError as error:
            failures.report(1, "track", error)
            raise ValueError("blind") from error

    try:
        track()
    except ValueError as error:
        failures.report(2, "track", error)
    assert images[0]() is None
    assert "nonsense" in given[0] and "in track" in given[1]
    assert [repr(failure.error) for failure in failures.newest][1] == "ValueError('blind')"
    assert type(failures.newest[0].error) is AttributeError and "nonsense" in str(failures.newest[0].error)
