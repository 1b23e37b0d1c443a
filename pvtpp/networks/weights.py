"""Files of N-head modules: tensors as safetensors, and a JSON card that says which module they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.weights.checkpoint import card_of, read_network, restored, write_network

FORMAT = "pvtpp n-head 1"


def save(network: NHeadNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write the weights and, beside them, the card; parameters as of `write_network`."""
    write_network(path, network, FORMAT, notes)


def load(path: str | Path) -> tuple[NHeadNetwork, dict[str, Any]]:
    """Read a module and its card.

    Parameters
    ----------
    path
        The ``.safetensors`` file, with the card beside it.

    Returns
    -------
    network : NHeadNetwork
        In evaluation mode.
    card : dict
        What `save` wrote.

    Raises
    ------
    InputError
        Where files are missing, damaged or of another kind.
    """
    tensors, card = read_network(path, FORMAT)
    network = NHeadNetwork(NHeadConfig.from_dict(card["config"], str(card_of(path))))
    return restored(network, tensors, path, f"an N-head {network.config.kind} module"), card
