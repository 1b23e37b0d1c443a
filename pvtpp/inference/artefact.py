"""An exported network: a folder of graphs, and a sidecar that describes them and what they were checked against.

A graph that is damaged, exchanged or copied in part is refused when the folder is opened, not in flight.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Union

from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp.inference.engine import Engine, load

SIDECAR = "artefact.json"
FORMAT = 1
_CARD = {"model": str, "form": str, "precision": str, "pixels": bool, "source": dict}
_GRAPH = {"file": str, "sha256": str, "inputs": list, "outputs": list}


@dataclass(frozen=True)
class Artefact:
    """An exported network.

    Attributes
    ----------
    folder
        Where the graphs are.
    card
        Content of the sidecar: ``model``, ``form``, ``precision``, ``pixels``, ``source``, ``parity``, and ``graphs``:
        file, sha256, inputs and outputs of each graph, in the order in which the tracker takes its engines; and where
        it was compiled ``compiled``, see `pvtpp.export.compiler`.
    """

    folder: Path
    card: Mapping[str, Any]

    def engines(self, backend: str = "onnxruntime:cpu", threads: int = 1) -> Dict[str, Engine]:
        """Load every graph; `backend` and `threads` are those of `pvtpp.inference.load`.

        Returns
        -------
        dict
            The engines by the names of their graphs.

        Raises
        ------
        InputError
            If an engine's inputs or outputs are not those in the sidecar, or it cannot be loaded.
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
    """Read the sidecar in this folder, without its graphs; InputError if there is none or an entry is missing."""
    folder = Path(folder)
    path = folder / SIDECAR
    if not path.is_file():
        raise InputError(f"{folder}: no exported network (there is no {SIDECAR}); see pvtpp export")
    card = read_json(path)
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("graphs"), dict):
        raise InputError(f"{path}: not a sidecar of format {FORMAT}, the one that this version of pvtpp reads")
    # A network that was exported from memory has no source.
    card = {"source": {}, **card}
    _check(card, _CARD, f"{path}:")
    if not card["graphs"]:
        raise InputError(f"{path}: 'graphs' is empty; export it again, or copy it whole")
    for name, graph in card["graphs"].items():
        _check(graph, _GRAPH, f"{path}: graph {name!r}:")
    return card


def read(folder: Union[str, Path]) -> Artefact:
    """Read the exported network in this folder and check its files.

    Raises
    ------
    InputError
        If there is no sidecar, an entry of it is missing, or the sha256 of a file is not the one in the sidecar.
    """
    folder = Path(folder)
    card = read_sidecar(folder)
    for graph in card["graphs"].values():
        file = folder / graph["file"]
        try:
            found = hashlib.sha256(file.read_bytes()).hexdigest()
        except (OSError, ValueError) as error:
            # A name with a zero byte is no name: ValueError.
            raise InputError(f"{file!s}: cannot read ({getattr(error, 'strerror', None) or error})") from None
        if found != graph["sha256"]:
            raise InputError(
                f"{file}: sha256 is {found}, {SIDECAR} says {graph['sha256']}; export it again, or copy it whole"
            )
    return Artefact(folder, card)


def _check(found: Any, wanted: Mapping[str, type], where: str) -> None:
    """Raise InputError for the first entry that is missing or of another type."""
    if not isinstance(found, dict):
        raise InputError(f"{where} is no object but {type(found).__name__}; export it again, or copy it whole")
    for key, kind in wanted.items():
        if not isinstance(found.get(key), kind):
            is_ = f"is {str(found[key])[:60]!r}" if key in found else "is missing"
            raise InputError(f"{where} {key!r} {is_}, expected a {kind.__name__}; export it again, or copy it whole")


def is_artefact(folder: Union[str, Path, None]) -> bool:
    """Whether this is a folder with the sidecar of an exported network."""
    return folder is not None and (Path(folder).expanduser() / SIDECAR).is_file()


def described(engine: Engine) -> Dict[str, Any]:
    """Inputs and outputs of an engine, as the sidecar describes them."""
    return {
        side: [{"name": spec.name, "shape": list(spec.shape), "dtype": str(spec.dtype)} for spec in specs]
        for side, specs in (("inputs", engine.inputs), ("outputs", engine.outputs))
    }
