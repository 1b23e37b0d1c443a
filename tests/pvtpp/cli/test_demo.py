"""`pvtpp demo`: what it writes, and its last line, which says in words what latency cost and what was won back."""

import json
import sys

import cv2
import pytest

from pvtpp.cli import demo
from pvtpp.cli.main import main
from pvtpp_benchmarks.synthetic import AerialClip, render


def said(zero, stale, pvt, default):
    aucs = {None: zero, "hold": stale, "kalman:pvt": pvt, "ensemble": default}
    return demo.summary([{"predictor": name, "auc": auc} for name, auc in aucs.items()], "85ms")


@pytest.mark.parametrize(
    ("aucs", "words"),
    [
        (
            (0.7, 0.5, 0.55, 0.69),
            "At 85ms a frame latency costs 0.200 of 0.700 AUC. PVT's Kalman filter wins back 25% of that, "
            "pvtpp wins back 95% of that: 0.690.",
        ),
        (
            (0.7, 0.5, 0.4, 0.72),
            "At 85ms a frame latency costs 0.200 of 0.700 AUC. PVT's Kalman filter loses another 50% of that, "
            "pvtpp wins back 110% of that: 0.720.",
        ),
        (
            (0.7, 0.5, 0.5001, 0.45),
            "At 85ms a frame latency costs 0.200 of 0.700 AUC. PVT's Kalman filter changes nothing, "
            "pvtpp loses another 25% of that: 0.450.",
        ),
        ((0.7, 0.7, 0.69, 0.7), "At 85ms a frame latency cost nothing here: AUC 0.700, without latency 0.700."),
        ((0.7, 0.71, 0.69, 0.7), "At 85ms a frame latency cost nothing here: AUC 0.710, without latency 0.700."),
        ((0.7, 0.6999, 0.2, 0.7), "At 85ms a frame latency cost nothing here: AUC 0.700, without latency 0.700."),
    ],
)
def test_the_summary_says_what_latency_cost_and_what_was_won_back(aucs, words):
    assert said(*aucs) == words


def test_it_writes_rows_curves_and_video_and_ends_with_the_summary(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    clip = render(AerialClip(width=320, height=180, seconds=1.0, target_px=30.0, occlusions=()))
    monkeypatch.setattr(demo, "_sequence", lambda options: (clip, "generated"))
    out = tmp_path / "out"
    assert main(["demo", "--out", str(out), "--tracker", "kcf", "--processing", "100ms"]) == 0
    rows = json.loads((out / "demo.json").read_text())["rows"]
    assert [(row["predictor"], row["propagation"], row["search_region"]) for row in rows] == [
        (None, None, "last"),
        ("hold", "none", "last"),
        ("kalman:pvt", "none", "predicted"),
        ("ensemble", "optical_flow", "predicted"),
    ]
    assert (out / "elae.png").stat().st_size > 1000
    assert cv2.VideoCapture(str(out / "demo.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == len(clip)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == demo.summary(rows, "100ms") and "ensemble" in printed
    assert f"written: {out}/demo.json (the rows), {out}/elae.png" in printed


def test_without_matplotlib_it_says_so_first_and_writes_the_rest(tmp_path, monkeypatch, capsys):
    clip = render(AerialClip(width=320, height=180, seconds=0.5, target_px=30.0, occlusions=()))
    monkeypatch.setattr(demo, "_sequence", lambda options: (clip, "generated"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    out = tmp_path / "out"
    assert main(["demo", "--out", str(out), "--tracker", "kcf"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("No plot this time: ") and "pip install 'pvtpp[report]'" in printed.splitlines()[0]
    assert sorted(path.name for path in out.iterdir()) == ["demo.json", "demo.mp4", "logs"]


def test_without_weights_csrt_takes_the_place_of_the_default_tracker(tmp_path, monkeypatch, capsys):
    from pvtpp import weights

    def missing(*_):
        raise weights.MissingWeights("nowhere")

    monkeypatch.setattr(weights, "find", missing)
    monkeypatch.setattr(demo, "evaluate", lambda sequences, grid, *_, **__: [] if print(grid.base.tracker) else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["demo", "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "CSRT takes its place (nowhere)" in printed and printed.splitlines()[-1] == "csrt"


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "out")]) == 2
    assert "cannot make the output folder" in capsys.readouterr().err
