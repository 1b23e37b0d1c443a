"""Image files: their order goes by number or is refused, and all images of a sequence become 8 bits by one rule."""

from __future__ import annotations

import os
import pickle
import random
import re

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.pixel_depth import Stretch
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.dataset_check import check
from pvtpp_benchmarks.datasets.image_files import ImageReader, decode, is_hidden, list_images, read_header, read_image


def listed(folder, names):
    """The images of a new folder with these files, made in a random order."""
    os.makedirs(str(folder))
    for name in random.Random(3).sample(names, len(names)):
        (folder / name).write_bytes(b"x")
    return [os.path.basename(path) for path in list_images(str(folder))]


@pytest.mark.parametrize(
    "names",
    [
        [f"{i}.jpeg" if i % 3 else f"{i}.JPG" for i in range(5, 31)],
        [f"cam{i}.png" for i in range(95, 106)],
        [f"{i:03d}.png" if i < 8 else f"{i}.png" for i in range(5, 15)],
        [f"{i / 16}.png" for i in range(3, 50)],
        [f"t_{i / 8:g}.bmp" for i in range(5, 30)],
        [f"{1700000000 + i / 4:.3f}.png" for i in range(9)],
        [f"{i}e-05.png" for i in range(7, 12)],
        [f"-{i}.png" for i in (12, 5, 1)] + ["0.png", "3.png"],
        [f"3.{i}.png" for i in range(1, 13)],
        [f"2024.2.{i}_{j}.png" for i in (9, 10) for j in (8, 12)],
        ["first.png", "Second.png", "third.png"],
        ["a1.png", "b2.png", "c3.png"],
    ],
    ids=lambda names: names[-1],
)
def test_the_order_is_that_of_the_numbers(tmp_path, names):
    assert listed(tmp_path / "img", names) == names


