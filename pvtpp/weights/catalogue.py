"""Catalogue of third-party tracker weights: source, licence and sha256. The weights are not in the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from pvtpp.errors import InputError


@dataclass(frozen=True)
class WeightFile:
    """One file of weights.

    A file without a public address has no hash either. The user downloads it from the page in the entry's note, and it
    is checked by whether its tensors fit the network.

    Attributes
    ----------
    name
        Name of the file on this machine.
    url
        Its public address, or empty.
    sha256
        Hash of its content, hex; empty without an address.
    size
        Size, bytes; 0 without an address.

    Raises
    ------
    InputError
        If there is an address but no hash or no size.
    """

    name: str
    url: str = ""
    sha256: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        if self.url and not (self.sha256 and self.size):
            raise InputError(f"{self.name}: {self.url} has no sha256 or size, and is not downloaded unchecked")


@dataclass(frozen=True)
class Entry:
    """The weights of one tracker.

    Attributes
    ----------
    name
        Name in the catalogue.
    folder
        Subfolder of a weights folder.
    files
        The files.
    licence
        Licence of the weights.
    note
        Who published them, and what they were converted from.
    """

    name: str
    folder: str
    files: Tuple[WeightFile, ...]
    licence: str
    note: str


# A commit, not a branch: the file at an address must not change, since its hash does not.
_SIAMTRACKERS = "https://raw.githubusercontent.com/HonglinChu/SiamTrackers/4dbbbbc99d4e1f06d4b0a89cadb59d883553b1b4"
# Kept in Git LFS: this form of address leads to the file, the raw one only to its pointer.
_OPENCV_ZOO = "https://github.com/opencv/opencv_zoo/raw/fef72f8fa7c52eaf116d3df358d24e6e959ada0e"
# The page has links for download by hand, but neither direct addresses of the files nor hashes.
_PYSOT = "github.com/STVIR/pysot/blob/master/MODEL_ZOO.md"

CATALOGUE: Tuple[Entry, ...] = (
    Entry(
        name="nanotrack-v3",
        folder="nanotrack",
        files=(
            WeightFile(
                "nanotrackv3_backbone.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv3/nanotrack_backbone.onnx",
                "50be1320abf9384fd3479ea829f95e244cf3f3838190c5ab60c750fb8c1ce828",
                1431635,
            ),
            WeightFile(
                "nanotrackv3_head.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv3/nanotrack_head.onnx",
                "75357903be3f4817c965af16cb5a11fd32b1467f597a408405a98635ac63f61d",
                1183740,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/HonglinChu/SiamTrackers, converted from nanotrackv3.pth there; the template graph is derived "
        "here",
    ),
    Entry(
        name="nanotrack-v3-checkpoint",
        folder="nanotrack",
        files=(
            WeightFile(
                "nanotrackv3.pth",
                f"{_SIAMTRACKERS}/NanoTrack/models/pretrained/nanotrackv3.pth",
                "4f0d25108385a67bdec5fa01ca37c74acb72343b53996dd645fe18b86e512e69",
                3498955,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/HonglinChu/SiamTrackers, as trained; for joint training and export",
    ),
    Entry(
        name="nanotrack-v2",
        folder="nanotrack-v2",
        files=(
            WeightFile(
                "nanotrack_backbone_sim.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv2/nanotrack_backbone_sim.onnx",
                "530bdd0cd00f19afab79a863e71ba71e3312395a5dc9151af675082bdaaa2fc4",
                1056849,
            ),
            WeightFile(
                "nanotrack_head_sim.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv2/nanotrack_head_sim.onnx",
                "0d8c0637be849f092cc7236cae02e55c8b9455ebe37ba50601d6115db4247cd9",
                726198,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/HonglinChu/SiamTrackers; the template graph is derived here; the download is unrun",
    ),
    Entry(
        name="nanotrack-v1",
        folder="nanotrack-v1",
        files=(
            WeightFile(
                "nanotrack_backbone_sim.onnx",
                sha256="f6fdf311bdc846510c2f9f0b2b8159c7e0cf5d80ed18c9079faeb32db460cba9",
                size=767819,
            ),
            WeightFile(
                "nanotrack_head_sim.onnx",
                sha256="4c987e5121cc400b6175f2168c30c84857864fe36d5e7a14df0c27e8e5b9540d",
                size=392202,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/HonglinChu/SiamTrackers/tree/master/NanoTrack/models/nanotrackv1",
    ),
    Entry(
        name="vittrack",
        folder="vittrack",
        files=(
            WeightFile(
                "object_tracking_vittrack_2023sep.onnx",
                f"{_OPENCV_ZOO}/models/object_tracking_vittrack/object_tracking_vittrack_2023sep.onnx",
                "2990f0b7cd44d92afa48cd97db6de7be113fc1d9594fddb74e2725c10478e91d",
                714726,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/opencv/opencv_zoo, models/object_tracking_vittrack; the download is unrun",
    ),
    *(
        Entry(
            name=name,
            folder=folder,
            files=(WeightFile("model.pth"),),
            licence="CC-BY-SA-3.0",
            note=f"{_PYSOT}: {folder} there, as trained",
        )
        for name, folder in (
            ("siamrpn-mobilenetv2", "siamrpn_mobilev2_l234_dwxcorr"),
            ("siamrpn-resnet50", "siamrpn_r50_l234_dwxcorr"),
            ("siamrpn-alexnet", "siamrpn_alex_dwxcorr"),
            ("siammask-resnet50", "siammask_r50_l3"),
        )
    ),
)


def entry(name: str) -> Entry:
    """The entry called `name`; an unknown name raises InputError with the valid ones."""
    for candidate in CATALOGUE:
        if candidate.name == name:
            return candidate
    raise InputError(f"no weights called {name!r}; the catalogue has: {', '.join(known.name for known in CATALOGUE)}")
