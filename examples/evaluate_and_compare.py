"""A tracker of your own, as if it took 85 ms a frame: as it is, and with the predictor and propagation of pvtpp."""

import cv2

import pvtpp
from pvtpp_benchmarks.synthetic import AerialClip, render


class MyTracker:
    """Two methods are enough. This one looks for the target's first image near the last box."""

    def init(self, image, box):  # image: BGR; box: left, top, width, height
        self.left, self.top, self.width, self.height = (round(value) for value in box)
        self.template = image[self.top : self.top + self.height, self.left : self.left + self.width]

    def update(self, image):
        left, top = max(self.left - 60, 0), max(self.top - 60, 0)
        near = image[top : self.top + self.height + 60, left : self.left + self.width + 60]
        if near.shape[0] >= self.template.shape[0] and near.shape[1] >= self.template.shape[1]:
            match = cv2.minMaxLoc(cv2.matchTemplate(near, self.template, cv2.TM_CCOEFF_NORMED))[3]
            self.left, self.top = left + match[0], top + match[1]
        return self.left, self.top, self.width, self.height


if __name__ == "__main__":
    # Real data instead: clips = pvtpp.load_dataset("uav-mini", "data/uav-mini", "test")[["Biker", "Surfing06"]]
    clips = [render(AerialClip(f"seed {seed}", seed, 320, 180, seconds=2.0, occlusions=())) for seed in (9, 10)]
    result = pvtpp.evaluate(MyTracker, clips, processing=["85ms"], predictors=["hold", "ensemble"])
    print(result.table())
    print(result.compare("hold", "ensemble"))  # paired over the clips: mean, 95 % interval, wins and losses
