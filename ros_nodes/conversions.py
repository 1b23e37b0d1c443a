"""Messages and what they mean: pure functions on anything that has the fields, so that ROS 1 and ROS 2 share them.

``fill_*`` write into an empty message and return it; nothing here imports a message.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, List, Sequence, Tuple

import numpy as np

from pvtpp.boxes import as_box, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction, Trajectory

NO_TARGET, TRACKING, UNCERTAIN, LOST, PAUSED = range(5)
STATUS = {"NO_TARGET": NO_TARGET, "TRACKING": TRACKING, "UNCERTAIN": UNCERTAIN, "LOST": LOST, "PAUSED": PAUSED}
"""As the constants of Target.msg."""
NO_END = np.iinfo(np.int64).max
SECOND = 10**9


def stamp_ns(stamp: Any) -> int:
    """Read a ROS 1 (`secs`, `nsecs`) or ROS 2 (`sec`, `nanosec`) time as integer nanoseconds."""
    if hasattr(stamp, "secs"):
        return stamp.secs * SECOND + stamp.nsecs
    return stamp.sec * SECOND + stamp.nanosec


def set_stamp(stamp: Any, t_ns: int) -> None:
    """Write integer nanoseconds (0 or more) into a ROS 1 or ROS 2 time."""
    seconds, rest = divmod(max(t_ns, 0), SECOND)
    if hasattr(stamp, "secs"):
        stamp.secs, stamp.nsecs = seconds, rest
    else:
        stamp.sec, stamp.nanosec = seconds, rest


def set_header(header: Any, t_ns: int, frame_id: str) -> None:
    """Write a time in integer nanoseconds and a frame's name into a std_msgs/Header."""
    set_stamp(header.stamp, t_ns)
    header.frame_id = frame_id


def fill_camera_info(message: Any, matrix: np.ndarray, width: int, height: int) -> Any:
    """Write the calibration of a camera without distortion into a sensor_msgs/CameraInfo; its header stays as it is.

    Parameters
    ----------
    message
        The message, of ROS 1 or ROS 2.
    matrix
        The camera's matrix ``(3, 3)``, pixels.
    width, height
        Of the image, pixels.
    """
    projection = np.hstack([matrix, np.zeros((3, 1))])
    values = {"D": np.zeros(5), "K": matrix, "R": np.eye(3), "P": projection}
    for name, value in values.items():
        setattr(message, name if hasattr(message, "K") else name.lower(), np.ravel(value).tolist())
    message.width, message.height, message.distortion_model = width, height, "plumb_bob"
    return message


def rotation_matrix(quaternion: Any) -> np.ndarray:
    """Compute the rotation matrix ``(3, 3)`` of a geometry_msgs/Quaternion; InputError where its length is not 1."""
    parts = np.array([quaternion.x, quaternion.y, quaternion.z, quaternion.w], dtype=np.float64)
    norm = float(np.linalg.norm(parts))
    if not abs(norm - 1) < 0.01:
        raise InputError(f"rotation: the quaternion x, y, z, w {parts.tolist()} is not of length 1")
    x, y, z, w = parts / norm
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def roi_box(roi: Any) -> np.ndarray:
    """Read a Roi as a box ``[cx, cy, w, h]``, pixels. Raises InputError where it is not finite or has no size."""
    return as_box(xywh_to_box(np.array(roi.xywh, dtype=np.float64)), "region of interest")


def box_in_image(box: np.ndarray, width: int, height: int) -> np.ndarray:
    """Check that some part of a box is in the image.

    Parameters
    ----------
    box
        ``[cx, cy, w, h]``, pixels.
    width, height
        Of the image, pixels; 0 where they are not known: then nothing is checked.

    Returns
    -------
    numpy.ndarray
        The box itself.

    Raises
    ------
    InputError
        It lies wholly outside.
    """
    (left, top), (right, bottom) = box[:2] - box[2:] / 2, box[:2] + box[2:] / 2
    if width and height and not (left < width and top < height and right > 0 and bottom > 0):
        xywh = ", ".join(f"{value:g}" for value in (left, top, *box[2:]))
        raise InputError(
            f"region of interest: left, top, width, height {xywh} is outside the image of {width} x {height}"
        )
    return box


def fill_roi(message: Any, t_ns: int, frame_id: str, xywh: Sequence[float]) -> Any:
    """Write a box into a Roi.

    Parameters
    ----------
    message
        An empty Roi.
    t_ns
        The stamp of the image, nanoseconds.
    frame_id
        Of the header.
    xywh
        ``[left, top, w, h]``, pixels.
    """
    set_header(message.header, t_ns, frame_id)
    message.xywh = _floats(xywh)
    return message


def fill_target(message: Any, prediction: Prediction, frame_id: str, target_id: int, status: int, score: float) -> Any:
    """Write a prediction into a Target; the errors of the box's four numbers are taken as independent.

    Parameters
    ----------
    message
        An empty Target.
    prediction
        Where the target is at ``prediction.t_ns``.
    frame_id
        Of the header.
    target_id, status, score
        Fields of the message.
    """
    set_header(message.header, prediction.t_ns, frame_id)
    message.target_id, message.status, message.score = target_id, status, score
    message.capture_ns = prediction.t_ns - round(prediction.age * 1e9)
    message.horizon = prediction.age
    message.box, message.velocity = prediction.box.tolist(), prediction.velocity.tolist()
    a, b, c, d = (value * value for value in prediction.sigma.tolist())
    message.covariance = [a, 0.0, 0.0, 0.0, 0.0, b, 0.0, 0.0, 0.0, 0.0, c, 0.0, 0.0, 0.0, 0.0, d]
    return message


