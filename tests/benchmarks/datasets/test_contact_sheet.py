"""Contact sheets: the drawn box lies where the target is, and whatever cannot be drawn is written in words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import Dataset, VideoSequence, load
from pvtpp_benchmarks.datasets.contact_sheet import SEQUENCES_ON_A_SHEET, write_contact_sheets


def film(tree, name="a", count=9, size=(240, 160)):
    """A white target of 40 x 30 pixels on black, in a folder of its own."""
    rows = []
    for i in range(count):
        image = np.zeros((size[1], size[0], 3), np.uint8)
        left, top = 20 + 15 * i, 50 + 5 * i
        image[top : top + 30, left : left + 40] = 255
        place = tree.root / name / "img"
        place.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(place / f"{i:03d}.png"), image)
        rows.append(f"{left},{top},40,30\n")
    tree.text(f"{name}/groundtruth.txt", "".join(rows))


def test_boxes_are_drawn_round_the_target_in_frames_spread_over_the_sequence(tree, tmp_path):
    film(tree)
    (path,) = write_contact_sheets(load("folder", tree.root), str(tmp_path / "sheet.png"), frames=3)
    sheet = cv2.imread(path)
    assert sheet.shape == (300, 720, 3)
    for column, i in enumerate((0, 4, 8)):
        tile = sheet[20:180, column * 240 : (column + 1) * 240]
        green = (tile == (0, 255, 0)).all(axis=2)
        rows, columns = np.nonzero(green)
        assert (columns.min(), rows.min()) == (20 + 15 * i, 50 + 5 * i)
        assert (columns.max() + 1, rows.max() + 1) == (60 + 15 * i, 80 + 5 * i)
        assert (tile[55 + 5 * i : 75 + 5 * i, 25 + 15 * i : 55 + 15 * i] == 255).all()
        close = sheet[180:, column * 240 : (column + 1) * 240]
        assert (close[60, 120] == 255).all() and (close == (0, 255, 0)).all(axis=2).any()


def test_what_cannot_be_drawn_is_written_and_the_rest_is_drawn(tree, tmp_path):
    film(tree, "good", 2)
    film(tree, "damaged", 2)
    (tree.root / "damaged" / "img" / "000.png").write_bytes(b"no image")
    tree.text("broken/groundtruth.txt", "1,2\n")
    tree.boxes("without/groundtruth.txt")
    (path,) = write_contact_sheets(load("folder", tree.root), str(tmp_path / "sheet.jpg"))
    sheet = cv2.imread(path)
    assert sheet.shape == (4 * 300, 6 * 240, 3)
    assert all(sheet[i * 300 : (i + 1) * 300].max() > 150 for i in range(4))


def test_absent_targets_and_boxes_beyond_all_reason_are_no_error(tmp_path):
    rows = np.array([[1, 2, 3, 4], [np.nan] * 4, [1e30, -1e30, 1e-9, 5], [5, 5, 1e12, 1e12]])
    sequence = VideoSequence("a", rows)
    sheets = write_contact_sheets(Dataset("x", {"a": lambda: sequence}), str(tmp_path / "sheet.png"))
    assert cv2.imread(sheets[0]).shape == (300, 1440, 3)


def test_many_sequences_go_on_in_the_next_sheet(tmp_path):
    sequence = VideoSequence("a", np.ones((2, 4)))
    dataset = Dataset("x", {str(i): lambda: sequence for i in range(SEQUENCES_ON_A_SHEET + 1)})
    sheets = write_contact_sheets(dataset, str(tmp_path / "sheet.png"), frames=1)
    assert sheets == [str(tmp_path / "sheet.png"), str(tmp_path / "sheet-2.png")]
    assert cv2.imread(sheets[1]).shape == (300, 240, 3)


def test_another_ending_is_refused_before_the_work(tree, tmp_path, capsys):
    with pytest.raises(InputError, match=r"sheet\.gif: a contact sheet is a picture, expected .* \.png, \.jpg, \.jpeg"):
        write_contact_sheets(Dataset("x", {}), str(tmp_path / "sheet.gif"))
    film(tree)
    options = ["datasets", "check", "--dataset", "folder", "--root", str(tree.root), "--sheet"]
    assert main([*options, str(tmp_path / "sheet.gif")]) == 2
    assert main([*options, str(tmp_path / "none" / "sheet.png")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_line_takes_the_options_of_a_folder_and_says_where_the_sheet_is(tree, tmp_path, capsys):
    film(tree)
    boxes = (tree.root / "a" / "groundtruth.txt").read_text().replace(",", ";")
    (tree.root / "a" / "groundtruth.txt").rename(tree.root / "a" / "boxes.csv")
    tree.text("a/boxes.csv", "x;y;w;h\n" + boxes)
    sheet = str(tmp_path / "sheet.png")
    command = ["datasets", "check", "--dataset", "folder", "--root", str(tree.root), "--box-file", "boxes.csv"]
    assert main([*command, "--header", "--separator", ";", "--sheet", sheet, "--json", str(tmp_path / "r.json")]) == 0
    said = capsys.readouterr().out
    assert said.endswith(f"contact sheet: {sheet}\nno problems found\n")
    assert cv2.imread(sheet) is not None
    assert main(command) == 1
    assert "--header" in capsys.readouterr().out


def test_warnings_are_printed_and_do_not_fail(tree, capsys):
    tree.text("a/groundtruth.txt", "".join(f"0.{i},0.5,0.1,0.1\n" for i in range(2, 8)))
    assert main(["datasets", "check", "--dataset", "folder", "--root", str(tree.root)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "0 problems, 1 warnings" and said[-2].startswith("warning: a: the boxes look like cxcywh+normal")
