"""Any two methods compared, across trackers and predictors, against computations of another kind."""

import random

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp_benchmarks.comparison import compare, differences_to
from pvtpp_benchmarks.result import Result


def row(tracker, predictor, aucs, processing="47ms", **changes):
    online = predictor is not None
    return {
        "dataset": "d",
        "tracker": tracker,
        "predictor": predictor,
        "mode": "otb",
        "clock": "simulated",
        "processing": processing if online else None,
        "camera_fps": 30.0,
        "world_fps": 30.0,
        "schedule": "async" if online else None,
        "ego_motion": "none" if online else None,
        "apart": False,
        "starts": 1,
        "draws": 1,
        "jitter_px": 0.0,
        "search_region": "last",
        "propagation": "none" if online else None,
        "presence": "off" if online else None,
        "predictor_ms": 0.0,
        "per_sequence": {f"clip {i}": auc for i, auc in enumerate(aucs)},
        **changes,
    }


ROWS = [
    row("A", None, [0.9, 0.9]),
    row("B", None, [0.8, 0.7]),
    *(row("A", "hold", [0.5, 0.4 + late], time) for time, late in (("47ms", 0.1), ("85ms", 0.0))),
    row("A", "kalman", [0.6, 0.6], propagation="optical_flow"),
    *(row("B", "hold", [0.3, 0.3], time) for time in ("47ms", "165ms")),
]


def means(first, second, rows=ROWS):
    found = compare(rows, first, second).differences
    return [pytest.approx(each.mean) for each in found]


def test_a_predictor_alone_is_that_of_each_tracker_or_of_the_one_that_the_other_names():
    assert means("hold", "kalman") == [0.1]
    assert means("hold", "A/kalman") == means("A/hold", "kalman") == [0.1]
    assert means("A", "hold") == means("A", "A/hold") == [-0.4, -0.45]
    with pytest.raises(InputError, match="no predictor 'kalman' of B in this result, only of A"):
        compare(ROWS, "B/hold", "kalman")


def test_trackers_are_compared_at_equal_processing_times_and_else_at_each():
    (each,) = compare(ROWS, "A/hold", "B/hold").differences
    assert each.mean == pytest.approx(-0.2) and (each.wins, each.losses, each.n) == (0, 2, 2)
    assert each.cell["processing"] == "47ms" and "tracker" not in each.cell
    assert [side["tracker"] for side in each.settings] == ["A", "B"]
    other = [each for each in ROWS if (each["tracker"], each["processing"]) != ("B", "47ms")]
    found = compare(other, "A/hold", "B/hold")
    assert [[side["processing"] for side in each.settings] for each in found.differences] == [
        ["47ms", "165ms"],
        ["85ms", "165ms"],
    ]
    assert "47ms and 165ms" in str(found)


def test_a_tracker_alone_is_its_zero_latency_row():
    assert means("A", "B") == [-0.15]
    assert means("A", "B/hold") == [-0.6, -0.6]
    printed = str(compare(ROWS, "A", "B/hold"))
    assert "zero latency and 47ms" in printed and "B/hold - A" in printed
    assert "zero latency" in str(compare(ROWS, "A", "B"))


def test_a_slow_cameras_zero_latency_goes_with_its_online_rows():
    slow = [row("A", None, [0.9], camera_fps=10.0, world_fps=10.0), row("A", "hold", [0.5], camera_fps=10.0)]
    (each,) = compare([*ROWS, *slow], "A", "hold").differences[2:]
    assert each.cell["camera_fps"] == 10 and each.mean == pytest.approx(-0.4)
    assert "10/10 and 30" in str(compare(slow, "A", "hold"))


def test_what_cannot_be_compared_says_why():
    with pytest.raises(InputError, match="no method 'C' in this result, it has: A, B, hold, kalman, A/hold, "):
        compare(ROWS, "A", "C")
    more = [*ROWS, row("C", "hold", [0.5, 0.5], starts=4)]
    with pytest.raises(InputError, match="A/hold and C/hold share no cell that could be compared; starts is 1 and 4"):
        compare(more, "A/hold", "C/hold")
    fewer = [*ROWS, row("C", "hold", [0.5])]
    with pytest.raises(InputError, match="not scored on the same sequences: 2 and 1, only one has clip 1"):
        compare(fewer, "A/hold", "C/hold")


def test_a_predictors_name_may_hold_a_slash():
    rows = [*ROWS, row("A", "motion:runs/m.onnx", [0.7, 0.7])]
    assert means("hold", "motion:runs/m.onnx", rows) == means("A/hold", "A/motion:runs/m.onnx", rows) == [0.2]