def fill_result(message: Any, header: Any, target_id: int, status: int, box: Sequence[float], score: float) -> Any:
    """Write a result of the tracker into a Result.

    Parameters
    ----------
    message
        An empty Result.
    header
        That of the image.
    target_id, status, score
        Fields of the message.
    box
        ``[cx, cy, w, h]``, pixels.
    """
    message.header = header
    message.target_id, message.status, message.score = target_id, status, score
    message.box = _floats(box)
    return message


def fill_trajectory(
    message: Any, make_knot: Callable[[], Any], row: Sequence[Any], frame_id: str, target_id: int
) -> Any:
    """Write a trajectory into a Trajectory.

    Parameters
    ----------
    message
        An empty Trajectory.
    make_knot
        Makes an empty Knot.
    row
        As the event log has it: ``["trajectory", t, predictor, *Trajectory.to_row()]``.
    frame_id
        Of the header.
    target_id
        Of the target.
    """
    (
        _,
        known_ns,
        predictor,
        evidence_ns,
        valid_until_ns,
        extrapolation,
        times,
        means,
        derivatives,
        sigmas,
        *stabilised,
    ) = row
    set_header(message.header, known_ns, frame_id)
    message.target_id, message.predictor, message.extrapolation = target_id, predictor, extrapolation
    message.capture_ns, message.stabilised = evidence_ns, bool(stabilised)
    message.valid_until_ns = NO_END if valid_until_ns is None else valid_until_ns
    message.knots = []
    for index, t_ns in enumerate(times):
        knot, part = make_knot(), slice(4 * index, 4 * index + 4)
        knot.t_ns = t_ns
        knot.mean, knot.derivative, knot.sigma = means[part], derivatives[part], sigmas[part]
        message.knots.append(knot)
    return message


def trajectory(message: Any) -> Trajectory:
    """Read a Trajectory, to the bit as the node has it: ``trajectory(message).at(t_ns)`` evaluates it at any rate."""
    knots = message.knots
    return Trajectory(
        tuple(knot.t_ns for knot in knots),
        np.array([knot.mean for knot in knots], dtype=np.float64),
        np.array([knot.derivative for knot in knots], dtype=np.float64),
        np.array([knot.sigma for knot in knots], dtype=np.float64),
        message.capture_ns,
        message.extrapolation,
        None if message.valid_until_ns == NO_END else message.valid_until_ns,
        bool(message.stabilised),
    )


def fill_bearing(message: Any, target: Any, ray: np.ndarray, rate: np.ndarray, sigma: np.ndarray) -> Any:
    """Write a direction into a Bearing.

    Parameters
    ----------
    message
        An empty Bearing.
    target
        A filled Target; time, frame, id and status are copied.
    ray, rate, sigma
        As of `pvtpp_ros_nodes.bearing.Direction`.
    """
    message.header = target.header
    message.target_id, message.status = target.target_id, target.status
    message.ray.x, message.ray.y, message.ray.z = _floats(ray)
    message.angular_velocity.x, message.angular_velocity.y, message.angular_velocity.z = _floats(rate)
    message.sigma = _floats(sigma)
    return message


def fill_detections(
    array: Any, make_detection: Callable[[], Any], make_hypothesis: Callable[[], Any], result: Any, listed: bool
) -> Any:
    """Write a result into a vision_msgs/Detection2DArray of Noetic or of ROS 2.

    Parameters
    ----------
    array
        An empty Detection2DArray.
    make_detection, make_hypothesis
        Make an empty Detection2D and an empty ObjectHypothesisWithPose.
    result
        A filled Result. The id of the hypothesis (Noetic) or of the detection (ROS 2) is its target's.
    listed
        Whether there is one detection, or none.
    """
    array.header = result.header
    array.detections = []
    if not listed:
        return array
    detection, hypothesis = make_detection(), make_hypothesis()
    detection.header = result.header
    centre = detection.bbox.center
    # ROS 2 has since put the pose's coordinates one level deeper.
    place = getattr(centre, "position", centre)
    place.x, place.y, detection.bbox.size_x, detection.bbox.size_y = _floats(result.box)
    inner = getattr(hypothesis, "hypothesis", hypothesis)
    inner.score = float(result.score)
    if hasattr(detection, "id"):
        detection.id, inner.class_id = str(result.target_id), "target"
    else:
        inner.id = result.target_id
    detection.results = [hypothesis]
    array.detections = [detection]
    return array


def detected(array: Any) -> List[Tuple[float, np.ndarray]]:
    """Read the detections of a vision_msgs/Detection2DArray of Noetic or of ROS 2.

    Returns
    -------
    list
        Score and box ``[cx, cy, w, h]`` of each, pixels, the highest score first; those without a size are left out.
    """
    found = []
    for each in array.detections:
        centre = each.bbox.center
        place = getattr(centre, "position", centre)
        box = np.array([place.x, place.y, each.bbox.size_x, each.bbox.size_y], dtype=np.float64)
        scores = [float(getattr(result, "hypothesis", result).score) for result in each.results]
        if np.isfinite(box).all() and (box[2:] > 0).all():
            found.append((max(scores, default=0.0), box))
    return sorted(found, key=lambda pair: -pair[0])


def _floats(values: Iterable[float]) -> list:
    return [float(value) for value in values]
