"""The video of `pvtpp track`: each frame at its time, all in one size."""

import cv2
import numpy as np
import pytest

from pvtpp.cli import track_files
from pvtpp.cli.frame_records import RecordFile
from pvtpp.errors import InputError
from pvtpp.live.frame_record import FrameRecord
from pvtpp.sources.recorded import TimedImage
from pvtpp.trajectory import Prediction


def shown(times_s, fps):
    """Which frame each frame of the video shows."""
    timed = [TimedImage(round(t * 1e9), np.array([number])) for number, t in enumerate(times_s)]
    return [int(image[0]) for image in track_files.at_constant_rate(timed, fps)]


def rate(times_s, fps):
    return track_files.video_rate([FrameRecord(i, round(t * 1e9), None, {}) for i, t in enumerate(times_s)], fps)


@pytest.mark.parametrize("fps", [30, 29.97, 119.123, 7.5])
def test_frames_at_a_constant_rate_are_shown_once_at_that_rate(fps):
    times = np.arange(100) / fps
    assert rate(times, fps) == fps and shown(times, fps) == list(range(100))


def test_times_that_a_container_rounds_change_nothing():
    times = np.round(np.arange(300) / 29.97, 3)
    assert rate(times, 29.97) == 29.97 and shown(times, 29.97) == list(range(300))


def test_a_variable_rate_is_shown_at_its_fastest_with_frames_repeated():
    times = np.concatenate([np.arange(30) / 30, 1 + np.arange(20) / 10])
    assert rate(times, 16.7) == pytest.approx(30)
    assert shown(times, 30) == [*range(30), *np.repeat(range(30, 49), 3), 49]


def test_every_frame_is_shown_even_where_some_come_too_fast():
    times = [0, 0.1, 0.101, 0.102, 0.3]
    assert sorted(set(shown(times, 10))) == [0, 1, 2, 3, 4]


def test_a_burst_does_not_ask_for_more_than_players_can():
    times = np.concatenate([np.arange(50) * 1e-4, 1 + np.arange(50) / 30])
    assert rate(times, 15) == track_files.FASTEST
    assert rate([0.0, 50.0, 100.0], 0.5) == 1.0


def test_one_frame_and_none():
    assert rate([0.0], 25.0) == 25.0 and shown([0.0], 25.0) == [0] and shown([], 25.0) == []


def test_images_of_another_size_get_the_size_of_the_first_with_their_own_aspect_ratio():
    first = np.full((60, 100, 3), 200, dtype=np.uint8)
    images = [first, first[:30, :50], first[:, :50], np.full((200, 100, 3), 200, dtype=np.uint8), first[:1, :1]]
    made = list(track_files.of_one_size(images))
    assert {image.shape for image in made} == {(60, 100, 3)}
    assert [round((image > 100).mean(), 2) for image in made] == [1.0, 1.0, 0.5, 0.3, 0.6]
    # In the middle, between black borders.
    assert (made[2][:, 25:75] > 100).all() and (made[2][:, :25] == 0).all()


def test_a_video_of_changing_sizes_is_written(tmp_path):
    images = [TimedImage(i * 10**8, np.full((40 + i, 60, 3), 90, dtype=np.uint8)) for i in range(8)]
    track_files.record(str(tmp_path / "clip.mp4"), images, 10.0)
    capture = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 8 and capture.read()[1].shape == (40, 60, 3)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_disk_that_fills_while_records_come_is_named(ending, tmp_path):
    path = str(tmp_path / f"seen.{ending}")

    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    with RecordFile(path) as records:
        if ending == "csv":
            records._csv.close()
            records._csv = Full()
        else:
            records._kept.close()
            records._kept = Full()
        made = Prediction(0, np.ones(4), np.zeros(4), np.ones(4), 0.0)
        with pytest.raises(InputError, match="cannot write \\(No space left on device\\)"):
            records.add(FrameRecord(0, 0, None, {"hold": made}))
