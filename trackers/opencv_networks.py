"""OpenCV's own VitTrack and NanoTrack, for comparison with the adapters here that run the same weights.

`cv2-vit` is `cv2.TrackerVit`, `cv2-nano` is `cv2.TrackerNano` with the graphs of NanoTrack V2. They run in OpenCV's
own inference, take no search box and keep boxes in whole pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Tuple, Union

from pvtpp.errors import InputError
from pvtpp_trackers.opencv import OpenCVTracker
from pvtpp_trackers.registry import register


class _Network(NamedTuple):
    """One of OpenCV's trackers: its class there, since when, whose weights, and the parameter for each file."""

    name: str
    since: str
    weights: str
    parameters: Tuple[str, ...]


NETWORKS: Dict[str, _Network] = {
    "cv2-nano": _Network("TrackerNano", "4.7", "nanotrack-v2", ("backbone", "neckhead")),
    "cv2-vit": _Network("TrackerVit", "4.9", "vittrack", ("net",)),
}
NANO_VERSIONS = ("v1", "v2")


class OpenCVNetwork(OpenCVTracker):
    """A tracker of OpenCV with a network; its score is OpenCV's, 0 with the last box where it reports a loss.

    Parameters
    ----------
    kind
        One of `NETWORKS`.
    weights
        Folder with its graphs; None looks them up as `pvtpp.weights.find` does.
    entry
        Their name in the catalogue; empty takes that of `NETWORKS`.

    Raises
    ------
    InputError
        If this OpenCV has no such tracker, weights are missing, or OpenCV cannot read them.
    """

    def __init__(self, kind: str, weights: Union[str, Path, None] = None, entry: str = ""):
        create = _create(kind, weights, entry or NETWORKS[kind].weights)
        # Once here, so that graphs which this OpenCV cannot read are found before the first frame.
        create()
        super().__init__(kind, (create, True))

    def _score(self) -> float:
        return min(max(float(self._tracker.getTrackingScore()), 0.0), 1.0)


def _create(kind: str, weights: Union[str, Path, None], entry: str) -> Callable[[], Any]:
    """The function that makes this tracker anew."""
    import cv2

    from pvtpp.weights import catalogue, find

    network = NETWORKS[kind]
    parameters, make = (getattr(cv2, f"{network.name}_{part}", None) for part in ("Params", "create"))
    if parameters is None or make is None:
        raise InputError(
            f"{kind}: OpenCV {cv2.__version__} here has no {network.name}, which came with {network.since}; "
            f"pip install 'opencv-contrib-python>={network.since},<5'"
        )
    given, folder = parameters(), find(entry, weights)
    for name, file in zip(network.parameters, catalogue.entry(entry).files):
        setattr(given, name, str(folder / file.name))

    def made() -> Any:
        try:
            return make(given)
        except cv2.error as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{kind}: OpenCV {cv2.__version__} cannot read {folder} ({reason})") from None

    return made


@register("cv2-nano")
def cv2_nano(weights: Union[str, Path, None] = None, version: str = "v2") -> OpenCVNetwork:
    """`cv2.TrackerNano` with the graphs of NanoTrack V1 or V2; it cannot run those of V3, whose map is smaller."""
    if version not in NANO_VERSIONS:
        raise InputError(f"cv2-nano: version is {version!r}, allowed are {', '.join(NANO_VERSIONS)}")
    return OpenCVNetwork("cv2-nano", weights, f"nanotrack-{version}")


@register("cv2-vit")
def cv2_vit(weights: Union[str, Path, None] = None) -> OpenCVNetwork:
    """`cv2.TrackerVit`."""
    return OpenCVNetwork("cv2-vit", weights)
