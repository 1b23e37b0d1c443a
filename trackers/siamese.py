"""The Siamese tracker: it compares a template's features with a search region's, with any network.

A tracker of this family is a `Decoder` and three engines; NanoTrack, SiamRPN++ and SiamMask choose them in their own
files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, require_in_image
from pvtpp.errors import InputError
from pvtpp.inference import artefact
from pvtpp.inference.engine import Engine, TensorSpec
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers.crop import bounded, channel_average, context_side, crop, first_centre, planes_of, to_blob
from pvtpp_trackers.decode import Decoder, Proposal
from pvtpp_trackers.feature_map import FeatureMap

Shape = Tuple[Optional[int], ...]
GRAPHS = ("template", "search", "head", "refine")
"""Names of a tracker's engines, in the order in which it takes them; only SiamMask has the last."""


@dataclass(frozen=True, eq=False)
class SiameseFeatures:
    """What the head compares, on its last level; float32, read-only.

    Attributes
    ----------
    template
        ``(1, C, h, w)``, the same array for every frame since `init`.
    search
        ``(1, C, H, W)`` of this frame.
    """

    template: np.ndarray
    search: np.ndarray


class Look(NamedTuple):
    """One search.

    Attributes
    ----------
    x, y, side
        Centre and side of the search region, pixels of the image.
    seen
        Outputs of the search engine.
    maps
        Outputs of the head.
    proposal
        The winning proposal.
    """

    x: float
    y: float
    side: int
    seen: List[np.ndarray]
    maps: List[np.ndarray]
    proposal: Proposal


class SiameseTracker:
    """Follows PySOT's tracker step by step. A result's score is the softmax score of the winning proposal.

    Parameters
    ----------
    name
        Stands in messages.
    decoder
        Turns the head's maps into a proposal.
    engines
        For template, search region and head, in this order. The head takes the template's levels and then as many of
        the search region's, and returns scores and boxes first. Crops go in as float planes or as bytes, as the engine
        asks.

    Raises
    ------
    InputError
        For engines that do not fit each other or `decoder`.
    """

    graphs: Tuple[str, ...] = GRAPHS[:3]
    """The engines that it takes."""

    def __init__(self, name: str, decoder: Decoder, engines: Sequence[Engine]):
        if len(engines) != len(self.graphs):
            raise InputError(f"{name}: takes {len(self.graphs)} engines, {', '.join(self.graphs)}; got {len(engines)}")
        template, search, head = engines[:3]
        self.engines: Dict[str, Engine] = dict(zip(self.graphs, engines))
        self.config, self._decoder = decoder.config, decoder
        self._template_engine, self._search_engine, self._head = template, search, head
        self._levels = len(head.inputs) // 2
        _check(name, decoder, template, search, head)
        self._exemplar = _Crop(template.inputs[0], self.config.exemplar)
        self._instance = _Crop(search.inputs[0], self.config.instance)
        self._template: List[np.ndarray] = []
        self._box: Optional[np.ndarray] = None
        self._shown: Optional[FeatureMap] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Start on `box`, ``[cx, cy, w, h]`` in pixels; forgets everything before.

        Raises
        ------
        InputError
            For a box that is not in the image.
        """
        image = frame.image
        self._box = require_in_image(as_box(box, "first box"), (image.shape[1], image.shape[0]), "first box")
        self._fill: Tuple[float, float, float] = channel_average(image)
        self._x, self._y = first_centre(self._box).tolist()
        w, h = self._box[2:].tolist()
        side = max(1, round(context_side(w, h, self.config.context)))
        given = self._exemplar.cut(image, self._x, self._y, side, self._fill)
        self._template = _values(self._template_engine, given)[: self._levels]
        self._shown = FeatureMap(self._template[-1][0], self._x, self._y, side / self.config.exemplar)

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        """The result for `frame`.

        Parameters
        ----------
        frame
            The newest frame.
        search_box
            Where to search and what size to assume, ``[cx, cy, w, h]``; None takes the last result.

        Raises
        ------
        InputError
            Before `init`.
        """
        return self._moved(frame, self._look(frame, search_box))

    def describe(self, box: np.ndarray) -> Optional[np.ndarray]:
        """What the network sees in a box of the frame that was given last, for comparison by the appearance monitor.

        Parameters
        ----------
        box
            ``[cx, cy, w, h]``, pixels.

        Returns
        -------
        ndarray
            Of unit length, see `pvtpp_trackers.feature_map`. None before `init`.
        """
        return None if self._shown is None else self._shown.describe(box, self.config.stride)

    def find(self, vector: np.ndarray, box: np.ndarray) -> Tuple[np.ndarray, float]:
        """Find the place in the newest search region that looks most like a description.

        Parameters
        ----------
        vector
            What `describe` gave for a box.
        box
            ``[cx, cy, w, h]``, pixels; its size is looked for.

        Returns
        -------
        ndarray, float
            Box ``[cx, cy, w, h]`` there, and the correlation of its description with `vector`.
        """
        if self._shown is None:
            raise InputError("find() called before init()")
        return self._shown.find(vector, box, self.config.stride)

    def _look(self, frame: Frame, search_box: Optional[ArrayLike]) -> Look:
        if self._box is None:
            raise InputError("track() called before init()")
        config, image = self.config, frame.image
        if search_box is None or np.array_equal(search_box, self._box):
            # The last box as search box changes nothing, not even after `init`, where the internal centre differs.
            x, y, (w, h) = self._x, self._y, self._box[2:].tolist()
        else:
            x, y, w, h = as_box(search_box, "search box").tolist()
        context = context_side(w, h, config.context)
        side = max(1, round(context * (config.instance / config.exemplar)))
        seen = _values(self._search_engine, self._instance.cut(image, x, y, side, self._fill))
        levels = self._template + seen[: self._levels]
        self._shown = FeatureMap(seen[self._levels - 1][0], x, y, side / config.instance)
        maps = _values(self._head, {spec.name: level for spec, level in zip(self._head.inputs, levels)})
        proposal = self._decoder.decode(maps[0], maps[1], w, h, config.exemplar / context)
        return Look(x, y, side, seen, maps, proposal)

    def _moved(self, frame: Frame, look: Look) -> TrackerOutput:
        """The result of a search; the tracker's state moves there."""
        dx, dy, w, h, score = look.proposal[:5]
        found = bounded(look.x + dx, look.y + dy, w, h, frame.image, self.config.minimum)
        features = SiameseFeatures(self._template[-1], look.seen[self._levels - 1])
        output = TrackerOutput(np.array(found), score, features)
        self._box = output.box
        self._x, self._y = found[:2]
        return output


