"""From one format of result files to another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import List, Optional, Sequence

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats.format import Asked, Format
from pvtpp_benchmarks.formats.registry import get, match, read_results, recognise


@dataclass(frozen=True)
class Converted:
    """What was converted.

    Attributes
    ----------
    source, target
        The names of the formats.
    sequences
        How many.
    paths
        The files written.
    """

    source: str
    target: str
    sequences: int
    paths: List[str]


def convert(
    source: str,
    target: str,
    to: str,
    from_: Optional[str] = None,
    clips: Sequence[VideoSequence] = (),
    predictor: str = "",
    sigma: float = 0.0,
) -> Converted:
    """Convert one tracker's files.

    Parameters
    ----------
    source, target
        The folders; the second is created.
    to
        The format to write.
    from_
        The format to read; None: the one that is recognised.
    clips
        The sequences to convert; empty: all that are there. Event logs and PVT_pp pickles need them.
    predictor
        Of event logs: whose answers.
    sigma
        The permitted latency of the boxes that are taken, where `to` holds one set and the source several.

    Raises
    ------
    InputError
        Where the one format cannot say what the other needs, and as `read_results` does. Nothing is written then.
    """
    read, write = recognise(source) if from_ is None else get(from_, "read"), get(to, "written")
    if os.path.realpath(source) == os.path.realpath(target):
        raise InputError(f"{target}: the folder that is read; name another one to write to")
    if write.write is None:
        return _runs(source, target, read, write, clips, predictor)
    lengths = {clip.name: len(clip.ground_truth_xywh) if read.matched else len(clip) for clip in clips}
    results = read_results(source, list(lengths) or None, lengths, read.name, clips, predictor)
    if not write.matched:
        results = {name: each.at(sigma) if each.sigmas is not None else each for name, each in results.items()}
    return Converted(read.name, to, len(results), write.write(target, results))


def _runs(
    source: str, target: str, read: Format, write: Format, clips: Sequence[VideoSequence], predictor: str
) -> Converted:
    assert write.write_run is not None
    if read.read_run is None:
        raise InputError(
            f"{source}: the format {read.name} does not say when each answer was there, which {write.name} holds; "
            "replay it at a processing time and convert the event logs (pvtpp replay --logs)"
        )
    found = read.find(source)
    places = match(found, [clip.name for clip in clips] or list(found), source)
    by_name = {clip.name: clip for clip in clips}
    runs = {
        name: read.read_run(source, place, Asked(by_name.get(name), predictor)) for name, (_, place) in places.items()
    }
    return Converted(read.name, write.name, len(runs), write.write_run(target, runs))
