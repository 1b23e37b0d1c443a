"""A real tracker in a closed loop: how well a camera stays on its target with stale boxes, and with pvtpp.

    python -m pvtpp_benchmarks.closed_loop --json table.json --film closed_loop.mp4

A camera on two motorised axes hovers over a generated landscape and is turned after a car by the reference controller
(`pvtpp.control`), which gets what the tracker says of the camera's own images. docs/how-to/closed-loop.md has what is
simulated and what is not, docs/results/closed-loop.md the figures. All time is simulated and all randomness seeded: no
figure depends on the machine.

Variants: stale boxes (no prediction), PVT's Kalman filter, the default, the default with an IMU; more by --variants.
First each variant's gain is chosen on worlds of their own. Then every motion is run, with and without occlusions, with
one gain for all, and without occlusions with each variant's own. Then faster targets.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from pvtpp import defaults
from pvtpp.arguments import as_options, option_name
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.closed_loop.film import Filmed, frames, write_picture
from pvtpp_benchmarks.closed_loop.study import GAIN, Runs, Setting, StudyConfig, content
from pvtpp_benchmarks.closed_loop.variants import VARIANTS
from pvtpp_benchmarks.closed_loop.world import World, WorldConfig
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import Column, table
from pvtpp_benchmarks.report.video import write_video
from pvtpp_benchmarks.studies.journal import Journal
from pvtpp_trackers.registry import create

SHOWN = ("stale", "pvt", "default")
"""The variants in film and picture."""
PICTURE_S = (0.25, 0.6, 0.9)
"""The moments in the picture, as shares of the run."""


def _texts(value: str) -> List[str]:
    return [each.strip() for each in value.split(",")]


def _numbers(value: str) -> List[float]:
    return [float(each) for each in _texts(value)]


def _whole_numbers(value: str) -> List[int]:
    return [int(each) for each in _texts(value)]


def _percent(key: str) -> Column:
    def text(row: Dict[str, Any]) -> str:
        return f"{100 * (row[key] - 1):+.0f}%" if key in row else "-"

    return key.replace("to_", "to "), text


def tables(found: Dict[str, Any], config: StudyConfig) -> str:
    """The study as text."""
    first, second = f"to_{config.variants[0]}", f"to_{(*config.variants, '')[1]}"
    columns: List[Column] = [
        ("motion", lambda row: row["motion"]),
        ("hidden", lambda row: f"{row['occlusions']}x"),
        ("tracker", lambda row: row["processing"]),
        ("variant", lambda row: VARIANTS[row["variant"]].label),
        ("gain", lambda row: f"{row['gain']:g}" + ("" if row["gain_is"] == "shared" else " (own)")),
        ("mse mrad2", lambda row: f"{row['mse_mrad2']:.0f}"),
        _percent(first),
        _percent(second),
        ("lost", lambda row: f"{row['lost']}/{row['runs']}"),
        ("to loss s", lambda row: f"{row['time_to_loss_s']:.1f}"),
        ("jerk", lambda row: f"{row['jerk']:.0f}"),
    ]
    gains: List[Column] = [
        ("tracker", lambda row: row["processing"]),
        ("variant", lambda row: VARIANTS[row["variant"]].label),
        ("gain", lambda row: f"{row['gain']:g}"),
        ("mse mrad2", lambda row: f"{row['mse_mrad2']:.0f}"),
        ("rms px", lambda row: f"{np.sqrt(row['mse_mrad2']) * 1e-3 * WorldConfig().focal:.0f}"),
        ("lost", lambda row: f"{row['lost']}/{row['runs']}"),
        ("jerk", lambda row: f"{row['jerk']:.0f}"),
    ]
    speeds: List[Column] = [
        ("motion", lambda row: row["motion"]),
        ("tracker", lambda row: row["processing"]),
        ("variant", lambda row: VARIANTS[row["variant"]].label),
        ("gain", lambda row: f"{row['gain']:g}"),
        ("held m/s", lambda row: f"{row['held_m_s']:g}"),
    ]
    parts = {
        "Gains, on worlds of their own": (gains, found["gains"]),
        f"Closed loop, {config.speed:g} m/s": (columns, found["rows"]),
        "The highest speed held": (speeds, found["speeds"]),
    }
    return "\n\n".join(f"{title}\n{table(*part)}" for title, part in parts.items())


def bars(rows: Sequence[Dict[str, Any]], variants: Sequence[str] = ("default", "imu")) -> List[Dict[str, Any]]:
    """Whether a variant halves the error of stale boxes and beats PVT's, on linear and curved targets in sight."""
    return [
        {
            **{name: row[name] for name in ("motion", "processing", "variant", "gain_is", "to_stale", "to_pvt")},
            "halves_stale": row["to_stale"] <= 0.5,
            "beats_pvt": row["to_pvt"] < 1,
        }
        for row in rows
        if row["variant"] in variants
        and row["motion"] in ("linear", "curved")
        and not row["occlusions"]
        and {"to_stale", "to_pvt"} <= set(row)
    ]


