"""Every encoding becomes the same BGR picture, and what is no picture says why."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import images


def encoded(bgr, encoding):
    """The picture as a camera of this encoding sends it."""
    blue, green, red = cv2.split(bgr)
    alpha = np.full_like(blue, 255)
    if encoding.startswith("bayer_"):
        mosaic = np.empty_like(blue)
        planes = {"r": red, "g": green, "b": blue}
        for (row, column), letter in zip(((0, 0), (0, 1), (1, 0), (1, 1)), encoding[6:10]):
            mosaic[row::2, column::2] = planes[letter][row::2, column::2]
        return mosaic
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return {
        "bgr8": bgr, "8UC3": bgr, "rgb8": bgr[..., ::-1], "mono8": grey, "8UC1": grey,
        "bgra8": cv2.merge([blue, green, red, alpha]), "rgba8": cv2.merge([red, green, blue, alpha]),
    }[encoding]  # fmt: skip


def message(middleware, pixels, encoding, padding=0):
    made = middleware.message("sensor_msgs/Image")
    made.height, made.width, made.encoding = pixels.shape[0], pixels.shape[1], encoding
    rows = np.ascontiguousarray(pixels).reshape(made.height, -1)
    made.step = rows.shape[1] + padding
    made.data = np.pad(rows, ((0, 0), (0, padding))).tobytes()
    return made


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", sorted(name for name, each in images.ENCODINGS.items() if each.bits == 8))
def test_every_encoding_gives_the_same_picture(middleware1, encoding, padding):
    ramp = np.linspace(40, 200, 32 * 24).reshape(24, 32)
    # Smooth, so that a mosaic loses nothing, and of another level in each channel, so that a mix-up shows.
    bgr = np.stack([ramp * 0.3, ramp * 0.6, ramp], axis=2).astype(np.uint8)
    found = Frame(0, 0, images.raw_image(message(middleware1, encoded(bgr, encoding), encoding, padding))).image
    grey = encoding in ("mono8", "8UC1")
    expected = np.repeat(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[..., None], 3, 2) if grey else bgr
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(found[inner].astype(int) - expected[inner]).max() <= (6 if encoding.startswith("bayer") else 0)


def test_bgr_is_not_copied(middleware1):
    sent = message(middleware1, np.full((4, 6, 3), 7, np.uint8), "bgr8")
    found = Frame(0, 0, images.raw_image(sent)).image
    assert np.shares_memory(found, np.frombuffer(sent.data, np.uint8))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"encoding": "32FC1"}, "encoding '32FC1' is not supported, expected one of: bgr8"),
        ({"height": 0}, "the image is 6x0"),
        ({"step": 17}, "step is 17, but a row of 6 pixels in bgr8 takes 18 bytes"),
        ({"data": b"12"}, "cut off: 2 bytes for 4 rows of 18"),
    ],
)
def test_what_is_no_image_says_why(middleware1, changed, text):
    sent = message(middleware1, np.zeros((4, 6, 3), np.uint8), "bgr8")
    for name, value in changed.items():
        setattr(sent, name, value)
    with pytest.raises(InputError, match=text):
        images.raw_image(sent)


def test_a_compressed_image_is_decoded_once_for_all_who_look(middleware1):
    sent = middleware1.message("sensor_msgs/CompressedImage")
    picture = np.full((24, 32, 3), 90, np.uint8)
    sent.format, sent.data = "png", cv2.imencode(".png", picture)[1].tobytes()
    load, seen = images.compressed_image(sent), []
    lookers = [threading.Thread(target=lambda: seen.append(load())) for _ in range(4)]
    for each in lookers:
        each.start()
    for each in lookers:
        each.join()
    assert len({id(image) for image in seen}) == 1 and (seen[0] == picture).all()


def test_a_compressed_image_that_is_cut_off_says_so(middleware1):
    sent = middleware1.message("sensor_msgs/CompressedImage")
    sent.format, sent.data = "jpeg", b"\xff\xd8 no more"
    with pytest.raises(InputError, match=r"compressed image of 10 bytes \(jpeg\) does not decode"):
        Frame(0, 0, images.compressed_image(sent)).image  # noqa: B018


def test_a_picture_survives_being_sent(middleware1):
    picture = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    sent = images.fill_image(middleware1.message("sensor_msgs/Image"), picture)
    assert (Frame(0, 0, images.raw_image(sent)).image == picture).all()


SIXTEEN = sorted(name for name, each in images.ENCODINGS.items() if each.bits == 16)


def thermal(levels=200):
    """A smooth picture of three channels, 8 bits, all of whose channels use all levels."""
    ramp = np.linspace(0, levels, 32 * 24).reshape(24, 32)
    return np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2).astype(np.uint8)


def deep_message(middleware, pixels, encoding, big_endian=False):
    deep = np.ascontiguousarray((7000 + 8 * pixels.astype(np.int64)).astype(">u2" if big_endian else "<u2"))
    sent = message(middleware, deep, encoding)
    sent.step, sent.data = deep[0].nbytes, deep.tobytes()
    sent.is_bigendian = int(big_endian)
    return sent


def of_8_bits(encoding):
    return encoding.replace("16UC", "8UC").replace("16", "8")


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("encoding", SIXTEEN)
def test_16_bits_are_stretched_to_what_8_bits_would_show(middleware1, encoding, big_endian):
    bgr = thermal()
    sent = deep_message(middleware1, encoded(bgr, of_8_bits(encoding)), encoding, big_endian)
    found = Frame(0, 0, images.raw_image(sent)).image
    plain = Frame(0, 0, images.raw_image(message(middleware1, encoded(bgr, of_8_bits(encoding)), of_8_bits(encoding))))
    assert found.dtype == np.uint8 and found.shape == (24, 32, 3)
    assert len(np.unique(found)) >= min(len(np.unique(plain.image)), 60)
    # The same picture but for brightness and contrast.
    assert np.corrcoef(found.ravel().astype(float), plain.image.ravel().astype(float))[0, 1] > 0.99


def test_16_bit_images_of_a_stream_keep_the_levels_of_the_first(middleware1):
    said = []
    stretch = images.StreamStretch(said.append)
    first, second = thermal()[..., 0], (thermal()[..., 0] // 2)
    one = Frame(0, 0, images.raw_image(deep_message(middleware1, first, "mono16"), stretch)).image
    two = Frame(0, 0, images.raw_image(deep_message(middleware1, second, "mono16"), stretch)).image
    assert len(said) == 1 and "16 bits are stretched" in said[0]
    # Equal values stay equal grey levels.
    grey = {int(value): int(level) for value, level in zip(first.ravel(), one[..., 0].ravel())}
    assert all(grey[int(value)] == level for value, level in zip(second.ravel(), two[..., 0].ravel()) if value in grey)
    stretch.forget()
    again = Frame(0, 0, images.raw_image(deep_message(middleware1, second, "mono16"), stretch)).image
    assert again.max() > two.max() and len(said) == 2


def test_16_bits_that_are_cut_off_say_so(middleware1):
    sent = deep_message(middleware1, thermal()[..., 0], "mono16")
    sent.step = 33
    with pytest.raises(InputError, match="step is 33, but a row of 32 pixels in mono16 takes 64 bytes"):
        images.raw_image(sent)


def compressed(middleware, named, ending, pixels):
    sent = middleware.message("sensor_msgs/CompressedImage")
    sent.format, sent.data = named, cv2.imencode(ending, pixels)[1].tobytes()
    return Frame(0, 0, images.compressed_image(sent)).image


@pytest.mark.parametrize("named", ["mono16; png compressed ", "16UC1; png compressed 16UC1", "png"])
def test_compressed_16_bits_are_stretched(middleware1, named):
    grey = 7000 + 8 * thermal()[..., 0].astype(np.uint16)
    found = compressed(middleware1, named, ".png", grey)
    assert found.dtype == np.uint8 and found.shape == (24, 32, 3) and len(np.unique(found)) > 60
    assert found.min() < 40 and found.max() > 215


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("how", ["{0}; jpeg compressed ", "{0}; jpeg compressed {0}", "{0}"])
def test_a_compressed_mosaic_is_demosaiced(middleware1, pattern, ending, how):
    bgr = np.full((48, 64, 3), (40, 100, 200), np.uint8)
    name = f"bayer_{pattern}8"
    found = compressed(middleware1, how.format(name), ending, encoded(bgr, name))
    # JPEG blurs the mosaic itself.
    assert np.abs(found[8:-8, 8:-8].mean(axis=(0, 1)) - (40, 100, 200)).max() < (25 if ending == ".jpg" else 1)


def test_a_mosaic_of_16_bits_in_png_is_stretched_and_demosaiced(middleware1):
    bgr = thermal()
    mosaic = 7000 + 8 * encoded(bgr, "bayer_rggb8").astype(np.uint16)
    found = compressed(middleware1, "bayer_rggb16; png compressed ", ".png", mosaic)
    assert np.corrcoef(found[2:-2, 2:-2].ravel(), bgr[2:-2, 2:-2].ravel())[0, 1] > 0.98


def test_a_compressed_image_that_was_demosaiced_before_stays_as_it_is(middleware1):
    bgr = thermal()
    assert (compressed(middleware1, "bayer_rggb8; jpeg compressed bgr8", ".png", bgr) == bgr).all()


def test_a_mosaic_of_an_unknown_pattern_is_refused_by_name(middleware1):
    with pytest.raises(
        InputError, match="format 'bayer_rgbw8; jpeg compressed ' of a compressed image is not supported"
    ):
        compressed(middleware1, "bayer_rgbw8; jpeg compressed ", ".png", np.zeros((8, 8), np.uint8))


def test_a_compressed_image_with_an_alpha_channel_loses_it(middleware1):
    bgra = np.dstack([thermal(), np.full((24, 32), 128, np.uint8)])
    assert (compressed(middleware1, "png", ".png", bgra) == thermal()).all()


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_image_is_an_input_error_or_an_image(middleware1, seed):
    random = np.random.default_rng(seed)
    encoding = random.choice([*images.ENCODINGS, "", "bayer_", "yuv422", "32FC1"])
    sent = middleware1.message("sensor_msgs/Image")
    sent.encoding, sent.is_bigendian = str(encoding), int(random.integers(0, 3))
    sent.height, sent.width, sent.step = (int(value) for value in random.integers(0, (12, 12, 100)))
    sent.data = random.bytes(int(random.integers(0, 1500)))
    try:
        found = Frame(0, 0, images.raw_image(sent)).image
    except InputError:
        return
    assert found.shape == (sent.height, sent.width, 3) and found.dtype == np.uint8


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_compressed_image_is_an_input_error_or_an_image(middleware1, seed):
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 65535, (9, 7), dtype=np.uint16)
    whole = cv2.imencode(".png", pixels)[1] if seed % 2 else cv2.imencode(".jpg", (pixels // 256).astype(np.uint8))[1]
    data = bytearray(whole.tobytes())
    for at in random.integers(0, len(data), int(random.integers(0, 6))):
        data[at] = int(random.integers(0, 256))
    sent = middleware1.message("sensor_msgs/CompressedImage")
    sent.format = str(
        random.choice(["jpeg", "png", "", ";", "bayer_rggb8; jpeg compressed ", "bayer_; x y z", "16UC1"])
    )
    sent.data = bytes(data[: int(random.integers(0, 2 * len(data)))])
    try:
        found = Frame(0, 0, images.compressed_image(sent)).image
    except InputError:
        return
    assert found.ndim == 3 and found.shape[2] == 3 and found.dtype == np.uint8
