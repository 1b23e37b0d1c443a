"""`eval`, `run` and `score`: workers, names and places of logs, and outputs that are found to be impossible before."""

import argparse
import inspect
import io
import json
import os
import shutil
import sys
import threading

import cv2
import numpy as np
import pytest

from pvtpp.cli.grid import add_grid, settings
from pvtpp.cli.main import main
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.spec import RunSpec

TRACKERS = """
import os, pathlib, queue, signal, threading

class Still:
    def init(self, image, box):
        pathlib.Path("began").write_text("")
        self.box, self.first, self.count = list(box), int(image[0, 0, 0]), 0
    def update(self, image):
        return self.box

class PySOT(Still):
    def track(self, img):
        return {"bbox": self.box, "best_score": 0.5}

class Threaded(Still):
    def __init__(self):
        self.asked, self.answers = queue.Queue(), queue.Queue()
        pathlib.Path(f"made-{os.getpid()}").write_text("")
        threading.Thread(target=self.work, daemon=True).start()
    def work(self):
        while True:
            self.asked.get()
            self.answers.put(self.box)
    def update(self, image):
        self.asked.put(image)
        return self.answers.get(timeout=60)

class Killed(Still):
    def update(self, image):
        self.count += 1
        if self.first == 2 and self.count == 4 and not os.path.exists("healthy"):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.box

class KilledWhenMade(Still):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def sequence(folder, mark=1, frames=10):
    """Write a plain sequence of grey images whose first pixel is `mark`."""
    (folder / "img").mkdir(parents=True)
    image = np.full((40, 60, 3), 90, np.uint8)
    image[0, 0] = mark
    for number in range(frames):
        cv2.imwrite(str(folder / "img" / f"{number + 1:04d}.png"), image)
    (folder / "groundtruth.txt").write_text("".join(f"{10 + number},10,12,12\n" for number in range(frames)))


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working folder with trackers of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_trackers_of_eval.py").write_text(TRACKERS)
    yield tmp_path
    sys.modules.pop("own_trackers_of_eval", None)


def command(name, tracker="Still", *more, root="data"):
    made = ["--tracker", f"own_trackers_of_eval:{tracker}", "--processing", "0ms", "--predictors", "hold"]
    return main([name, "--dataset", "folder", "--root", root, *made, *more])


def test_a_tracker_that_owns_a_thread_is_made_in_the_workers_alone(work, capsys):
    for name in ("a", "b", "c"):
        sequence(work / "data" / name)
    assert command("eval", "Threaded", "--logs", "one") == 0
    table = capsys.readouterr().out
    before = threading.active_count()
    for made in work.glob("made-*"):
        made.unlink()
    assert command("eval", "Threaded", "--workers", "2", "--logs", "two") == 0
    assert capsys.readouterr().out == table and threading.active_count() == before
    makers = {int(made.name[5:]) for made in work.glob("made-*")}
    assert makers and os.getpid() not in makers


def test_several_trackers_are_in_one_table_and_their_runs_in_one_pool(work, capsys):
    for name in ("a", "b"):
        sequence(work / "data" / name)
    made = ["--tracker", "own_trackers_of_eval:Still", "--tracker", "own_trackers_of_eval:Threaded"]
    made += ["--dataset", "folder", "--root", "data", "--processing", "0ms", "--predictors", "hold", "--no-offline"]
    assert main(["eval", *made, "--logs", "one", "--json", "one.json"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in said if ": ran" in line] == ["1/4", "2/4", "3/4", "4/4"]
    assert main(["eval", *made, "--logs", "two", "--json", "two.json", "--workers", "2"]) == 0
    rows = [json.loads((work / name).read_text())["rows"] for name in ("one.json", "two.json")]
    assert rows[0] == rows[1] and [row["tracker"].partition(":")[2] for row in rows[0]] == ["Still", "Threaded"]
    capsys.readouterr()
    assert main(["run", *[word for word in made if word != "--no-offline"], "--logs", "one"]) == 0
    assert "4 logs, 0 of them new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--tracker", "own_trackers_of_eval:Still"], "own_trackers_of_eval:Still is there twice"),
        (["--tracker", "kcf", "--weights", "a"], "--weights is there 1 times for 2 trackers"),
        (["--tracker", "kcf", "--weights", "-", "--weights", "-", "--weights", "a"], "3 times for 2 trackers"),
    ],
)
@pytest.mark.parametrize("name", ["eval", "run"])
def test_trackers_of_one_name_or_with_too_few_weights_are_refused_before_the_work(work, capsys, name, more, words):
    sequence(work / "data" / "a")
    assert command(name, "Still", *more) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and words in error[0] and not (work / "runs").exists()


@pytest.mark.parametrize("name", ["eval", "run"])
def test_a_killed_worker_costs_one_line_that_names_the_sequence(work, capsys, name):
    for number, each in enumerate(("a", "b", "c")):
        sequence(work / "data" / each, mark=number + 1)
    assert command(name, "Killed", "--workers", "2", *(["--no-offline"] if name == "eval" else [])) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(lines) == 2 and "b (" in lines[0] and "SIGKILL" in lines[0]
    assert "1 run lost; finished runs are kept" in lines[1]
    assert sorted(path.name[0] for path in (work / "runs").rglob("*") if path.is_file()) == ["a", "c"]
    # The same command goes on from there.
    (work / "healthy").write_text("")
    assert command(name, "Killed", "--workers", "2", *(["--no-offline"] if name == "eval" else [])) == 0
    progress = [line for line in capsys.readouterr().err.splitlines() if line.endswith((": ran", ": kept"))]
    assert sorted(line.rpartition(" ")[2] for line in progress) == ["kept", "kept", "ran"]


@pytest.mark.parametrize(
    ("tracker", "words"), [("Absent", "no class 'Absent'"), ("KilledWhenMade", "cannot be made.*SIGKILL")]
)
def test_a_tracker_that_cannot_be_made_in_a_worker_is_one_line_before_the_work(work, capsys, tracker, words):
    sequence(work / "data" / "a")
    assert command("run", tracker, "--workers", "2") == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and all(word in error[0] for word in words.split(".*"))
    assert not (work / "runs").exists()


NAMES = ["car_1", "car-1", "car 1", "car+1", "Car_1", "car.1", "con", "nul.1", "x" * 200, "x" * 201, "\u6d4b"]


def test_every_name_has_a_log_of_its_own_on_every_file_system(work, capsys):
    for each in NAMES:
        sequence(work / "data" / each, frames=3)
    assert command("run") == 0
    logs = [path.name for path in (work / "runs").rglob("*.jsonl")]
    assert len({name.casefold() for name in logs}) == len(NAMES) and max(map(len, logs)) < 150
    assert {"car_1.0of1.0.jsonl", "car-1.0of1.0.jsonl", "car.1.0of1.0.jsonl"} <= set(logs)
    assert not {name.partition(".")[0] for name in logs} & {"con", "nul", ""}
    assert command("run") == 0
    assert f"{len(NAMES)} logs, 0 of them new" in capsys.readouterr().out
    assert main(["score", "runs", "--dataset", "folder", "--root", "data"]) == 0
    assert f"clips {len(NAMES)}" in capsys.readouterr().out


def test_two_data_sets_of_one_name_in_two_places_do_not_share_logs(work, capsys):
    sequence(work / "here" / "data" / "a")
    sequence(work / "there" / "data" / "a", frames=12)
    for root in ("here/data", "there/data", "here/data"):
        assert command("run", root=root) == 0
    assert "1 logs, 0 of them new" in capsys.readouterr().out
    logs = list((work / "runs").rglob("*.jsonl"))
    assert len(logs) == 2
    # Copies of the same data: which of the two is meant must be said.
    shutil.copytree(work / "here", work / "copy")
    assert command("run", root="copy/data") == 0
    shutil.rmtree(work / "there")
    for path in logs:
        if path.read_text().count('["frame"') == 12:
            path.unlink()
    capsys.readouterr()
    assert main(["score", "runs", "--dataset", "folder", "--root", "copy/data"]) == 2
    assert "two logs of one run" in capsys.readouterr().err
    folder = next(str(path) for path in (work / "runs").iterdir() if any(path.iterdir()))
    assert main(["score", folder, "--dataset", "folder", "--root", "copy/data"]) == 0


def test_a_long_command_is_cut_in_the_name_of_the_folder():
    folders = [RunSpec("d", f"external:{'x' * count}", "0ms").folder() for count in (300, 301)]
    assert folders[0] != folders[1] and max(map(len, folders)) < 250


@pytest.mark.parametrize("name", ["eval", "run", "replay"])
@pytest.mark.parametrize("place", ["file", "file/below", "/proc/logs", "x" * 300, "nul\0"])
def test_logs_that_cannot_be_written_are_found_before_the_work(work, capsys, name, place):
    sequence(work / "data" / "a")
    (work / "file").write_text("")
    if name == "replay":
        (work / "results").mkdir()
        shutil.copy(work / "data" / "a" / "groundtruth.txt", work / "results" / "a.txt")
        made = ["--results", "results", "--dataset", "folder", "--root", "data", "--predictors", "hold"]
        assert main(["replay", *made, "--logs", place]) == 2
    else:
        assert command(name, "Still", "--logs", place) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and f"--logs {place}: event logs cannot be written there" in error[0]
    assert not (work / "began").exists() and sorted(os.listdir(work))[:2] == ["data", "file"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--json", "data"], "data: cannot be written"),
        (["--json", "/dev/null"], "/dev/null: cannot be written"),
        (["--json", "/proc/out.json"], "/proc/out.json: cannot be written"),
        (["--json", "j" * 250], "jjj: cannot be written"),
        (["--plot", "nowhere/p.svg"], "nowhere/p.svg: cannot be written"),
        (["--plot", "p.gif"], "p.gif: unknown ending of a plot, allowed is .png, .pdf, .svg"),
        (["--plot", "plot"], "plot: unknown ending"),
    ],
)
@pytest.mark.parametrize("name", ["eval", "score"])
def test_outputs_that_cannot_be_written_are_found_before_the_work(work, capsys, name, option, words):
    sequence(work / "data" / "a")
    if name == "eval":
        assert command("eval", "Still", *option) == 2
    else:
        assert main(["score", "runs", "--dataset", "folder", "--root", "data", *option]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and words in error[0] and not (work / "began").exists()


def test_a_missing_plot_library_is_found_before_the_work(work, capsys, monkeypatch):
    sequence(work / "data" / "a")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    assert command("eval", "Still", "--plot", "p.png") == 2
    assert "pip install 'pvtpp[report]'" in capsys.readouterr().err and not (work / "began").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_name_that_the_output_cannot_hold_costs_nothing(work, monkeypatch, encoding):
    sequence(work / "\u6d4b" / "\u8bd5")
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert command("eval", "Still", "--json", "o.json", root="\u6d4b") == 0
    out.flush()
    assert "?" in out.buffer.getvalue().decode(encoding)
    assert list(json.loads((work / "o.json").read_text())["rows"][0]["per_sequence"]) == ["\u8bd5"]


def test_a_tracker_that_ignores_where_to_look_is_named(work, capsys):
    sequence(work / "data" / "a")
    words = "ignores where it is to look"
    assert command("run", "Still", "--search-region", "predicted") == 0 and words in capsys.readouterr().err
    assert command("run", "Still", "--search-region", "last") == 0 and words not in capsys.readouterr().err


def test_predictors_are_scored_on_the_runs_that_serve_them(work, capsys):
    sequence(work / "data" / "a", frames=20)
    made = ["--dataset", "folder", "--root", "data", "--tracker", "own_trackers_of_eval:Still"]
    made += ["--processing", "47ms"]
    chosen = ["--predictors", "hold,kalman:pvt,kalman"]
    assert main(["eval", *made, *chosen, "--no-offline", "--json", "eval.json"]) == 0
    score = ["score", "runs", "--dataset", "folder", "--root", "data"]
    assert main([*score, *chosen, "--json", "score.json"]) == 0
    rows = [json.loads((work / name).read_text())["rows"] for name in ("eval.json", "score.json")]
    assert all(row in rows[1] for row in rows[0])
    capsys.readouterr()
    assert main([*score, "--predictors", "hold,wizard"]) == 2
    assert "wizard" in capsys.readouterr().err


def matched(folder, names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "a.txt").write_text("".join(f"{10 + number},10,12,12\n" for number in range(10)))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_tracker_of_another_toolkit_runs_in_its_style_and_is_refused_without(work, capsys, workers):
    sequence(work / "data" / "a")
    assert command("run", "PySOT", "--workers", workers) == 2
    error = capsys.readouterr().err
    assert "use --style pysot" in error and error.count("\n") == 1
    assert command("run", "PySOT", "--workers", workers, "--style", "pysot") == 0
    log = next((work / "runs").rglob("*.jsonl")).read_text()
    assert '"result"' in log and ",0.5]" in log


def elae_folder(work):
    sequence(work / "data" / "a")
    matched(work / "T", [str(round(0.02 * number, 2)) for number in range(51)])
    (work / "T" / "Speed.txt").write_text("30.0")


@pytest.mark.parametrize("given", ["T/0.0", "T/0.02", "T/1.0"])
def test_results_of_one_permitted_latency_are_not_charged_again(work, capsys, given):
    elae_folder(work)
    arguments = ["replay", "--dataset", "folder", "--root", "data", "--results", given]
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and "already matched in latency" in error[0]


def test_results_that_are_matched_in_latency_are_scored_as_they_are_and_not_charged_again(work, capsys):
    elae_folder(work)
    arguments = ["replay", "--dataset", "folder", "--root", "data", "--results", "T"]
    assert main([*arguments, "--processing", "47ms"]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and "matched in latency already (format elae)" in error[0]
    assert main([*arguments, "--mode", "elae", "--json", "out.json"]) == 0
    (row,) = json.loads((work / "out.json").read_text())["rows"]
    assert (row["tracker"], row["predictor"], row["processing"]) == ("elae:T", "matched", "matched")
    assert row["processing_ms"] == pytest.approx(1000 / 30)
    # The same boxes at every permitted latency: a level curve.
    assert len(row["exact_curve"]["auc"]) == 1 and set(row["curve"]["auc"]) == {round(row["auc"], 6)}


@pytest.mark.parametrize("given", ["0", "1", "Tracker2.0"])
def test_a_tracker_whose_name_is_a_number_is_none_of_them(work, given):
    sequence(work / "data" / "a")
    matched(work / "results", [given, "other"])
    arguments = ["replay", "--dataset", "folder", "--root", "data", "--results", f"results/{given}"]
    assert main([*arguments, "--processing", "47ms", "--predictors", "hold"]) == 0


def test_the_api_charges_what_the_command_line_charges():
    parser = argparse.ArgumentParser()
    add_grid(parser)
    defaults_of_api = inspect.signature(make_grid).parameters
    for name, value in settings(parser.parse_args([])).items():
        assert value == defaults_of_api[name].default, name
    costs = {(spec.propagation, spec.propagation_ns) for spec in make_grid("d", "t").specs()}
    assert costs == {("none", 0), ("optical_flow", 2_500_000)}
