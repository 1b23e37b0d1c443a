"""Event logs: what they hold, parts of them, and the formats of other tools.

`info` prints a summary. `cut` writes a part: a target, or a time. `export` writes mcap (for Foxglove; pip install
'pvtpp[mcap]'), csv (a row for each frame and predictor, as `track --out`), mot (of the MOT Challenge) or mp4. A video
needs the images: --source is the file or folder that was tracked, by default the one that the log names.

  pvtpp log export flight.jsonl --format mcap --source flight.mp4
"""

from __future__ import annotations

import argparse
import csv
import math
import os
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from pvtpp.cli import output
from pvtpp.cli.frame_records import COLUMNS, FrameRecord, draw
from pvtpp.cli.sources import Source, open_source
from pvtpp.cli.track_files import at_constant_rate, check_spares, of_one_size, video_rate
from pvtpp.cli.video_file import TimedImage
from pvtpp.core.event_log import EventLog, is_complete
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.logs import cut
from pvtpp.logs.mcap_file import write_mcap
from pvtpp.logs.moments import Moment, moments
from pvtpp.logs.mot import mot_lines
from pvtpp.logs.summary import summary
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.video import write_video

ENDINGS = {"mcap": ".mcap", "csv": ".csv", "mot": ".txt", "mp4": ".mp4"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    actions = parser.add_subparsers(dest="action", metavar="info|cut|export", required=True)
    info = actions.add_parser("info", help="what a log holds")
    info.add_argument("log", metavar="LOG")
    info.add_argument("--json", metavar="FILE", help="write the same as JSON")
    part = actions.add_parser("cut", help="write a part of a log as a log")
    part.add_argument("log", metavar="LOG")
    part.add_argument("out", metavar="OUT", help="the part (.jsonl)")
    part.add_argument("--target", type=int, metavar="N", help="this target, from 1; the part replays to the bit")
    part.add_argument(
        "--from",
        type=float,
        dest="from_s",
        metavar="SECONDS",
        help="since the log's first event; what was known then is in the part",
    )
    part.add_argument("--to", type=float, dest="to_s", metavar="SECONDS", help="until then; default to the end")
    export = actions.add_parser("export", help="write a log in the format of another tool")
    export.add_argument("log", metavar="LOG")
    export.add_argument("--format", required=True, choices=ENDINGS, help="of the file")
    export.add_argument("--out", metavar="FILE", help="default: the log's name with the format's ending")
    export.add_argument("--source", metavar="FILE", help="the video or folder of images that was tracked")
    export.add_argument("--fps", type=float, help="frame rate of the source, as of `track`")
    export.add_argument("--predictor", metavar="P", help="of mot and mp4; default the leading one")


def run(options: argparse.Namespace) -> None:
    """Carry out the action."""
    {"info": _info, "cut": _cut, "export": _export}[options.action](options)


def _info(options: argparse.Namespace) -> None:
    check_spares("--json", options.json, options.log, "the log itself")
    check_writable(options.json)
    complete = is_complete(options.log)
    found = summary(EventLog.read(options.log, cut_off=True), complete)
    if options.json:
        write_json(options.json, found)
    output.say("\n".join(_lines(options.log, found)))


def _lines(path: str, found: Dict[str, Any]) -> Iterator[str]:
    yield path if found["complete"] else f"{path} (cut off: its run was killed, or goes on)"
    if found["part"]:
        yield f"  part: {found['part']}"
    for name, value in found["run"].items():
        yield f"  {name}: {value}"
    yield f"  predictors: {', '.join(found['predictors']) or 'none'}"
    counted = ", ".join(f"{found[name]} {name}" for name in ("events", "targets", "failures"))
    yield f"  {found['seconds']:g} s, {counted}"
    for name, what in (("frames", "frames"), ("results", "results")):
        rate = found[f"{what}_per_second"]
        yield f"  {found[name]} {what}" + ("" if rate is None else f", {rate:.1f} a second")
    for name, what in (("latency_ms", "latency of results"), ("age_ms", "age of the evidence at a frame")):
        if found[name]:
            median, p95, p99 = found[name]
            yield f"  {what}: median {median:.1f} ms, 95th percentile {p95:.1f} ms, 99th {p99:.1f} ms"
    if found["presence"]:
        yield "  presence: " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in found["presence"].items())


