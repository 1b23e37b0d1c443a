"""Published PVT++ checkpoints as N-head modules, with a list of what in the file was used.

Such a file is PySOT's: a state dict, sometimes nested or with ``module.`` before every name, that holds the tracker
(``backbone.``, ``neck.``, ``rpn_head.``, ...) and the predictor (``predictor.``) together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pvtpp.errors import InputError
from pvtpp.export.n_head import publish
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.weights.checkpoint import read_checkpoint, restored
from pvtpp.weights.store import sha256

PREFIX = "predictor."
IDLE = "head."
"""A layer that the published modules contain and never run: their heads were copied from it."""

# Of each kind of module: the published name of a part, and ours. What follows the part is the same in both.
_VISUAL = {
    "conv_kernel": "visual.template",
    "conv_search": "visual.search",
    "hidden_conv": "visual.mix",
    "pred_loc_head": "estimator",
}


def _decoder(kind: str, suffix: str) -> dict[str, str]:
    parts = {"mid_hidden": "reduce", "pred_head": "heads", "out_decode": "output"}
    return {published + suffix: f"decoders.{kind}.{ours}" for published, ours in parts.items()}


NAMES: dict[str, dict[str, str]] = {
    "motion": {"input_encode": "motion.encode", "temporal": "motion.interact", **_decoder("motion", "")},
    "visual": {**_VISUAL, "interact": "visual.interact", **_decoder("visual", "_v")},
    "joint": {
        **_VISUAL,
        "input_encode": "motion.encode",
        "interact_m": "motion.interact",
        "interact_v": "visual.interact",
        **_decoder("motion", "_m"),
        **_decoder("visual", "_v"),
        **_decoder("joint", "_mv"),
    },
}
PUBLISHED = {"motion": "M (lb_5)", "visual": "V (lbv_5)", "joint": "MV (mv_v16)"}


@dataclass(frozen=True)
class Published:
    """A converted checkpoint.

    Attributes
    ----------
    network
        The module, in evaluation mode.
    used
        Names in the file whose tensors it uses.
    idle
        Names of the predictor's tensors that are never run.
    left_over
        Names of the tracker's tensors.
    """

    network: NHeadNetwork
    used: tuple[str, ...]
    idle: tuple[str, ...]
    left_over: tuple[str, ...]


def read(path: str | Path, history: int = 3, factor: str = "absolute") -> Published:
    """Read the predictor of a published checkpoint; its kind, heads and widths follow from names and shapes.

    Parameters
    ----------
    path
        The checkpoint.
    history, factor
        See `NHeadConfig`. The weights do not show them; the defaults are those of the published code.

    Raises
    ------
    InputError
        For a file without a predictor, and for one with a tensor too many, too few or of another shape.
    """
    tensors = read_checkpoint(path)
    predictor = {name[len(PREFIX) :]: tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    if not predictor:
        prefixes = sorted({name.split(".")[0] for name in tensors})
        raise InputError(
            f"{path}: no {PREFIX}* tensors, so no PVT++ predictor; the file holds {', '.join(prefixes[:6])}"
        )
    running = {name: tensor for name, tensor in predictor.items() if not name.startswith(IDLE)}
    kind = _kind(running, str(path))
    network = NHeadNetwork(_config(kind, running, history, factor, str(path)))
    renamed = {_translate(name, NAMES[kind]): tensor for name, tensor in running.items()}
    return Published(
        restored(network, renamed, path, f"the published {PUBLISHED[kind]} module"),
        used=tuple(PREFIX + name for name in running),
        idle=tuple(PREFIX + name for name in predictor if name not in running),
        left_over=tuple(name for name in tensors if not name.startswith(PREFIX)),
    )


def convert(
    source: str | Path, target: str | Path, history: int = 3, factor: str = "absolute", kappa: float = 30.0
) -> Published:
    """Read a published checkpoint and publish its module at `target` (``.onnx``), with a card that names the source.

    Parameters
    ----------
    source
        The checkpoint.
    target
        The graph, ``.onnx``; the other files are written beside it.
    history, factor
        See `read`.
    kappa
        Frames per second that heads count in.
    """
    published = read(source, history, factor)
    notes = {
        "source": Path(source).name,
        "source_sha256": sha256(Path(source)),
        "used": list(published.used),
        "idle": list(published.idle),
        "left_over": list(published.left_over),
    }
    publish(published.network, target, kappa, notes)
    return published


def _kind(tensors: Mapping[str, Any], source: str) -> str:
    parts = {name.split(".")[0] for name in tensors}
    # The kind whose names fit best, so that the message can name what is missing or too much.
    kind = max(NAMES, key=lambda kind: len(parts & set(NAMES[kind])) - len(parts ^ set(NAMES[kind])))
    missing, unknown = sorted(set(NAMES[kind]) - parts), sorted(parts - set(NAMES[kind]))
    if missing or unknown:
        says = [f"lacks {PREFIX}{name}" for name in missing[:1]] + [
            f"has {PREFIX}{name} besides" for name in unknown[:1]
        ]
        raise InputError(
            f"{source}: no published PVT++ module ({', '.join(PUBLISHED.values())}); "
            f"nearest is {PUBLISHED[kind]}, but the file {' and '.join(says)}"
        )
    return kind


def _config(kind: str, tensors: Mapping[str, Any], history: int, factor: str, source: str) -> NHeadConfig:
    names = {ours: published for published, ours in NAMES[kind].items()}
    heads, reduce = names[f"decoders.{kind}.heads"], names[f"decoders.{kind}.reduce"]
    first = names["visual.template" if kind != "motion" else "motion.encode"]
    count = len({name.split(".")[1] for name in tensors if re.match(rf"{heads}\.\d+\.", name)})
    try:
        width, channels = tensors[f"{first}.0.weight"].shape[:2]
        narrow = tensors[f"{reduce}.0.weight"].shape[0]
    except (KeyError, ValueError, IndexError):
        raise InputError(f"{source}: the first weights of {PREFIX}{first} or {PREFIX}{reduce} are missing") from None
    channels = channels if kind != "motion" else NHeadConfig.channels
    return NHeadConfig(kind, count, history, channels, factor, width=width, narrow=narrow)


def _translate(name: str, names: Mapping[str, str]) -> str:
    part, _, rest = name.partition(".")
    return f"{names[part]}.{rest}"