@pytest.mark.parametrize(
    "names, said",
    [
        (["1.png", "2.png", "01.jpg"], "both have the same number"),
        (["7.png", "7.jpg"], "both have the same number"),
        (["left_1.png", "left_2.png", "right_1.png", "right_2.png"], "both have the same number"),
        (["1.png", "2.png", "cover.png"], "one has a number and the other has none"),
        (["before_10.png", "after_11.png", "before_9.png"], "they differ in more than a number"),
        (["1.8.png", "1.9.png", "1.10.png"], "may be decimals or numbers of their own"),
        (["0.50.png", "0.125.png"], "may be decimals or numbers of their own"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_an_order_that_is_not_clear_is_refused_with_two_names(tmp_path, names, said):
    with pytest.raises(InputError, match=rf"img: the order of the images is not clear, .*png first: .*{said}"):
        listed(tmp_path / "img", names)


def test_hidden_files_and_those_of_a_system_are_no_images(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "__MACOSX").mkdir()
    for name in ("1.png", "._1.png", ".2.png", "Thumbs.db", "desktop.ini", "10.PNG", "notes.txt"):
        (tmp_path / "img" / name).write_bytes(b"x")
    assert [os.path.basename(path) for path in list_images(str(tmp_path / "img"))] == ["1.png", "10.PNG"]
    assert is_hidden("THUMBS.DB") and is_hidden("@eaDir") and not is_hidden("thumbs.png")


def thermal(shift=0.0, size=(24, 32)):
    """A frame of 14 bits: a ramp of 500 levels and a hot spot."""
    image = np.linspace(7000, 7500, size[0] * size[1]).reshape(size) + shift
    image[4:8, 4:8] += 300
    return image


def written(path, image):
    os.makedirs(os.path.dirname(str(path)), exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return str(path)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_become_eight_by_the_levels_of_the_first_image(tmp_path, ending):
    frames = [thermal(shift).astype(np.uint16) for shift in (0, 30, 2000)]
    paths = [written(tmp_path / f"{i}.{ending}", frame) for i, frame in enumerate(frames)]
    reader = ImageReader(paths)
    late, middle, first = (reader.read(i) for i in (2, 1, 0))
    assert first.dtype == np.uint8 and first.shape == (24, 32, 3) and len(np.unique(first)) > 100
    assert (first == first[:, :, :1]).all()
    assert 0 < first.min() and first.max() < 255
    # A brighter scene is brighter, not stretched anew.
    np.testing.assert_allclose(
        middle.mean() - first.mean(), 30 * 255 / (Stretch.of(frames[0]).high - Stretch.of(frames[0]).low), atol=1
    )
    assert (late == 255).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).read(1), middle)
    np.testing.assert_array_equal(ImageReader(paths).read(1), middle)
    np.testing.assert_array_equal(read_image(paths[0]), first)


def test_temperatures_in_floating_point_and_colours_of_sixteen_bits_are_stretched_too(tmp_path):
    degrees = (thermal() / 100 - 60).astype(np.float32)
    degrees[0, 0] = np.nan
    image = read_image(written(tmp_path / "a.tiff", degrees))
    assert image.dtype == np.uint8 and len(np.unique(image)) > 100 and image[0, 0].tolist() == [0, 0, 0]
    colours = np.dstack([thermal(), thermal(200), thermal(400)]).astype(np.uint16)
    image = read_image(written(tmp_path / "b.png", colours))
    assert image[10, 10, 0] < image[10, 10, 1] < image[10, 10, 2]


def test_whole_numbers_are_not_stretched_apart():
    flat = np.full((8, 8), 9000, np.uint16)
    flat[0, 0] = 9003
    made = Stretch.of(flat)(flat)
    assert abs(int(made[0, 0]) - int(made[1, 1])) == 3


def test_an_image_without_numbers_has_no_levels(tmp_path):
    path = written(tmp_path / "a.tiff", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(InputError, match=r"a\.tiff: an image without a single finite number"):
        read_image(path)


def test_images_of_eight_bits_are_read_as_opencv_reads_them(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 4), dtype=np.uint8)
    for name, image in (
        ("a.png", pixels),
        ("b.png", pixels[:, :, 0]),
        ("c.jpg", pixels[:, :, :3]),
        ("d.bmp", pixels[:, :, :3]),
    ):
        path = written(tmp_path / name, image)
        np.testing.assert_array_equal(read_image(path), cv2.imread(path, cv2.IMREAD_COLOR))


def test_a_change_of_the_number_of_bits_is_refused(tmp_path):
    paths = [
        written(tmp_path / "0.png", np.full((8, 8), 90, np.uint8)),
        written(tmp_path / "1.png", np.full((8, 8), 9000, np.uint16)),
    ]
    with pytest.raises(InputError, match=r"1\.png: the values are uint16, those of the first image .*0\.png uint8"):
        ImageReader(paths).read(1)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
def test_a_header_tells_size_and_bits(tmp_path, name):
    path = written(tmp_path / name, np.zeros((24, 32, 3), np.uint8))
    assert read_header(path) == (32, 24, 8, False)
    content = open(path, "rb").read()
    for length in range(0, 24):
        (tmp_path / name).write_bytes(content[:length])
        assert read_header(path) is None
    assert read_header(str(tmp_path / "none.png")) is None
    assert read_header(written(tmp_path / "alpha.png", np.zeros((9, 7, 4), np.uint16))) == (7, 9, 16, True)


def sequence(tree, count=6):
    tree.boxes("a/groundtruth.txt", count)
    tree.images("a/img/%03d.png", count=count)
    return tree.root / "a" / "img"


def test_check_says_that_sixteen_bits_are_stretched_and_by_which_levels(tree):
    tree.boxes("a/groundtruth.txt")
    for i in range(4):
        written(tree.root / "a" / "img" / f"{i}.png", thermal(i).astype(np.uint16))
    report = check(load("folder", tree.root))
    assert report.problems == () and len(report.warnings) == 1
    assert (
        "a: the images have 16 bits a value; they are stretched to 8 bits by the levels of the first one, 69"
        in report.warnings[0]
    )
    images = [load("folder", tree.root)["a"].frame(i).image for i in (3, 0)]
    assert images[0].mean() > images[1].mean()


@pytest.mark.parametrize(
    "odd, said",
    [
        (np.zeros((12, 32, 3), np.uint8), r"003\.png and 1 more: image is 32x12, the sequence began with 32x24"),
        (np.zeros((24, 32), np.uint16), r"003\.png and 1 more: image has 16 bits a value, the sequence began with 8"),
    ],
)
def test_check_finds_an_odd_image_in_the_middle_without_opening_all(tree, odd, said):
    folder = sequence(tree)
    for name in ("003.png", "004.png"):
        written(folder / name, odd)
    for decode_choice in ("ends", "all"):
        (problem,) = check(load("folder", tree.root), decode_choice).problems
        assert re.search(said, problem)


def test_check_says_that_an_alpha_channel_is_left_out(tree):
    folder = sequence(tree)
    written(folder / "002.png", np.full((24, 32, 4), 90, np.uint8))
    report = check(load("folder", tree.root))
    assert report.problems == () and report.warnings == ("a: the images have an alpha channel, which is left out",)


def test_a_damaged_image_is_an_input_error_whatever_opencv_raises(tmp_path):
    content = open(written(tmp_path / "a.png", np.zeros((24, 32, 3), np.uint8)), "rb").read()
    huge = content[:16] + b"\x7f\xff\xff\xff\x7f\xff\xff\xff" + content[24:]
    for data in (b"", b"x", content[:40], huge):
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(InputError, match=r"a\.png: not an image that OpenCV can decode"):
            decode(str(tmp_path / "a.png"))
