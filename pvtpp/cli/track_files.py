"""The files that `pvtpp track` writes.

They are found writable before the work, never replace the source, and each is kept whatever happens to the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import contextmanager
from typing import Iterable, Iterator, List, Optional

import numpy as np

from pvtpp.cli.frame_records import ENDINGS
from pvtpp.errors import InputError
from pvtpp_benchmarks.report.files import check_writable

VIDEO = "tracked.mp4"


def check(options: argparse.Namespace) -> None:
    """Raise InputError for an --out, --log or --video of another ending, not writable, or the same as the source."""
    for option, endings in (("out", ENDINGS), ("log", (".jsonl",)), ("video", (".mp4",))):
        path = getattr(options, option)
        if path and not path.endswith(endings):
            raise InputError(f"--{option} {path}: the name must end in {' or '.join(endings)}")
        _check_spares(option, path, options.source)
        check_writable(path)


def _check_spares(option: str, path: Optional[str], source: str) -> None:
    if path and os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
        raise InputError(f"--{option} {path}: this is the source, which would be lost; give another name")


def default_video(source: str) -> Optional[str]:
    """Return `VIDEO`; None, with a warning, where it cannot be written, since nobody asked for it.

    Raises InputError where it is the source.
    """
    _check_spares("video", VIDEO, source)
    try:
        check_writable(VIDEO)
    except InputError as error:
        warn(error)
        return None
    return VIDEO


def warn(error: InputError) -> None:
    """Say on stderr why there is no video that nobody asked for."""
    print(f"pvtpp track: warning: no video: {error}", file=sys.stderr)


def record(video: str, images: Iterable[np.ndarray], fps: float) -> None:
    """Write uint8 BGR images of one size as MP4. Raises InputError where that fails."""
    from pvtpp_benchmarks.report.video import write_video

    write_video(video, images, fps)


@contextmanager
def kept(path: Optional[str], written: List[str], broken: List[InputError]) -> Iterator[None]:
    """Note in `written` the file that the block writes, in `broken` why not, so that others can still be written."""
    try:
        yield
    except InputError as error:
        broken.append(error)
    else:
        written.append(str(path))
