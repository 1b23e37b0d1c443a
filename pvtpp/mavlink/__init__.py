"""MAVLink: the live tracker as a camera component that a ground station or an autopilot can give a target.

`camera.CameraComponent` is the protocol without clock and sockets: messages in, messages out. `link.MavlinkLink` has
the socket. pymavlink is an extra, imported when a component is made.
"""
