"""Reading text as editors save it, writing files completely or not at all, and the folder of the cache."""

from __future__ import annotations

import codecs
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator, Union

from pvtpp.errors import InputError

FilePath = Union[str, "os.PathLike[str]"]


def read_text(path: FilePath) -> str:
    """Read a text file.

    The text is UTF-8, with or without a byte order mark; where the file begins with the mark of UTF-16, as editors of
    Windows write it under the name "Unicode", it is UTF-16.

    Returns
    -------
    str
        The text without the mark; every line ends with a line feed alone.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        # A name with a zero byte is no name: ValueError.
        raise InputError(f"{path!s}: cannot read ({getattr(error, 'strerror', None) or error})") from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: not a text file in UTF-8 (line {line} is none)") from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_json(path: FilePath) -> Any:
    """Read a file of JSON, its text as in `read_text`; InputError if it cannot be read or is no JSON."""
    return parse_json(read_text(path), os.fspath(path))


def parse_json(text: str, source: str) -> Any:
    """Parse JSON; InputError names the `source` of a text that is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{source}: no JSON ({error})") from None
    except RecursionError:
        raise InputError(f"{source}: no JSON (brackets inside brackets, too many to be read)") from None


def create_folder(folder: FilePath, source: str = "") -> None:
    """Create a folder with those above it, where they do not exist.

    Raises
    ------
    InputError
        Where that is impossible; it names `source`, or the folder where that is empty.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"{source or folder}: cannot make the folder ({error.strerror or error})") from None


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
