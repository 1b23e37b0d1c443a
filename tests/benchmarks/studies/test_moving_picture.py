"""The README's moving picture: three real runs of one clip, side by side, small enough for a page."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")
image = pytest.importorskip("PIL.Image")
from pvtpp_benchmarks.studies import moving_picture  # noqa: E402

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "figures" / "side_by_side.webp"


def test_the_committed_picture_moves_and_stays_below_a_megabyte():
    assert os.path.getsize(COMMITTED) < 1e6
    with image.open(COMMITTED) as picture:
        assert picture.n_frames > 60 and picture.size[0] > 3 * 200


def test_three_runs_of_one_clip_are_drawn_side_by_side(tmp_path, capsys):
    path = tmp_path / "small.webp"
    arguments = ["--out", str(path), "--tracker", "kcf", "--seconds", "1", "--size", "120", "90", "--every", "3"]
    assert moving_picture.main(arguments) == 0
    overlaps = {line.split(": ")[0]: float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[:3]}
    assert overlaps["ensemble"] > overlaps["hold"]
    with image.open(path) as picture:
        assert picture.n_frames == 10 and picture.size == (3 * 120 + 2 * 4, 90 + 34)
        colours = []
        for at in (0, picture.n_frames - 1):
            picture.seek(at)
            colours.append(np.asarray(picture.convert("RGB")).astype(int))
    assert np.abs(colours[0] - colours[1]).max() > 50


@pytest.mark.parametrize(
    ("out", "message"), [("picture.png", "must end in .webp"), ("none/there/a.webp", "none/there")]
)
def test_where_it_cannot_be_written_is_one_line(out, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        moving_picture.main(["--out", out])
    assert ended.value.code == 2 and message in capsys.readouterr().err
