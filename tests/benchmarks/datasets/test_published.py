"""Every published layout, as a tree of tiny images: names, frames, which images belong to which sequence, absence."""

from __future__ import annotations

import os

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.lasot import names_of_test_split


def images(sequence):
    return [os.path.relpath(path, os.path.dirname(os.path.dirname(path))) for path in sequence.image_paths]


def absent(sequence):
    return np.isnan(sequence.ground_truth_xywh[:, 0]).tolist()


def test_dtb70_keeps_boxes_that_begin_outside_the_image(tree):
    tree.text("DTB70/Gull1/groundtruth_rect.txt", "-3,-2,8,6\n1,2,8,6\n")
    tree.images("DTB70/Gull1/img/%05d.jpg", count=2)
    for root in (tree.root, tree.root / "DTB70"):
        dataset = load("DTB70", root)
        assert (dataset.name, dataset.names, dataset.published) == ("dtb70", ("Gull1",), 70)
    gull = dataset["Gull1"]
    assert gull.ground_truth_xywh[0].tolist() == [-3, -2, 8, 6]
    assert images(gull) == ["img/00001.jpg", "img/00002.jpg"]
    assert load("DTB70", tree.root, images=False)[0].image_paths is None


@pytest.mark.parametrize("anno", ["anno", "UAV-benchmark-SOT_v1.0/anno"])
def test_uavdt_joins_annotations_and_images_by_name(tree, anno):
    tree.boxes(f"{anno}/S0101_gt.txt")
    tree.text(f"{anno}/att/S0101_att.txt", "1,0,0,0,0,0,0,1,0\n")
    assert load("uavdt", tree.root)["S0101"].image_paths is None
    tree.images("UAV-benchmark-S/S0101/img%06d.jpg")
    dataset = load("uavdt", tree.root)
    assert dataset.names == ("S0101",)
    assert images(dataset[0])[0] == "S0101/img000001.jpg"
    assert dataset[0].attributes == ("background clutter", "long-term tracking")


def test_visdrone_is_found_by_split_or_given_directly(tree):
    for split in ("test-dev", "val"):
        place = f"VisDrone2019-SOT-{split}"
        tree.boxes(f"{place}/annotations/uav1_{split}_s.txt")
        tree.images(f"{place}/sequences/uav1_{split}_s/img%07d.jpg")
    assert load("visdrone", tree.root).names == ("uav1_test-dev_s",)
    assert load("visdrone", tree.root, "val").names == ("uav1_val_s",)
    alone = load("visdrone", tree.root / "VisDrone2019-SOT-val", "val")
    assert images(alone[0])[3] == "uav1_val_s/img0000004.jpg"
    with pytest.raises(InputError, match=r"no sequence of visdrone \(split test-dev\) here"):
        load("visdrone", tree.root / "VisDrone2019-SOT-val")


def test_the_visdrone_challenge_gives_the_first_box_alone(tree):
    tree.boxes("initialization/a.txt", 1)
    tree.images("sequences/a/img%07d.jpg", count=3)
    a = load("visdrone", tree.root, "test-challenge")["a"]
    assert (len(a), absent(a)) == (3, [False, True, True])


def test_uav123_sequences_share_a_folder_and_start_where_the_table_says(tree):
    tree.text("anno/UAV123/bird1_1.txt", "1,2,3,4\nNaN,NaN,NaN,NaN\n5,6,7,8\n")
    tree.boxes("anno/UAV123/bird1_2.txt", 3)
    tree.boxes("anno/UAV123/car1_s.txt", 2)
    tree.text("anno/UAV123/att/bird1_1.txt", "1,0,1,0,0,0,0,0,0,0,0,0\n")
    tree.images("data_seq/UAV123/bird1/%06d.jpg", 1, 3)
    tree.images("data_seq/UAV123/bird1/%06d.jpg", 775, 5)
    tree.images("data_seq/UAV123/car1_s/%06d.jpg", 1, 2)
    dataset = load("uav123", tree.root)
    assert dataset.names == ("bird1_1", "bird1_2", "car1_s")
    assert images(dataset["bird1_1"])[-1] == "bird1/000003.jpg"
    assert images(dataset["bird1_2"]) == ["bird1/000775.jpg", "bird1/000776.jpg", "bird1/000777.jpg"]
    assert images(dataset["car1_s"])[0] == "car1_s/000001.jpg"
    assert absent(dataset["bird1_1"]) == [False, True, False]
    os.remove(str(tree.root / "data_seq/UAV123/bird1/000776.jpg"))
    with pytest.raises(InputError, match="image number 776 is missing, expected 775 to 777"):
        dataset["bird1_2"]


