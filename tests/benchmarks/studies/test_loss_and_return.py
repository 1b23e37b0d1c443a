"""The study of loss and return: what it compares, and a run on a clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.core.state_machine import StateMachine
from pvtpp.predictors import create
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies import loss_and_return
from pvtpp_benchmarks.studies.loss_and_return import account
from pvtpp_benchmarks.synthetic import AerialClip, render


def test_what_is_known_at_each_frame_is_the_newest_presence_and_the_newest_answer():
    xywh = np.tile([10.0, 10, 20, 20], (12, 1))
    xywh[3:9] = np.nan
    sequence = VideoSequence("clip", xywh)
    machine = StateMachine({"hold": create("hold")}, log=EventLog())
    machine.init(0, Frame(0, 0), np.array([20.0, 20, 20, 20]))
    assert account(machine.log, sequence).outages.losses is None
    machine.log.presence(int(sequence.world_t_ns[4]), Presence.LOST)
    machine.log.presence(int(sequence.world_t_ns[10]) + 1000, Presence.TRACKING)
    found = account(machine.log, sequence, grace_s=0.04)
    assert found.overlap[0] == 1 and np.flatnonzero(np.isnan(found.overlap)).tolist() == [3, 4, 5, 6, 7, 8]
    assert found.outages.losses.strict == (12, 6, 7, 5) and found.outages.losses.in_time == (12, 6, 6, 6)
    assert found.outages.found_s == (0.0,)


def test_frames_that_show_less_than_half_of_a_generated_target_do_not_count():
    clip = render(AerialClip("hidden", 21, seconds=2.0, agility=0.5, occlusions=((1.0, 1.5),)))
    machine = StateMachine({"hold": create("hold")}, log=EventLog())
    machine.init(0, Frame(0, 0), xywh_to_box(clip.ground_truth_xywh[0]))
    machine.log.presence(0, Presence.TRACKING)
    hidden = np.array([clip.scene.hidden_at(t * 1e-9) for t in clip.world_t_ns])
    unclear = (hidden > 0.5) & np.isfinite(clip.ground_truth_xywh).all(axis=1)
    counts = account(machine.log, clip).outages.losses.strict
    assert unclear.any() and counts.frames == len(hidden) - unclear.sum()


@pytest.mark.real_data
def test_a_generated_clip_is_followed_lost_and_found(weights_root, tmp_path, capsys):
    target = tmp_path / "figures.json"
    arguments = ["--seeds", "21", "22", "--lengths", "0.5", "--predictor", "kalman", "--json", str(target)]
    assert loss_and_return.main(arguments) == 0
    figures = json.loads(target.read_text())
    on, off = figures["all"]["on"], figures["all"]["off"]
    losses, outages = on["losses"], on["outages"]
    assert losses["recall"] > 0.8 and losses["precision"] > 0.8 and losses["noticed"] == losses["losses"] == 1
    assert outages["found"] == outages["returns"] == 1
    assert off["losses"] is None and figures["clips"]["seed 21, 0.5 s"]["on"] == on
    assert "found 1/1" in capsys.readouterr().out


def test_missing_data_is_named(tmp_path, capsys):
    for arguments in (["--clips", "uav-mini"], ["--clips", "uav-mini", "--root", str(tmp_path / "nowhere")]):
        with pytest.raises(SystemExit):
            loss_and_return.main(arguments)
    error = capsys.readouterr().err
    assert "--root" in error and "nowhere" in error
