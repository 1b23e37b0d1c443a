"""Writing files completely or not at all, and the folder for files that can be created again."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Union

from pvtpp.errors import InputError


@contextmanager
def whole_file(path: Union[str, Path], make_folder: bool = True, keep_extension: bool = False) -> Iterator[str]:
    """Write a file so that it appears complete or not at all.

    The block writes to a temporary file in the same folder. It is renamed to `path` at the end of the block, and
    removed if the block raises anything. It exists, empty, from the start of the block, so that a place which cannot be
    written is found before the work.

    Parameters
    ----------
    path
        The file to write; an existing file is replaced.
    make_folder
        Whether to create the folder of `path` if it does not exist.
    keep_extension
        Whether the temporary name ends in the extension of `path`, for writers that choose a format by it; else it ends
        in ``.part``.

    Yields
    ------
    str
        Name of the temporary file: hidden, and used by this process only.

    Raises
    ------
    InputError
        If the file cannot be written, or `path` exists and is no plain file.
    """
    path = os.fspath(path)
    folder, name = os.path.split(path)
    extension = os.path.splitext(name)[1] if keep_extension else ""
    part = os.path.join(folder, f".{name}.{os.getpid()}.part{extension}")
    # Otherwise `/dev/null` would be replaced, where permissions allow it.
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: cannot write (it is there and not a plain file)")
    try:
        if make_folder:
            os.makedirs(folder or ".", exist_ok=True)
        with open(part, "wb"):
            pass
        yield part
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path}: cannot write ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            os.remove(part)


def cache_folder() -> Path:
    """``$PVTPP_CACHE``, else ``$XDG_CACHE_HOME/pvtpp``, else ``~/.cache/pvtpp``; it may not exist yet."""
    own = os.environ.get("PVTPP_CACHE")
    if own:
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "pvtpp"
