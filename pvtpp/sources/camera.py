"""A camera by its driver (V4L2), or a GStreamer pipeline, read by OpenCV."""

from __future__ import annotations

import glob
import time
from typing import Any, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.opencv import quiet
from pvtpp.sources.capture_clock import Arrival, CaptureClock
from pvtpp.sources.live_source import Fault, LiveSource, Shot
from pvtpp.sources.source import Condition, Timing

LONGEST_DELAY_NS = 1_000_000_000
"""A driver's time stamp that is older when the image comes is of another clock."""


def open_camera(number: int, clock: CaptureClock, patient: bool = False, fps: Optional[float] = None) -> LiveSource:
    """Read ``/dev/video<number>``.

    Parameters
    ----------
    number
        Of the device.
    clock, patient
        As of `LiveSource`. With `patient` a camera that was unplugged is opened again when it is back.
    fps
        Asked of the camera.
    """
    name = f"camera {number}"
    return LiveSource(name, lambda: Capture(name, number, None, fps), clock, patient, again=patient, fps=fps)


def open_pipeline(text: str, clock: CaptureClock, patient: bool = False, fps: Optional[float] = None) -> LiveSource:
    """Read a GStreamer pipeline that ends in ``appsink``; for the arguments see `open_camera`.

    Raises
    ------
    InputError
        Where it has no ``appsink``, or OpenCV was built without GStreamer.
    """
    import cv2

    if "appsink" not in text:
        raise InputError(f"{text}: a GStreamer pipeline must end in appsink (appsink drop=true max-buffers=1)")
    registry = getattr(cv2, "videoio_registry", None)
    if registry is not None and cv2.CAP_GSTREAMER not in registry.getBackends():
        raise InputError(
            f"{text}: this OpenCV ({cv2.__version__}) was built without GStreamer; JetPack's and Debian's have it "
            "(apt install python3-opencv), wheels do not"
        )
    source = (text, cv2.CAP_GSTREAMER)
    return LiveSource("pipeline", lambda: Capture("pipeline", *source, fps), clock, patient, again=patient, fps=fps)


class Capture:
    """One connection, as `pvtpp.sources.live_source.Connection`.

    Parameters
    ----------
    name
        For messages.
    source
        The number of a camera, or a pipeline.
    backend
        Of OpenCV; None lets it choose.
    fps
        Asked of a camera; None leaves it.

    Raises
    ------
    Fault
        Where it does not open or delivers no image.
    """

    def __init__(self, name: str, source: Any, backend: Optional[int], fps: Optional[float]):
        import cv2

        self._name = name
        self._stamp = cv2.CAP_PROP_POS_MSEC
        arguments: Tuple[Any, ...] = (source,) if backend is None else (source, backend)
        with quiet():
            self._capture = cv2.VideoCapture(*arguments)
        if not self._capture.isOpened():
            found = ", ".join(sorted(glob.glob("/dev/video*"))) or "none"
            said = f"missing, or in use); video devices here: {found}" if backend is None else "see GST_DEBUG=2)"
            raise Fault(Condition.REFUSED, f"{name}: cannot be opened ({said}")
        # The driver's queue would hand out old frames as new ones.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, fps)
        self._delivered = False
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))

    def read(self) -> Shot:
        """Wait for the next image."""
        image = self._capture.read()[1]
        arrived_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        if image is None:
            if self._delivered:
                raise Fault(Condition.GONE, f"{self._name}: it delivers no images any more")
            raise Fault(Condition.SILENT, f"{self._name}: opened, but it delivers no image")
        self._delivered = True
        return Shot(Arrival(arrived_ns, None, self._driver_ns(arrived_ns, monotonic_ns)), lambda: image)

    def close(self) -> None:
        """Release the device."""
        self._capture.release()

    def _driver_ns(self, arrived_ns: int, monotonic_ns: int) -> Optional[int]:
        """The driver's stamp, on the monotonic clock as V4L2 makes it, by `time.time_ns`; None where it is no such."""
        age_ns = monotonic_ns - round(float(self._capture.get(self._stamp)) * 1e6)
        return arrived_ns - age_ns if 0 <= age_ns <= LONGEST_DELAY_NS else None


def camera_clock(offset_s: float) -> CaptureClock:
    """The clock of a camera: its driver's, where it stamps."""
    return CaptureClock(offset_s, Timing.DRIVER)
