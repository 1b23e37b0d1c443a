"""The figure shows what the table says: a curve for each row, named by all that differs, read back from the SVG."""

import json
import os
import re
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.report.curves import plot_elae, style
from pvtpp_benchmarks.report.labels import curve_labels
from pvtpp_benchmarks.result import Result

pytest.importorskip("matplotlib")


def walk(name, seed, frames=60, world_fps=30.0, camera_fps=30.0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=[0.6, 0.6, 0.02, 0.02], size=(frames, 4)).cumsum(axis=0)
    return VideoSequence(name, steps.cumsum(axis=0) + [300, 200, 60, 50], world_fps, camera_fps)


CLIPS = [walk("one", 1), walk("two", 2)]


def made(clips=CLIPS, tracker="oracle", dataset="walks", make=Oracle, **settings):
    plain = {"propagation": "none", "presence": "off"}
    settings = {"processing": "85ms", "predictors": ["hold", "kalman"], **plain, **settings}
    return evaluate(clips, make_grid(dataset, tracker, **settings), make)


def read_svg(path):
    """By id every path of the SVG, as points ``(n, 2)``."""
    found = {}
    for group in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}g"):
        line = group.find("{http://www.w3.org/2000/svg}path")
        if line is not None:
            points = np.array(re.findall(r"[ML] (\S+) (\S+)", line.get("d")), dtype=float)
            found.setdefault(group.get("id"), points)
    return found


def values_of(path, rows):
    """The curves of an SVG by id, each as a function of sigma, by the axes that it lies in."""
    curves = [np.array(row["exact_curve"]["auc"]) if row["curve"] else np.array([row["auc"]]) for row in rows]
    top = max(0.1, np.ceil(max(curve.max() for curve in curves) * 10 + 0.3) / 10)
    found = read_svg(path)
    frames = [found[name] for name in found if re.fullmatch(r"patch_\d+", name or "") and name != "patch_1"]
    frames = [frame for frame in frames if len(frame) >= 4]

    def function(points):
        frame = min(frames, key=lambda each: abs(each[:, 0].min() - points[:, 0].min()))
        left, right, low, high = frame[:, 0].min(), frame[:, 0].max(), frame[:, 1].max(), frame[:, 1].min()
        sigmas = (points[:, 0] - left) / (right - left)
        auc = (points[:, 1] - low) / (high - low) * top
        return lambda sigma: auc[np.flatnonzero(sigmas <= sigma + 1e-6)[-1]]

    return {name: function(points) for name, points in found.items() if name and "," in name or name == "zero latency"}


def table_value(row, sigma):
    if not row["curve"]:
        return row["auc"]
    exact = row["exact_curve"]
    return exact["auc"][np.searchsorted(exact["sigma"], sigma, side="right") - 1]


