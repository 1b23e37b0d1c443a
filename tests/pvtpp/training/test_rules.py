"""Fields of configurations that make no sense are named with what is allowed, before anything is trained."""

from __future__ import annotations

import math

import pytest

from pvtpp.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.training.calibration import Calibration
from pvtpp.training.joint import JointTraining
from pvtpp.training.motion import MotionTraining
from pvtpp.training.paper import PaperTraining
from pvtpp.training.recorded_windows import RecordedWindows
from pvtpp.training.windows import WindowConfig

RUN = [
    {"epochs": 0},
    {"workers": -1},
    {"weight_decay": -1.0},
    {"learning_rate": math.inf},
    {"clip": 0.0},
    {"seed": -1},
    {"seed": 2**32},
]


@pytest.mark.parametrize("kind", [MotionTraining, JointTraining, PaperTraining])
@pytest.mark.parametrize("wrong", RUN)
def test_what_every_run_has(kind, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(InputError, match=rf"{kind.__name__}\.{name} is {value}, allowed is"):
        kind(**wrong)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (MotionTraining, {"warmup": 0}),
        (MotionTraining, {"average": 5.0}),
        (MotionTraining, {"average": 1.0}),
        (MotionTraining, {"robust": math.nan}),
        (JointTraining, {"warmup": 0}),
        (JointTraining, {"absolute": -1.0}),
        (PaperTraining, {"decay_epochs": (15, 0)}),
        (WindowConfig, {"skips": ()}),
        (WindowConfig, {"key_frames": ()}),
        (WindowConfig, {"longest_horizon_s": -1.0}),
        (WindowConfig, {"longest_horizon_s": math.inf}),
        (WindowConfig, {"fps": (12.0, 20.0, 30.0)}),
        (WindowConfig, {"processing_s": (0.1, math.inf)}),
        (WindowConfig, {"fps30": 1.5}),
        (RecordedWindows, {"longest_horizon_s": math.inf}),
        (Calibration, {"learning_rate": -1.0}),
        (Calibration, {"seed": -1}),
        (Calibration, {"weights": (-1.0, 2.0)}),
    ],
)
def test_what_one_kind_has(kind, wrong):
    ((name, _),) = wrong.items()
    with pytest.raises(InputError, match=rf"{kind.__name__}\.{name} is "):
        kind(**wrong)


def test_shares_of_skips_are_shares():
    with pytest.raises(InputError, match="as many shares that add up to 1"):
        WindowConfig(skips=(1, 2), skip_shares=(-0.5, 1.5))
