"""Files as editors and systems leave them: byte order marks everywhere, hidden files beside the user's own."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_flags, read_xywh
from pvtpp_benchmarks.datasets.dataset_check import check
from pvtpp_benchmarks.formats import read_results

APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"
SAVED = {
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 little endian": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16 big endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "lines of an old Mac": lambda text: text.replace("\n", "\r").encode(),
}


def hide(folder, *names):
    for name in names:
        (folder / f"._{name}").write_bytes(APPLE)
        (folder / f".{name}").write_bytes(APPLE)
    (folder / "Thumbs.db").write_bytes(APPLE)


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
def test_every_file_of_a_folder_may_be_saved_so(tree, saved):
    def put(path, text):
        tree.text(path, "").write_bytes(saved(text))

    put("a/groundtruth.txt", "1,2,3,4\n2,2,3,4\n3,2,3,4\n4,2,3,4\n")
    put("index.json", json.dumps([{"name": "a", "fps": 25}], indent=1))
    put("a/gyro.csv", "# t_ns,x,y,z\n0,0,0,0.5\n1000000,0,0,0\n")
    put("a/camera.json", json.dumps({"camera_matrix": [[300, 0, 160], [0, 300, 120], [0, 0, 1]]}))
    dataset = load("folder", tree.root)
    assert check(dataset).problems == ()
    a = dataset["a"]
    assert (a.camera_fps, len(a), a.gyro.t_ns.tolist(), a.gyro.rates[0, 2]) == (25, 4, [0, 1_000_000], 0.5)


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
def test_lists_flags_and_results_may_be_saved_so(tree, saved):
    for name in ("car", "dog"):
        tree.boxes(f"val/{name}/groundtruth.txt")
        tree.text(f"val/{name}/absence.label", "").write_bytes(saved("0\n1\n0\n0\n"))
    tree.text("val/list.txt", "").write_bytes(saved("car\ndog\n"))
    got10k = load("got10k", tree.root)
    assert got10k.names == ("car", "dog")
    assert np.isnan(got10k["dog"].ground_truth_xywh[:, 0]).tolist() == [False, True, False, False]
    result = tree.text("result/car.txt", "")
    result.write_bytes(saved("1\t2\t3\t4\n5\t6\t7\t8\n"))
    boxes = read_results(str(result.parent), ["car"])["car"]
    np.testing.assert_array_equal(boxes.xywh[0], [[1, 2, 3, 4], [5, 6, 7, 8]])
    result.write_bytes(saved("1\n0\n"))
    assert read_flags(str(result), 2).tolist() == [1, 0]


def test_hidden_files_are_no_sequences_images_boxes_or_results(tree):
    for name in ("a", "b"):
        tree.boxes(f"set/{name}/groundtruth.txt")
        tree.images(f"set/{name}/img/%06d.jpg")
        hide(tree.root / "set" / name / "img", "000001.jpg", "000009.jpg")
        hide(tree.root / "set" / name, "groundtruth.txt")
        tree.boxes(f"boxes/{name}.txt")
        tree.boxes(f"otb/{name}/groundtruth_rect.txt")
        hide(tree.root / "otb" / name, "groundtruth_rect.txt")
    for extra in (".hidden", "__MACOSX", "@eaDir"):
        tree.boxes(f"set/{extra}/groundtruth.txt")
        tree.boxes(f"boxes/{extra}/x.txt")
        tree.boxes(f"otb/{extra}/groundtruth_rect.txt")
    hide(tree.root / "boxes", "a.txt", "c.txt", "a_gt.txt")
    hide(tree.root, "index.json")
    assert check(load("folder", tree.root / "set")).problems == ()
    assert load("folder", tree.root / "set").names == ("a", "b")
    assert load("annotations", tree.root / "boxes").names == ("a", "b")
    assert load("otb", tree.root / "otb").names == ("a", "b")
    assert set(read_results(str(tree.root / "boxes"), ["a", "b"])) == {"a", "b"}


def test_a_folder_with_nothing_but_hidden_boxes_is_no_data_set(tree):
    tree.boxes("real/set/a.txt")
    tree.boxes("real/__MACOSX/set/._a.txt")
    (tree.root / "real" / "._set.txt").write_bytes(APPLE)
    assert load("annotations", tree.root / "real").names == ("a",)


def test_hidden_files_of_an_archive_are_not_unpacked(tmp_path):
    path = tmp_path / "boxes.tar"
    members = {"S/x.txt": b"1,2,3,4\n", "S/._x.txt": APPLE, "._S": APPLE, "__MACOSX/S/y.txt": APPLE, "S/.z.txt": APPLE}
    with tarfile.open(str(path), "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert load("annotations", path).names == ("x",)
    assert load("annotations", path, "S").names == ("x",)


def test_hidden_annotations_of_a_video_are_left_out(tree):
    for number in range(3):
        box = f"<bndbox><xmin>{number}</xmin><xmax>9</xmax><ymin>1</ymin><ymax>5</ymax></bndbox>"
        size = "<size><width>32</width><height>24</height></size>"
        text = f"<annotation>{size}<object><trackid>0</trackid>{box}</object></annotation>"
        tree.text(f"Annotations/VID/val/video/{number:06d}.xml", text)
    hide(tree.root / "Annotations" / "VID" / "val" / "video", "000001.xml", "000007.xml")
    assert len(load("imagenet-vid", tree.root)[0]) == 3


def test_a_mark_inside_a_file_is_still_an_error(tmp_path):
    (tmp_path / "a.txt").write_bytes("1,2,3,4\n\ufeff5,6,7,8\n".encode())
    with pytest.raises(ValueError, match=r"a\.txt, line 2"):
        read_xywh(str(tmp_path / "a.txt"))
