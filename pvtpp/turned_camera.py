"""By how much the stamps of a camera's frames are wrong, while it is turned to and fro together with a gyro.

Images are compared two by two as they come, and not kept.
"""

from __future__ import annotations

from typing import Iterable, List, Optional, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.camera_motion import Gyro, GyroConfig, check_camera_matrix
from pvtpp.errors import InputError
from pvtpp.rotation_check import compare, rotation_between, stamp_offset
from pvtpp.tracker import Frame

MEMORY_S = 3600.0
"""So much of the gyro is compared, seconds."""
UNSEEN = np.full(3, np.nan)


class TurnedCamera:
    """What the images show of the camera's rotation.

    Parameters
    ----------
    camera_matrix
        Shape ``(3, 3)``, pixels.
    name
        Of the images, for messages.

    Attributes
    ----------
    t_ns
        Stamps of the images so far, nanoseconds.
    """

    def __init__(self, camera_matrix: ArrayLike, name: str):
        self._matrix, self._name = check_camera_matrix(camera_matrix), name
        self._previous: Optional[np.ndarray] = None
        self._seen: List[np.ndarray] = []
        self.t_ns: List[int] = []

    def add(self, frame: Frame) -> None:
        """Take the next image; InputError where its stamp is not after the last one's."""
        if self.t_ns and frame.t_ns <= self.t_ns[-1]:
            raise InputError(f"{self._name}: an image of stamp {frame.t_ns} ns after one of {self.t_ns[-1]} ns")
        image = frame.image
        if self._previous is not None:
            seen = rotation_between(self._previous, image, self._matrix)
            self._seen.append(UNSEEN if seen is None else seen)
        self.t_ns.append(frame.t_ns)
        self._previous = image

    def offset(
        self,
        samples: Iterable[Tuple[int, ArrayLike]],
        camera_from_imu: Optional[ArrayLike] = None,
        reach_s: float = 0.2,
    ) -> Tuple[float, float]:
        """Compute the offset, as `pvtpp.rotation_check.stamp_offset`.

        Parameters
        ----------
        samples
            Of the gyro, from `reach_s` before the images to as long after them: times in nanoseconds on the clock of
            the stamps, and angular velocities of shape ``(3,)`` in radians per second, in IMU axes.
        camera_from_imu
            Shape ``(3, 3)``, the rotation that takes IMU axes to camera axes; None where they are the same.
        reach_s
            Largest offset that is tried, in both directions, seconds.

        Returns
        -------
        float
            True exposure minus stamp of the images, seconds.
        float
            The share of the rotation that the gyro then explains.

        Raises
        ------
        InputError
            Too little is there to compare, or gyro and images agree at no offset; then with what is known of them.
        """
        gyro = Gyro(self._matrix, camera_from_imu, GyroConfig(memory_s=MEMORY_S))
        for sample in samples:
            gyro.add(*sample)
        seen = np.reshape(self._seen, (-1, 3))
        try:
            return stamp_offset(self.t_ns, seen, gyro, reach_s)
        except InputError as error:
            raise InputError(f"{error}. {self._as_stamped(seen, gyro)}") from None

    def _as_stamped(self, seen: np.ndarray, gyro: Gyro) -> str:
        turned = [gyro.turn(*pair) for pair in zip(self.t_ns, self.t_ns[1:])]
        known = [i for i, turn in enumerate(turned) if turn is not None and np.isfinite(seen[i]).all()]
        return f"As stamped: {compare(seen[known], np.array([turned[i] for i in known]))}"
