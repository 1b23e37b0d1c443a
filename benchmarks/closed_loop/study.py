"""The study of closed loops: gains chosen on seeds of their own, then every variant on every motion, then faster ones.

Everything is simulated and seeded, so no figure depends on the machine. A run is kept in a journal, if one is given, by
what decides it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.control import ControllerConfig
from pvtpp.errors import InputError
from pvtpp.tracker import Tracker
from pvtpp.validation import Rule, above, check, holds, whole_from
from pvtpp_benchmarks.closed_loop.loop import ClosedLoop, LoopConfig
from pvtpp_benchmarks.closed_loop.measures import Figures, figures
from pvtpp_benchmarks.closed_loop.targets import MOTIONS
from pvtpp_benchmarks.closed_loop.variants import MAIN, VARIANTS
from pvtpp_benchmarks.closed_loop.world import World, WorldConfig
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.studies.journal import Journal

GAIN = ControllerConfig().proportional
"""Of the reference controller where nothing else is said: the one that all variants share."""
INTEGRAL = ControllerConfig().integral / GAIN
"""The integral gain goes with the proportional one, as a share of it."""
TUNING = 1000
"""Seeds of the runs on which gains are chosen begin here; those that are reported begin at 0."""


def _some_of(names: Iterable[str]) -> Rule:
    known = list(names)
    return holds(f"one or more of: {', '.join(known)}", lambda value: len(value) > 0 and set(value) <= set(known))


_SOME_ABOVE_0 = holds(
    "one or more numbers above 0, rising",
    lambda value: len(value) > 0 and value[0] > 0 and all(a < b for a, b in zip(value, value[1:])),
)


@dataclass(frozen=True)
class StudyConfig:
    """What is run.

    Attributes
    ----------
    motions, variants
        By their names; the first variant is what the others are compared with.
    processing
        What the tracker is charged, as `pvtpp_benchmarks.processing` writes it.
    occlusions
        How many in a run; each number is a case of its own.
    speed
        Of the target, metres per second, where the speed is not what is asked for.
    speeds, speed_motions
        Those that are tried for the highest one held, rising, and on which motions.
    gains
        Proportional gains that each variant may choose from, rising.
    tuning_motions
        Those on which the gains are chosen.
    seeds, tuning_seeds
        How many runs of each case; how many worlds of each of these motions, others than those reported, a gain is
        chosen on.
    seconds
        Length of a run.
    """

    motions: Tuple[str, ...] = tuple(MOTIONS)
    variants: Tuple[str, ...] = MAIN
    processing: Tuple[str, ...] = ("47ms", "85ms")
    occlusions: Tuple[int, ...] = (0, 2)
    speed: float = 20.0
    speeds: Tuple[float, ...] = (20.0, 40.0, 50.0, 60.0)
    speed_motions: Tuple[str, ...] = ("linear",)
    gains: Tuple[float, ...] = (3.0, 5.0, 7.0, 9.0)
    tuning_motions: Tuple[str, ...] = ("linear", "curved")
    seeds: int = 2
    tuning_seeds: int = 1
    seconds: float = 8.0

    def __post_init__(self) -> None:
        rules = {
            "motions": _some_of(MOTIONS),
            "speed_motions": _some_of(MOTIONS),
            "tuning_motions": _some_of(MOTIONS),
            "variants": _some_of(VARIANTS),
            "processing": holds("one or more processing times", lambda value: len(value) > 0),
            "speed": above(0, 100),
            "speeds": _SOME_ABOVE_0,
            "gains": _SOME_ABOVE_0,
            "seeds": whole_from(1),
            "tuning_seeds": whole_from(1),
        }
        check(self, rules)
        for each in self.processing:
            parse(each)
        # The worlds check the rest.
        for occlusions, speed in product(self.occlusions, (self.speed, *self.speeds)):
            WorldConfig(speed=speed, occlusions=occlusions, seconds=self.seconds)
        if self.seconds < 3:
            raise InputError(f"StudyConfig.seconds is {self.seconds!r}, allowed is a number from 3")


class Setting(NamedTuple):
    """What is compared in one world."""

    variant: str
    processing: str
    gain: float


class Runs:
    """Runs loops, each once.

    Parameters
    ----------
    tracker
        By its name in the registry of trackers; made at the first run.
    make
        Makes it.
    journal
        Where runs are kept.
    show
        Is called with what is being run.
    """

    def __init__(
        self,
        tracker: str,
        make: Callable[[str], Tracker],
        journal: Journal,
        show: Callable[[str], None] = lambda text: None,
    ):
        self._name, self._make, self._journal, self._show = tracker, make, journal, show
        self._tracker: Optional[Tracker] = None

    def figures(self, config: WorldConfig, settings: Sequence[Setting]) -> Dict[Setting, Figures]:
        """Run one world with each setting. It is made once, since it takes longer to paint than a run takes."""
        found: Dict[Setting, Figures] = {}
        world: Optional[World] = None
        for setting in settings:
            key = (self._name, repr(config), *setting)
            kept = self._journal.get(key)
            if kept is None:
                case = f"{config.motion} {config.speed:g} m/s, {config.occlusions} occlusions, seed {config.seed}"
                self._show(f"{case}: {', '.join(map(str, setting))}")
                world = world or World(config)
                kept = list(figures(self.loop(world, setting).run(), world.widest))
                self._journal.add([(key, kept)])
            found[setting] = Figures(*kept)
        return found

    def loop(self, world: World, setting: Setting) -> ClosedLoop:
        """Make the loop of a setting."""
        tracker = self._tracker = self._tracker or self._make(self._name)
        controller = ControllerConfig(proportional=setting.gain, integral=INTEGRAL * setting.gain)
        config = LoopConfig(controller=controller)
        return ClosedLoop(world, VARIANTS[setting.variant], lambda truth: tracker, parse(setting.processing), config)


Gains = Dict[Tuple[str, str], float]


def choose_gains(config: StudyConfig, runs: Runs) -> Tuple[Gains, List[Dict[str, Any]]]:
    """Choose the gain of the least mean squared error, for each variant and processing time, without occlusions.

    Returns
    -------
    dict
        By variant and processing time.
    list of dict
        What each gain made of each.
    """
    settings = [Setting(*each) for each in product(config.variants, config.processing, config.gains)]
    seeds = range(TUNING, TUNING + config.tuning_seeds)
    found = _of_all(config, runs, config.tuning_motions, config.speed, 0, seeds, settings)
    rows = [{**setting._asdict(), **summary(each)} for setting, each in found.items()]
    gains = {
        (variant, time): min(config.gains, key=lambda gain: _mean_error(found[Setting(variant, time, gain)]))
        for variant, time in product(config.variants, config.processing)
    }
    return gains, rows


def table(config: StudyConfig, runs: Runs, gains: Gains) -> List[Dict[str, Any]]:
    """Run every case at the shared gain, and without occlusions at each variant's own too; one row each."""
    rows = []
    for motion, occlusions in product(config.motions, config.occlusions):
        kinds = {"shared": dict.fromkeys(gains, GAIN), **({} if occlusions else {"own": gains})}
        settings = {
            (kind, variant, time): Setting(variant, time, of[variant, time])
            for kind, of in kinds.items()
            for variant, time in product(config.variants, config.processing)
        }
        wanted = list(dict.fromkeys(settings.values()))
        found = _of_all(config, runs, [motion], config.speed, occlusions, range(config.seeds), wanted)
        for (kind, _, _), setting in settings.items():
            each, compared = found[setting], {}
            for other in config.variants[:2]:
                if other != setting.variant:
                    ratio = _mean_error(each) / _mean_error(found[settings[kind, other, setting.processing]])
                    compared[f"to_{other}"] = round(ratio, 3)
            case = {"motion": motion, "occlusions": occlusions, "gain_is": kind}
            rows.append({**case, **setting._asdict(), **summary(each), **compared})
    return rows


