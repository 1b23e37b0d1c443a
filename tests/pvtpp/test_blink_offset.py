"""The delay of capture times by a blinking light: found far finer than a frame, and the standard error is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.blink_offset import SHORTEST_DWELL, blink_offset
from pvtpp.errors import InputError

BEGIN_NS = 1_700_000_000_000_000_000


def filmed(
    seed,
    delay=0.04,
    fps=30.0,
    exposure=0.3,
    jitter=0.0,
    lost=0.0,
    noise=0.5,
    contrast=120.0,
    gamma=1.0,
    most=255.0,
    adapts=0.0,
    seconds=20.0,
):
    """What a simulated camera stamps and sees of a light; the exposure is a share of the frame's interval."""
    random, interval = np.random.default_rng(seed), 1 / fps
    edges = [0.5 + random.random()]
    while edges[-1] < seconds:
        edges.append(edges[-1] + random.uniform(SHORTEST_DWELL, 2.5 * SHORTEST_DWELL) * interval)
    middle = np.arange(0, seconds, interval) + random.random() * interval
    parts = middle[:, None] + np.linspace(-0.5, 0.5, 41) * (exposure * interval)
    seen = contrast * (np.searchsorted(edges, parts, side="right") % 2).mean(axis=1)
    mean, means = 0.0, []
    for value in seen:
        mean += (value - mean) * interval
        means.append(mean)
    seen = 255 * ((seen + adapts * (60 - np.array(means))) / 255).clip(0) ** gamma
    seen = np.round((40 + seen + random.normal(0, noise, len(seen))).clip(0, most), 1)
    kept = random.random(len(middle)) >= lost
    stamps = np.sort(middle + delay + random.normal(0, 1, len(middle)) * jitter)
    return nanoseconds(stamps[kept]), seen[kept], nanoseconds(edges)


def nanoseconds(seconds):
    return BEGIN_NS + np.rint(np.array(seconds) * 1e9).astype(np.int64)


CAMERAS = {
    "short exposure": {"exposure": 0.0},
    "long exposure": {"exposure": 1.0},
    "jitter": {"jitter": 0.004},
    "lost frames": {"lost": 0.2},
    "all of it": {"exposure": 0.6, "jitter": 0.003, "lost": 0.2, "noise": 3.0},
    "gamma": {"gamma": 0.45},
    "overexposed": {"exposure": 0.9, "most": 120.0},
    "exposure that adapts": {"adapts": 0.5},
    "a light of few pixels": {"contrast": 5.0},
    "60 frames a second": {"fps": 60.0},
    "early": {"delay": -0.3},
    "a slow stream": {"delay": 0.83},
}


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_delay_is_found_within_three_standard_errors(camera):
    given = CAMERAS[camera]
    found = [blink_offset(*filmed(seed, **given), reach_s=1.0) for seed in range(8)]
    errors = np.array([each.delay_s - given.get("delay", 0.04) for each in found])
    sigmas = np.array([each.sigma_s for each in found])
    assert (np.abs(errors) < 3 * sigmas).all(), errors / sigmas
    assert np.median(sigmas) < 0.2 / given.get("fps", 30.0) and all(each.correlation > 0.85 for each in found)
    assert all(0.8 * each.shown <= each.edges <= each.shown for each in found)


def test_the_standard_error_is_neither_too_small_nor_too_large():
    random, scaled = np.random.default_rng(7), []
    for seed in range(100):
        delay, exposure, jitter, lost = random.uniform((-0.2, 0, 0, 0), (0.5, 1, 0.005, 0.25))
        found = blink_offset(*filmed(1000 + seed, delay, 30.0, exposure, jitter, lost), reach_s=0.7)
        scaled.append((found.delay_s - delay) / found.sigma_s)
    within = [float(np.mean(np.abs(scaled) < sigmas)) for sigmas in (1, 2, 3, 5)]
    assert 0.6 < within[0] < 0.8 and within[1] > 0.92 and within[2] > 0.98 and within[3] == 1, within
    assert abs(np.mean(scaled)) < 0.25


@settings(max_examples=20, deadline=None)
@given(st.integers(-400_000_000, 400_000_000), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_later_stamps_are_a_longer_delay_and_the_unit_of_brightness_does_not_matter(later_ns, scale, level):
    stamps, seen, edges = filmed(3, delay=0.0, fps=20.0, seconds=12.0)
    first = blink_offset(stamps, seen, edges, 0.6)
    again = blink_offset(stamps + later_ns, scale * seen + level, edges, 0.6)
    assert again.delay_s == pytest.approx(first.delay_s + later_ns * 1e-9, abs=1e-6)
    assert again.contrast == pytest.approx(scale * first.contrast, rel=1e-3)


def test_a_shadow_that_passes_does_not_move_the_delay():
    stamps, seen, edges = filmed(5)
    crossed = np.abs(stamps - edges[20]) < 150_000_000
    found = blink_offset(stamps, np.where(crossed, 20.0, seen), edges, 1.0)
    assert abs(found.delay_s - 0.04) < 3 * found.sigma_s and found.edges >= found.shown - 3


@pytest.mark.parametrize("seed", range(5))
def test_a_camera_that_looks_elsewhere_gives_no_delay(seed):
    stamps, _, edges = filmed(0)
    elsewhere = np.random.default_rng(seed).normal(90, 5, len(stamps)).cumsum()
    for seen in (elsewhere, np.full(len(stamps), 80.0), filmed(seed + 1)[1][: len(stamps)]):
        with pytest.raises(InputError, match="the frames do not show the light"):
            blink_offset(stamps[: len(seen)], seen, edges, 1.0)


def test_a_delay_beyond_the_reach_is_said_to_be_so():
    with pytest.raises(InputError, match=r"do not show the light|delay is 0\.2 s or more; look further"):
        blink_offset(*filmed(0, delay=0.25), reach_s=0.2)


def test_too_few_switches_are_counted():
    stamps, seen, edges = filmed(0)
    with pytest.raises(InputError, match=r"shows? \d+ switches on and \d+ off of 8"):
        blink_offset(stamps[stamps < edges[8]], seen[stamps < edges[8]], edges, 0.2)
    with pytest.raises(InputError, match="600 frames and 4 switches are too few, needed are 16 and 12"):
        blink_offset(stamps, seen, edges[:4], 0.2)


def test_what_cannot_be_is_named():
    stamps, seen, edges = filmed(0)
    with pytest.raises(InputError, match="capture times must increase, number 2"):
        blink_offset(stamps[::-1], seen, edges, 1.0)
    with pytest.raises(InputError, match="expected finite"):
        blink_offset(stamps, seen[1:], edges, 1.0)
    with pytest.raises(InputError, match="expected finite"):
        blink_offset(stamps, np.where(seen > 100, np.nan, seen), edges, 1.0)
    with pytest.raises(InputError, match="needed are 8 frames between them"):
        blink_offset(stamps[::4], seen[::4], edges, 1.0)
