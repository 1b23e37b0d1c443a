"""Trackers by name: the adapters here, those that other distributions offer, and any class by its import path."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, TypeVar

from pvtpp.errors import InputError
from pvtpp.tracker import PLAIN, Tracker
from pvtpp_trackers.styles import adapt, check_style

# Importing an adapter must stay cheap: it loads its runtime when a tracker is made, not before.
ADAPTERS = ("external", "nanotrack", "opencv", "opencv_networks", "replay", "siammask", "siamrpn", "vittrack")
ENTRY_POINT_GROUP = "pvtpp.trackers"

Factory = TypeVar("Factory", bound=Callable[..., Any])
_FACTORIES: Dict[str, Callable[..., Any]] = {}
_ARGUMENTS: Dict[str, str] = {}


def register(name: str, argument: str = "") -> Callable[[Factory], Factory]:
    """Decorator: register this class or function under a name; its keyword arguments are the tracker's options.

    Parameters
    ----------
    name
        The name for `create`.
    argument
        With it, ``name:TEXT`` sets the option of this name.
    """

    def add(factory: Factory) -> Factory:
        if name in _FACTORIES:
            raise InputError(f"two trackers are called {name!r}: {_FACTORIES[name]!r} and {factory!r}")
        _FACTORIES[name] = factory
        if argument:
            _ARGUMENTS[name] = argument
        return factory

    return add


def names() -> List[str]:
    """Every name that `create` takes, sorted; any ``module:Class`` works besides."""
    return sorted({*_own(), *_offered()})


def create(name: str, style: str = PLAIN, **options: Any) -> Tracker:
    """A new tracker.

    Parameters
    ----------
    name
        One of `names()`, ``external:PROGRAM``, or ``module:Class`` for anything that `pvtpp.tracker.as_tracker` takes.
    style
        What a class was written for, of `pvtpp_trackers.styles`.
    options
        Options of the tracker.

    Raises
    ------
    InputError
        For an unknown name, style or option (the message lists the valid ones), and for a class that cannot be imported
        or is no tracker.
    """
    check_style(style)
    own = _own()
    first, _, text = name.partition(":")
    if name in own:
        factory = own[name]
    elif text and first in _ARGUMENTS:
        factory, options = own[first], {_ARGUMENTS[first]: text, **options}
    elif ":" in name:
        factory = _imported(name)
    else:
        offered = _offered()
        if name not in offered:
            raise InputError(f"unknown tracker {name!r}, expected one of: {', '.join(names())}, or module:Class")
        try:
            factory = offered[name].load()
        except (Exception, SystemExit) as error:
            raise InputError(f"tracker {name!r}: cannot load {offered[name].value} ({_named(error)})") from None
    _check_options(name, factory, options)
    return adapt(factory(**options), style)


def sources(name: str) -> List[str]:
    """The files that define the tracker `name`, besides its weights and this project; the tracker is not run.

    For ``module:Class`` and for an entry point these are the module's file and the Python files of its package, or
    those beside it. For ``external:PROGRAM`` they are the program and every word of its command that names a file.
    """
    first, _, text = name.partition(":")
    if name in _own():
        return []
    if text and first in _ARGUMENTS:
        try:
            words = shlex.split(text)
        except ValueError:
            # `create` reports what is wrong with it.
            return []
        program = shutil.which(words[0]) if words else None
        return [path for path in (program, *words[1:]) if path is not None and os.path.isfile(path)]
    if not text:
        offered = _offered()
        return _code(offered[name].value.partition(":")[0].strip()) if name in offered else []
    return _code(first)


def _code(module: str) -> List[str]:
    """The module's file and the Python files that it may import as its own; none where it is not found."""
    try:
        with _working_folder_first(module):
            spec = find_spec(module)
    except (Exception, SystemExit):
        # Whatever its package raises, `create` reports it.
        spec = None
    # The origin of a built-in module is a word, not a path.
    if spec is None or spec.origin is None or not os.path.isfile(spec.origin):
        return []
    file, package = Path(spec.origin), None
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            break
        package = folder
    own = [file]
    if package is not None:
        own += package.rglob("*.py")
    elif file.parent.name not in ("site-packages", "dist-packages"):
        # In such a folder the files beside it belong to other distributions.
        own += file.parent.glob("*.py")
    return [str(path) for path in sorted(set(own)) if path.is_file()]


def source_digest(module: str) -> str:
    """Return a digest of the source of a user's own tracker module, empty where there is none."""
    content = hashlib.sha256()
    files = _code(module) if module and module != "__main__" else []
    for path in files:
        content.update(Path(path).read_bytes())
    return content.hexdigest()[:12] if files else ""


def _own() -> Dict[str, Callable[..., Any]]:
    for adapter in ADAPTERS:
        importlib.import_module(f"pvtpp_trackers.{adapter}")
    return _FACTORIES


def _offered() -> Dict[str, Any]:
    found: Any = metadata.entry_points()
    group = found.select(group=ENTRY_POINT_GROUP) if hasattr(found, "select") else found.get(ENTRY_POINT_GROUP, ())
    return {point.name: point for point in group}


def _imported(name: str) -> Callable[..., Any]:
    module_name, _, attribute = name.partition(":")
    if not (module_name and attribute):
        raise InputError(f"tracker {name!r}: expected module:Class, with neither part empty")
    try:
        with _working_folder_first(module_name):
            module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise InputError(f"tracker {name!r}: cannot import {module_name} ({_named(error)})") from None
    factory = getattr(module, attribute, None)
    if not callable(factory):
        classes = sorted(key for key, value in vars(module).items() if inspect.isclass(value) and key[0] != "_")
        listed = ", ".join(classes) or "none"
        raise InputError(f"tracker {name!r}: {module_name} has no class {attribute!r}; its classes are: {listed}")
    return factory


@contextmanager
def _working_folder_first(module: str) -> Iterator[None]:
    """Within the block a module in the working folder takes precedence over an installed one, as with `python -m`.

    That holds for a folder without ``__init__.py`` too, over which Python prefers any installed package of its name.
    Afterwards the working folder stays at the end of ``sys.path``, for what the module imports later; there it hides
    nothing that is installed.
    """
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)
    if not _is_in_folder(module, folder):
        yield
        return
    finder = _FolderFinder(module.partition(".")[0], folder)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        sys.meta_path.remove(finder)


def _is_in_folder(module: str, folder: str) -> bool:
    """Whether the module, or the package that it is in, lies in the folder. No code is run.

    A folder without ``__init__.py`` counts only with the next part of the name in it: it may hold anything.
    """
    top, *inner = module.split(".")[:2]
    spec = PathFinder.find_spec(top, [folder])
    if spec is None or spec.loader is not None:
        return spec is not None
    return bool(inner) and PathFinder.find_spec(f"{top}.{inner[0]}", [os.path.join(folder, top)]) is not None


class _FolderFinder(MetaPathFinder):
    """Finds one top-level module or package in one folder, and nothing else."""

    def __init__(self, name: str, folder: str):
        self.name = name
        self.folder = folder

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Optional[ModuleSpec]:
        return PathFinder.find_spec(fullname, [self.folder]) if fullname == self.name else None


def _check_options(name: str, factory: Callable[..., Any], options: Dict[str, Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:
        # Classes written in C often have no signature; they check their options themselves.
        return
    try:
        signature.bind(**options)
    except TypeError as error:
        allowed = ", ".join(signature.parameters) or "none"
        raise InputError(f"tracker {name!r}: {error}; its options are: {allowed}") from None


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