def test_uav123_at_10_fps_counts_its_own_images(tree):
    tree.boxes("UAV123_10fps/anno/UAV123_10fps/bird1_2.txt", 2)
    tree.images("UAV123_10fps/data_seq/UAV123_10fps/bird1/%06d.jpg", 258, 4)
    for root in (tree.root, tree.root / "UAV123_10fps"):
        bird = load("UAV123@10fps", root)["bird1_2"]
        assert images(bird) == ["bird1/000259.jpg", "bird1/000260.jpg"]
        assert (bird.camera_fps, bird.world_fps) == (10, 10)


def test_uav20l_runs_on_the_whole_folders_of_uav123(tree):
    tree.boxes("UAV123/anno/UAV20L/bird1.txt", 3)
    tree.boxes("UAV123/anno/UAV123/bird1_2.txt", 2)
    tree.images("UAV123/data_seq/UAV123/bird1/%06d.jpg", 1, 4)
    dataset = load("uav20l", tree.root)
    assert dataset.names == ("bird1",) and images(dataset[0])[-1] == "bird1/000003.jpg"


def test_lasot_drops_the_boxes_of_occluded_and_unseen_frames(tree):
    place = "airplane/airplane-1"
    tree.boxes(f"{place}/groundtruth.txt")
    tree.text(f"{place}/full_occlusion.txt", "0,1,0,0\n")
    tree.text(f"{place}/out_of_view.txt", "0,0,0,1\n")
    tree.images(f"{place}/img/%08d.jpg")
    tree.boxes("airplane/airplane-2/groundtruth.txt")
    tree.boxes("zebra-10/groundtruth.txt")
    dataset = load("lasot", tree.root)
    assert dataset.names == ("airplane-1", "zebra-10")
    assert absent(dataset["airplane-1"]) == [False, True, False, True]
    assert load("lasot", tree.root, "train").names == ("airplane-2",)
    assert load("lasot", tree.root, "all").names == ("airplane-1", "airplane-2", "zebra-10")


def test_the_lasot_test_split_has_four_videos_of_each_of_seventy_classes():
    classes = [name.rpartition("-")[0] for name in names_of_test_split()]
    assert len(classes) == 280
    assert {classes.count(name) for name in classes} == {4} and len(set(classes)) == 70


@pytest.mark.real_data
def test_every_lasot_test_video_is_in_the_real_annotations(data_root):
    dataset = load("annotations", data_root / "annotations" / "lasot_annos.tar.xz")
    assert len(dataset) == 1400 and names_of_test_split() <= set(dataset.names)


def test_got10k_follows_its_list_and_leaves_absent_frames_out(tree):
    for name in ("GOT-10k_Val_000001", "GOT-10k_Val_000002"):
        tree.boxes(f"val/{name}/groundtruth.txt")
        tree.images(f"val/{name}/%08d.jpg")
        tree.text(f"val/{name}/absence.label", "0\n1\n0\n0\n")
        tree.text(f"val/{name}/cover.label", "8\n0\n0\n1\n")
        tree.text(f"val/{name}/meta_info.ini", "[METAINFO]\nanno_fps: 10Hz\nresolution: (32, 24)\n")
    tree.text("val/list.txt", "GOT-10k_Val_000002\nGOT-10k_Val_000001\n")
    dataset = load("got10k", tree.root)
    assert dataset.names == ("GOT-10k_Val_000002", "GOT-10k_Val_000001")
    first = dataset[0]
    assert (first.camera_fps, first.world_fps, first.size) == (10, 10, (32, 24))
    assert absent(first) == [False, True, True, False]
    assert images(first)[0] == "GOT-10k_Val_000002/00000001.jpg"


def test_got10k_test_has_the_first_box_alone_and_labels_need_no_images(tree):
    tree.boxes("test/GOT-10k_Test_000001/groundtruth.txt", 1)
    tree.images("test/GOT-10k_Test_000001/%08d.jpg", count=3)
    assert absent(load("got10k", tree.root, "test")[0]) == [False, True, True]
    tree.boxes("val/GOT-10k_Val_000001/groundtruth.txt")
    assert load("got10k", tree.root, "val")[0].image_paths is None
    tree.text("val/list.txt", "\n")
    with pytest.raises(InputError, match=r"list\.txt: empty"):
        load("got10k", tree.root, "val")


