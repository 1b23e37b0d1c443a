"""The study of clicks gives the figures of the docs, and refuses bad input before the work."""

import json

import pytest

from pvtpp_benchmarks.studies import point_selection
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip


def test_clicks_on_a_clip_are_averaged_and_the_same_seed_clicks_the_same_places():
    clip = render(AerialClip("flight", 1, seconds=1.0, occlusions=()))
    rows = point_selection.measure([clip], 4)
    assert [(row["clip"], row["beside"], row["clicks"]) for row in rows] == [
        (name, beside, 4) for beside in (0.0, 0.25) for name in ("flight", "mean")
    ]
    assert rows[0]["motion"] > rows[0]["square"] > 0 and rows[0]["found"] > 0
    assert rows == point_selection.measure([clip], 4)


def test_the_table_and_the_file_say_the_same(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(point_selection, "GENERATED", 1)
    path = tmp_path / "found.json"
    assert point_selection.main(["--clicks", "2", "--json", str(path)]) == 0
    rows = json.loads(path.read_text())["iou"]["generated"]
    assert f"{rows[0]['motion']:8.3f}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--clicks", "0"], ["nowhere"], ["--json", "/nowhere/at/all.json"]])
def test_bad_input_is_refused(arguments):
    with pytest.raises(SystemExit) as ended:
        point_selection.main(arguments)
    assert ended.value.code == 2
