#!/bin/sh
# pvtpp beside PX4 1.14 or newer. Written against PX4's documentation
# (https://docs.px4.io/main/en/advanced/gimbal_control, .../companion_computer/pixhawk_companion); not run on a vehicle.
#
# Parameters of the autopilot, for the companion on TELEM2 and a gimbal that PX4 manages:
#   MAV_1_CONFIG 102        TELEM2
#   MAV_1_MODE 2            Onboard
#   MAV_1_FORWARD 1         messages of the camera go on to the ground station
#   SER_TEL2_BAUD 921600
#   MNT_MODE_IN 4           MAVLink gimbal protocol v2: PX4 is the gimbal's manager
#   MNT_MODE_OUT 2          a MAVLink gimbal; 0 for one on PWM outputs
#
# mavlink-router shares the port (mavlink-router.conf in this folder). 62 is the camera's horizontal field of view.
# PX4 lets one component control the gimbal at a time: pvtpp asks for it when it gets a target, and leaves it to a
# ground station that takes it.
exec pvtpp track 0 --no-window --log flight.jsonl \
    --mavlink udpout:127.0.0.1:14551 --mavlink-id 1:100 --mavlink-lead 0.1 --mavlink-video-delay 0.25 \
    --mavlink-gimbal 62
