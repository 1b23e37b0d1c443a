"""Exporting a trained predictor again, from its weights or from a checkpoint of its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.export import joint, motion, n_head
from pvtpp.export.compiler import Compiler
from pvtpp.networks import joint as joint_network
from pvtpp.networks import motion as motion_network
from pvtpp.networks import weights as n_head_weights
from pvtpp.networks.joint import JointConfig, JointNetwork
from pvtpp.networks.motion import MotionConfig, MotionNetwork
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.predictors.joint import FEATURES
from pvtpp.training import resume
from pvtpp.training.config import made
from pvtpp.training.joint import finished
from pvtpp.training.projection import Projection
from pvtpp.weights.checkpoint import restored
from pvtpp.weights.store import sha256

WEIGHTS = ".safetensors"
KAPPA = 30.0
"""Frames per second that heads count in where the card does not say, see `pvtpp.predictors.n_head.load`."""


class Trained(NamedTuple):
    """A trained network.

    Attributes
    ----------
    network
        In evaluation mode.
    card
        What is known of it, as the card beside its weights holds it.
    """

    network: Any
    card: dict[str, Any]


class Kind(NamedTuple):
    """A kind of predictor that can be exported.

    Attributes
    ----------
    module
        Class of the training module, as its checkpoints name it.
    load
        Reads weights with their card.
    restore
        Makes the network, and entries for its card, of a checkpoint's content; the path is for messages.
    publish
        Writes weights, card and graphs of a `Trained` to a path, with a compiler that must take the graphs or None, and
        returns the difference from torch.
    """

    module: str
    load: Callable[[Path], tuple[Any, dict[str, Any]]]
    restore: Callable[[Mapping[str, Any], Path], Trained]
    publish: Callable[[Trained, Path, Compiler | None], float]


def read(kind: str, path: str | Path) -> Trained:
    """The trained network in a file.

    Parameters
    ----------
    kind
        One of `KINDS`.
    path
        Weights (``.safetensors``, with their card beside them), or a checkpoint of a training.

    Raises
    ------
    InputError
        For a missing or damaged file, and for one of another kind.
    """
    path, wanted = Path(path), KINDS[kind]
    if path.suffix == WEIGHTS:
        return Trained(*wanted.load(path))
    content = resume.read(path)
    facts = content[resume.KEY]
    if facts["kind"] != wanted.module:
        names = {each.module: name for name, each in KINDS.items()}
        other = names.get(facts["kind"])
        use = f"use pvtpp export {other}" if other else f"known are {', '.join(KINDS)}"
        raise InputError(f"{path}: is a checkpoint of {facts['kind']}, not of {wanted.module}; {use}")
    trained = wanted.restore(content, path)
    epoch, config = content.get("epoch"), facts["config"]
    card = {
        "source": {"file": path.name, "sha256": sha256(path), "epochs": epoch + 1 if isinstance(epoch, int) else None},
        "seed": config.get("seed"),
        "training": config,
    }
    return Trained(trained.network, {**card, **trained.card})


def _motion(content: Mapping[str, Any], path: Path) -> Trained:
    network = MotionNetwork(_config(MotionConfig, content, path))
    return Trained(
        restored(network, content["state_dict"], path, "a motion network", "average."), {"calibration": None}
    )


def _joint(content: Mapping[str, Any], path: Path) -> Trained:
    network = JointNetwork(_config(JointConfig, content, path))
    restored(network, content["state_dict"], path, "a joint network", "network.")
    trust = content[resume.KEY]["config"].get("trust")
    if isinstance(trust, bool) or not isinstance(trust, (int, float)) or not 0 < trust <= 1:
        raise InputError(f"{path}: JointTraining.trust is {trust!r}, allowed is a number above 0 and up to 1")
    saved = _for_export(content, path, "projection")
    projection = None
    if saved is not None:
        try:
            projection = Projection(saved["matrix"].numpy(), saved["mean"].numpy())
        except (TypeError, KeyError, AttributeError):
            raise InputError(f"{path}: its projection is damaged") from None
    return Trained(finished(network, trust, projection), {})


def _paper(content: Mapping[str, Any], path: Path) -> Trained:
    network = NHeadNetwork(_config(NHeadConfig, content, path))
    restored(network, content["state_dict"], path, f"an N-head {network.config.kind} module", "network.")
    card = {"kappa": content[resume.KEY]["config"].get("kappa")}
    if network.config.sees_images:
        card["sides"] = _for_export(content, path, "sides")
    return Trained(network, _checked(card, path))


def _load_paper(path: Path) -> tuple[NHeadNetwork, dict[str, Any]]:
    """Weights and card; a card without the sides of the feature maps gets those of the encoder's graph beside it."""
    network, card = n_head_weights.load(path)
    card.setdefault("kappa", KAPPA)
    if network.config.sees_images and "sides" not in card:
        encoder = path.with_name(str(card.get("encoder")))
        if not encoder.is_file():
            raise InputError(f"{path}: its card lacks the sides of the feature maps, and {encoder} is not there")
        shapes = {spec.name: spec.shape for spec in inference.load(encoder).inputs}
        card["sides"] = [shapes[name][-1] for name in FEATURES if name in shapes]
    return network, _checked(card, path)


