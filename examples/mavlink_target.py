"""The target on a ground station: a camera that tracks by MAVLink, and a ground station, over UDP on this machine.

The rectangle is for the time when the message arrives. It has no time of its own, so that is what a screen needs.
"""

import time

from pymavlink import mavutil

import pvtpp
from pvtpp.boxes import xywh_to_box
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.link import MavlinkLink
from pvtpp_benchmarks.synthetic import AerialClip, render

LINK_S = 0.05  # what the way to the ground takes
station = mavutil.mavlink_connection("udpin:127.0.0.1:0")  # in the field: the ground station's own
port = station.port.getsockname()[1]  # in the field: 14550
clip = render(AerialClip(width=320, height=180, seconds=2.0, target_px=30.0, occlusions=()))
with pvtpp.LiveTracker("csrt") as live, MavlinkLink(
    f"udpout:127.0.0.1:{port}", lambda: live, config=MavlinkConfig(lead_s=LINK_S)
):
    for index in range(len(clip)):
        frame = pvtpp.Frame(index, time.time_ns(), clip.frame(index).image)
        live.submit(frame)
        if index == 0:  # the ground station may give the target, too: CAMERA_TRACK_RECTANGLE
            live.init(frame, xywh_to_box(clip.ground_truth_xywh[0]))
        time.sleep(1 / clip.camera_fps)
    shown = 0
    while shown < 3:
        message = station.recv_match(type="CAMERA_TRACKING_IMAGE_STATUS", blocking=True)
        if message.tracking_status:  # 0 as long as there is no target
            shown += 1
            print(f"the target is at {message.rec_top_x:.2f} to {message.rec_bottom_x:.2f} of the width")
