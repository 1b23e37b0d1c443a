"""Replay a flight: the events of a live tracker's log give the same trajectories to the bit, or another predictor's."""

import tempfile
import time
from pathlib import Path

import pvtpp
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp_benchmarks.synthetic import AerialClip, render

clip = render(AerialClip(width=320, height=180, seconds=1.0, occlusions=()))
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder, "flight.jsonl"))
    with pvtpp.LiveTracker("kcf", predictor="kalman", search_region="last", log=path) as live:
        for index in range(len(clip)):
            time.sleep(1 / clip.camera_fps)
            frame = pvtpp.Frame(index, time.time_ns(), clip.frame(index).image)
            live.submit(frame)
            if index == 0:
                live.init(frame, xywh_to_box(clip.ground_truth_xywh[0]))
    log = EventLog.read(path)

again = replay(log, {"kalman": pvtpp.create_predictor("kalman")})
print(f"{len(log.rows)} events, {len(log.of_kind('trajectory'))} trajectories, the same: {again.rows == log.rows}")
other = replay(log, {"hold": pvtpp.create_predictor("hold")})
t_ns = log.of_kind("frame")[-1][3]
for each, name in ((again, "kalman"), (other, "hold")):
    available, table = each.trajectories(name)
    box = table.boxes([sum(available <= t_ns) - 1], [t_ns])[0]
    print(f"{name}: at the last frame the target was thought to be at {box[0]:.1f}, {box[1]:.1f} px")
