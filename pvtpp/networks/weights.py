"""N-head modules on disk: tensors as safetensors, and a JSON card that says which module they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pvtpp.errors import InputError
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.weights.checkpoint import card_of, match, read_weights, write_weights

FORMAT = "pvtpp n-head 1"


def save(network: NHeadNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write `path` (``.safetensors``) and the card beside it: format, configuration and `notes` (anything JSON takes)."""
    card = {**(notes or {}), "format": FORMAT, "config": network.config.as_dict()}
    write_weights(path, network.state_dict(), card)


def load(path: str | Path) -> tuple[NHeadNetwork, dict[str, Any]]:
    """The module in evaluation mode, and its card. Raises InputError where files are missing, damaged or of another kind."""
    tensors, card = read_weights(path)
    source = str(card_of(path))
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("config"), dict):
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise InputError(f"{source}: format is {found!r}, expected {FORMAT!r} with a config")
    network = NHeadNetwork(NHeadConfig.from_dict(card["config"], source))
    network.load_state_dict(match(network.state_dict(), tensors, str(path), f"an N-head {network.config.kind} module"))
    return network.eval(), card
