"""OpenCV comes in an extra, with the system or with ROS: one clear error where it is missing or does not load."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

from pvtpp.errors import InputError

_HINTS = (
    ("libGL", "apt install libgl1, or take opencv-contrib-python-headless"),
    ("numpy", "it was built for another NumPy: pip install 'numpy<2', or take a newer OpenCV"),
    ("_ARRAY_API", "it was built for another NumPy: pip install 'numpy<2', or take a newer OpenCV"),
)


def problem() -> Optional[str]:
    """Say in one line why OpenCV cannot be imported and what to install; None where it can."""
    try:
        import cv2  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name == "cv2":
            return "OpenCV is missing: pip install 'pvtpp[cpu]', or on Debian and ROS apt install python3-opencv"
        return f"OpenCV is installed but needs {error.name}, which is missing"
    except Exception as error:  # Builds for another NumPy raise more than ImportError.
        reason = " ".join(str(error).split())
        hint = next((hint for part, hint in _HINTS if part in reason), "install it anew")
        return f"OpenCV is installed but does not load ({reason}): {hint}"
    return None


def require() -> None:
    """Raise InputError, which says what to install, where OpenCV cannot be imported."""
    found = problem()
    if found is not None:
        raise InputError(found)


@contextmanager
def quiet() -> Iterator[None]:
    """Without OpenCV's own lines on what it tried in vain: the one clear error comes from here."""
    import cv2

    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is None:
        # Older OpenCV says little.
        yield
        return
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
