"""Training from the command line: own boxes in, a predictor out that every command can use."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from pvtpp.cli.main import main

for package in ("torch", "lightning", "safetensors", "tensorboard", "onnx"):
    pytest.importorskip(package)
import torch  # noqa: E402

from pvtpp.networks.motion import load  # noqa: E402

SMALL = {
    "epochs": 1,
    "epoch_batches": 2,
    "shards": 1,
    "shard_windows": 16,
    "validation_windows": 32,
    "warmup": 1,
    "workers": 0,
}


@pytest.fixture
def boxes(tmp_path):
    folder = tmp_path / "boxes"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(10):
        steps = rng.normal(scale=[0.5, 0.5, 0.02, 0.02], size=(300, 4)).cumsum(axis=0)
        xywh = steps.cumsum(axis=0) * 0.1 + [300, 200, 60, 50]
        np.savetxt(folder / f"clip{number}.txt", xywh, delimiter=",", fmt="%.3f")
    return folder


def train(boxes, out, *more):
    arguments = ["train", "motion", "--dataset", "annotations", "--root", str(boxes), "--out", str(out)]
    return main([*arguments, "--calibration", '{"steps": 2, "count": 16, "drawn": 64}', *more])


def test_a_predictor_is_trained_and_serves_every_command(boxes, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(boxes, out, "--config", json.dumps(SMALL), "--seed", "3") == 0
    card = json.loads((out / "motion.json").read_text())
    assert card["seed"] == 3 and card["sequences"] == 9
    table = capsys.readouterr().out
    for name in (f"motion:{out}/motion.onnx", "hold", "kalman", "motion"):
        assert f"\n{name} " in table
        assert set(card["held_out"]["mean"][name]) == {"overlap", "20ms", "47ms", "85ms", "165ms"}
    assert card["held_out"]["windows"] > 300 and card["held_out"]["sequences"] == 1
    replay = [
        "replay",
        "--results",
        str(boxes),
        "--dataset",
        "annotations",
        "--root",
        str(boxes),
        "--processing",
        "47ms",
    ]
    assert main([*replay, "--predictors", f"hold,motion:{out}/motion.onnx"]) == 0
    assert "motion.onnx" in capsys.readouterr().out


def test_ten_short_clips_end_with_weights_card_and_table(tmp_path, capsys):
    folder = tmp_path / "short"
    folder.mkdir()
    for number in range(10):
        left = 100 + np.arange(20) * (number - 5)
        rows = np.stack([left, left, np.full(20, 40), np.full(20, 30)], axis=1)
        np.savetxt(folder / f"clip{number}.txt", rows, delimiter=",", fmt="%d")
    out = tmp_path / "run"
    assert train(folder, out, "--config", json.dumps(SMALL)) == 0
    assert {path.name for path in out.glob("motion.*")} == {"motion.onnx", "motion.safetensors", "motion.json"}
    assert "trained minus" in capsys.readouterr().out
    first = [(out / name).read_bytes() for name in ("motion.onnx", "motion.safetensors")]
    entry = json.loads((out / "motion.json").read_text())["held_out"]
    # Only the end is done anew, and comes to the same.
    assert train(folder, out, "--config", json.dumps(SMALL), "--resume") == 0
    assert [(out / name).read_bytes() for name in ("motion.onnx", "motion.safetensors")] == first
    assert json.loads((out / "motion.json").read_text())["held_out"] == entry


def test_the_printed_configuration_is_one_that_config_takes(boxes, tmp_path, capsys):
    changed = json.dumps({"windows": {"fps": [10, 20]}, "warmup": 7})
    with pytest.raises(SystemExit) as ended:
        main(["train", "motion", "--config", changed, "--seed", "4", "--print-config"])
    assert ended.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["windows"]["fps"], printed["warmup"], printed["seed"]) == ([10, 20], 7, 4)
    (tmp_path / "mine.json").write_text(json.dumps({**printed, **SMALL}))
    assert train(boxes, tmp_path / "run", "--config", str(tmp_path / "mine.json")) == 0
    training = json.loads((tmp_path / "run" / "motion.json").read_text())["training"]
    assert training == {**printed, **SMALL}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["motion", "--print-config", "calibration"], "drawn"),
        (["joint", "--print-config"], "trust"),
        (["paper", "--modules", "mv", "--processing", "47ms", "--print-config"], "kappa"),
    ],
)
def test_every_training_prints_its_configuration(arguments, field, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 0 and field in json.loads(capsys.readouterr().out)


def test_a_recipe_is_printed_for_a_module_and_a_processing_time(capsys):
    assert main(["train", "paper", "--print-config"]) == 2
    assert "--print-config needs --modules and --processing before it" in capsys.readouterr().err


SEEING = """
from types import SimpleNamespace
import numpy as np
from pvtpp.tracker import TrackerOutput

