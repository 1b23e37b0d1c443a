"""NVIDIA's library for networks that is installed here: TensorRT, or TensorRT for RTX. Both have one interface.

TensorRT builds engines on the GPU that they run on. TensorRT-RTX builds them on any machine, for the compute
capabilities that are named; the rest of its work is done by the GPU's driver when the engine is loaded.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, List, Optional, Sequence, Tuple

from pvtpp.errors import InputError

if TYPE_CHECKING:
    import tensorrt

KEPT = 20
"""Errors of the library that are kept for a message, the newest."""
LONGEST = 300
"""Characters of the library's own words in a message."""
LEVELS = {"WARNING": logging.INFO, "INFO": logging.DEBUG}
"""Python's levels for what the library logs; its warnings are remarks on the graph, some of them for each layer."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One of the two libraries.

    Attributes
    ----------
    module
        Its import name.
    name
        Its name in messages.
    oldest
        The oldest version supported, major and minor.
    newest
        The newest major version supported.
    keeps_times
        Whether building measures kernels, whose times shorten the next build.
    """

    module: str
    name: str
    oldest: Tuple[int, int]
    newest: int
    keeps_times: bool

    def supports(self, version: str) -> bool:
        """Whether a version such as ``10.3.0`` is supported."""
        found = re.match(r"(\d+)\.(\d+)", version)
        return found is not None and self.oldest <= (int(found[1]), int(found[2])) < (self.newest + 1, 0)

    def __str__(self) -> str:
        return f"{self.name} {self.oldest[0]}.{self.oldest[1]} to {self.newest}"


KINDS = (Kind("tensorrt", "TensorRT", (8, 4), 11, True), Kind("tensorrt_rtx", "TensorRT-RTX", (1, 0), 1, False))
"""What is looked for, in this order."""


class Words:
    """What the library logged: errors are kept for a message, all else goes to Python's log."""

    def __init__(self) -> None:
        self._errors: Deque[str] = deque(maxlen=KEPT)

    def add(self, severity: str, message: str) -> None:
        """Take in one message; `severity` is TensorRT's name of it, such as ``ERROR``."""
        if severity in ("ERROR", "INTERNAL_ERROR"):
            self._errors.append(message)
        elif severity in LEVELS:
            _log.log(LEVELS[severity], "%s", message)

    def take(self) -> str:
        """The first error since the last call, which is the cause of those after it, in one line; empty if none."""
        first = self._errors[0] if self._errors else ""
        self._errors.clear()
        return one_line(first)


@dataclass(frozen=True)
class Library:
    """A library that is installed.

    Attributes
    ----------
    kind
        Which of the two.
    api
        Its module.
    version
        Its version.
    """

    kind: Kind
    api: Any
    version: str

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.kind.name} {self.version}"

    @property
    def is_strongly_typed(self) -> bool:
        """Whether networks can be built by the types of the graph alone: from TensorRT 9 on, and from 11 on always."""
        has_flag = hasattr(self.api.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
        return has_flag or not hasattr(self.api.BuilderFlag, "FP16")

    @property
    def capabilities(self) -> Dict[str, Any]:
        """Compute capabilities that can be named for a build, such as ``8.6``; empty where it builds for the GPU here.

        The values are the library's own.
        """
        if not hasattr(self.api.IBuilderConfig, "set_compute_capability"):
            return {}
        members = self.api.ComputeCapability.__members__
        found = {name: re.match(r"SM(\d+)(\d)$", name) for name in members}
        return {f"{match[1]}.{match[2]}": members[name] for name, match in found.items() if match}

    def logger(self, words: Words) -> tensorrt.ILogger:
        """A logger that passes everything on to `words`."""
        base: Any = self.api.ILogger

        class Forwarding(base):
            def __init__(self) -> None:
                # pybind11 refuses an object whose own base was not initialised by name.
                base.__init__(self)

            def log(self, severity: Any, msg: str) -> None:
                words.add(severity.name, msg)

        made: tensorrt.ILogger = Forwarding()
        return made

    def make(self, step: Callable[[], Any], what: str, source: str, words: Words) -> Any:
        """What `step` returns; where it fails, InputError: "`source`: TensorRT 10.3 cannot `what` (its own words)".

        TensorRT says that it failed by None or by an exception of any kind, depending on version and step, and logs
        why.
        """
        try:
            made, reason = step(), ""
        except Exception as error:
            made, reason = None, one_line(str(error))
        said = words.take()
        if made is None:
            raise InputError(self.cannot(what, source, said or reason))
        return made

    def cannot(self, what: str, source: str, reason: str) -> str:
        """The message for something that failed, with the library's own words, if any, in brackets."""
        return f"{source}: {self.title} cannot {what}" + (f" ({reason})" if reason else "")


def one_line(text: str) -> str:
    """A text in one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 2] + ".."


def look(kinds: Sequence[Kind] = KINDS) -> Tuple[Optional[Library], List[str]]:
    """Look for libraries of these kinds.

    Returns
    -------
    tuple
        The first library that is installed, or None; and what is wrong: with those that are
        installed and of no use, or, where none is, how to install one.
    """
    missing: List[str] = []
    refused: List[str] = []
    for kind in kinds:
        try:
            api = importlib.import_module(kind.module)
        except ModuleNotFoundError as error:
            missing.append(one_line(str(error)))
            continue
        except Exception as error:
            # TensorRT's parts raise what they like: OSError for a library, AttributeError for another NumPy.
            refused.append(f"{kind.name} does not load ({type(error).__name__}: {one_line(str(error))})")
            continue
        version = str(getattr(api, "__version__", ""))
        if not version:
            # Type stubs, and what uninstalling leaves behind, are folders that import as empty modules.
            missing.append(f"the module {kind.module!r} is empty")
        elif kind.supports(version):
            return Library(kind, api, version), refused
        else:
            refused.append(f"{kind.name} {version} is installed, supported are {' and '.join(map(str, kinds))}")
    if not refused:
        refused.append(
            f"TensorRT is not installed ({'; '.join(missing)}); on a Jetson it is JetPack's (python3-libnvinfer), "
            "elsewhere pip install 'pvtpp[trt]', or 'pvtpp[rtx]' for RTX GPUs and to compile without a GPU"
        )
    return None, refused


def find(source: str) -> Library:
    """The library that is installed here, see `look`; what is installed and of no use is reported in the log.

    Parameters
    ----------
    source
        What needs it, for the messages.

    Raises
    ------
    InputError
        If there is none, or none of a version that is supported, or what is there does not load.
    """
    library, problems = look()
    if library is None:
        raise InputError(f"{source}: {'; '.join(problems)}")
    for problem in problems:
        _log.warning("%s: %s; %s is used", source, problem, library.title)
    return library
