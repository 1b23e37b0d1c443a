"""Annotation archives, unpacked once into the user's cache."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import PurePosixPath

from pvtpp.errors import InputError
from pvtpp.files import cache_folder
from pvtpp_benchmarks.datasets.image_files import is_hidden


def unpack(path: str) -> str:
    """Unpack an archive into the user's cache, once: later calls find it by path, size and time of change.

    Returns
    -------
    str
        The folder that holds the archive's files; hidden ones are left out.

    Raises
    ------
    InputError
        For a member that is not a plain file inside the archive's own tree, for a file that is no tar archive, and
        for a cache that cannot be written.
    """
    status = os.stat(path)
    identity = f"{os.path.realpath(path)}:{status.st_size}:{status.st_mtime_ns}"
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    home = os.path.join(cache_folder(), "annotations")
    target = os.path.join(home, f"{os.path.basename(path).split('.')[0]}-{digest}")
    if os.path.isdir(target):
        return target
    try:
        os.makedirs(home, exist_ok=True)
        part = tempfile.mkdtemp(suffix=".part", dir=home)
    except OSError as error:
        raise InputError(
            f"{home}: cannot unpack {path} there ({error.strerror}); set PVTPP_CACHE to a folder that can be written"
        ) from None
    try:
        _extract(path, part)
        _move(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _extract(path: str, target: str) -> None:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                inside = PurePosixPath(member.name)
                if inside.is_absolute() or ".." in inside.parts or not (member.isfile() or member.isdir()):
                    raise InputError(f"{path}: {member.name!r} is not a plain file inside the archive's own tree")
                place = os.path.join(target, *inside.parts)
                if any(map(is_hidden, inside.parts)):
                    continue
                if member.isdir():
                    os.makedirs(place, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(place), exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                with open(place, "wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a complete .tar, .tar.gz, .tar.bz2 or .tar.xz archive ({reason})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot unpack to {target} ({error})") from None


def _move(part: str, target: str) -> None:
    try:
        os.replace(part, target)
    except OSError:
        # Another process has unpacked the same archive in the meantime.
        if not os.path.isdir(target):
            raise
