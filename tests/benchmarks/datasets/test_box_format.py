"""Box files of other formats: read by options, recognised by the check, refused where they contradict themselves."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_format import BoxFormat, read_boxes
from pvtpp_benchmarks.datasets.box_recognition import recognise, recognise_one_based
from pvtpp_benchmarks.datasets.dataset_check import check

SIZE = (320, 200)


def path_of(count=30, wide=24.0, high=18.0, start=(90.0, 60.0)):
    """Boxes ``[left, top, w, h]`` of a target that wanders over the image and changes its size a little."""
    i = np.arange(count)
    centre = np.column_stack([start[0] + 60 + 4 * i + 3 * np.sin(i), start[1] + 40 * np.sin(i / 9)])
    size = np.column_stack([wide + np.sin(i / 5), high + np.cos(i / 4)])
    return np.column_stack([centre - size / 2, size]).round(2)


def as_written(xywh, order, size=None):
    rows = np.array(xywh, dtype=float)
    if order == "xyxy":
        rows[:, 2:] += rows[:, :2]
    elif order == "cxcywh":
        rows[:, :2] += rows[:, 2:] / 2
    return rows if size is None else rows / np.array([*size, *size])


def text_of(rows, separator=","):
    return "".join(separator.join(f"{value:.6g}" for value in row) + "\n" for row in rows)


@pytest.mark.parametrize("order", ["xywh", "cxcywh", "xyxy"])
@pytest.mark.parametrize("scale", ["", "+normalised", "+1-based"])
def test_every_format_is_read_as_the_same_boxes(tmp_path, order, scale):
    xywh = path_of()
    rows = as_written(xywh, order, SIZE if scale == "+normalised" else None)
    if scale == "+1-based":
        rows[:, : 4 if order == "xyxy" else 2] += 1
    (tmp_path / "a.txt").write_text(text_of(rows))
    found = read_boxes(str(tmp_path / "a.txt"), BoxFormat.parse(order + scale), SIZE)
    np.testing.assert_allclose(found, xywh, atol=0.01)


@pytest.mark.parametrize(
    "content, options",
    [
        ("x,y,w,h\n1.5,2,3,4\n5,6,7,8\n", {"header": True}),
        ("\ufeffleft\ttop\twidth\theight\r\n1.5\t2\t3\t4\r\n5\t6\t7\t8\r\n", {"header": True}),
        ('"x","y","width","height"\n"1.5","2","3","4"\n5,6,7,8\n', {"header": True, "separator": ","}),
        ("1.5;2;3;4\n5;6;7;8\n", {"separator": ";"}),
        ("X min;Y min;W;H\n1,5;2,0;3,0;4\n5;6;7;8;\n\n", {"header": True, "separator": ";"}),
        ("1,5\t2\t3\t4\n5\t6\t7\t8\n", {"separator": "tab"}),
    ],
    ids=["header", "tabs of Windows", "quotes", "semicolons", "decimal commas", "decimal commas and tabs"],
)
def test_headers_and_separators_by_options(tmp_path, content, options):
    (tmp_path / "a.csv").write_bytes(content.encode())
    found = read_boxes(str(tmp_path / "a.csv"), BoxFormat.parse("xywh", **options))
    np.testing.assert_array_equal(found, [[1.5, 2, 3, 4], [5, 6, 7, 8]])


@pytest.mark.parametrize(
    "content, form, said",
    [
        ("1,2,3,4\n1,2,3\n", BoxFormat("xyxy"), r"line 2: '1,2,3' is not four numbers 'left,top,right,bottom'"),
        (
            "x1,y1,x2,y2\n1,2,3,4\n",
            BoxFormat(header=True),
            r"line 1: the columns are x1, y1, x2, y2, boxes='xywh' expects",
        ),
        ("cx,cy,w,h\n1,2,3,4\n", BoxFormat(header=True), r"line 1: the columns are cx, cy, w, h"),
        ("w,h,x,y\n1,2,3,4\n", BoxFormat(header=True), r"line 1: the columns are w, h, x, y"),
        ("9,9,9,9\n1,2,3,4\n", BoxFormat(header=True), "line 1: holds numbers, so it is no header"),
        ("x,y,w,h\n1,2,3,4\n1,2,3\n", BoxFormat(header=True), "line 3: '1,2,3' is not four"),
        ("frame;x;y;w;h\n1;1;2;3;4\n", BoxFormat(header=True, separator=";"), "line 2: '1 1 2 3 4' is not four"),
        ("10,10,30,30\n30,10,20,30\n", BoxFormat("xyxy"), r"line 2: right or bottom is less .* boxes='xyxy' cannot be"),
        ("0.1,0.1,0.2,0.2\n12,9,30,30\n", BoxFormat("xywh", "normalised"), "line 2: .* are no fractions of the image"),
        ("1;2;;4\n", BoxFormat(separator=";"), "line 1: '1 2 - 4' is not four numbers"),
        ("1 5,2,3,4\n", BoxFormat(separator=","), r"line 1: '1\?5 2 3 4' is not four numbers"),
        ("x,y,w,h\n", BoxFormat(header=True), "no boxes"),
        ("", BoxFormat(header=True), "no boxes"),
    ],
)
def test_a_file_that_contradicts_its_format_is_refused(tmp_path, content, form, said):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(InputError, match=rf"a\.txt.*{said}"):
        read_boxes(str(tmp_path / "a.txt"), form, SIZE)


def test_a_header_or_semicolons_without_their_option_name_it(tmp_path):
    for content, option in (
        ("x,y,w,h\n1,2,3,4\n", "--header"),
        ("1;2;3;4\n", "--separator"),
        ("a;b;c;d\n1;2;3;4\n", "--header"),
    ):
        (tmp_path / "a.txt").write_text(content)
        with pytest.raises(InputError, match=rf"line 1: .* is not four numbers .*{option}"):
            read_boxes(str(tmp_path / "a.txt"), BoxFormat())


@pytest.mark.parametrize("text", ["yolo", "xyxy+", "xywh+pixels", "normalised", "xywh+normalised+1-based", ""])
def test_another_format_lists_the_valid_ones(tree, text):
    tree.boxes("a/groundtruth.txt")
    with pytest.raises(InputError, match=r"boxes is .*, expected xywh, cxcywh or xyxy, where needed with \+normalised"):
        load("folder", tree.root, boxes=text)


def test_another_separator_lists_the_valid_ones(tree):
    tree.boxes("a/groundtruth.txt")
    with pytest.raises(InputError, match="separator is '|', expected one of: , ; tab"):
        load("folder", tree.root, separator="|")


def test_images_beside_the_box_file_and_another_name_of_it(tree):
    tree.boxes("a/boxes.csv")
    tree.images("a/%03d.png")
    dataset = load("folder", tree.root, box_file="boxes.csv", image_folder=".")
    assert dataset.names == ("a",) and len(dataset["a"].image_paths) == 4
    assert check(dataset).problems == ()
    alone = load("folder", tree.root / "a", box_file="boxes.csv", image_folder=".")
    assert alone.names == ("a",) and alone[0].frame(3).image.shape == (24, 32, 3)


def test_a_box_file_may_be_named_after_its_sequence_and_lie_elsewhere(tree):
    for name in ("a", "b"):
        tree.boxes(f"boxes/{name}.txt")
        tree.images(f"{name}/frames/%03d.png")
    dataset = load("folder", tree.root, box_file="../boxes/{name}.txt", image_folder="frames")
    assert dataset.names == ("a", "b") and len(dataset["b"].image_paths) == 4
    tree.boxes("c/c_gt.txt")
    assert load("folder", tree.root, box_file="{name}_gt.txt").names == ("c",)
    with pytest.raises(InputError, match="box_file is '/etc/passwd', expected a name"):
        load("folder", tree.root, box_file="/etc/passwd")
    with pytest.raises(InputError, match="image_folder is '', expected a name"):
        load("folder", tree.root, image_folder="")


def test_fractions_need_the_size_of_the_images(tree):
    tree.text("a/groundtruth.txt", text_of(as_written(path_of(4), "cxcywh", SIZE)))
    with pytest.raises(InputError, match=r"groundtruth\.txt: normalised boxes need the size of the images"):
        load("folder", tree.root, boxes="cxcywh+normalised")["a"]
    tree.text("index.json", '[{"name": "a", "width": 320, "height": 200}]')
    found = load("folder", tree.root, boxes="cxcywh+normalised")["a"].ground_truth_xywh
    np.testing.assert_allclose(found, path_of(4), atol=0.01)
    (tree.root / "index.json").unlink()
    tree.images("a/img/%03d.png", size=SIZE)
    found = load("folder", tree.root, boxes="cxcywh+normalised")["a"].ground_truth_xywh
    np.testing.assert_allclose(found, path_of(4), atol=0.01)


def test_flat_folders_take_the_format_too(tree):
    tree.text("a.txt", "x1;y1;x2;y2\n" + text_of(as_written(path_of(5), "xyxy"), ";"))
    (found,) = load("annotations", tree.root, boxes="xyxy", header=True, separator=";")
    np.testing.assert_allclose(found.ground_truth_xywh, path_of(5), atol=0.01)


@pytest.mark.parametrize("size", [SIZE, None])
@pytest.mark.parametrize(
    "order, normalised, expected",
    [("xyxy", False, "xyxy"), ("cxcywh", True, "cxcywh+normalised"), ("xyxy", True, "xyxy+normalised")],
)
def test_boxes_of_another_format_are_recognised(size, order, normalised, expected):
    found = recognise(as_written(path_of(), order, SIZE if normalised else None), size)
    assert found.boxes == expected and found.reason


@pytest.mark.parametrize(
    "rows, size, said",
    [
        (as_written(path_of(40, start=(-20.0, 60.0)), "xyxy"), None, "move with them"),
        (as_written(np.tile([200.0, 150, 30, 20], (8, 1)), "xyxy"), SIZE, "lead out of the image in 8 rows"),
        (np.tile([0.4, 0.5, 0.1, 0.2], (3, 1)), SIZE, "no number is above 1"),
        (np.vstack([[np.nan] * 4, as_written(path_of(), "xyxy")]), SIZE, "lead out of the image"),
    ],
    ids=["near the left", "at rest", "fractions at rest", "absent rows"],
)
def test_the_reason_is_said(rows, size, said):
    assert said in recognise(rows, size).reason


@pytest.mark.parametrize(
    "rows, size",
    [
        (path_of(), SIZE),
        (path_of(wide=200.0, high=150.0, start=(10.0, 80.0)), None),
        (
            np.column_stack(
                [np.linspace(60, 5, 30), np.linspace(60, 5, 30), np.linspace(90, 200, 30), np.linspace(90, 195, 30)]
            ),
            SIZE,
        ),
        (np.tile([3.0, 2, 20, 10], (9, 1)), SIZE),
        (np.full((4, 4), np.nan), SIZE),
        (np.array([[0.5, 0.5, 2.0, 2.0]]), (4, 4)),
    ],
    ids=["ordinary", "large", "coming nearer", "at rest in the corner", "absent", "an image of 4 pixels"],
)
def test_ordinary_boxes_are_not_taken_for_another_format(rows, size):
    assert recognise(rows, size) is None


@pytest.mark.real_data
@pytest.mark.parametrize("subset", ["DTB70_official", "UAVDT_ta", "VisDrone_jjs"])
def test_published_boxes_are_taken_as_they_are_and_their_corners_are_recognised(data_root, subset):
    sequences = list(load("annotations", data_root / "annotations" / "uav_annos.tar.xz", subset))
    assert [s.name for s in sequences if recognise(s.ground_truth_xywh, s.size)] == []
    corners = [recognise(as_written(s.ground_truth_xywh, "xyxy")) for s in sequences]
    assert sum(found is not None and found.boxes == "xyxy" for found in corners) >= len(sequences) - 2


def test_pixels_from_one_are_recognised_where_boxes_were_cut_at_the_border():
    rows = path_of()
    rows[:4, 0] = 1
    found = recognise_one_based([rows, path_of()], [None, SIZE])
    assert found.boxes == "xywh+1-based" and "begin at pixel 1 in 4 places and never before" in found.reason
    rows = np.clip(path_of(), 2, None)
    rows[-5:, 2] = SIZE[0] + 1 - rows[-5:, 0]
    assert "end one pixel beyond the image in 5 places" in recognise_one_based([rows], [SIZE]).reason
    rows[0, 1] = 0
    assert recognise_one_based([rows], [SIZE]) is None and recognise_one_based([path_of()], [SIZE]) is None
    assert recognise_one_based([], []) is None


@pytest.mark.parametrize(
    "order, scale, form",
    [("xyxy", None, "xyxy"), ("cxcywh", SIZE, "cxcywh+normalised")],
)
def test_check_warns_of_the_format_and_names_the_option_that_reads_it(tree, order, scale, form):
    tree.text("a/groundtruth.txt", text_of(as_written(path_of(), order, scale)))
    tree.images("a/img/%03d.png", count=30, size=SIZE)
    report = check(load("folder", tree.root))
    (warning,) = report.warnings
    assert warning.startswith(f"a: the boxes look like {form} (") and f"--boxes {form};" in warning
    assert report.rows[0].warnings == report.warnings
    mended = check(load("folder", tree.root, boxes=form))
    assert mended.problems == mended.warnings == ()


def test_check_warns_of_pixels_from_one_once_for_the_data_set(tree):
    for name in ("a", "b"):
        rows = path_of().round()
        rows[:3, 0] = 1
        tree.text(f"{name}/groundtruth.txt", text_of(rows))
    (warning,) = check(load("folder", tree.root)).warnings
    assert warning.startswith("data: the boxes look like xywh+1-based (boxes begin at pixel 1 in 6 places")
    assert check(load("folder", tree.root, boxes="xywh+1-based")).warnings == ()