def film(options: argparse.Namespace, config: StudyConfig, runs: Runs) -> None:
    """Run one world once more for film and picture, with one gain for all."""
    world = World(filmed_world(options, config))
    filmed: List[Filmed] = []
    for name in SHOWN:
        loop = runs.loop(world, Setting(name, config.processing[-1], GAIN))
        filmed.append(Filmed(VARIANTS[name].label, loop, loop.run()))
    if options.film:
        write_video(options.film, frames(filmed), 30.0, progress())
    if options.picture:
        write_picture(options.picture, filmed, [share * config.seconds for share in PICTURE_S])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    kinds: Dict[str, Any] = {
        "motions": _texts,
        "variants": _texts,
        "processing": _texts,
        "occlusions": _whole_numbers,
        "speed": float,
        "speeds": _numbers,
        "speed_motions": _texts,
        "gains": _numbers,
        "tuning_motions": _texts,
        "seeds": int,
        "tuning_seeds": int,
        "seconds": float,
    }
    for each in fields(StudyConfig):
        value = each.default
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        made.add_argument(option_name(each.name), type=kinds[each.name], default=None, help=f"default: {shown}")
    made.add_argument("--json", metavar="FILE")
    made.add_argument("--journal", metavar="FILE", help="keeps each run, so that a stopped call can be continued")
    made.add_argument("--film", metavar="FILE", help=".mp4: stale boxes, PVT and the default side by side")
    made.add_argument("--picture", metavar="FILE", help=".jpg or .png: some moments of the film")
    made.add_argument("--film-motion", default="evasive", help="default: %(default)s")
    made.add_argument("--film-seed", type=int, default=0, help="default: %(default)s")
    made.add_argument("--film-occlusions", type=int, default=2, help="default: %(default)s")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    made = parser()
    options = made.parse_args(arguments)
    try:
        given: Dict[str, Any] = {each.name: getattr(options, each.name) for each in fields(StudyConfig)}
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        with as_options(options):
            config = StudyConfig(**{name: value for name, value in given.items() if value is not None})
        _check_outputs(options, config)
        runs = Runs(options.tracker, create, Journal(options.journal), progress())
        found = content(config, runs)
        print(tables(found, config))
        if options.json:
            whole = {"tracker": options.tracker, **found, "bars": bars(found["rows"]), "protocol": facts(0)}
            write_json(options.json, whole)
        if options.film or options.picture:
            film(options, config, runs)
    except InputError as error:
        made.exit(2, f"error: {error}\n")
    return 0


def _check_outputs(options: argparse.Namespace, config: StudyConfig) -> None:
    """Find what cannot be written or filmed before the work."""
    for path in (options.json, options.journal, options.film, options.picture):
        check_writable(path)
    for path, endings in ((options.film, (".mp4",)), (options.picture, (".jpg", ".png"))):
        if path and not path.endswith(endings):
            raise InputError(f"{path}: unknown ending, allowed is {' or '.join(endings)}")
    filmed_world(options, config)


def filmed_world(options: argparse.Namespace, config: StudyConfig) -> WorldConfig:
    """The world of film and picture."""
    return WorldConfig(
        options.film_motion, config.speed, options.film_occlusions, options.film_seed, seconds=config.seconds
    )


if __name__ == "__main__":
    sys.exit(main())
