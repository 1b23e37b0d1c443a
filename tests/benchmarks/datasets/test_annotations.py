from __future__ import annotations

import io
import os
import tarfile

import pytest

from pvtpp.errors import InputError
from pvtpp.files import cache_folder
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.archive import unpack

ROWS = b"1,2,3,4\n2,3,4,5\n3,4,5,6\n4,5,6,7\n"
SUBSETS = {
    "DTB70_official": (70, 30),
    "UAV123": (123, 30),
    "UAV123_10fps": (123, 10),
    "UAV123_20L": (20, 30),
    "UAVDT_ta": (50, 30),
    "VisDrone_jjs": (35, 30),
}


def make_archive(path, members, mode="w:xz"):
    """`members`: name -> bytes, or a prepared TarInfo for anything but a plain file."""
    with tarfile.open(str(path), mode) as archive:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return path


@pytest.fixture
def archive(tmp_path):
    return make_archive(tmp_path / "boxes.tar.xz", {"A/x.txt": ROWS, "A/y.txt": ROWS, "B_10fps/z.txt": ROWS})


def unpacked():
    home = os.path.join(cache_folder(), "annotations")
    return sorted(os.listdir(home)) if os.path.isdir(home) else []


def test_a_flat_folder_is_a_data_set_without_images(tree):
    tree.boxes("mine/a.txt")
    tree.boxes("mine/b.txt", 7, "\t")
    dataset = load("annotations", tree.root / "mine")
    assert (dataset.name, dataset.names) == ("mine", ("a", "b"))
    assert (len(dataset["b"]), dataset["b"].world_fps, dataset["b"].image_paths) == (7, 30, None)


def test_the_camera_may_be_slower_than_the_annotated_world(tree):
    tree.boxes("b.txt", 7)
    b = load("annotations", tree.root, camera_fps=10)["b"]
    assert (b.world_fps, b.camera_fps, len(b), len(b.ground_truth_xywh)) == (30, 10, 3, 7)
    assert load("annotations", tree.root, fps=24)["b"].camera_fps == 24


def test_a_subset_of_an_archive_is_chosen_by_its_folder(archive):
    assert load("annotations", archive, "A").names == ("x", "y")
    assert load("annotations", archive, subset="A").name == "A"
    ten = load("annotations", archive, "B_10fps")
    assert (ten.name, ten[0].world_fps, ten[0].camera_fps) == ("B_10fps", 10, 10)
    with pytest.raises(InputError, match="no subset 'C'; valid: A, B_10fps"):
        load("annotations", archive, "C")
    with pytest.raises(InputError, match="several subsets, choose one: A, B_10fps"):
        load("annotations", archive)


def test_a_subset_cannot_lead_out_of_the_root(tree):
    tree.boxes("a/b/x.txt")
    tree.boxes("secret/y.txt")
    with pytest.raises(InputError, match="no subset"):
        load("annotations", tree.root / "a", "../secret")


def test_a_single_subset_needs_no_choice(tmp_path):
    path = make_archive(tmp_path / "one.tar", {"LaSOT/a-1.txt": ROWS}, "w")
    assert load("annotations", path).names == ("a-1",)


def test_one_sequence_annotated_twice_is_refused(tree):
    tree.boxes("S1_gt.txt")
    tree.boxes("S1.txt")
    with pytest.raises(InputError, match="two files annotate 'S1'"):
        load("annotations", tree.root)


def test_an_archive_is_unpacked_once_and_again_when_it_changes(archive):
    first = unpack(str(archive))
    os.utime(os.path.join(first, "A", "x.txt"), ns=(1, 1))
    assert unpack(str(archive)) == first
    assert os.stat(os.path.join(first, "A", "x.txt")).st_mtime_ns == 1
    make_archive(archive, {"A/x.txt": ROWS * 2, "A/new.txt": ROWS})
    os.utime(str(archive), ns=(5, 5))
    assert unpack(str(archive)) != first
    assert "new" in load("annotations", archive).names


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "members",
    [
        {"../evil.txt": ROWS},
        {"A/../../evil.txt": ROWS},
        {"/tmp/evil.txt": ROWS},
        {"A": special("A", tarfile.SYMTYPE, "/tmp"), "A/evil.txt": ROWS},
        {"A/link.txt": special("A/link.txt", tarfile.LNKTYPE, "/etc/passwd")},
        {"A/pipe": special("A/pipe", tarfile.FIFOTYPE)},
    ],
    ids=["up", "up inside", "absolute", "symlink", "hard link", "pipe"],
)
def test_archives_that_reach_out_of_their_tree_are_refused_and_leave_nothing(tmp_path, members):
    path = make_archive(tmp_path / "evil.tar.xz", {"A/good.txt": ROWS, **members})
    with pytest.raises(InputError, match="is not a plain file inside the archive's own tree"):
        load("annotations", path, "A")
    assert unpacked() == []


@pytest.mark.parametrize("content", [b"1,2,3,4\n", b"", None], ids=["text", "empty", "cut off"])
def test_an_incomplete_archive_or_another_file_is_refused_and_leaves_nothing(archive, content):
    archive.write_bytes(archive.read_bytes()[:-60] if content is None else content)
    with pytest.raises(InputError, match=r"not a complete \.tar") as caught:
        load("annotations", archive, "A")
    assert "\n" not in str(caught.value)
    assert unpacked() == []


def test_a_cache_that_cannot_be_written_says_how_to_move_it(archive, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="set PVTPP_CACHE"):
        load("annotations", archive, "A")


@pytest.mark.real_data
@pytest.mark.parametrize("subset", SUBSETS)
def test_the_real_archive_has_all_sequences_of_every_aerial_set(data_root, subset):
    dataset = load("annotations", data_root / "annotations" / "uav_annos.tar.xz", subset)
    count, fps = SUBSETS[subset]
    assert (dataset.name, len(dataset)) == (subset, count)
    for sequence in dataset:
        assert sequence.world_fps == sequence.camera_fps == fps
        assert (sequence.ground_truth_xywh[0, 2:] > 0).all()
