"""Where files go: written whole or not at all, and the folder for what can be made again."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Union

from pvtpp.errors import InputError


@contextmanager
def whole_file(path: Union[str, Path], make_folder: bool = True, keep_extension: bool = False) -> Iterator[str]:
    """A name to write to that becomes `path` at the end of the block, or is gone if the block raises, whatever it raises.

    The name is hidden, of this process alone, in the same folder, which is made if need be (not with
    ``make_folder=False``); it exists, empty, from the start, so that a place which cannot be written is found before the
    work. It ends in ``.part``, with `keep_extension` in the extension of `path`, for writers that go by it. Raises
    InputError where the file cannot be written, and for a `path` that is there and no plain file.
    """
    path = os.fspath(path)
    folder, name = os.path.split(path)
    extension = os.path.splitext(name)[1] if keep_extension else ""
    part = os.path.join(folder, f".{name}.{os.getpid()}.part{extension}")
    # Else `/dev/null` would be replaced, where permissions allow it.
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
    """``$PVTPP_CACHE``, else ``$XDG_CACHE_HOME/pvtpp``, else ``~/.cache/pvtpp``; not necessarily there yet."""
    own = os.environ.get("PVTPP_CACHE")
    if own:
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "pvtpp"