def test_otb_reads_mixed_separators_and_two_targets_of_one_video(tree):
    tree.boxes("Jogging/groundtruth_rect.1.txt", 3, "\t")
    tree.boxes("Jogging/groundtruth_rect.2.txt", 3, ",")
    tree.images("Jogging/img/%04d.jpg", count=3)
    tree.text("Human4/groundtruth_rect.1.txt", "\n")
    tree.boxes("Human4/groundtruth_rect.2.txt", 2)
    tree.boxes("KiteSurf/groundtruth_rect.txt", 2, " ")
    tree.images("KiteSurf/img/%04d.png", count=2)
    dataset = load("otb", tree.root)
    assert dataset.names == ("Human4.2", "Jogging.1", "Jogging.2", "KiteSurf")
    assert [len(sequence) for sequence in dataset] == [2, 3, 3, 2]
    assert images(dataset["Jogging.2"]) == ["img/0001.jpg", "img/0002.jpg", "img/0003.jpg"]
    assert images(dataset["KiteSurf"])[0] == "img/0001.png"


@pytest.mark.parametrize(
    "name, on_disk, rows, expected",
    [
        ("David", (298, 6), 3, ("0300", "0302")),
        ("Football1", (1, 6), 4, ("0001", "0004")),
        ("BlurCar1", (247, 4), 4, ("0247", "0250")),
        ("BlurCar3", (3, 4), 4, ("0003", "0006")),
        ("BlurCar4", (18, 4), 4, ("0018", "0021")),
        ("Tiger1", (1, 8), 8, ("0006", "0008")),
    ],
)
def test_otb_sequences_that_do_not_begin_at_image_1(tree, name, on_disk, rows, expected):
    tree.boxes(f"{name}/groundtruth_rect.txt", rows)
    tree.images(f"{name}/img/%04d.jpg", *on_disk)
    shown = images(load("otb", tree.root)[name])
    assert (shown[0], shown[-1]) == tuple(f"img/{number}.jpg" for number in expected)


@pytest.mark.parametrize("name", ["otb", "dtb70"])
def test_a_truncated_annotation_is_named_when_its_sequence_is_read(tree, name):
    tree.text("Boy/groundtruth_rect.txt", "1,2,3,4\n5,6\n")
    dataset = load(name, tree.root)
    with pytest.raises(InputError, match=r"Boy/groundtruth_rect\.txt, line 2: '5,6' is not four numbers"):
        dataset["Boy"]


def test_surplus_images_of_an_ordinary_sequence_are_an_error(tree):
    tree.boxes("Boy/groundtruth_rect.txt", 3)
    tree.images("Boy/img/%04d.jpg", count=4)
    with pytest.raises(InputError, match="4 images for 3 camera frames"):
        load("otb", tree.root)["Boy"]


@pytest.mark.real_data
def test_the_uav123_table_agrees_with_the_real_annotations(data_root):
    """Parts of one video share at most one frame and end before the long sequence of that video does."""
    from pvtpp_benchmarks.datasets.uav123 import _FIRST_IMAGE as first

    archive = data_root / "annotations" / "uav_annos.tar.xz"
    thirty, ten, long = (load("annotations", archive, part) for part in ("UAV123", "UAV123_10fps", "UAV123_20L"))
    assert set(first) <= set(thirty.names)
    unlisted = {n for n in thirty.names if n.rpartition("_")[2].isdigit()} - set(first)
    assert all(name.endswith("_1") for name in unlisted)
    for name, start in first.items():
        stem, _, part = name.rpartition("_")
        before = f"{stem}_{int(part) - 1}"
        assert start >= first.get(before, 1) + len(thirty[before]) - 1
        if stem in long:
            assert start + len(thirty[name]) - 1 <= len(long[stem])
            whole, piece = long[stem].ground_truth_xywh[start - 1 :], thirty[name].ground_truth_xywh
            both = np.isfinite(piece[:, 0]) & np.isfinite(whole[: len(piece), 0])
            assert both.any() and np.median(np.abs(whole[: len(piece)] - piece)[both]) < 1
    for name in thirty.names:
        assert len(ten[name]) == -(-len(thirty[name]) // 3)