def test_the_differences_to_one_are_those_of_each_comparison():
    found = differences_to(ROWS, "hold")
    assert [(each.first, each.second) for each in found] == [("hold", "kalman")]
    assert found[0] == compare(ROWS, "hold", "kalman")
    found = {each.second: each for each in differences_to(ROWS, "A/hold")}
    assert list(found) == ["A", "B", "A/kalman", "B/hold"]
    assert all(each == compare(ROWS, "A/hold", name) for name, each in found.items())
    assert [each.second for each in differences_to([*ROWS, row("C", "hold", [0.5])], "A/hold")] == list(found)
    with pytest.raises(InputError, match="no method 'nobody'"):
        differences_to(ROWS, "nobody")


TRACKERS = ("NanoTrackV3", "SiamAPN++")


@pytest.fixture(scope="module")
def replayed(data_root, tmp_path_factory):
    """Both trackers' results on DTB70, each replayed into a file of its own and merged."""
    folder = tmp_path_factory.mktemp("dtb70")
    files = []
    for name in TRACKERS:
        files.append(str(folder / f"{name}.json"))
        command = ["replay", "--results", str(data_root / "results" / "DTB70" / name), "--dataset", "annotations"]
        command += ["--root", str(data_root / "annotations" / "uav_annos.tar.xz"), "--subset", "DTB70_official"]
        command += ["--processing", "47ms", "--predictors", "hold", "--json", files[-1]]
        assert main(command) == 0
    return Result.merged(files)


@pytest.fixture(scope="module")
def boxes(data_root):
    """Truth and both trackers' boxes by sequence, read by themselves."""
    import tarfile

    with tarfile.open(data_root / "annotations" / "uav_annos.tar.xz") as archive:
        members = [each for each in archive.getmembers() if each.name.startswith("DTB70_official/") and each.isfile()]
        read = {each.name[len("DTB70_official/") : -4]: archive.extractfile(each).read().decode() for each in members}
    rows = lambda text: [list(map(float, line.replace(",", " ").split())) for line in text.splitlines() if line.strip()]  # noqa: E731
    found = {}
    for name, text in read.items():
        results = [rows((data_root / "results" / "DTB70" / each / f"{name}.txt").read_text()) for each in TRACKERS]
        found[name] = (rows(text), results)
    assert len(found) == 70
    return found


def auc(answers, truth):
    """Share of frames over each of 21 thresholds, frame by frame in plain Python."""
    hits, shown = [0] * 21, 0
    for a, b in zip(answers, truth):
        if min(b[2:]) <= 0:
            # Car6 leaves the image: a box without area stands for no target.
            continue
        shown += 1
        width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
        shared = max(width, 0) * max(height, 0)
        overlap = shared / (a[2] * a[3] + b[2] * b[3] - shared)
        for i in range(21):
            hits[i] += overlap > i * 0.05
    return sum(hits) / shown / 21


def held_at_47_ms(results, truth):
    """The newest result at each frame of a tracker of 47 ms at 30 fps, walked through in thirds of a millisecond."""
    step, frame = 141, 100
    known, now, last = [(0, truth[0])], step, 0
    while True:
        newest = min(now // frame, len(truth) - 1)
        if newest == last and last == len(truth) - 1:
            break
        if newest == last:
            now = (last + 1) * frame
            continue
        now, last = now + step, newest
        known.append((now, results[newest]))
    return [[box for t, box in known if t <= f * frame][-1] for f in range(len(truth))]


@pytest.mark.parametrize("latency", [False, True])
def test_on_dtb70_it_gives_what_another_computation_gives(replayed, boxes, latency):
    first, second = (f"replay:{name}{'/hold' if latency else ''}" for name in TRACKERS)
    (each,) = replayed.compare(first, second).differences
    deltas = []
    for truth, results in boxes.values():
        answers = [held_at_47_ms(r, truth) if latency else [truth[0], *r[1:]] for r in results]
        one, two = (auc(each, truth) for each in answers)
        deltas.append(two - one)
    assert each.n == len(deltas) == 70
    assert each.mean == pytest.approx(sum(deltas) / 70, abs=1e-9)
    assert (each.wins, each.losses) == (sum(d > 1e-12 for d in deltas), sum(d < -1e-12 for d in deltas))
    chance = random.Random(5)
    drawn = sorted(sum(chance.choices(deltas, k=70)) / 70 for _ in range(10_000))
    width = each.high - each.low
    assert each.low == pytest.approx(drawn[250], abs=0.05 * width)
    assert each.high == pytest.approx(drawn[9750], abs=0.05 * width)
    assert np.mean([each.low, each.high]) == pytest.approx(each.mean, abs=0.1 * width)
