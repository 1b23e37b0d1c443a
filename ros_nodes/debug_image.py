"""A picture of what the node believes, drawn only while somebody looks."""

from __future__ import annotations

import threading
from typing import Any, Callable, NamedTuple, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.trajectory import Prediction
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.middleware import Port

# BGR by status, as in Target.msg.
COLOURS = {
    conversions.TRACKING: (80, 220, 60),
    conversions.UNCERTAIN: (0, 200, 255),
    conversions.LOST: (60, 60, 230),
    conversions.PAUSED: (200, 160, 80),
}


class Shown(NamedTuple):
    frame: Any
    prediction: Optional[Prediction]
    status: int


class DebugImage:
    """Draws and publishes in a thread of its own, the newest frame alone."""

    def __init__(self, port: Port, on_error: Callable[[Exception], None]):
        self._port, self._on_error = port, on_error
        self._waiting: Mailbox[Shown] = Mailbox()
        self._thread = threading.Thread(target=self._run, name="pvtpp debug image", daemon=True)
        self._thread.start()

    def put(self, frame: Any, prediction: Optional[Prediction], status: int) -> None:
        """An `ImageFrame`, and where the target is believed to be in it."""
        self._waiting.put(Shown(frame, prediction, status))

    def close(self, timeout: float = 2.0) -> None:
        self._waiting.close()
        self._thread.join(timeout)

    def _run(self) -> None:
        while self._waiting.wait():
            shown = self._waiting.pop()
            if shown is None:
                continue
            try:
                message = images.fill_image(self._port.message("sensor_msgs/Image"), drawn(*shown))
                message.header = shown.frame.header
                self._port.publish("debug_image", message)
            except InputError:
                # An image that does not decode: whoever tracks on it has said so.
                continue
            except Exception as error:
                self._on_error(error)


def drawn(frame: Any, prediction: Optional[Prediction], status: int) -> Any:
    """A copy of the frame's image with the box and one sigma of its centre."""
    import cv2

    image = frame.image.copy()
    if prediction is not None:
        colour = COLOURS.get(status, (255, 255, 255))
        cx, cy, w, h = prediction.box
        cv2.rectangle(image, _pixel(cx - w / 2, cy - h / 2), _pixel(cx + w / 2, cy + h / 2), colour, 2)
        axes = _pixel(max(prediction.sigma[0], 1), max(prediction.sigma[1], 1))
        cv2.ellipse(image, _pixel(cx, cy), axes, 0, 0, 360, colour, 1)
        cv2.putText(image, f"{prediction.age * 1e3:.0f} ms", _pixel(cx - w / 2, cy - h / 2 - 6), 0, 0.5, colour, 1)
    return image


def _pixel(x: float, y: float) -> Tuple[int, int]:
    # OpenCV takes 32 bits; a prediction may be far outside.
    return tuple(int(min(max(value, -30_000), 30_000)) for value in (x, y))  # type: ignore[return-value]
