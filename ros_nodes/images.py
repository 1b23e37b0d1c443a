"""Images of ROS messages as arrays and back; ROS's own converter is built against one version of NumPy."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import check_image

ImageSource = Union[np.ndarray, Callable[[], np.ndarray]]


class Encoding(NamedTuple):
    """How pixels are stored.

    Attributes
    ----------
    channels
        How many there are, of 8 bits each.
    to_bgr
        The name of OpenCV's conversion to BGR; None where it is BGR.
    """

    channels: int
    to_bgr: Optional[str]


# OpenCV calls a Bayer pattern by its second row's second and third pixel, ROS by the first two of the first row.
ENCODINGS: Dict[str, Encoding] = {
    "bgr8": Encoding(3, None),
    "rgb8": Encoding(3, "COLOR_RGB2BGR"),
    "bgra8": Encoding(4, "COLOR_BGRA2BGR"),
    "rgba8": Encoding(4, "COLOR_RGBA2BGR"),
    "mono8": Encoding(1, "COLOR_GRAY2BGR"),
    "8UC1": Encoding(1, "COLOR_GRAY2BGR"),
    "8UC3": Encoding(3, None),
    "bayer_rggb8": Encoding(1, "COLOR_BayerBG2BGR"),
    "bayer_bggr8": Encoding(1, "COLOR_BayerRG2BGR"),
    "bayer_gbrg8": Encoding(1, "COLOR_BayerGR2BGR"),
    "bayer_grbg8": Encoding(1, "COLOR_BayerGB2BGR"),
}


def raw_image(message: Any) -> ImageSource:
    """Read a sensor_msgs/Image.

    Parameters
    ----------
    message
        The message.

    Returns
    -------
    numpy.ndarray or callable
        The BGR image, uint8 ``(height, width, 3)``, as `Frame` takes it: a view of the message where its pixels are
        BGR, else a function that converts them when it is called.

    Raises
    ------
    InputError
        The encoding is unknown, there are no pixels, a row is too short for its pixels, or the data is cut off.
    """
    encoding = ENCODINGS.get(message.encoding)
    if encoding is None:
        raise InputError(f"encoding {message.encoding!r} is not supported, expected one of: {', '.join(ENCODINGS)}")
    height, width, step = message.height, message.width, message.step
    if not (height and width):
        raise InputError(f"the image is {width}x{height}, expected at least one pixel")
    row = width * encoding.channels
    if step < row:
        raise InputError(f"step is {step}, but a row of {width} pixels in {message.encoding} takes {row} bytes")
    if len(message.data) < step * height:
        raise InputError(
            f"the image is cut off: {len(message.data)} bytes for {height} rows of {step} ({step * height} expected)"
        )
    rows = np.frombuffer(message.data, np.uint8, step * height).reshape(height, step)[:, :row]
    pixels = rows.reshape(height, width, encoding.channels)
    return pixels if encoding.to_bgr is None else once(partial(_converted, pixels, encoding.to_bgr))


def compressed_image(message: Any) -> ImageSource:
    """Read a sensor_msgs/CompressedImage, as `raw_image`; the function raises InputError where it does not decode."""
    return once(partial(_decoded, message.data, message.format))


def once(load: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    """Make a function that calls `load` once, for the first thread that calls it; other threads wait for the result."""
    lock = threading.Lock()
    made: List[np.ndarray] = []

    def get() -> np.ndarray:
        with lock:
            if not made:
                made.append(load())
            return made[0]

    return get


def fill_image(message: Any, image: np.ndarray) -> Any:
    """Write an image into a message.

    Parameters
    ----------
    message
        A sensor_msgs/Image; its header stays as it is.
    image
        BGR, uint8 ``(height, width, 3)``.

    Returns
    -------
    sensor_msgs/Image
        The message.
    """
    check_image(image)
    message.height, message.width = image.shape[:2]
    message.encoding, message.is_bigendian, message.step = "bgr8", 0, 3 * image.shape[1]
    message.data = np.ascontiguousarray(image).tobytes()
    return message


def _converted(pixels: np.ndarray, conversion: str) -> np.ndarray:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, getattr(cv2, conversion)))


def _decoded(data: bytes, named: str) -> np.ndarray:
    import cv2

    coded = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(coded, cv2.IMREAD_COLOR) if coded.size else None
    if image is None:
        raise InputError(f"a compressed image of {coded.size} bytes ({named}) does not decode")
    return np.asarray(image)
