"""Finding tracker weights on this machine, and downloading those that are missing."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Tuple, Union

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, whole_file
from pvtpp.weights import catalogue
from pvtpp.weights.catalogue import Entry, WeightFile

# Called with the file's name, bytes so far, and bytes in all.
Progress = Callable[[str, int, int], None]
TIMEOUT_S = 30.0


class MissingWeights(InputError):
    """The weights are not on this machine and could not be downloaded. Damaged weights raise a plain InputError."""


def list_entries() -> List[Entry]:
    """Everything in the catalogue."""
    return list(catalogue.CATALOGUE)


def find(name: str, weights: Union[str, Path, None] = None, progress: Optional[Progress] = None) -> Path:
    """Find weights, or download them.

    Parameters
    ----------
    name
        Name in the catalogue.
    weights
        Where to look, and nowhere else: a folder, or one of the files. None looks in ``$PVTPP_WEIGHTS``, then in the
        cache, and then downloads to the cache.
    progress
        Called during a download, see `Progress`.

    Returns
    -------
    pathlib.Path
        The folder with the files, whose hashes are checked.

    Raises
    ------
    InputError
        If the name is unknown, a hash is wrong, or the files are not found and cannot be downloaded.
    """
    found = _look_up(catalogue.entry(name), weights)
    return found if found is not None else pull(name, progress)


def path(name: str, weights: Union[str, Path, None] = None) -> Path:
    """As `find`, but without downloads."""
    entry = catalogue.entry(name)
    found = _look_up(entry, weights)
    if found is None:
        raise MissingWeights(f"{name}: the weights are not on this machine; {_what_to_do(entry)}")
    return found


def pull(name: str, progress: Optional[Progress] = None) -> Path:
    """Download the files of entry `name` that are missing or damaged in the cache, and return their folder."""
    entry = catalogue.entry(name)
    folder = _cached(entry)
    missing = [file for file in entry.files if not _is_intact(folder / file.name, file)]
    if not all(file.url for file in missing):
        raise MissingWeights(f"{name}: the weights are not on this machine; {_what_to_do(entry)}")
    if missing and os.environ.get("PVTPP_OFFLINE", "0") not in ("", "0"):
        raise MissingWeights(f"{name}: PVTPP_OFFLINE forbids the download; {_what_to_do(entry)}")
    for file in missing:
        try:
            with whole_file(folder / file.name) as part:
                _download(file, Path(part), progress)
        except InputError as error:
            raise MissingWeights(
                f"{name}: cannot fetch {file.name} to {folder} ({error}); {_what_to_do(entry)}"
            ) from None
    return folder


def sha256(file: Path) -> str:
    """Hash of a file's content, hex; InputError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(file, "rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{file}: cannot read ({error.strerror or error})") from None
    return digest.hexdigest()


def _cached(entry: Entry) -> Path:
    return cache_folder() / "weights" / entry.folder


def _look_up(entry: Entry, weights: Union[str, Path, None]) -> Optional[Path]:
    names = [file.name for file in entry.files]
    if weights is not None:
        folders = _explicit(entry, Path(weights).expanduser())
    else:
        root = os.environ.get("PVTPP_WEIGHTS")
        folders = _below(entry, Path(root).expanduser()) if root else ()
        folders += (_cached(entry),)
    for folder in folders:
        if all((folder / name).is_file() for name in names):
            for file in entry.files:
                _check(folder / file.name, file)
            return folder
    if weights is not None:
        raise InputError(f"{weights}: {entry.name} needs {' and '.join(names)} there, and not all of them are")
    return None


def _explicit(entry: Entry, given: Path) -> Tuple[Path, ...]:
    if given.is_dir():
        return _below(entry, given)
    names = [file.name for file in entry.files]
    if not given.is_file():
        raise InputError(f"{given}: no such weights; {entry.name} takes a folder with {' and '.join(names)}")
    if given.name not in names:
        raise InputError(f"{given}: not a file of {entry.name}, which takes {' and '.join(names)}")
    return (given.parent,)


def _below(entry: Entry, root: Path) -> Tuple[Path, ...]:
    # The entry's own folder first: files of several entries may have the same name.
    return root / entry.folder, root


def _is_intact(path: Path, file: WeightFile) -> bool:
    return path.is_file() and file.sha256 in ("", sha256(path))


def _check(path: Path, file: WeightFile) -> None:
    if not _is_intact(path, file):
        raise InputError(
            f"{path}: sha256 is {sha256(path)}, expected {file.sha256}; it is damaged or another network: "
            f"delete it, or fetch it again from {file.url}"
        )


def _download(file: WeightFile, target: Path, progress: Optional[Progress]) -> None:
    done = 0
    with open(target, "wb") as out:
        for block in _blocks(file.url):
            out.write(block)
            done += len(block)
            if progress is not None:
                progress(file.name, done, file.size)
    found = sha256(target)
    if found != file.sha256:
        raise InputError(
            f"{file.url}: the download has sha256 {found} ({done} bytes), "
            f"expected {file.sha256} ({file.size} bytes); nothing was kept"
        )


def _blocks(url: str) -> Iterator[bytes]:
    # Errors of the network are converted here, because they are OSErrors as those of the disk are.
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            yield from iter(lambda: response.read(1 << 16), b"")
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(f"{url}: {error}") from None


def _what_to_do(entry: Entry) -> str:
    files = " and ".join(f"{file.name} (from {file.url or entry.note})" for file in entry.files)
    return f"put {files} into {_cached(entry)}, or into a folder that --weights or PVTPP_WEIGHTS names"
