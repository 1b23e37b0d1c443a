"""Only the same training continues from a checkpoint, and other checkpoints are refused in one line."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.motion import MotionConfig, MotionNetwork  # noqa: E402
from pvtpp.training.motion import MotionTraining, train  # noqa: E402
from pvtpp.training.paper import on_boxes, recipe  # noqa: E402
from pvtpp.training.paper import train as train_paper  # noqa: E402
from pvtpp.training.windows import WindowConfig  # noqa: E402

torch.set_num_threads(1)
RUN = {"epochs": 2, "epoch_batches": 2, "shard_windows": 8, "validation_windows": 8, "accelerator": "cpu", "workers": 0}
CONFIG = MotionTraining(network=MotionConfig(history=6, width=8), windows=WindowConfig(results=6), **RUN)


def boxes(seed=0):
    path = np.cumsum(np.cumsum(np.random.default_rng(seed).normal(0, 0.2, (600, 2)), axis=0), axis=0) + 300
    return [np.concatenate([path, np.full((600, 2), 40.0)], axis=1)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    train(CONFIG, boxes(), [], str(folder), progress=False)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def resumed(folder, config=CONFIG, learnt=None, held_out=(), **given):
    return train(config, learnt or boxes(), held_out, str(folder), resume=True, progress=False, **given)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 9, "learning_rate": 1e-3}, "learning_rate is 0.002 there, 0.001 now; seed is 0 there, 9 now"),
        ({"network": MotionConfig(history=6, width=16)}, "network.width is 8 there, 16 now"),
        ({"windows": WindowConfig(results=6, absent=0.5)}, "windows.absent is 0.04 there, 0.5 now"),
        ({"epochs": 1}, "epochs is 2 there, 1 now"),
    ],
)
def test_another_configuration_is_refused_by_its_fields(folder, changed, words):
    with pytest.raises(InputError, match=f"last.ckpt: is of another training: {words}; resume as it began"):
        resumed(folder, replace(CONFIG, **changed))


def test_other_data_and_another_start_are_refused(folder):
    for given in ({"learnt": boxes(1)}, {"held_out": boxes(1)}):
        with pytest.raises(InputError, match="another training: its data are not the same"):
            resumed(folder, **given)
    with pytest.raises(InputError, match="another training: it started from other weights"):
        resumed(folder, start=MotionNetwork(CONFIG.network))


def test_another_kind_of_training_is_refused(folder):
    config = recipe("motion", 30.0, 0.047, **RUN)
    with pytest.raises(InputError, match="MotionModule there, PaperModule now"):
        train_paper(config, on_boxes(config, boxes()), None, str(folder), resume=True, progress=False)


def test_more_epochs_and_other_workers_are_the_same_training(folder):
    resumed(folder, replace(CONFIG, epochs=3, workers=1))
    assert torch.load(folder / "last.ckpt", weights_only=True)["epoch"] == 2


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", b"PK\x03\x04 half a zip"])
def test_a_damaged_checkpoint_is_one_line(folder, content):
    (folder / "last.ckpt").write_bytes(content)
    with pytest.raises(InputError, match=r"last\.ckpt: damaged, or no checkpoint of a training \(\w+\)$"):
        resumed(folder)


FACTS = {"kind": "MotionModule", "config": {}, "data": "", "start": ""}


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {}},
        {"pvtpp": 3},
        [1, 2],
        {"pvtpp": {"kind": "MotionModule"}, "state_dict": {}},
        {"pvtpp": {**FACTS, "config": [1]}, "state_dict": {}},
        {"pvtpp": FACTS, "state_dict": {"a": 1}},
        {"pvtpp": FACTS, "state_dict": {3: torch.zeros(1)}},
    ],
)
def test_a_file_of_something_else_is_one_line(folder, content):
    torch.save(content, folder / "last.ckpt")
    with pytest.raises(InputError, match=r"last\.ckpt: does not say which training it is of"):
        resumed(folder)


@pytest.mark.parametrize("name", ["optimizer_states", "loops"])
def test_a_checkpoint_of_weights_alone_is_one_line(name, folder):
    content = torch.load(folder / "last.ckpt", weights_only=True)
    del content[name]
    torch.save(content, folder / "last.ckpt")
    with pytest.raises(InputError, match=rf"last\.ckpt: lacks {name}, so the training cannot continue from it"):
        resumed(folder)


@pytest.mark.parametrize("epochs", ["two", None, 3])
def test_a_checkpoint_with_a_strange_number_of_epochs_is_of_another_training(epochs, folder):
    content = torch.load(folder / "last.ckpt", weights_only=True)
    content["pvtpp"]["config"]["epochs"] = epochs
    torch.save(content, folder / "last.ckpt")
    with pytest.raises(InputError, match=f"epochs is {epochs} there, 2 now"):
        resumed(folder)


def test_a_checkpoint_that_runs_code_is_not_run(folder):
    torch.save({"state_dict": print}, folder / "last.ckpt")
    with pytest.raises(InputError, match="damaged, or no checkpoint"):
        resumed(folder)


def test_a_new_training_leaves_no_checkpoint_of_an_old_one_behind(folder, monkeypatch):
    import lightning

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lightning.Trainer, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        train(replace(CONFIG, seed=5), boxes(), [], str(folder), progress=False)
    assert not (folder / "last.ckpt").exists()


def test_weights_that_are_no_numbers_end_the_training_and_are_not_kept(tmp_path):
    with pytest.raises(InputError, match="training diverged in epoch 1: .* is not finite; a lower learning_rate"):
        train(replace(CONFIG, learning_rate=1e30, epoch_batches=4), boxes(), [], str(tmp_path), progress=False)
    assert not (tmp_path / "last.ckpt").exists()
