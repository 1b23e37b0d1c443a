"""Gyro recordings beside a video: they read back as written, and errors name the line."""

import json

import numpy as np
import pytest

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.gyro import GyroRecording, read, read_files

K = [[600.0, 0, 320], [0, 600, 180], [0, 0, 1]]
AXES = [[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]


def recording(**changes):
    times = np.arange(50) * 5_000_000 + 2**60
    rates = np.random.default_rng(0).normal(size=(50, 3))
    return GyroRecording(**{**{"t_ns": times, "rates": rates, "camera_matrix": K, "camera_from_imu": AXES}, **changes})


def test_a_recording_reads_back_times_to_the_nanosecond(tmp_path):
    first = recording()
    first.write(str(tmp_path))
    again = read(str(tmp_path))
    np.testing.assert_array_equal(again.t_ns, first.t_ns)
    np.testing.assert_allclose(again.rates, first.rates, rtol=1e-8)
    assert again.gyro().as_dict() == first.gyro().as_dict()


def test_a_gyro_is_restored_from_its_entry_in_a_log():
    gyro = recording().gyro()
    assert Gyro.from_dict(json.loads(json.dumps(gyro.as_dict()))).as_dict() == gyro.as_dict()
    np.testing.assert_array_equal(gyro.camera_from_imu, AXES)


def test_a_folder_without_a_gyro_has_none(tmp_path):
    assert read(str(tmp_path)) is None


def test_a_gyro_without_its_camera_is_refused(tmp_path):
    recording().write(str(tmp_path))
    (tmp_path / "camera.json").unlink()
    with pytest.raises(InputError, match=r"camera\.json.*camera_matrix"):
        read(str(tmp_path))


def test_the_unfinished_line_of_a_file_that_grows_is_left_out(tmp_path):
    recording().write(str(tmp_path))
    samples, camera = str(tmp_path / "gyro.csv"), str(tmp_path / "camera.json")
    with open(samples, "ab") as file:
        file.write(b"1152921505000000000,0.1,0.2,0.3")
    assert len(read_files(samples, camera).t_ns) == 51
    # It might have gone on as 0.35.
    assert len(read_files(samples, camera, growing=True).t_ns) == 50


@pytest.mark.parametrize("line", [b"1,2,3", b"a,1,2,3", b"1,1,2,nan", b"1.5,1,2,3", b"\xff\xfe"])
def test_a_bad_line_is_named(tmp_path, line):
    recording().write(str(tmp_path))
    with open(tmp_path / "gyro.csv", "ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InputError, match="line 52"):
        read(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"t_ns": np.zeros(50)}, "times must increase, sample 2"),
        ({"rates": np.zeros((49, 3))}, r"expected \(n,\) and \(n, 3\)"),
        ({"camera_matrix": np.zeros((3, 3))}, "camera matrix"),
        ({"camera_matrix": "a camera", "source": "gyro.csv"}, r"gyro\.csv: camera matrix: 'a camera' is no \(3, 3\)"),
        ({"camera_matrix": [[1, 2], [3]]}, r"is no \(3, 3\)"),
        ({"camera_from_imu": np.ones((3, 3))}, "no rotation"),
        ({"camera_from_imu": {}}, r"is no \(3, 3\)"),
    ],
)
def test_invalid_recordings_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        recording(**changes)
