"""Images of ROS messages as arrays and back; ROS's own converter is built against one version of NumPy."""

from __future__ import annotations

import threading
from array import array
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

import numpy as np

from pvtpp.errors import InputError
from pvtpp.pixel_depth import Stretch
from pvtpp.tracker import check_image

ImageSource = Union[np.ndarray, Callable[[], np.ndarray]]


class Encoding(NamedTuple):
    """How pixels are stored.

    Attributes
    ----------
    channels
        How many there are.
    to_bgr
        The name of OpenCV's conversion to BGR; None where it is BGR.
    bits
        Of a channel: 8, or 16, which are stretched to 8.
    """

    channels: int
    to_bgr: Optional[str]
    bits: int = 8


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
SIXTEEN = {"8UC1": "16UC1", "8UC3": "16UC3"}
ENCODINGS.update(
    {SIXTEEN.get(name, f"{name[:-1]}16"): encoding._replace(bits=16) for name, encoding in list(ENCODINGS.items())}
)


class StreamStretch:
    """Stretches the 16-bit images of one stream to 8 bits, all by the levels of the first (`pvtpp.pixel_depth`).

    It may be called from any thread.

    Parameters
    ----------
    chosen
        Called with a text when the levels have been chosen.
    """

    def __init__(self, chosen: Optional[Callable[[str], None]] = None):
        self._lock = threading.Lock()
        self._chosen = chosen
        self._stretch: Optional[Stretch] = None

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Return the image as uint8, the same shape; one of 8 bits as it is."""
        if pixels.dtype == np.uint8:
            return pixels
        return self._levels(pixels)(pixels)

    @property
    def known(self) -> bool:
        """Whether the levels have been chosen."""
        return self._stretch is not None

    def forget(self) -> None:
        """Choose the levels anew by the next image."""
        with self._lock:
            self._stretch = None

    def _levels(self, pixels: np.ndarray) -> Stretch:
        with self._lock:
            if self._stretch is None:
                self._stretch = Stretch.of(pixels)
                if self._chosen is not None:
                    low, high = self._stretch.low, self._stretch.high
                    bits = 8 * pixels.dtype.itemsize
                    self._chosen(f"images of {bits} bits are stretched: {low:.0f} becomes 0 and {high:.0f} becomes 255")
            return self._stretch


def raw_image(message: Any, stretch: Optional[StreamStretch] = None) -> ImageSource:
    """Read a sensor_msgs/Image.

    Parameters
    ----------
    message
        The message.
    stretch
        Of the stream, for images of 16 bits; None: by the image's own levels.

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
    row = width * encoding.channels * encoding.bits // 8
    if step < row:
        raise InputError(f"step is {step}, but a row of {width} pixels in {message.encoding} takes {row} bytes")
    if len(message.data) < step * height:
        raise InputError(
            f"the image is cut off: {len(message.data)} bytes for {height} rows of {step} ({step * height} expected)"
        )
    rows = np.frombuffer(message.data, np.uint8, step * height).reshape(height, step)[:, :row]
    if encoding.bits == 16:
        rows = np.ascontiguousarray(rows).view(">u2" if message.is_bigendian else "<u2")
    pixels = rows.reshape(height, width, encoding.channels)
    if encoding.to_bgr is None and encoding.bits == 8:
        return pixels
    return once(partial(_converted, pixels, encoding.to_bgr, stretch or StreamStretch()))


def compressed_image(message: Any, stretch: Optional[StreamStretch] = None) -> ImageSource:
    """Read a sensor_msgs/CompressedImage, as `raw_image`; the function raises InputError where it does not decode.

    Its format is ``jpeg`` or ``png``, or what image_transport writes: ``bayer_rggb8; jpeg compressed bgr8``. A mosaic
    that was compressed as it is, as the missing last name or a second ``bayer_`` says, is demosaiced.
    """
    return once(partial(_decoded, message.data, message.format, stretch or StreamStretch()))


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
    _set_data(message, np.ascontiguousarray(image).tobytes())
    return message


def fill_compressed(message: Any, image: np.ndarray) -> Any:
    """Write an image into a message as JPEG.

    Parameters
    ----------
    message
        A sensor_msgs/CompressedImage; its header stays as it is.
    image
        As of `fill_image`.

    Returns
    -------
    sensor_msgs/CompressedImage
        The message.
    """
    import cv2

    check_image(image)
    message.format = "jpeg"
    _set_data(message, cv2.imencode(".jpg", image)[1].tobytes())
    return message


def _set_data(message: Any, data: bytes) -> None:
    # rospy takes bytes alone. rclpy looks at each of them, which takes 40 ms a megabyte, but at no array.
    message.data = array("B", data) if hasattr(message.header.stamp, "sec") else data


def _converted(pixels: np.ndarray, conversion: Optional[str], stretch: StreamStretch) -> np.ndarray:
    import cv2

    pixels = stretch(pixels)
    return pixels if conversion is None else np.asarray(cv2.cvtColor(pixels, getattr(cv2, conversion)))


def _decoded(data: bytes, named: str, stretch: StreamStretch) -> np.ndarray:
    import cv2

    coded = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(coded, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH) if coded.size else None
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"a compressed image of {coded.size} bytes ({named}) does not decode")
    image = stretch(image)
    mosaic = _mosaic(named)
    if mosaic is not None and (image.ndim == 2 or (image == image[..., :1]).all()):
        return np.asarray(cv2.cvtColor(image if image.ndim == 2 else image[..., 0], mosaic))
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image[..., :3])


def _mosaic(named: str) -> Optional[int]:
    """OpenCV's conversion of what a compressed image's format says is a mosaic; None where it is none."""
    import cv2

    original, _, how = named.partition(";")
    compressed_as = how.split()[-1] if len(how.split()) > 2 else ""
    original = original.strip()
    if not original.startswith("bayer_") or (compressed_as and not compressed_as.startswith("bayer_")):
        return None
    encoding = ENCODINGS.get(compressed_as or original)
    if encoding is None or encoding.to_bgr is None:
        raise InputError(f"the format {named!r} of a compressed image is not supported")
    return int(getattr(cv2, encoding.to_bgr))
