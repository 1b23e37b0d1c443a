"""A tracker's curves among the published ones: all are in the figure, and rows that cannot be compared are refused."""

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import SequenceBoxes
from pvtpp_benchmarks.published import published
from pvtpp_benchmarks.report.among import comparable, plot_among
from pvtpp_benchmarks.score_files import score_files


def rows(dataset="DTB70", mode="elae", camera=30.0):
    boxes = np.random.default_rng(0).normal(size=(60, 4)).cumsum(axis=0) + [300, 200, 60, 50]
    clip = VideoSequence("walk", boxes, 30.0, camera)
    results = {"walk": SequenceBoxes(boxes[:: clip.stride])}
    return score_files("mine", results, [clip], dataset, "47ms", (mode,))


def test_own_and_published_curves_are_in_the_figure_with_the_hardware(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "among.svg"
    plot_among(str(path), rows("DTB70_official"))
    text = path.read_text()
    for tracker in published().offline:
        assert text.count(f'<g id="{tracker}">') == 2, tracker
    assert text.count('<g id="hold, 47 ms">') == 2


def test_rows_that_cannot_be_compared_are_refused():
    known = published()
    dataset, chosen = comparable([*rows(), *rows(mode="otb")], known)
    assert dataset == "DTB70" and list(chosen) == ["hold, 47 ms"]
    for wrong in (rows(mode="otb"), rows(camera=10.0), []):
        with pytest.raises(InputError, match="no online row in metric mode elae at camera 30 and world 30 fps"):
            comparable(wrong, known)
    with pytest.raises(InputError, match="no published curves of data set 'walks'"):
        comparable(rows("walks"), known)
    with pytest.raises(InputError, match="rows of DTB70, UAVDT, draw one data set at a time"):
        comparable([*rows(), *rows("UAVDT")], known)


def test_the_command_line_says_before_the_work_what_is_missing(tmp_path, capsys):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "a.txt").write_text("1,2,3,4\n" * 9)
    asked = [
        "replay",
        "--results",
        str(tmp_path / "truth"),
        "--dataset",
        "annotations",
        "--root",
        str(tmp_path / "truth"),
    ]
    for more, expected in (
        (["--among", "published"], "name its file with --plot"),
        (["--among", "published", "--plot", str(tmp_path / "a.svg")], "add --mode elae"),
        (
            ["--among", "published", "--plot", str(tmp_path / "a.svg"), "--mode", "elae"],
            "no published curves of data set 'truth', there are those of: DTB70, UAVDT, UAV123",
        ),
    ):
        assert main([*asked, *more]) == 2
        assert expected in capsys.readouterr().err
