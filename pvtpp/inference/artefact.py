"""An exported network: a folder of graphs and the sidecar that says what they are and what they were checked against.

A damaged, exchanged or half-copied graph is refused when the folder is opened, not when the target is lost.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Union

from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine, load

SIDECAR = "artefact.json"
FORMAT = 1
_CARD = {"model": str, "form": str, "precision": str, "pixels": bool, "source": dict}
_GRAPH = {"file": str, "sha256": str, "inputs": list, "outputs": list}


@dataclass(frozen=True)
class Artefact:
    """`card` is the sidecar: ``model``, ``form``, ``precision``, ``pixels``, ``source``, ``parity``, and under ``graphs``, in
    the order in which the tracker takes its engines, file, sha256, inputs and outputs of each.
    """

    folder: Path
    card: Mapping[str, Any]

    def engines(self, backend: str = "onnxruntime:cpu", threads: int = 1) -> Dict[str, Engine]:
        """Every graph by its name, on one backend (see `pvtpp.inference.load`). Raises InputError where an engine's
        inputs and outputs are not those of the sidecar.
        """
        made = {}
        for name, graph in self.card["graphs"].items():
            path = self.folder / graph["file"]
            made[name] = load(path, threads, backend)
            found = described(made[name])
            for side in ("inputs", "outputs"):
                if found[side] != graph[side]:
                    raise InputError(f"{path}: its {side} are {found[side]}, {SIDECAR} says {graph[side]}")
        return made


def read_sidecar(folder: Union[str, Path]) -> Dict[str, Any]:
    """What the sidecar in this folder says; its graphs are not looked at. Raises InputError where there is none, or it lacks
    something.
    """
    folder = Path(folder)
    path = folder / SIDECAR
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{folder}: no exported network ({SIDECAR}: {error.strerror or error}); see pvtpp export"
        ) from None
    except ValueError as error:
        raise InputError(f"{path}: no JSON ({error})") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("graphs"), dict):
        raise InputError(f"{path}: not a sidecar of format {FORMAT}, the one that this version of pvtpp reads")
    # What was exported from memory has no source.
    card = {"source": {}, **card}
    _check(card, _CARD, f"{path}:")
    if not card["graphs"]:
        raise InputError(f"{path}: 'graphs' is empty; export it again, or copy it whole")
    for name, graph in card["graphs"].items():
        _check(graph, _GRAPH, f"{path}: graph {name!r}:")
    return card


def read(folder: Union[str, Path]) -> Artefact:
    """The artefact in this folder. Raises InputError where it is none, its sidecar lacks something, or a file is not the one
    that was accepted.
    """
    folder = Path(folder)
    card = read_sidecar(folder)
    for graph in card["graphs"].values():
        file = folder / graph["file"]
        try:
            found = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(f"{file}: cannot read ({error.strerror or error})") from None
        if found != graph["sha256"]:
            raise InputError(
                f"{file}: sha256 is {found}, {SIDECAR} says {graph['sha256']}; export it again, or copy it whole"
            )
    return Artefact(folder, card)


def _check(found: Any, wanted: Mapping[str, type], where: str) -> None:
    """Raises InputError for the first entry that is missing or no such thing."""
    if not isinstance(found, dict):
        raise InputError(f"{where} is no object but {type(found).__name__}; export it again, or copy it whole")
    for key, kind in wanted.items():
        if not isinstance(found.get(key), kind):
            is_ = f"is {str(found[key])[:60]!r}" if key in found else "is missing"
            raise InputError(f"{where} {key!r} {is_}, expected a {kind.__name__}; export it again, or copy it whole")


def is_artefact(folder: Union[str, Path, None]) -> bool:
    """Whether this is a folder that says it holds an exported network."""
    return folder is not None and (Path(folder).expanduser() / SIDECAR).is_file()


def described(engine: Engine) -> Dict[str, Any]:
    """Inputs and outputs of an engine as the sidecar has them."""
    return {
        side: [{"name": spec.name, "shape": list(spec.shape), "dtype": str(spec.dtype)} for spec in specs]
        for side, specs in (("inputs", engine.inputs), ("outputs", engine.outputs))
    }
