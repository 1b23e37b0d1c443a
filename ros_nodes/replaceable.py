"""The live tracker of a node, and how another one takes its place while it goes on answering."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

import pvtpp
from pvtpp import predictors, propagation
from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import Unlogged
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.failures import Failure
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.warm_up import warm_up
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, Tracker
from pvtpp.trajectory import Prediction
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.background import BackgroundWorker, Job
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.event_stream import EventStream, LogFeed
from pvtpp_ros_nodes.handover import HandedOverTracker
from pvtpp_ros_nodes.middleware import Middleware
from pvtpp_ros_nodes.publications import status_of
from pvtpp_trackers import registry

WARM_UPS = 3
WARM_UP_SIZE = (360, 640)
CLOSE_S = 1.0
"""A tracker that is at one frame for longer hangs, and another one is loaded."""


class Parts(NamedTuple):
    """What takes time to make of a live tracker, the tracker aside. It serves one live tracker only."""

    config: NodeConfig
    predictors: Dict[str, Predictor]
    propagator: Optional[Propagator]


class Running(NamedTuple):
    """A live tracker, its connection to the event stream, and its tracker, which may be given to it later."""

    live: LiveTracker
    feed: LogFeed
    tracker: HandedOverTracker


class ReplaceableTracker:
    """The live tracker that answers at present, and what it takes to replace it.

    `replace` takes a moment. What takes longer is done by a thread in the background: it makes the parts of the new
    live tracker before, and closes the old one after. Only then is the new one given the tracker, so that two threads
    never call it; until then the new one propagates and predicts from where the target was expected.

    Parameters
    ----------
    config
        Of the node.
    middleware
        For time and texts.
    stream
        Where the event log goes.
    new_gyro
        Makes the gyro of a new live tracker, None where there is none.
    on_failure
        As `on_error` of `LiveTracker`.
    on_error
        Called with what goes wrong in the background.
    tracker
        The tracker, as `loaded` gives it.
    """

    def __init__(
        self,
        config: NodeConfig,
        middleware: Middleware,
        stream: EventStream,
        new_gyro: Callable[[], Optional[Gyro]],
        on_failure: Callable[[Failure], None],
        on_error: Callable[[Exception], None],
        tracker: Tracker,
    ):
        self._config, self._middleware, self._stream = config, middleware, stream
        self._new_gyro, self._on_failure = new_gyro, on_failure
        self._tracker = tracker
        self._spare: Optional[Parts] = self.parts()
        # Replaced, and not closed yet.
        self._replaced: List[Running] = []
        self._running = self._started(self.parts())
        self._running.feed.open()
        self._running.tracker.provide(tracker)
        self._worker = BackgroundWorker("pvtpp replacement", on_error)

    @property
    def live(self) -> LiveTracker:
        """The live tracker that answers at present."""
        return self._running.live

    def answer(self, t_ns: int) -> Tuple[Optional[Prediction], int]:
        """Say where the target is. Needs no lock.

        Parameters
        ----------
        t_ns
            The time that is asked for, nanoseconds.

        Returns
        -------
        Prediction or None
            None without a target.
        int
            The status, a constant of Target.msg.
        """
        while True:
            live = self.live
            answer = live.predict(t_ns), status_of(live)
            # Where it has been replaced meanwhile, its target may be gone.
            if live is self.live:
                return answer

    def status(self) -> int:
        """Say what the live tracker does, a constant of Target.msg. Needs no lock."""
        while True:
            live = self.live
            status = status_of(live)
            if live is self.live:
                return status

    def in_background(self, job: Job) -> None:
        """Run a job in the background, after those that wait; one that waits already is not added again."""
        self._worker.submit(job)

    @property
    def config(self) -> NodeConfig:
        """By which parts are made."""
        return self._config

    def reconfigure(self, parts: Parts, newest: Optional[Frame]) -> None:
        """Go on by another configuration; as `replace`, with parts that were made by it."""
        self._config = parts.config
        self.replace(parts, newest)
        # Those that lie ready are of before.
        self._spare = None
        self._worker.submit(self._prepare)

    def parts(self, config: Optional[NodeConfig] = None) -> Parts:
        """Make parts; this may take long.

        Parameters
        ----------
        config
            By another configuration than the present one.

        Raises
        ------
        InputError
            There is no such predictor, or it cannot be loaded.
        """
        config = config or self._config
        return Parts(
            config,
            {config.predictor: predictors.create(config.predictor)},
            None if config.propagation == "none" else propagation.create(config.propagation),
        )

    def spare_parts(self) -> Optional[Parts]:
        """Take the parts that lie ready, for who must not wait. Others are made in the background.

        Returns
        -------
        Parts or None
            None where the last ones have just been taken.
        """
        parts, self._spare = self._spare, None
        self._worker.submit(self._prepare)
        return parts if parts is not None and parts.config is self._config else None

    def replace(self, parts: Parts, newest: Optional[Frame] = None, by_images: bool = False) -> None:
        """Let another live tracker take the place of this one, paused if this one is. Not for two threads at once.

        Parameters
        ----------
        parts
            Of the new one.
        newest
            The newest frame: there the target, if it is not lost, goes on where it is expected. None: the target is
            forgotten.
        by_images
            The clock followed the images back: its age says nothing, and the target goes on where it was seen last.
        """
        old, new = self._running, self._started(parts)
        if newest is not None:
            new.live.submit(newest)
            self._continue_target(old.live, new.live, newest, by_images)
        if old.live.paused:
            new.live.pause()
        self._replaced.append(old)
        # From here on the new one answers.
        self._running = new
        # The log of the old one's target ends here.
        old.live.reset()
        old.feed.close()
        new.feed.open()
        self._worker.submit(partial(self._hand_over, old, new.tracker))

    def close(self) -> None:
        """End all threads."""
        # Whoever waits for the tracker need not wait for its loading any more.
        for running in (*self._replaced, self._running):
            running.tracker.fail("the node ends")
        self._worker.close()
        for running in (*self._replaced, self._running):
            running.live.close()

    def _started(self, parts: Parts) -> Running:
        """A live tracker without a target; its feed is not open, and it has no tracker yet."""
        config, tracker, feed = parts.config, HandedOverTracker(), LogFeed(self._stream)
        log = Unlogged(facts(config), sink=feed.put)
        live = LiveTracker(
            tracker,
            parts.predictors,
            parts.propagator,
            config.search_region,
            log=log,
            clock=self._middleware.now_ns,
            on_error=self._on_failure,
            presence=PresenceConfig() if config.presence else None,
            gyro=self._new_gyro(),
        )
        # What the live tracker has added is part of it.
        feed.meta = log.meta
        return Running(live, feed, tracker)

    def _continue_target(self, old: LiveTracker, new: LiveTracker, newest: Frame, by_images: bool) -> None:
        trajectory = old.trajectory()
        if by_images:
            expected = None if trajectory is None else trajectory.at(trajectory.evidence_ns)
        else:
            expected = old.predict(newest.t_ns) if status_of(old) != conversions.LOST else None
        if expected is None:
            return
        try:
            new.init(newest, expected.box)
        except InputError as error:
            self._middleware.log("warning", f"the target cannot go on: {error}")

    def _prepare(self) -> None:
        """In the background: spare parts, if there are none."""
        spare = self._spare
        if spare is None or spare.config is not self._config:
            self._spare = self.parts()

    def _hand_over(self, old: Running, tracker: HandedOverTracker) -> None:
        """In the background: the new live tracker gets the tracker of the old one; another tracker where that hangs."""
        try:
            if not old.live.close(timeout=CLOSE_S):
                self._middleware.log("warning", "the tracker hangs, another one is loaded")
                self._tracker = loaded(self._config)
            tracker.provide(self._tracker)
        except Exception as error:
            tracker.fail(f"no other tracker could be loaded: {error}")
            raise
        finally:
            self._replaced.remove(old)


def loaded(config: NodeConfig) -> Tracker:
    """Load the tracker and let it track an image of noise, since its first frames are its slowest.

    Raises
    ------
    InputError
        It cannot be loaded, or cannot start.
    """
    tracker = registry.create(config.tracker, **config.tracker_options())
    image = np.random.default_rng(0).integers(0, 255, (*WARM_UP_SIZE, 3), dtype=np.uint8)
    box = np.array([WARM_UP_SIZE[1] / 2, WARM_UP_SIZE[0] / 2, 40.0, 30.0])
    warm_up(tracker, config.tracker, Frame(0, 0, image), box, WARM_UPS)
    return tracker


def facts(config: NodeConfig) -> Dict[str, Any]:
    """Say what the headers of event logs are to hold."""
    return {
        "tracker": config.tracker,
        "propagation": config.propagation,
        "search_region": config.search_region,
        "schedule": "async",
        "clock": "ros",
        "predictors": [config.predictor],
        "capture_offset": config.capture_offset,
        "version": pvtpp.__version__,
    }
