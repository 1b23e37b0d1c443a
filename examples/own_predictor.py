"""A predictor of your own, against none at all. It turns the track of a target into a trajectory."""

import pvtpp
from pvtpp.boxes import xywh_to_box
from pvtpp.track import Track
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.synthetic import AerialClip, render


class MeanVelocity:
    """Goes on with the mean velocity of the last three results."""

    reads_features = False  # boxes and times are enough

    def encode(self, output):
        return None

    def predict(self, track: Track) -> Trajectory:
        times, boxes = (each[-3:] for each in track.evidence())  # nanoseconds (n,), and [cx, cy, w, h] (n, 4)
        seconds = max((times[-1] - times[0]) * 1e-9, 1e-3)
        velocity = (boxes[-1] - boxes[0]) / seconds * [1, 1, 0, 0]
        sigma = 0.1 * boxes[-1][[2, 3, 2, 3]]
        return Trajectory((times[-1],), boxes[-1:], velocity[None], sigma[None], times[-1])


clip = render(AerialClip(width=320, height=180, seconds=3.0, agility=0.5, occlusions=()))
predictors = {"mine": MeanVelocity(), "hold": pvtpp.create_predictor("hold")}
first_box = xywh_to_box(clip.ground_truth_xywh[0])
tracker = pvtpp.create_tracker("kcf")
log = simulate(clip, tracker, predictors, lambda frame: 85_000_000, first_box=first_box)
for name in predictors:  # live: pvtpp.LiveTracker("csrt", predictor={"mine": MeanVelocity()})
    print(f"{name}: AUC {score_online(log, clip, name).curves['auc'].value[0]:.3f}")
