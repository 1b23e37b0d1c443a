"""The command line as its users meet it: every command end to end on small data, and one clear line for bad input."""

import json
import re
import subprocess
import sys

import cv2
import pytest

from pvtpp.cli.main import COMMANDS, main
from pvtpp_trackers.factory import MakeTracker

PLAIN = ("--propagation", "none", "--search-region", "last", "--presence", "off")


def evaluate(clips, tmp_path, *more):
    return main(
        ["eval", "--dataset", "folder", "--root", str(clips), "--tracker", "kcf", "--processing", "50ms"]
        + ["--predictors", "hold,kalman", "--logs", str(tmp_path / "runs"), *PLAIN, *more]
    )


def test_eval_prints_a_table_and_writes_rows_that_say_how_they_were_made(clips, tmp_path, capsys):
    assert evaluate(clips, tmp_path, "--json", str(tmp_path / "out.json"), "--mode", "otb,strict") == 0
    printed = capsys.readouterr().out
    assert "mode otb" in printed and "mode strict" in printed and "offline" in printed
    content = json.loads((tmp_path / "out.json").read_text())
    assert {"versions", "commit", "hardware", "seed"} <= set(content["protocol"])
    rows = content["rows"]
    assert [(r["evaluation"], r["predictor"], r["mode"]) for r in rows] == [
        ("offline", None, "otb"),
        ("offline", None, "strict"),
        ("online", "hold", "otb"),
        ("online", "kalman", "otb"),
        ("online", "hold", "strict"),
        ("online", "kalman", "strict"),
    ]
    assert set(rows[0]["per_sequence"]) == {"left", "right"}
    assert 0 < rows[2]["auc"] < rows[0]["auc"] <= 1


def test_run_then_score_gives_what_eval_gives(clips, tmp_path):
    assert evaluate(clips, tmp_path, "--json", str(tmp_path / "eval.json"), "--no-offline") == 0
    arguments = ["--dataset", "folder", "--root", str(clips)]
    run = ["run", *arguments, "--tracker", "kcf", "--processing", "50ms", "--logs", str(tmp_path / "logs")]
    assert main([*run, "--predictors", "hold"]) == 0
    score = ["score", str(tmp_path / "logs"), *arguments, "--predictors", "hold,kalman"]
    assert main([*score, "--json", str(tmp_path / "score.json")]) == 0
    rows = [json.loads((tmp_path / name).read_text())["rows"] for name in ("eval.json", "score.json")]
    assert rows[0] == rows[1]