def test_the_curves_of_two_replayed_trackers_are_the_rows_of_the_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for clip in CLIPS:
        boxes = clip.ground_truth_xywh
        folder = tmp_path / "data" / clip.name / "img"
        folder.mkdir(parents=True)
        for number in range(len(boxes)):
            (folder / f"{number + 1:06d}.jpg").write_bytes(b"")
        np.savetxt(folder.parent / "groundtruth.txt", boxes, delimiter=",")
        for tracker, noise in (("Good", 1.0), ("Bad", 12.0)):
            os.makedirs(f"results/{tracker}", exist_ok=True)
            np.savetxt(f"results/{tracker}/{clip.name}.txt", boxes + rng.normal(0, noise, boxes.shape), delimiter=",")
    data = ["--dataset", "folder", "--root", "data"]
    for tracker in ("Good", "Bad"):
        replay = ["replay", *data, "--results", f"results/{tracker}", "--logs", "runs", "--no-offline"]
        assert main([*replay, "--predictors", "hold,kalman", "--processing", "20ms,85ms"]) == 0
    assert main(["score", "runs", *data, "--plot", "figure.svg", "--json", "rows.json"]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    curves = values_of("figure.svg", rows)
    assert len(rows) == len(curves) == 8
    assert set(curves) == {
        f"replay:{tracker}, {predictor}, {ms} ms"
        for tracker, predictor, ms in product(("Good", "Bad"), ("hold", "kalman"), (20, 85))
    }
    for row in rows:
        curve = curves[f"{row['tracker']}, {row['predictor']}, {row['processing_ms']:g} ms"]
        for sigma in (0.0, 0.111, 0.333, 0.561, 0.777, 0.999):
            assert curve(sigma) == pytest.approx(table_value(row, sigma), abs=1e-4), (row["tracker"], sigma)


def test_camera_rates_are_panels_and_each_has_its_zero_latency(tmp_path):
    clips = [*CLIPS, walk("slow", 3, camera_fps=15.0), walk("fast", 4, world_fps=60.0)]
    rows = made(clips, search_region="last")
    Result(tuple(rows)).plot(str(tmp_path / "p.svg"))
    curves = values_of(str(tmp_path / "p.svg"), rows)
    panels = ["camera 30 fps, world 60 fps", "camera 30 fps, world 30 fps", "camera 15 fps, world 30 fps"]
    kinds = ["zero latency", "hold, 85 ms", "kalman, 85 ms"]
    assert {f"{panel}: {kind}" for panel in panels for kind in kinds} <= set(curves)
    for row in rows:
        if row["curve"]:
            name = f"camera {row['camera_fps']:g} fps, world {row['world_fps']:g} fps: {row['predictor']}, 85 ms"
            assert curves[name](0.5) == pytest.approx(table_value(row, 0.5), abs=1e-4)


def test_sequences_apart_are_a_panel_of_their_own(tmp_path):
    rows = made(apart="two", offline=False)
    Result(tuple(rows)).plot(str(tmp_path / "p.svg"))
    assert len(values_of(str(tmp_path / "p.svg"), rows)) == len(rows) == 4


@pytest.mark.parametrize(
    "several",
    [
        lambda: made(tracker="a") + made(tracker="b"),
        lambda: made(dataset="a") + made(dataset="b"),
        lambda: made(search_region=["last", "predicted"], schedule=["async", "paper"], mode=["otb", "strict"]),
        lambda: made(predictor_processing="0ms") + made(predictor_processing="5ms"),
        lambda: made(starts=1) + made(starts=2),
        lambda: made(CLIPS[:1]) + made(CLIPS[1:]) + made(),
        lambda: made(processing=["85ms", "0.085s"]),
        lambda: [{**row, "version": version} for version in ("one", "other") for row in made()],
        lambda: [{**row, "clock": clock} for clock in ("wall", "simulated") for row in made()],
        lambda: [row for _ in range(3) for row in made()],
    ],
)
def test_no_two_curves_share_a_label(several, tmp_path):
    rows = several()
    labels = curve_labels(rows)
    assert len(set(labels)) == len(rows), labels
    Result(tuple(rows)).plot(str(tmp_path / "p.svg"))
    assert set(labels) <= set(read_svg(tmp_path / "p.svg"))


def test_what_does_not_differ_is_not_said_and_the_tracker_comes_first():
    assert curve_labels(made(search_region="last")) == ["zero latency", "hold, 85 ms", "kalman, 85 ms"]
    rows = made(tracker="a", offline=False, predictors="hold") + made(tracker="b", dataset="d", predictors="hold")
    assert curve_labels(rows) == ["a, walks, hold, 85 ms", "b, d, zero latency", "b, d, hold, 85 ms"]


def test_a_curve_that_another_hides_shows_on_both_sides_of_it(tmp_path):
    curves = {name: ([0, 0.5], [0.3, height]) for name, height in (("a", 0.5), ("b", 0.9), ("c", 0.5), ("d", 0.5))}
    plot_elae(str(tmp_path / "p.svg"), curves, "title")
    text = (tmp_path / "p.svg").read_text()
    widths = [float(re.search(rf'id="{name}">.*?stroke-width: ([\d.]+)', text, re.S).group(1)) for name in "abcd"]
    assert widths == [6, 2, 4, 2]
    assert len({style(index) for index in range(42)}) == 42


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "PDF"])
def test_the_ending_decides_the_format(tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    plot_elae(str(path), {"a": ([0], [0.5])}, "title")
    begins = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending.lower()]
    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize("name", ["p.jpg", "p", "p.svgz", "png"])
def test_an_unknown_ending_is_one_line(tmp_path, name):
    with pytest.raises(InputError, match=r"unknown ending of a plot, allowed is \.png, \.pdf, \.svg"):
        plot_elae(str(tmp_path / name), {"a": ([0], [0.5])}, "title")
    assert os.listdir(tmp_path) == []


def test_long_and_many_labels_are_inside_the_figure(tmp_path):
    curves = {f"a tracker of a very long name on a data set, number {i}": ([0], [0.9 - i / 100]) for i in range(30)}
    plot_elae(str(tmp_path / "p.svg"), curves, "title")
    root = ElementTree.parse(tmp_path / "p.svg").getroot()
    width = float(root.get("viewBox").split()[2])
    assert width > 8 * 72 * 1.3
