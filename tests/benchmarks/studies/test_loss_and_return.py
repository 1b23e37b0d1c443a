"""The study of loss and return: its truth, its figures and its grace time, and a run on a clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.core.state_machine import StateMachine
from pvtpp.predictors import create
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies import loss_and_return
from pvtpp_benchmarks.studies.loss_and_return import Account, account, forgiven, returns, shares

NAN = float("nan")


def counted(overlap, said="", sure=None, unclear=None, fps=10.0):
    overlap = np.array(overlap, dtype=float)
    none = np.zeros(len(overlap), dtype=bool)
    said = np.array([letter == "L" for letter in said.ljust(len(overlap))])
    sure = ~none if sure is None else np.array(sure, dtype=bool)
    return Account(
        ~(overlap >= 0.1), said, none if unclear is None else np.array(unclear, dtype=bool), overlap, sure, fps
    )


def test_what_is_known_at_each_frame_is_the_newest_presence_and_the_newest_answer():
    xywh = np.tile([10.0, 10, 20, 20], (6, 1))
    xywh[3] = np.nan
    sequence = VideoSequence("clip", xywh)
    machine = StateMachine({"hold": create("hold")}, log=EventLog())
    machine.init(0, Frame(0, 0), np.array([20.0, 20, 20, 20]))
    machine.log.presence(int(sequence.world_t_ns[2]), Presence.LOST)
    machine.log.presence(int(sequence.world_t_ns[4]) + 1, Presence.TRACKING)
    found = account(machine.log, sequence)
    assert found.lost.tolist() == [False, False, False, True, False, False]
    assert found.said.tolist() == [False, False, True, True, True, False]
    assert found.overlap[0] == 1 and np.isnan(found.overlap[3]) and not found.unclear.any()


def test_precision_and_recall_are_over_clear_frames():
    one = counted([0.9, 0.9, 0.0, NAN, 0.9], "  LL")
    two = counted([0.9, 0.9, 0.0, 0.9, 0.9], "L    ", unclear=[1, 0, 0, 0, 0])
    figures = shares([one, two], [one.said, two.said])
    assert figures == {"precision": 1.0, "recall": round(2 / 3, 4), "frames": 9, "lost": 3, "said": 2}
    nothing = counted([0.9, 0.9])
    assert shares([nothing], [nothing.said])["precision"] is None


def test_grace_is_given_only_after_a_change_of_the_truth():
    late = counted([0.9] * 5 + [0.0] * 8 + [0.9] * 5, " " * 8 + "L" * 8)
    assert (forgiven(late, 0.3) == late.lost).all()
    assert not (forgiven(late, 0.1) == late.lost).all()
    never = counted([0.9] * 5 + [0.0] * 8)
    assert forgiven(never, 0.3).sum() == 3


def test_a_return_is_found_when_the_box_is_on_the_target_and_presence_says_so():
    overlap = [0.9] * 3 + [NAN] * 4 + [0.0, 0.2, 0.6, 0.8, 0.8] + [NAN] * 2 + [0.0] * 3 + [NAN] * 3
    sure = [True] * len(overlap)
    sure[9] = False
    assert returns(counted(overlap, sure=sure)) == [0.3, None]
    assert returns(counted([0.9, NAN, 0.9])) == []


@pytest.mark.real_data
def test_a_generated_clip_is_followed_lost_and_found(weights_root, tmp_path, capsys):
    target = tmp_path / "figures.json"
    arguments = ["--seeds", "21", "22", "--lengths", "0.5", "--predictor", "kalman", "--json", str(target)]
    assert loss_and_return.main(arguments) == 0
    figures = json.loads(target.read_text())
    on, off = figures["all"]["on"], figures["all"]["off"]
    assert on["LOST"]["recall"] > 0.8 and on["LOST"]["precision"] > 0.8 and on["found"] == on["returns"] == 1
    assert off["LOST"]["said"] == 0 and figures["clips"]["seed 21, 0.5 s"]["on"] == on
    assert "found 1/1" in capsys.readouterr().out


def test_missing_data_is_named(tmp_path, capsys):
    for arguments in (["--clips", "uav-mini"], ["--clips", "uav-mini", "--root", str(tmp_path / "nowhere")]):
        with pytest.raises(SystemExit):
            loss_and_return.main(arguments)
    error = capsys.readouterr().err
    assert "--root" in error and "nowhere" in error
