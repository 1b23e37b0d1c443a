"""The live tracker's schedule without threads: events in, commands out. Time is a clip's, a frame takes 85 ms."""

import pvtpp
from pvtpp.boxes import xywh_to_box
from pvtpp.core import commands
from pvtpp.core.event_log import EventLog
from pvtpp.core.state_machine import CoreConfig, StateMachine
from pvtpp_benchmarks.synthetic import AerialClip, render

PROCESSING_NS = 85_000_000
clip = render(AerialClip(width=320, height=180, seconds=2.0, occlusions=()))
truth = xywh_to_box(clip.ground_truth_xywh)
tracker, predictors = pvtpp.create_tracker("kcf"), {"kalman": pvtpp.create_predictor("kalman")}
machine = StateMachine(predictors, CoreConfig(search_region="predicted"), EventLog())
working = []  # what the tracker works on: when it is done, the command, the answer


def carry_out(now, todo):
    for command in todo:
        if isinstance(command, commands.Init):
            tracker.init(command.frame, command.box)
            todo += machine.initialised(now, command)
        elif isinstance(command, commands.TrackFrame):
            working.append((now + PROCESSING_NS, command, tracker.track(command.frame, command.search_box)))
        elif isinstance(command, commands.Encode):
            todo += machine.encoded(now, command, commands.encode(predictors, command))
        elif isinstance(command, commands.Predict):
            todo += machine.predicted(now, command, commands.predict(predictors, command))


for index in range(len(clip)):
    frame = clip.frame(index)
    while working and working[0][0] <= frame.t_ns:
        done, command, output = working.pop(0)
        carry_out(done, machine.tracked(done, command, output))
    carry_out(frame.t_ns, machine.init(frame.t_ns, frame, truth[0]) if index == 0 else [])
    carry_out(frame.t_ns, machine.frame_arrived(frame.t_ns, frame))
    now = machine.trajectories["kalman"].at(frame.t_ns)
    print(f"frame {index}: x = {now.box[0]:.0f}, truth {truth[index][0]:.0f}; evidence is {now.age * 1e3:.0f} ms old")
