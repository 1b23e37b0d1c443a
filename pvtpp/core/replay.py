"""Drive the pipeline with a recorded event log: the same events, the same trajectories; or other predictors on old events."""

from __future__ import annotations

from typing import Mapping, Optional

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor, reads_features
from pvtpp.track import Displacement, PropagatedBox
from pvtpp.tracker import TrackerOutput


def replay(log: EventLog, predictors: Mapping[str, Predictor], search_region: Optional[str] = None) -> EventLog:
    """A new log: the recorded frames and results, the trajectories that `predictors` make of them.

    With the search region at the last result the tracker's path does not depend on the predictor, so any predictor may be
    evaluated on an old log. With it at the predicted box the lead predictor must be the recorded one: where a replayed search
    box differs from the recorded one the tracker would have looked elsewhere, and InputError says that it has to run again.
    The same holds for a run whose results were judged (``presence_config`` in the log's meta): they are judged once more.
    Predictors that read the tracker's features, which a log does not hold, are refused by InputError too.
    """
    sighted = [name for name, each in predictors.items() if reads_features(each)]
    if sighted:
        raise InputError(
            f"{', '.join(sighted)}: reads the tracker's features, which an event log does not hold; "
            "the tracker has to run again for it"
        )
    search_region = search_region or log.meta.get("search_region", "last")
    judged, camera = log.meta.get("presence_config"), log.meta.get("gyro")
    gyro = Gyro.from_dict(camera) if camera else None
    pipeline = Pipeline(
        predictors, search_region, EventLog(log.meta), PresenceConfig.from_dict(judged) if judged else None, gyro
    )
    predicted_at = None
    for row in log.rows:
        kind, t_ns = row[:2]
        if kind == "init":
            pipeline.init(t_ns, row[2], row[3], row[4])
            predicted_at = t_ns
        elif kind == "frame":
            pipeline.frame_arrived(t_ns, row[2], row[3])
        elif kind == "start":
            # Where the tracker caught up with a target given on a past frame, it was told where to look.
            search_box = pipeline.tracker_started(t_ns, row[2], row[3], catch_up=row[4] is not None)
            sent_to = None if search_box is None else search_box.tolist()
            if sent_to != row[4]:
                raise InputError(
                    f"frame {row[2]}: the recorded tracker searched at {row[4]}, these predictors would have sent it to "
                    f"{sent_to}; the tracker has to run again for them"
                )
        elif kind == "result":
            similarity = row[6] if len(row) > 6 else None
            pipeline.tracker_finished(t_ns, row[2], row[3], TrackerOutput(row[4], row[5], similarity=similarity))
            predicted_at = None
        elif kind == "gyro":
            pipeline.turned(t_ns, row[2], row[3])
        elif kind == "reset":
            pipeline.reset(t_ns)
        elif kind == "lane":
            pipeline.lane_started(t_ns, row[2])
        elif kind == "propagated":
            boxes = [PropagatedBox(each[0], np.array(each[1:5]), each[5]) for each in row[3]]
            way = row[4]
            displacement = None if way is None else Displacement(way[0], np.array(way[1:5]), way[5])
            pipeline.propagated(t_ns, row[2], boxes, displacement)
            predicted_at = None
        elif kind == "trajectory" and predicted_at != t_ns:
            # Several predictors listened to the recorded run; each wrote a row at the same moment.
            pipeline.predict(t_ns)
            predicted_at = t_ns
        elif kind not in ("trajectory", "status"):
            raise InputError(f"unknown event {kind!r} in the log")
    return pipeline.log
