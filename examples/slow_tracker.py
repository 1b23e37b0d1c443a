"""A slow, strong tracker (SAM2, OSTrack ..) as a program: `external:python examples/slow_tracker.py serve`.

Without an argument it is evaluated on a generated clip, as if it took 165 ms a frame. See docs/how-to/trackers.md.
"""

import json
import sys

import cv2
import numpy as np


class Model:
    """Stands in for the network: put yours here, and load it once. Boxes are left, top, width, height."""

    def start(self, image, xywh):  # image: RGB, uint8
        left, top, *self.size = (max(round(value), 0) for value in xywh)
        self.template = image[top : top + self.size[1], left : left + self.size[0]].copy()

    def follow(self, image, search):  # search: where to look, or None
        _, score, _, place = cv2.minMaxLoc(cv2.matchTemplate(image, self.template, cv2.TM_CCOEFF_NORMED))
        return (*place, *self.size), max(score, 0.0)  # (None, 0.0): not found


if sys.argv[1:] == ["serve"]:
    model, answers, sys.stdout = Model(), sys.stdout, sys.stderr  # what a library prints is no answer
    for line in iter(sys.stdin.buffer.readline, b""):
        request, answer = json.loads(line), {}
        bgr = np.frombuffer(sys.stdin.buffer.read(request["bytes"]), np.uint8).reshape(request["height"], -1, 3)
        if request["call"] == "init":
            model.start(bgr[..., ::-1].copy(), request["xywh"])
        else:
            answer["xywh"], answer["score"] = model.follow(bgr[..., ::-1].copy(), request["search_xywh"])
        print(json.dumps(answer), file=answers, flush=True)
else:
    import pvtpp
    from pvtpp_benchmarks.synthetic import AerialClip, render

    clips = [render(AerialClip(width=320, height=180, seconds=2.0, occlusions=()))]
    print(pvtpp.evaluate(f"external:{sys.executable} {__file__} serve", clips, "165ms", ["hold", "ensemble"]).table())
