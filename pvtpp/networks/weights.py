"""Files of N-head modules: tensors as safetensors, and a JSON card that says which module they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.weights.checkpoint import card_of, match, read_network, write_network

FORMAT = "pvtpp n-head 1"


def save(network: NHeadNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write the weights and, beside them, the card.

    Parameters
    ----------
    network
        The module.
    path
        A ``.safetensors`` file; the card has the same name and ends in ``.json``.
    notes
        Anything JSON takes; the card also gets the format and the configuration.
    """
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
    network.load_state_dict(match(network.state_dict(), tensors, str(path), f"an N-head {network.config.kind} module"))
    return network.eval(), card
