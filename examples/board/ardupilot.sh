#!/bin/sh
# pvtpp beside ArduPilot 4.5 or newer. Written against ArduPilot's documentation
# (https://ardupilot.org/dev/docs/mavlink-camera.html, .../mavlink-gimbal-mount.html); not run on a vehicle.
#
# Parameters of the autopilot, for the companion on TELEM2 (SERIAL2) and a gimbal that ArduPilot manages:
#   SERIAL2_PROTOCOL 2      MAVLink 2
#   SERIAL2_BAUD 921
#   CAM1_TYPE 6             a MAVLink camera: ground stations that speak to the autopilot alone reach it too
#   MNT1_TYPE ...           your gimbal's; ArduPilot is then its manager
#
# mavlink-router shares the port (mavlink-router.conf in this folder). The ground station draws the target; ArduPilot
# does not relay CAMERA_TRACKING_IMAGE_STATUS, so the station must see component 100 itself, as through the router.
# 62 is the camera's horizontal field of view; the gimbal is turned after the target.
exec pvtpp track 0 --no-window --log flight.jsonl \
    --mavlink udpout:127.0.0.1:14551 --mavlink-id 1:100 --mavlink-lead 0.1 --mavlink-video-delay 0.25 \
    --mavlink-gimbal 62
