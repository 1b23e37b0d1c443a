"""Lights that a camera looks at while they are switched: the screen, or an LED of the board."""

from __future__ import annotations

import os
import sys
import time
from typing import Protocol

import numpy as np

from pvtpp.cli import window
from pvtpp.errors import InputError

TITLE = "pvtpp stamp-offset"
LED_EXAMPLE = "/sys/class/leds/NAME/brightness"
QUIT_KEYS = (ord("q"), 27)


class Light(Protocol):
    """A light, off at first.

    Attributes
    ----------
    ended
        Whether the user ended it.
    """

    ended: bool

    def switch(self, on: bool) -> int:
        """Switch it; return when that was, nanoseconds by `time.time_ns`."""

    def wait(self, seconds: float) -> None:
        """Let this time pass."""

    def close(self) -> None:
        """Leave it as it was found."""


class Screen:
    """The whole screen, white or black, by OpenCV. The keys q and escape end it.

    Raises
    ------
    InputError
        Where no window opens.
    """

    def __init__(self) -> None:
        if not window.opens(TITLE, _warn):
            raise InputError(
                f"--screen: no window opens here; show it on a machine with a display, or give --led {LED_EXAMPLE}"
            )
        import cv2

        cv2.setWindowProperty(TITLE, cv2.WND_PROP_ASPECT_RATIO, cv2.WINDOW_FREERATIO)
        cv2.setWindowProperty(TITLE, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)
        self.ended = False
        self.switch(False)

    def switch(self, on: bool) -> int:
        """Show it white or black, as `Light.switch`: the time at which the window has been drawn."""
        import cv2

        cv2.imshow(TITLE, np.full((90, 160, 3), 255 if on else 0, np.uint8))
        # Windows are drawn while a key is waited for.
        self._key(1)
        return time.time_ns()

    def wait(self, seconds: float) -> None:
        """Let time pass, as `Light.wait`."""
        until = time.monotonic() + seconds
        while not self.ended and time.monotonic() < until:
            self._key(max(int((until - time.monotonic()) * 1e3), 1))

    def close(self) -> None:
        """Close the window."""
        import cv2

        cv2.destroyWindow(TITLE)

    def _key(self, milliseconds: int) -> None:
        import cv2

        if cv2.waitKey(milliseconds) & 0xFF in QUIT_KEYS:
            self.ended = True


class Led:
    """An LED that is switched by writing a number into a file.

    Parameters
    ----------
    path
        Its ``brightness``; a ``max_brightness`` beside it says what is on, else 1.

    Raises
    ------
    InputError
        Where the file cannot be read and written.
    """

    ended = False

    def __init__(self, path: str):
        self._path = path
        self._found = self._read(path)
        most = os.path.join(os.path.dirname(path), "max_brightness")
        self._on = self._read(most) if os.path.isfile(most) else b"1"
        self.switch(False)

    def switch(self, on: bool) -> int:
        """Switch it, as `Light.switch`."""
        self._write(self._on if on else b"0")
        return time.time_ns()

    def wait(self, seconds: float) -> None:
        """Let time pass, as `Light.wait`."""
        time.sleep(seconds)

    def close(self) -> None:
        """Write what was there."""
        self._write(self._found)

    def _read(self, path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                return file.read(64)
        except OSError as error:
            raise self._refused(path, error) from None

    def _write(self, value: bytes) -> None:
        try:
            # Never made: a wrong name must not become a file.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_TRUNC)
            try:
                os.write(descriptor, value)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._refused(self._path, error) from None

    def _refused(self, path: str, error: OSError) -> InputError:
        reason = error.strerror or error
        return InputError(f"--led {path}: cannot be switched ({reason}); allowed is an LED's file, {LED_EXAMPLE}")


def _warn(text: str) -> None:
    print(f"{TITLE}: warning: {text}", file=sys.stderr)