def held_speeds(config: StudyConfig, runs: Runs, gains: Gains) -> List[Dict[str, Any]]:
    """Find the highest speed up to which no seed lost the target, each variant at its own gain; one row each."""
    rows = []
    for motion in config.speed_motions:
        left = {each: Setting(*each, gain) for each, gain in gains.items()}
        held: Dict[Tuple[str, str], float] = dict.fromkeys(gains, 0.0)
        for speed in config.speeds:
            found = _of_all(config, runs, [motion], speed, 0, range(config.seeds), list(left.values()))
            left = {key: each for key, each in left.items() if all(run.lost_s is None for run in found[each])}
            held.update(dict.fromkeys(left, speed))
        rows += [
            {"motion": motion, "variant": variant, "processing": time, "gain": gains[variant, time], "held_m_s": speed}
            for (variant, time), speed in held.items()
        ]
    return rows


def summary(runs: Sequence[Figures]) -> Dict[str, Any]:
    """Summarise the runs of a case: means over them. Time to loss counts a run without one with its whole length."""
    errors = [run.mse_mrad2 for run in runs]
    return {
        "mse_mrad2": round(float(np.mean(errors)), 1),
        "per_seed_mrad2": [round(error, 1) for error in errors],
        "lost": sum(run.lost_s is not None for run in runs),
        "runs": len(runs),
        "time_to_loss_s": round(float(np.mean([run.seconds if run.lost_s is None else run.lost_s for run in runs])), 2),
        "jerk": round(float(np.mean([run.jerk for run in runs])), 1),
    }


def content(config: StudyConfig, runs: Runs) -> Dict[str, Any]:
    """Run the study; what its JSON file holds, but for the protocol."""
    gains, tried = choose_gains(config, runs)
    rows = table(config, runs, gains)
    speeds = held_speeds(config, runs, gains)
    return {"config": {**asdict(config), "loop": asdict(LoopConfig())}, "gains": tried, "rows": rows, "speeds": speeds}


def _of_all(
    config: StudyConfig,
    runs: Runs,
    motions: Sequence[str],
    speed: float,
    occlusions: int,
    seeds: Iterable[int],
    settings: Sequence[Setting],
) -> Dict[Setting, List[Figures]]:
    """The figures of every world, by setting."""
    first = WorldConfig(speed=speed, occlusions=occlusions, seconds=config.seconds)
    found: Dict[Setting, List[Figures]] = {setting: [] for setting in settings}
    for motion, seed in product(motions, seeds):
        for setting, each in runs.figures(replace(first, motion=motion, seed=seed), settings).items():
            found[setting].append(each)
    return found


def _mean_error(runs: Sequence[Figures]) -> float:
    return float(np.mean([run.mse_mrad2 for run in runs]))
