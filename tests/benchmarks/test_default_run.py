"""A run in the default configuration is the one that `simulate` makes when everything is said."""

import numpy as np

from pvtpp import defaults
from pvtpp.boxes import xywh_to_box
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_trackers.registry import create


def test_it_is_the_run_with_every_default_said_and_options_replace_them():
    clip = render(AerialClip(seed=1, width=320, height=240, seconds=1.0))
    processing = parse("47ms").start(clip.name)
    every = {
        "first_box": xywh_to_box(clip.ground_truth_xywh[0]),
        "search_region": defaults.SEARCH_REGION,
        "propagation": Propagation(defaults.propagator(), 2_500_000),
    }
    said = simulate(clip, create("kcf"), defaults.predictors(), processing, **every)
    assert default_run(clip, create("kcf"), processing).rows == said.rows
    held = default_run(clip, create("kcf"), processing, "hold", propagation=None, presence=defaults.presence("on"))
    assert held.predictors == ["hold"] and held.of_kind("presence") and not held.of_kind("propagate")
    assert np.isfinite(held.of_kind("result")[-1][4]).all()