def exported(name: str, weights: Union[str, Path, None], threads: int, backend: str) -> Optional[Tuple[Engine, ...]]:
    """The engines of the exported network in a folder.

    Parameters
    ----------
    name
        The tracker's name.
    weights
        The folder.
    threads
        Threads of each engine.
    backend
        One of `pvtpp.inference`'s; empty takes the default.

    Returns
    -------
    tuple of Engine or None
        None where `weights` is no such folder.

    Raises
    ------
    InputError
        For a damaged network, and one of another tracker.
    """
    if weights is None or not artefact.is_artefact(weights):
        return None
    found = artefact.read(Path(weights).expanduser())
    if found.card.get("model") != name:
        raise InputError(f"{weights}: an exported network of {found.card.get('model')!r}, expected one of {name!r}")
    engines: Dict[str, Any] = found.engines(**({"backend": backend} if backend else {}), threads=threads)
    return tuple(engines.values())


def torch_engines(name: str, weights: Union[str, Path, None] = None, backend: str = "") -> Tuple[Engine, ...]:
    """The parts of a published checkpoint's network in torch.

    Parameters
    ----------
    name
        The tracker's name.
    weights
        The checkpoint, or a folder with it; None looks it up as `pvtpp.weights.find` does.
    backend
        ``torch[:DEVICE]``; empty takes the CPU.

    Raises
    ------
    InputError
        For another backend, without torch, and where the weights are missing or do not fit.
    """
    from pvtpp.weights import find
    from pvtpp.weights.catalogue import entry

    runtime, _, device = (backend or "torch").partition(":")
    if runtime != "torch":
        raise InputError(
            f"{name}: backend {backend!r}, a checkpoint runs on torch[:DEVICE]; export it for another runtime"
        )
    path = Path(weights).expanduser() if weights is not None else None
    if path is None or path.is_dir():
        path = find(name, weights) / entry(name).files[0].name
    try:
        from pvtpp_trackers.models import parts, zoo
    except ImportError as error:
        raise InputError(
            f"{name}: a checkpoint needs torch ({error}); pip install 'pvtpp[train]', or export it"
        ) from None
    return parts.engines(zoo.load(name, path), device or "cpu")


class _Crop:
    """A crop in the form that an engine takes, always in the same memory."""

    def __init__(self, spec: TensorSpec, size: int):
        self._name, self._size = spec.name, size
        self._patch, self._planes = np.empty((size, size, 3), np.uint8), planes_of(size)
        self._given = self._patch[None] if spec.dtype == np.uint8 else np.empty((1, 3, size, size), np.float32)

    def cut(
        self, image: np.ndarray, x: float, y: float, side: int, fill: Tuple[float, float, float]
    ) -> Dict[str, np.ndarray]:
        patch = crop(image, x, y, side, self._size, fill, self._patch)
        return {self._name: self._given if self._given.dtype == np.uint8 else to_blob(patch, self._given, self._planes)}


def _values(engine: Engine, inputs: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """The outputs in the engine's order, read-only."""
    found = engine.run(inputs)
    values = [found[spec.name] for spec in engine.outputs]
    for value in values:
        value.flags.writeable = False
    return values


def _check(name: str, decoder: Decoder, template: Engine, search: Engine, head: Engine) -> None:
    """Raise InputError for the first shape that does not fit its counterpart; open dimensions fit everything."""
    config, levels = decoder.config, len(head.inputs) // 2
    meets: List[Tuple[str, Shape, Shape]] = [
        ("the template's crop", _sides(template.inputs[0]), (config.exemplar, config.exemplar)),
        ("the search region's crop", _sides(search.inputs[0]), (config.instance, config.instance)),
    ]
    for spec, given in zip(head.inputs, (*template.outputs[:levels], *search.outputs[:levels])):
        meets.append((f"what the head takes as {spec.name!r}", spec.shape, given.shape))
    for spec, channels in zip(head.outputs, (decoder.questions, decoder.answers)):
        meets.append((f"the head's {spec.name!r}", spec.shape, (1, channels, config.score_size, config.score_size)))
    for what, found, expected in meets:
        if None not in (*found, *expected) and found != expected:
            raise InputError(f"{name}: {what} is {list(found)}, expected {list(expected)}; these engines do not fit it")


def _sides(spec: TensorSpec) -> Shape:
    """Height and width of an engine's crop, of bytes ``(1, h, w, 3)`` or planes ``(1, 3, h, w)``."""
    return spec.shape[1:3] if spec.dtype == np.uint8 else spec.shape[2:4]
