"""Reading pickles of numbers from strangers: lists, dictionaries and NumPy arrays, and no code of any kind.

A pickle is a program that may call anything which can be imported. Here nothing is imported: the few names that arrays
are made with stand for the functions below, and any other is refused by name.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
from typing import Any, Callable, Dict, Mapping, Tuple

import numpy as np

from pvtpp.errors import InputError

LARGEST_BYTES = 1 << 28
"""The largest file that is read. Results of an hour take a few megabytes."""
_KINDS = "biuf"


class _Refused(Exception):
    """The pickle asks for something that is not allowed; the message says what."""


class _Dtype:
    """What a pickle says of an array's numbers."""

    def __init__(self, code: Any, align: Any = False, copy: Any = True):
        if not isinstance(code, str) or len(code) > 4 or code[:1] not in _KINDS:
            raise _Refused(f"an array of {code!r}, allowed are numbers")
        self.code, self.swapped = code, False

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
        self.swapped = order in "<>" and order != ("<" if sys.byteorder == "little" else ">")

    def dtype(self) -> np.dtype:
        return np.dtype(self.code).newbyteorder("S") if self.swapped else np.dtype(self.code)


class _Array:
    """An array before its state is known."""

    def __init__(self, *ignored: Any):
        self.array = np.zeros(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.array = _from_bytes(data, kind, shape, "F" if fortran else "C")


def _from_bytes(data: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(kind, _Dtype) or not isinstance(data, (bytes, bytearray)) or order not in ("C", "F"):
        raise _Refused("an array of something else than numbers")
    return np.frombuffer(bytes(data), kind.dtype()).reshape(shape, order=order)


def _scalar(kind: Any, data: Any = b"") -> Any:
    return _from_bytes(data, kind, (1,), "C")[0]


def _encode(text: Any, codec: Any = "latin1") -> bytes:
    if codec != "latin1" or not isinstance(text, str):
        raise _Refused(f"_codecs.encode to {codec!r}")
    return text.encode("latin1")


_CORES = ("numpy.core", "numpy._core")
_ALLOWED: Mapping[Tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{(f"{core}.multiarray", "_reconstruct"): _Array for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _from_bytes for core in _CORES},
}


# The one written in Python: that in C reserves whatever memory a pickle of ten bytes asks for.
_Base: Any = getattr(pickle, "_Unpickler")  # noqa: B009 - not part of its type stubs everywhere


class _Unpickler(_Base):
    dispatch = {
        code: load
        for code, load in _Base.dispatch.items()
        # Registered extensions would pass by `find_class`.
        if code not in {each[0] for each in (pickle.EXT1, pickle.EXT2, pickle.EXT4)}
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}, which is code") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("an object kept elsewhere")

    def load_build(self) -> None:
        """Set the state of what arrays are made with, and of nothing else."""
        state, built = self.stack.pop(), self.stack[-1]
        if not isinstance(built, (_Array, _Dtype)):
            raise _Refused(f"the state of a {type(built).__name__}")
        built.__setstate__(state)

    def load_bytearray8(self) -> None:
        """Read an array of bytes; the original reserves them all before it looks whether there are so many."""
        (size,) = struct.unpack("<Q", self.read(8))
        data = self.read(size) if size <= LARGEST_BYTES else b""
        if len(data) != size:
            raise _Refused(f"{size} bytes, which it does not hold")
        self.append(bytearray(data))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def read_pickle(path: str) -> Dict[str, Any]:
    """Read a pickle of a dictionary.

    Returns
    -------
    dict
        Its values are numbers, text, lists, tuples, dictionaries; an array in it has become an object with an attribute
        `array`, see `as_array`.

    Raises
    ------
    InputError
        For a file that is missing, too large, cut off or no pickle, and for one that asks for anything else than
        arrays; it names what was asked for.
    """
    try:
        size = os.path.getsize(path)
        if size > LARGEST_BYTES:
            raise InputError(f"{path}: {size} bytes, pickles of up to {LARGEST_BYTES} are read")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from None
    try:
        content = _Unpickler(io.BytesIO(data)).load()
    except _Refused as refused:
        asked = " ".join(str(refused).split())
        raise InputError(f"{path}: this pickle asks for {asked}; pickles of numbers alone are read") from None
    # A broken pickle raises whatever its opcodes stumble over.
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path}: not a whole pickle ({why})") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputError(f"{path}: a pickle of {type(content).__name__}, expected a dictionary by name")
    return content


def as_array(value: Any) -> np.ndarray:
    """Return numbers of a pickle, or a flat list of them, as float64; ValueError or TypeError for anything else."""
    if isinstance(value, _Array):
        value = value.array
    elif isinstance(value, (list, tuple)):
        if not all(isinstance(each, (int, float, np.number)) for each in value):
            raise TypeError("not numbers")
    return np.array(value, dtype=np.float64)
