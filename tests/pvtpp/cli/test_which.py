"""`pvtpp which`: from an evaluation and the file of a board to a table, an answer and an exit status."""

import json

import numpy as np
import pytest

from pvtpp.cli.main import main


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A real evaluation of a tracker on two clips, at three times."""
    import cv2

    folder = tmp_path_factory.mktemp("which")
    for name in ("a", "b"):
        (folder / "data" / name / "img").mkdir(parents=True)
        image = np.random.default_rng(1).integers(0, 255, (80, 120, 3), dtype=np.uint8)
        for number in range(20):
            cv2.imwrite(str(folder / "data" / name / "img" / f"{number + 1:04d}.png"), np.roll(image, number, axis=1))
        boxes = "".join(f"{20 + number},20,24,24\n" for number in range(20))
        (folder / "data" / name / "groundtruth.txt").write_text(boxes)
    path = folder / "result.json"
    made = ["eval", "--dataset", "folder", "--root", str(folder / "data"), "--tracker", "kcf", "--predictors", "hold"]
    made += ["--processing", "0ms,40ms,120ms", "--logs", str(folder / "runs"), "--json", str(path)]
    assert main(made) == 0
    return path


def board(folder, **trackers):
    path = folder / "board.json"
    fields = {"scale": {"track": 2.0}, "reference": "a machine"}
    path.write_text(
        json.dumps({"board": "a board", "origin": "assumed", "source": "tests", "trackers": trackers, **fields})
    )
    return str(path)


def which(result, *more):
    return main(["which", str(result), *more])


def test_the_table_has_the_accuracy_at_the_boards_time_and_says_where_that_comes_from(result, tmp_path, capsys):
    rows = {row["processing_ms"]: row["auc"] for row in json.loads(result.read_text())["rows"] if row["predictor"]}
    out = tmp_path / "which.json"
    made = ["--board", board(tmp_path, kcf={"fps": 12.5}), "--json", str(out)]
    assert which(result, *made, "--target-auc", "0.1") == 0
    (choice,) = json.loads(out.read_text())["choices"]
    assert choice["median_ms"] == pytest.approx(80) and choice["rate"] == pytest.approx(12.5, rel=0.05)
    assert choice["auc"] == pytest.approx((rows[40] + rows[120]) / 2) and choice["goodput"] == choice["rate"]
    text = capsys.readouterr().out
    assert "a board, times assumed: tests" in text and "best: kcf with hold" in text
    # Nothing holds more than the best: an exit status says so to a script.
    assert which(result, *made, "--target-auc", "1") == 1
    assert "none of them is known to hold 1 on this board" in capsys.readouterr().out


def test_a_tracker_that_the_board_has_no_time_of_is_taken_there_from_another_machine(result, tmp_path, capsys):
    path = board(tmp_path)
    assert which(result, "--board", path, "--target-auc", "0.1", "--time", "kcf=20ms") == 0
    assert " 40.0 " in capsys.readouterr().out
    # Beyond the last evaluated time nothing is said.
    assert which(result, "--board", path, "--target-auc", "0.1", "--time", "kcf=100ms") == 1
    assert "1 not known, the board's time is beyond those evaluated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--board", "nowhere", "--target-auc", "0.5"], "none of the shipped profiles: agx-xavier"),
        (["--board", "agx-xavier", "--target-auc", "0.5"], "it has no time of kcf, it has those of siam"),
        (["--board", "agx-xavier", "--target-auc", "60"], "--target-auc is 60, allowed is a number from 0 to 1"),
        (["--board", "agx-xavier", "--target-auc", "0.5", "--time", "csrt=1ms"], "expected TRACKER=T with one of: kcf"),
        (["--board", "agx-xavier", "--target-auc", "0.5", "--time", "kcf=1ms"], "no 'scale'"),
        (["--board", "agx-xavier", "--target-auc", "0.5", "--json", "/proc/x.json"], "/proc/x.json: cannot be written"),
    ],
)
def test_bad_input_gets_one_clear_line(result, capsys, more, words):
    assert which(result, *more) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_a_file_that_is_no_result_is_refused(tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}")
    assert which(tmp_path / "x.json", "--board", "agx-xavier", "--target-auc", "0.5") == 2
    assert "not the JSON of a result" in capsys.readouterr().err