class Seeing:
    def init(self, frame, box):
        self.box = np.array(box)
    def track(self, frame, search_box=None):
        small = frame.image[:12, :12].transpose(2, 0, 1)[None].astype(np.float32) / 255
        return TrackerOutput(self.box, 1.0, SimpleNamespace(template=small[..., :6, :6].copy(), search=small))
"""
PAPER = {"epochs": 1, "epoch_batches": 2, "shard_windows": 8, "validation_windows": 8}


def test_the_paper_s_m_learns_from_boxes_and_knows_its_camera(boxes, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["train", "paper", "--modules", "m", "--kappa", "60", "--processing", "47ms", "--out", str(out)]
    given = {**PAPER, "windows": {"jittery": 0.0}}
    data = ["--dataset", "annotations", "--root", str(boxes)]
    assert main([*arguments, *data, "--config", json.dumps(given), "--seed", "5"]) == 0
    card = json.loads((out / "m.json").read_text())
    assert (card["kappa"], card["seed"], card["config"]["heads"], card["sequences"]) == (60.0, 5, 7, 9)
    # What is not given stays as the recipe has it.
    assert card["training"]["windows"]["jittery"] == 0.0 and card["training"]["windows"]["fps"] == [60.0, 60.0]
    replay = ["replay", "--results", str(boxes), *data, "--processing", "47ms", "--predictors", f"n_head:{out}/m.onnx"]
    assert main(replay) == 0


@pytest.mark.parametrize("module", ["v", "mv"])
def test_the_paper_s_v_and_mv_learn_from_what_a_tracker_saw(module, clips, tmp_path, monkeypatch, capsys):
    (tmp_path / "seeing.py").write_text(SEEING)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "run"
    arguments = [
        "train",
        "paper",
        "--modules",
        module,
        "--processing",
        "50ms",
        "--tracker",
        "seeing:Seeing",
        "--out",
        str(out),
    ]
    data = ["--dataset", "folder", "--root", str(clips)]
    assert main([*arguments, *data, "--runs", "2", "--config", json.dumps(PAPER)]) == 0
    assert len(list((out / "recordings").iterdir())) == 4
    run = ["eval", "--tracker", "seeing:Seeing", *data, "--processing", "50ms", "--logs", str(tmp_path / "logs")]
    assert main([*run, "--predictors", f"n_head:{out}/{module}.onnx"]) == 0
    for name in ("left", "right"):
        shutil.rmtree(clips / name / "img")
    assert main([*arguments, *data, "--config", json.dumps(PAPER), "--force"]) == 2
    assert "has no images here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--config", "{"], "not JSON"),
        (["--config", '{"epoch": 1}'], "no field epoch; valid:"),
        (["--config", "/nowhere.json"], "/nowhere.json"),
        (["--config", json.dumps(SMALL), "--resume"], "no checkpoint to resume from"),
    ],
)
def test_bad_input_gets_one_clear_line(options, words, boxes, tmp_path, capsys):
    assert train(boxes, tmp_path / "run", *options) == 2
    assert words in capsys.readouterr().err


def test_training_that_diverges_publishes_nothing_and_leaves_what_was_there(boxes, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(boxes, out, "--config", json.dumps(SMALL)) == 0
    before = (out / "motion.onnx").read_bytes()
    diverging = json.dumps({**SMALL, "learning_rate": 1e30, "epoch_batches": 4})
    assert train(boxes, out, "--config", diverging, "--force") == 2
    errors = capsys.readouterr().err
    assert "training diverged in epoch 1" in errors and "lower learning_rate than 1e+30" in errors
    assert (out / "motion.onnx").read_bytes() == before


def test_resuming_is_for_the_same_training_alone(boxes, tmp_path, capsys):
    out, more = tmp_path / "run", {**SMALL, "epochs": 2}
    assert train(boxes, out, "--config", json.dumps(SMALL)) == 0
    assert train(boxes, out, "--config", json.dumps({**SMALL, "seed": 9}), "--resume") == 2
    assert "seed is 0 there, 9 now" in capsys.readouterr().err
    assert train(boxes, out, "--config", json.dumps(more), "--sequences", "clip0,clip1,clip2", "--resume") == 2
    assert "its data are not the same" in capsys.readouterr().err
    assert train(boxes, out, "--config", json.dumps(more), "--resume") == 0
    assert json.loads((out / "motion.json").read_text())["training"]["epochs"] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--apart", "clip1"], "--apart clip1 is for tables"),
        (["--fps", "25"], "--fps 25 has no effect on train motion"),
        (["--camera-fps", "10"], "--camera-fps 10 has no effect on train motion"),
        (["--seed", "-3"], "MotionTraining.seed is -3, allowed is a whole number from 0"),
        (["--calibration", '{"learning_rate": -1}'], "Calibration.learning_rate is -1"),
        (["--config", '{"windows": {"fps": [12]}}'], "WindowConfig.fps is [12], expected a list of 2"),
        (
            ["--config", '{"windows": {"processing_s": [15, 250]}}'],
            "WindowConfig.processing_s is (15, 250), allowed are seconds up to 10",
        ),
        (
            ["--calibration", '{"windows": {"processing_s": [15, 250]}}'],
            "WindowConfig.processing_s is (15, 250), allowed are seconds up to 10",
        ),
        (["--config", '{"accelerator": "gpuu"}'], "accelerator 'gpuu', precision"),
        (["--config", '{"precision": "foo"}'], "precision 'foo', devices 1: "),
    ],
)
def test_what_cannot_be_is_said_in_one_line_before_anything_is_trained(options, words, boxes, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(boxes, out, *options) == 2
    errors = capsys.readouterr().err
    assert words in errors and "Traceback" not in errors and len(errors.splitlines()) == 1
    assert not list(out.rglob("*.ckpt"))


def test_a_part_of_calibration_s_windows_changes_that_part_alone(boxes, tmp_path):
    from pvtpp.training.calibration import Calibration

    out = tmp_path / "run"
    arguments = ["train", "motion", "--dataset", "annotations", "--root", str(boxes), "--out", str(out)]
    partly = {"steps": 2, "count": 16, "drawn": 64, "windows": {"absent": 0.02}}
    assert main([*arguments, "--config", json.dumps(SMALL), "--calibration", json.dumps(partly)]) == 0
    windows = json.loads((out / "motion.json").read_text())["calibration"]["windows"]
    assert (windows["absent"], windows["fps30"]) == (0.02, Calibration().windows.fps30)


@pytest.mark.parametrize("place", ["file/run", "/proc/nope"])
def test_a_folder_that_cannot_be_made_is_said_before_data_are_read(place, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert train(tmp_path / "nothing", tmp_path / place) == 2
    assert f"--out {tmp_path / place}: cannot make the folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("modules", "options", "words"),
    [
        ("m", ["--config", '{"kappa": 60}'], "kappa is 60, windows have cameras of (30.0, 30.0) fps"),
        (
            "m",
            ["--config", '{"network": {"heads": 20}}'],
            "20 heads at 30 per second reach 0.667 s ahead, windows only",
        ),
        (
            "m",
            ["--config", '{"network": {"heads": 2}}'],
            "network.heads 2 is what --kappa, --processing and --modules say",
        ),
        ("m", ["--config", '{"network": {"kind": "visual"}}'], "network.kind visual is what"),
        ("m", ["--fps", "25"], "--fps 25 has no effect on train paper --modules m"),
        ("m", ["--config", '{"robust": "no"}'], "PaperTraining.robust is 'no', expected true or false"),
        ("mv", ["--seed", "-1"], "PaperTraining.seed is -1"),
    ],
)
def test_a_module_s_frame_rate_and_heads_come_from_its_options(modules, options, words, boxes, clips, tmp_path, capsys):
    data = [
        "--dataset",
        *(("annotations", "--root", str(boxes)) if modules == "m" else ("folder", "--root", str(clips))),
    ]
    arguments = ["train", "paper", "--modules", modules, "--processing", "47ms", "--out", str(tmp_path / "run")]
    assert main([*arguments, *data, *options]) == 2
    assert words in capsys.readouterr().err


def test_few_windows_are_reported(boxes, tmp_path, caplog):
    arguments = ["train", "paper", "--modules", "m", "--processing", "1500ms", "--out", str(tmp_path / "run")]
    assert main([*arguments, "--dataset", "annotations", "--root", str(boxes), "--config", json.dumps(PAPER)]) == 0
    assert " % of the windows to learn from can be used" in caplog.text


LONG = {**SMALL, "epochs": 1000, "epoch_batches": 4}


def started(boxes, out, launcher, *more):
    given = ["--dataset", "annotations", "--root", str(boxes), "--out", str(out), *more]
    words = [sys.executable, *launcher, "-m", "pvtpp.cli.main", "train", "motion", *given]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stopped(process, checkpoint, sent):
    """Send a signal once there is a checkpoint; what the process wrote to stderr."""
    try:
        until = time.monotonic() + 120
        while not checkpoint() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(sent)
        return process.communicate(timeout=60)[1]
    finally:
        process.kill()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_training_that_is_stopped_says_so_and_goes_on(sent, status, boxes, tmp_path):
    newest, config = tmp_path / "run" / "last.ckpt", json.dumps(LONG)
    process = started(boxes, newest.parent, (), "--config", config)
    errors = stopped(process, newest.is_file, sent)
    assert process.returncode == status
    assert "pvtpp train: interrupted; go on with --resume" in errors and "Traceback" not in errors
    assert [path.name for path in newest.parent.iterdir() if path.name.endswith(".part")] == []
    if sent == signal.SIGTERM:
        epochs, changed = torch.load(newest, weights_only=True)["epoch"], newest.stat().st_mtime_ns
        process = started(boxes, newest.parent, (), "--config", config, "--resume")
        stopped(process, lambda: newest.stat().st_mtime_ns > changed, sent)
        assert process.returncode == status
        assert torch.load(newest, weights_only=True)["epoch"] > epochs


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("finished", [False, True])
def test_a_signal_before_the_first_epoch_or_after_the_last_is_said_as_well(
    sent, status, finished, boxes, tmp_path, monkeypatch, capsys
):
    def interrupted(options):
        if finished:
            (tmp_path / "run" / "last.ckpt").write_text("")
        os.kill(os.getpid(), sent)
        time.sleep(10)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("pvtpp.cli.train_motion.run", interrupted)
    assert train(boxes, tmp_path / "run") == status
    rest = "go on with --resume" if finished else "no epoch was finished, begin again"
    assert f"pvtpp train: interrupted; {rest}" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_checkpoint_of_an_earlier_training_is_nothing_to_resume_a_new_one_from(boxes, tmp_path, monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    out = tmp_path / "run"
    out.mkdir()
    (out / "last.ckpt").write_text("")
    monkeypatch.setattr("pvtpp.cli.train_motion.run", interrupted)
    assert train(boxes, out, "--force") == 130
    assert "no epoch was finished, begin again" in capsys.readouterr().err
    assert train(boxes, out, "--resume") == 130
    assert "go on with --resume" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["motion.onnx", "motion.safetensors", "motion.json", "last.ckpt"])
def test_what_an_earlier_training_left_is_not_replaced_without_force(name, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    (out / name).write_text("of an earlier training")
    # Said before the data are read: there are none.
    assert train(tmp_path / "nothing", out) == 2
    errors = capsys.readouterr().err
    assert f"{out / name}: is there already and would be replaced; " in errors and "--force" in errors
    assert ("--resume" in errors) == (name == "last.ckpt")
    assert (out / name).read_text() == "of an earlier training"
    assert train(tmp_path / "nothing", out, "--force") == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.parametrize(("modules", "name"), [("m", "m.onnx"), ("v", "v.encoder.onnx"), ("mv", "mv.safetensors")])
def test_modules_of_the_paper_are_not_replaced_without_force(modules, name, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    (out / name).write_text("")
    arguments = ["train", "paper", "--modules", modules, "--processing", "47ms", "--out", str(out)]
    assert main([*arguments, "--dataset", "annotations", "--root", str(tmp_path / "nothing")]) == 2
    assert f"{name}: is there already" in capsys.readouterr().err


def test_force_begins_anew_and_is_not_for_resuming(boxes, tmp_path, capsys):
    out, given = tmp_path / "run", ["--config", json.dumps(SMALL)]
    assert train(boxes, out, *given, "--resume", "--force") == 2
    assert "--resume goes on with a training, --force begins anew" in capsys.readouterr().err
    assert train(boxes, out, *given) == 0
    assert train(boxes, out, *given, "--seed", "5", "--force") == 0
    assert json.loads((out / "motion.json").read_text())["seed"] == 5


def test_a_graph_that_does_not_pass_costs_no_training(boxes, tmp_path, monkeypatch, capsys):
    from pvtpp.errors import InputError
    from pvtpp.export import publication

    def differs(engine, path, difference, tolerance):
        raise InputError(f"{path}: the graph differs from torch by 2.0e-03")

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(publication, "write_checked", differs)
        assert train(boxes, out, "--config", json.dumps(SMALL)) == 2
    errors = capsys.readouterr().err
    assert "differs from torch by 2.0e-03; the trained weights are kept in" in errors
    assert f"{out / 'last.ckpt'} holds the finished training" in errors and not (out / "motion.onnx").exists()
    command = errors.split("export them with: pvtpp ")[1].split(";")[0].split()
    assert main(command) == 0
    card = json.loads((out / "motion.json").read_text())
    assert card["sequences"] == 9 and card["onnx_against_torch"] <= 1e-4 and (out / "motion.onnx").is_file()


def test_a_package_that_only_the_end_needs_is_missed_at_the_start(boxes, tmp_path, monkeypatch, capsys):
    for name in ("onnxruntime", "safetensors"):
        monkeypatch.setitem(sys.modules, name, None)
    assert train(boxes, tmp_path / "run") == 2
    assert "training needs safetensors, onnxruntime: pip install 'pvtpp[cpu,train,export]'" in capsys.readouterr().err


def test_a_folder_that_takes_no_files_is_said_before_data_are_read(tmp_path, capsys):
    assert train(tmp_path / "nothing", "/proc/self") == 2
    assert "/proc/self: cannot write 17 MB for weights, graph and logs" in capsys.readouterr().err


def test_every_epoch_has_its_line_with_the_quality(boxes, tmp_path, caplog):
    assert train(boxes, tmp_path / "run", "--config", json.dumps({**SMALL, "epochs": 2})) == 0
    lines = [line for line in caplog.messages if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert all("overlap 0." in line and "on held-out windows" in line for line in lines)
    assert all(f"{name} loss" in lines[0] for name in ("overlap", "robust", "calibration"))


def test_two_processes_train_one_network_which_the_first_publishes(boxes, tmp_path):
    out, small = tmp_path / "both", {**SMALL, "epochs": 2, "shards": 2, "accelerator": "cpu"}
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port()))
    more = ["--config", json.dumps(small), "--calibration", '{"steps": 2, "count": 16, "drawn": 64}']
    process = started(boxes, out, launcher, *more)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert output.count("sequences learnt from") == 1
    assert train(boxes, tmp_path / "one", *more) == 0
    both, one = (load(tmp_path / name / "motion.safetensors")[0].state_dict() for name in ("both", "one"))
    for name, value in one.items():
        torch.testing.assert_close(both[name], value, atol=1e-4, rtol=1e-3)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
