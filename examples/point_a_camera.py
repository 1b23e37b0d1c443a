"""Keep a camera on its target by the reference controller, with and without the target's own rate fed forward.

It crosses at 0.4 rad/s and turns round after 3 s; evidence is 90 ms old, a command takes effect 40 ms later.
"""

import numpy as np

import pvtpp
from pvtpp.bearing import Pinhole
from pvtpp.control import CameraRates, OwnMotion, RateController, pointing
from pvtpp.track import Track

MS, FOCAL, PREDICTOR = 10**6, 600.0, pvtpp.create_predictor("kalman")
CAMERA = Pinhole(np.array([[FOCAL, 0, 320], [0, FOCAL, 180], [0, 0, 1]]))


def mean_error(feed_forward):
    controller, rates, motion, track = RateController(), CameraRates(), OwnMotion(), Track()
    camera, errors, commands, frames = 0.0, [], [0.0] * 40, []
    for now in range(6000):  # milliseconds
        turning = commands[now]  # to the right, as commanded 40 ms ago
        camera += turning * 1e-3
        offset = FOCAL * np.tan(0.4e-3 * min(now, 6000 - now) - camera)
        errors.append(abs(offset))
        if now % 10 == 0:
            rates.add(now * MS, (0.0, turning))  # the gyro: up and right
        if now % 33 == 0:
            frames.append((now * MS, np.array([320 + offset, 180, 40, 40])))
        if frames and now * MS >= frames[0][0] + 90 * MS:
            track = track.with_result(*frames.pop(0))
            trajectory = PREDICTOR.predict(track)
            motion.add(track.evidence_ns, pointing(CAMERA.direction(trajectory.at(track.evidence_ns))).error)
            seen, own_rate = motion.at((now + 40) * MS, rates)
            controller.step(now * MS, seen, own_rate if feed_forward else None)
        commands.append(controller.commanded[1])
    return np.mean(errors[1000:])


for ahead in (False, True):
    print(f"own rate {'fed forward' if ahead else 'not used'}: {mean_error(ahead):.0f} px beside the target")