def test_logs_are_scored_by_what_they_say_though_the_times_they_were_made_with_have_gone(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    times = tmp_path / "board.json"
    times.write_text(json.dumps({"frame_s": [0.1, 0.05]}))
    arguments = ["--dataset", "folder", "--root", str(clips)]
    made = ["--tracker", "kcf", "--processing", "bench:board.json", "--logs", "logs", "--predictors", "hold"]
    assert main(["run", *arguments, *made]) == 0
    found = []
    for change in (lambda: None, lambda: times.write_text(json.dumps({"frame_s": [1.0]})), times.unlink):
        change()
        assert main(["score", "logs", *arguments, "--json", "score.json"]) == 0
        found.append(json.loads((tmp_path / "score.json").read_text())["rows"])
    assert found[0] == found[1] == found[2] and found[0][0]["processing_ms"] == 50.0


def test_logs_that_do_not_say_their_median_are_kept_and_scored_the_same(clips, tmp_path, capsys):
    assert evaluate(clips, tmp_path, "--no-offline") == 0
    table = capsys.readouterr().out
    for path in (tmp_path / "runs").rglob("*.jsonl"):
        text = path.read_text()
        assert '"processing_ms": 50.0, ' in text
        path.write_text(text.replace('"processing_ms": 50.0, ', ""))
    assert evaluate(clips, tmp_path, "--no-offline") == 0
    printed = capsys.readouterr()
    assert printed.out == table and "kept" in printed.err and "ran" not in printed.err
    assert main(["score", str(tmp_path / "runs"), "--dataset", "folder", "--root", str(clips)]) == 0
    assert capsys.readouterr().out == table


@pytest.mark.parametrize("steered", [["--search-region", "predicted"], ["--presence", "on"]])
def test_runs_that_a_predictor_steered_are_scored_as_they_are(clips, tmp_path, steered):
    assert evaluate(clips, tmp_path, *steered, "--json", str(tmp_path / "eval.json"), "--no-offline") == 0
    score = ["score", str(tmp_path / "runs"), "--dataset", "folder", "--root", str(clips)]
    assert main([*score, "--json", str(tmp_path / "score.json")]) == 0
    rows = [json.loads((tmp_path / name).read_text())["rows"] for name in ("eval.json", "score.json")]
    assert sorted(rows[0], key=str) == sorted(rows[1], key=str)


TRACKER = """
class Mine:
    def init(self, image, box):
        self.box = list(box)
    def update(self, image):
        self.box[0] += {step}
        return self.box
"""


def test_an_edited_tracker_is_run_again(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for step in (0, 7):
        (tmp_path / "mine.py").write_text(TRACKER.format(step=step))
        digests.append(MakeTracker("mine:Mine").digest())
    assert digests[0] != digests[1]
    weights = [MakeTracker("csrt", path).digest() for path in (None, str(tmp_path / "mine.py"))]
    assert weights[0] != weights[1]


def test_a_tracker_whose_network_lies_beside_it_is_run_again_where_that_is_edited(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "with_net.py").write_text("from its_net import *\n")
    digests = []
    for step in (0, 7):
        (tmp_path / "its_net.py").write_text(TRACKER.format(step=step))
        digests.append(MakeTracker("with_net:Mine").digest())
    assert digests[0] != digests[1]


def test_exchanged_weights_are_run_again_wherever_they_were_found(tmp_path, monkeypatch):
    folder = tmp_path / "siamrpn_alex_dwxcorr"
    folder.mkdir()
    monkeypatch.setenv("PVTPP_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    nowhere = MakeTracker("siamrpn-alexnet").digest()
    found, named = [], []
    for content in (b"one", b"other"):
        (folder / "model.pth").write_bytes(content)
        found.append(MakeTracker("siamrpn-alexnet").digest())
        named.append(MakeTracker("siamrpn-alexnet", "~/siamrpn_alex_dwxcorr").digest())
    assert len({nowhere, *found, *named}) == 5
    # Of these the name tells all: logs that there are stay good.
    assert MakeTracker("nanotrack-v3").digest() == MakeTracker("csrt").digest()


def test_an_edited_tracker_in_the_working_folder_has_another_digest(tmp_path):
    """As the installed command sees it: a module that only the working folder holds, a new process for each run."""
    code = "from pvtpp_trackers.factory import MakeTracker; print(MakeTracker('mine_here:Mine').digest())"
    digests = []
    for step in (0, 7):
        (tmp_path / "mine_here.py").write_text(TRACKER.format(step=step))
        # -c puts the working folder on the path, the installed command does not.
        script = f"import sys; sys.path.remove(''); {code}"
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        digests.append(done.stdout)
    assert digests[0] != digests[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_tracker_that_exits_gives_no_result_and_no_silence(clips, tmp_path, monkeypatch, capsys, workers):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "exiting.py").write_text(TRACKER.format(step="__import__('sys').exit(0)"))
    arguments = ["eval", "--dataset", "folder", "--root", str(clips), "--tracker", "exiting:Mine", "--workers", workers]
    assert main([*arguments, "--predictors", "hold", "--json", str(tmp_path / "out.json")]) == 1
    printed = capsys.readouterr()
    assert printed.err.endswith("pvtpp eval: error: code that it loaded, such as a tracker's, exited (SystemExit(0))\n")
    assert printed.out == ""
    assert not (tmp_path / "out.json").exists()


def test_replay_needs_no_image(clips, results, tmp_path):
    for image in clips.rglob("*.png"):
        image.unlink()
    arguments = ["replay", "--results", str(results), "--dataset", "folder", "--root", str(clips)]
    assert main([*arguments, "--processing", "70ms", "--json", str(tmp_path / "out.json")]) == 0
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert rows[0]["auc"] == pytest.approx(20 / 21)
    assert rows[0]["tracker"] == "replay:MyTracker"


def test_result_files_cannot_run_on_the_wall_clock_and_need_their_data_set(clips, results, capsys):
    arguments = ["replay", "--results", str(results), "--dataset", "folder", "--root", str(clips)]
    assert main([*arguments, "--clock", "wall"]) == 2
    assert "--clock wall" in capsys.readouterr().err
    assert main(arguments[:-2]) == 2
    assert "--root missing" in capsys.readouterr().err


def test_replay_cannot_look_elsewhere(clips, results, capsys):
    arguments = ["replay", "--results", str(results), "--dataset", "folder", "--root", str(clips)]
    assert main([*arguments, "--search-region", "predicted"]) == 2
    assert "has to run" in capsys.readouterr().err


def test_check_passes_a_good_tracker_and_fails_a_bad_one(tmp_path, capsys, monkeypatch):
    (tmp_path / "stuck.py").write_text(
        "class Stuck:\n"
        "    def init(self, image, box):\n"
        "        pass\n"
        "    def update(self, image):\n"
        "        return [1, 2, float('nan'), 4]\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", "kcf"]) == 0
    assert "keeps the contract" in capsys.readouterr().out
    assert main(["check", "stuck:Stuck"]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_datasets_are_listed_and_checked(clips, capsys):
    assert main(["datasets", "list"]) == 0
    assert "uav-mini" in capsys.readouterr().out
    assert main(["datasets", "check", "--dataset", "folder", "--root", str(clips)]) == 0
    assert "no problems" in capsys.readouterr().out
    (clips / "left" / "img" / "000001.png").write_bytes(b"not a picture")
    assert main(["datasets", "check", "--dataset", "folder", "--root", str(clips)]) == 1
    assert "000001.png" in capsys.readouterr().out


def test_clips_are_generated_for_those_who_have_no_data(tmp_path, capsys):
    short = ["--seconds", "0.5", "--size", "320x180"]
    folder = str(tmp_path / "generated")
    assert main(["datasets", "generate", folder, "--number", "2", "--seed", "3", "--video", *short]) == 0
    said = capsys.readouterr().out
    named = dict(re.findall(r"(aerial-\d+): 15 frames at 30 fps, the target's first box is (\S+)", said))
    assert sorted(named) == ["aerial-3", "aerial-4"]
    for name, box in named.items():
        first = (tmp_path / "generated" / name / "groundtruth.txt").read_text().splitlines()[0]
        assert box == ",".join(f"{float(value):.0f}" for value in first.split(","))
        video = cv2.VideoCapture(str(tmp_path / "generated" / name / "clip.mp4"))
        assert (video.read()[1].shape, video.get(cv2.CAP_PROP_FRAME_COUNT)) == ((180, 320, 3), 15)
    assert main(["datasets", "check", "--dataset", "folder", "--root", folder]) == 0
    capsys.readouterr()
    assert main(["datasets", "generate", folder, *short, "--seed", "3"]) == 2  # never over what is there
    assert "exists already" in capsys.readouterr().err
    assert main(["datasets", "generate", folder, *short, "--number", "2", "--seed", "2"]) == 2
    assert "aerial-3: exists already" in capsys.readouterr().err and not (tmp_path / "generated" / "aerial-2").exists()


@pytest.mark.parametrize("wrong", [["--number", "0"], ["--size", "640"], ["--seed", "-1"], ["--seconds", "0"]])
def test_clips_that_cannot_be_are_refused(wrong, tmp_path, capsys):
    try:
        code = main(["datasets", "generate", str(tmp_path / "generated"), *wrong])
    except SystemExit as end:
        code = end.code
    assert code == 2 and capsys.readouterr().err.startswith("pvtpp datasets")
    assert not (tmp_path / "generated").exists()


def test_weights_are_listed_with_licence_and_hash(capsys):
    assert main(["weights", "list"]) == 0
    printed = capsys.readouterr().out
    assert "nanotrack-v3" in printed and "Apache-2.0" in printed and "sha256" in printed


BAD = {
    "unknown tracker": (["--tracker", "wizard"], "wizard.*csrt.*nanotrack-v3"),
    "unknown predictor": (["--predictors", "wizard"], "wizard.*hold.*kalman"),
    "unknown data set": (["--dataset", "wizard"], "wizard.*dtb70"),
    "missing folder": (["--root", "/nowhere/at/all"], "/nowhere/at/all"),
    "unknown mode": (["--mode", "vot"], "vot.*elae.*otb.*strict"),
    "unknown schedule": (["--schedule", "never"], "never.*async.*paper"),
    "unknown search region": (["--search-region", "left"], "left.*last.*predicted"),
    "bad processing time": (["--processing", "soon"], "soon.*47ms"),
    "bad predictor cost": (["--predictor-processing", "wizard=1ms"], "wizard.*hold"),
    "no workers": (["--workers", "0"], "workers.*0"),
    "unwritable output": (["--json", "/nowhere/at/all/out.json"], "/nowhere/at/all/out.json"),
    "no processing time": (["--processing", ","], "--processing.*47ms"),
    "negative seed": (["--seed", "-1"], "seed.*-1"),
    "unknown sequence": (["--sequences", "up"], "up.*left"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line_with_the_value_and_the_allowed_ones(case, clips, tmp_path, capsys):
    arguments, words = BAD[case]
    assert evaluate(clips, tmp_path, *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("pvtpp eval: error: ") and "\n" not in error
    assert all(word in error for word in words.split(".*")), error
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,30,40\n1,2,30\n", "groundtruth.txt"),
        ("nan,nan,nan,nan\n" * 24, "first box"),
        ("5,5,0,9\n" + "5,5,9,9\n" * 23, "first box"),
    ],
)
def test_broken_ground_truth_is_named(text, words, clips, tmp_path, capsys):
    (clips / "left" / "groundtruth.txt").write_text(text)
    assert evaluate(clips, tmp_path) == 2
    error = capsys.readouterr().err
    assert words in error and "left" in error


def test_an_image_that_does_not_decode_is_named_and_finished_sequences_are_kept(clips, tmp_path, capsys):
    (clips / "right" / "img" / "000009.png").write_bytes(b"not a picture")
    assert evaluate(clips, tmp_path, "--no-offline", "--processing", "0ms") == 2
    assert "000009.png" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "runs").rglob("*.jsonl")] == ["left.0of1.0.jsonl"]


def test_a_command_loads_only_what_it_needs():
    """`pvtpp --help` and `weights list` must answer on a board without an inference runtime or matplotlib."""
    code = (
        "import sys; from pvtpp.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "loaded = {'cv2', 'onnxruntime', 'matplotlib', 'torch', 'numpy.testing'} & set(sys.modules)\n"
        "assert not loaded, sorted(loaded)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in COMMANDS)


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert "pvtpp 0." in capsys.readouterr().out
