"""Failures: all are counted, the newest kept, and nobody who is told can break the thread that tells."""

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


def test_a_listener_that_raises_does_no_harm():
    told = []
    failures = Failures(lambda failure: (told.append(failure), 1 / 0))
    failures.report(1, "lane", ValueError("blind"))
    assert told == failures.newest and told[0].stage == "lane"


def test_what_is_kept_holds_no_image_alive():
    told, images = [], []
    failures = Failures(
        lambda failure: told.append(
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
    assert "nonsense" in told[0] and "in track" in told[1]
    assert [repr(failure.error) for failure in failures.newest][1] == "ValueError('blind')"
    assert type(failures.newest[0].error) is AttributeError and "nonsense" in str(failures.newest[0].error)