def _cut(options: argparse.Namespace) -> None:
    if (options.target is None) == (options.from_s is None and options.to_s is None):
        raise InputError("cut needs either --target N, or --from SECONDS and/or --to SECONDS")
    if not options.out.endswith(".jsonl"):
        raise InputError(f"{options.out}: the name must end in .jsonl")
    check_spares("OUT", options.out, options.log, "the log itself")
    check_writable(options.out)
    log = EventLog.read(options.log)
    if options.target is not None:
        part = cut.of_target(log, options.target)
    else:
        part = cut.of_time(log, options.from_s or 0.0, math.inf if options.to_s is None else options.to_s)
    part.write(options.out)
    output.say(f"{options.out}: {len(part.rows)} of {len(log.rows)} events")


def _export(options: argparse.Namespace) -> None:
    ending = ENDINGS[options.format]
    out = options.out or os.path.splitext(options.log)[0] + ending
    if not out.endswith(ending):
        raise InputError(f"--out {out}: the name of a file of format {options.format} must end in {ending}")
    check_spares("--out", out, options.log, "the log itself")
    check_writable(out)
    log = EventLog.read(options.log, cut_off=True)
    tracked = options.source or log.meta.get("source")
    if isinstance(tracked, str):
        check_spares("--out", out, tracked, "what was tracked")
    if options.source is None and options.format in ("csv", "mot"):
        source = None
    else:
        source = _source(options, log)
    if source is None and options.format == "mp4":
        raise InputError("mp4 needs the images: give --source, the video or folder that was tracked")
    predictor = _predictor(options, log)
    write = {"mcap": _mcap, "csv": _csv, "mot": _mot, "mp4": _mp4}[options.format]
    output.say(f"{out}: {write(out, log, source, predictor)}")


def _source(options: argparse.Namespace, log: EventLog) -> Optional[Source]:
    named = options.source
    if named is None:
        named = log.meta.get("source")
        # A camera, or a file that is elsewhere by now: an MCAP can do without.
        if not isinstance(named, str) or not os.path.exists(named):
            return None
    fps = options.fps or log.meta.get("fps")
    return open_source(named, fps if isinstance(fps, (int, float)) else None)


def _predictor(options: argparse.Namespace, log: EventLog) -> str:
    there = log.predictors
    if not there:
        raise InputError(f"{options.log}: no target was ever given, so there is nothing to export")
    if options.predictor is not None and options.predictor not in there:
        raise InputError(f"--predictor {options.predictor}: the log has {', '.join(there)}")
    return options.predictor or there[0]


def _mcap(out: str, log: EventLog, source: Optional[Source], predictor: str) -> str:
    with whole_file(out, make_folder=False) as part, open(part, "wb") as stream:
        counts = write_mcap(stream, log, _numbered(source))
    return ", ".join(f"{count} {topic}" for topic, count in counts.items())


def _numbered(source: Optional[Source]) -> Iterator[Tuple[int, np.ndarray]]:
    if source is not None:
        for number, timed in enumerate(source.frames()):
            yield number, timed.image


def _record(seen: Moment) -> FrameRecord:
    return FrameRecord(seen.frame, seen.t_ns, seen.presence, dict(seen.predictions))


def _csv(out: str, log: EventLog, source: Optional[Source], predictor: str) -> str:
    rows: List[Tuple[Any, ...]] = [row for seen in moments(log) for row in _record(seen).rows()]
    with whole_file(out, make_folder=False) as part, open(part, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return f"{len(rows)} rows"


def _mot(out: str, log: EventLog, source: Optional[Source], predictor: str) -> str:
    lines = list(mot_lines(moments(log), predictor))
    with whole_file(out, make_folder=False) as part, open(part, "w", encoding="ascii") as file:
        file.writelines(lines)
    return f"{len(lines)} boxes"


def _mp4(out: str, log: EventLog, source: Optional[Source], predictor: str) -> str:
    assert source is not None
    seen = list(moments(log))
    start_ns = seen[0].t_ns if seen else 0
    # Times count from the first image on, as in a video.
    records = {
        each.frame: FrameRecord(
            each.frame, each.t_ns - start_ns, each.presence, {predictor: each.predictions.get(predictor)}
        )
        for each in seen
    }
    rate = video_rate(records.values(), source.fps)

    def drawn() -> Iterator[TimedImage]:
        for number, image in _numbered(source):
            if number in records:
                yield TimedImage(records[number].t_ns, draw(image, records[number]))

    return f"{write_video(out, of_one_size(at_constant_rate(drawn(), rate)), rate)} frames"