def _checked(card: dict[str, Any], path: Path) -> dict[str, Any]:
    """The card of an N-head module, if its frame rate and sides are of use; else InputError."""
    kappa, sides = card["kappa"], card.get("sides", [1, 1])
    if isinstance(kappa, bool) or not isinstance(kappa, (int, float)) or not 0 < kappa < float("inf"):
        raise InputError(f"{path}: kappa is {kappa!r}, allowed is any number of frames per second above 0")
    whole = isinstance(sides, (list, tuple)) and len(sides) == 2 and all(type(side) is int for side in sides)
    if not whole or not 0 < sides[0] <= sides[1]:
        raise InputError(f"{path}: sides of the feature maps are {sides!r}, allowed are two whole numbers in order")
    return card


def _config(kind: Any, content: Mapping[str, Any], path: Path) -> Any:
    """The network's configuration, out of that of its training."""
    return made(kind, content[resume.KEY]["config"].get("network"), str(path))


def _for_export(content: Mapping[str, Any], path: Path, name: str) -> Any:
    saved = content.get(resume.EXPORT)
    if not isinstance(saved, dict) or name not in saved:
        raise InputError(
            f"{path}: lacks {name!r}, which the export needs; checkpoints of older versions do. Give the command that "
            "trained it again with --resume: it exports at its end"
        )
    return saved[name]


def _publish_motion(trained: Trained, path: Path, compiler: Compiler | None) -> float:
    return motion.publish(trained.network, path, trained.card, compiler=compiler)


def _publish_joint(trained: Trained, path: Path, compiler: Compiler | None) -> float:
    return joint.publish(trained.network, path, trained.card, compiler=compiler)


def _publish_paper(trained: Trained, path: Path, compiler: Compiler | None) -> float:
    template, search = trained.card.get("sides", (0, 0))
    kappa = trained.card["kappa"]
    return n_head.publish(trained.network, path, kappa, trained.card, (template, search), compiler=compiler)


KINDS = {
    "motion": Kind("MotionModule", motion_network.load, _motion, _publish_motion),
    "joint": Kind("JointModule", joint_network.load, _joint, _publish_joint),
    "paper": Kind("PaperModule", _load_paper, _paper, _publish_paper),
}
"""By the names that ``pvtpp export`` takes."""


def export_again(kind: str, source: str | Path, path: str | Path, compiler: Compiler | None = None) -> float:
    """Publish the trained network in a file: its weights, card and graphs.

    Parameters
    ----------
    kind
        One of `KINDS`.
    source
        See `read`.
    path
        The graph, ``.onnx``; the other files are written beside it, and replaced where they exist.
    compiler
        Must take the graphs.

    Returns
    -------
    float
        The largest difference between graphs and torch.

    Raises
    ------
    InputError
        As `read`, and as `pvtpp.export.publication.publish`.
    """
    return KINDS[kind].publish(read(kind, source), Path(path), compiler)
