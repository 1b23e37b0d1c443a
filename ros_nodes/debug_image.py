"""The newest image with the predicted box, drawn only while somebody looks."""

from __future__ import annotations

import threading
from typing import Any, Callable, NamedTuple, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.trajectory import Prediction
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.middleware import Middleware

# BGR by status, as in Target.msg.
COLOURS = {
    conversions.TRACKING: (80, 220, 60),
    conversions.UNCERTAIN: (0, 200, 255),
    conversions.LOST: (60, 60, 230),
    conversions.PAUSED: (200, 160, 80),
}


class Shown(NamedTuple):
    """An `ImageFrame`, where the target is expected in it, and the status, a constant of Target.msg."""

    frame: Any
    prediction: Optional[Prediction]
    status: int


class DebugImage:
    """Draws and publishes the newest frame, in a thread of its own.

    Parameters
    ----------
    middleware
        Where it is published.
    on_error
        Called with what goes wrong.
    """

    def __init__(self, middleware: Middleware, on_error: Callable[[Exception], None]):
        self._middleware, self._on_error = middleware, on_error
        self._waiting: Mailbox[Shown] = Mailbox()
        self._thread = threading.Thread(target=self._run, name="pvtpp debug image", daemon=True)
        self._thread.start()

    def put(self, frame: Any, prediction: Optional[Prediction], status: int) -> None:
        """Leave an image to be drawn, in place of one that waits.

        Parameters
        ----------
        frame
            An `ImageFrame`.
        prediction
            Where the target is expected in it; None without a target.
        status
            A constant of Target.msg.
        """
        self._waiting.put(Shown(frame, prediction, status))

    def close(self, timeout: float = 2.0) -> None:
        """End the thread."""
        self._waiting.close()
        self._thread.join(timeout)

    def _run(self) -> None:
        while self._waiting.wait():
            shown = self._waiting.pop()
            if shown is None:
                continue
            try:
                message = images.fill_image(self._middleware.message("sensor_msgs/Image"), drawn(*shown))
                message.header = shown.frame.header
                self._middleware.publish("debug_image", message)
            except InputError:
                # An image that does not decode: the tracker has failed on it, and that was logged.
                continue
            except Exception as error:
                self._on_error(error)


def drawn(frame: Any, prediction: Optional[Prediction], status: int) -> Any:
    """Draw the box, its centre's standard deviation and the age into a copy of the frame's image.

    Parameters
    ----------
    frame
        An `ImageFrame`.
    prediction
        Where the target is expected; None draws nothing.
    status
        A constant of Target.msg; gives the colour.

    Returns
    -------
    numpy.ndarray
        BGR, uint8 ``(height, width, 3)``.
    """
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
