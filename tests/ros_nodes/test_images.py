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
@pytest.mark.parametrize("encoding", sorted(images.ENCODINGS))
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
        ({"encoding": "16UC1"}, "encoding '16UC1' is not supported, expected one of: bgr8"),
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
