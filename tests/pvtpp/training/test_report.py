"""Lines about a training: what is learnt, how well, and how long it will take."""

from __future__ import annotations

import logging
import math
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.training.report import LOSS, QUALITY, Report


def training(epochs=3, batches=4, every_s=0.0, seconds=2.0, report_all=True):
    """Lines of a made-up training whose batches take `seconds` each."""
    now = [0.0]
    report = Report(report_all, every_s, lambda: now[0])
    trainer = SimpleNamespace(
        global_step=0,
        current_epoch=0,
        max_epochs=epochs,
        num_training_batches=batches,
        callback_metrics={f"{LOSS}overlap": 0.25, f"{LOSS}calibration": 1.5},
    )
    report.on_train_start(trainer, None)
    for trainer.current_epoch in range(epochs):
        report.on_train_epoch_start(trainer, None)
        for index in range(batches):
            now[0] += seconds
            trainer.global_step += 1
            report.on_train_batch_end(trainer, None, None, None, index)
        trainer.callback_metrics[QUALITY] = 0.5
        report.on_train_epoch_end(trainer, None)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


def test_steps_have_losses_by_name_and_the_time_left(lines):
    training()
    assert lines()[0] == "step 1 of 12: overlap loss 0.2500, calibration loss 1.5000; 0:00:22 left"
    assert lines()[3] == (
        "epoch 1 of 3: overlap loss 0.2500, calibration loss 1.5000; overlap 0.500 on held-out windows; 8.0 s, "
        "0:00:16 left"
    )
    assert lines()[-1].startswith("epoch 3 of 3") and "left" not in lines()[-1]


@pytest.mark.parametrize(("every_s", "steps"), [(0.0, 9), (3.9, 3), (100.0, 0)])
def test_steps_are_not_reported_more_often_than_asked(lines, every_s, steps):
    training(every_s=every_s)
    assert sum(line.startswith("step") for line in lines()) == steps
    assert sum(line.startswith("epoch") for line in lines()) == 3


def test_with_a_progress_bar_the_last_epoch_alone_has_a_line(lines):
    training(report_all=False)
    assert len(lines()) == 1 and lines()[0].startswith("epoch 3 of 3")


def test_a_resumed_training_counts_the_time_of_its_own_steps(lines):
    report = Report(True, 0.0, lambda: now[0])
    now = [50.0]
    trainer = SimpleNamespace(global_step=90, max_epochs=1, num_training_batches=100, callback_metrics={})
    report.on_train_start(trainer, None)
    report.on_train_epoch_start(trainer, None)
    trainer.global_step, now[0] = 91, 53.0
    report.on_train_batch_end(trainer, None, None, None, 90)
    assert lines()[-1].endswith("0:00:27 left") and math.isclose(3.0 * 9, 27)
