"""Where is the target now? The live tracker on a camera, or, without an argument, on a generated clip in real time.

python examples/live_tracking.py [CAMERA X,Y,W,H]     box in the first image: left, top, width, height
"""

import sys
import time
from itertools import count

import cv2

import pvtpp
from pvtpp_benchmarks.synthetic import AerialClip, render


def generated(clip):
    for index in range(len(clip)):
        time.sleep(1 / clip.camera_fps)
        yield clip.frame(index).image


def camera(number):
    capture = cv2.VideoCapture(number)
    return (capture.read()[1] for _ in count())


if len(sys.argv) > 1:
    images, (left, top, width, height) = camera(int(sys.argv[1])), map(float, sys.argv[2].split(","))
else:
    clip = render(AerialClip(seconds=2.0, width=320, height=180, target_px=30.0, occlusions=()))
    images, (left, top, width, height) = generated(clip), clip.ground_truth_xywh[0]
with pvtpp.LiveTracker("csrt") as live:  # or "nanotrack-v3", or a tracker of your own
    for index, image in enumerate(images):
        frame = pvtpp.Frame(index, time.time_ns(), image)
        live.submit(frame)  # never waits
        if index == 0:
            live.init(frame, [left + width / 2, top + height / 2, width, height])
        now = live.predict(time.time_ns())  # from any thread, for any time
        x, y = now.box[:2]
        print(f"frame {index}: the target is at {x:.0f}, {y:.0f} px; evidence is {now.age * 1e3:.0f} ms old")
