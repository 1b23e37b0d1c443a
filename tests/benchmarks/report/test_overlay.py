"""Videos of runs: which logs make one, and whose boxes are in it."""

import cv2
import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.report import video
from pvtpp_benchmarks.report.overlay import Shown, frames, write_films
from pvtpp_benchmarks.scoring import find_logs


@pytest.fixture
def clip(tmp_path):
    """A box that moves 4 px a frame over a dark ground."""
    boxes = np.array([[20.0 + 4 * i, 30.0, 24.0, 20.0] for i in range(20)])
    paths = [str(tmp_path / f"{i:03d}.png") for i in range(len(boxes))]
    for path in paths:
        cv2.imwrite(path, np.full((120, 160, 3), 30, np.uint8))
    return VideoSequence("moving one", boxes, image_paths=paths)


@pytest.fixture
def logs(tmp_path, clip):
    """The folder of logs of an oracle at two speeds, two starts each."""
    settings = {"predictors": ["hold", "kalman"], "propagation": "none", "search_region": "last", "presence": "off"}
    for ms in ("47ms", "85ms"):
        grid = make_grid("clips", "oracle", processing=[ms], starts=2, offline=False, **settings)
        evaluate([clip], grid, Oracle, str(tmp_path / "runs"))
    return str(tmp_path / "runs")


def test_a_video_for_each_speed_of_the_first_start(tmp_path, clip, logs):
    said = []
    films = write_films(str(tmp_path / "out"), [logs], [clip], lambda text: None, said.append)
    assert films == {
        ("clips", "oracle", ms, "moving one"): f"videos/clips-oracle-{ms}-moving-one.mp4" for ms in ("47ms", "85ms")
    }
    assert [line[:9] for line in said] == ["video 1/2", "video 2/2"]
    for address in films.values():
        capture = cv2.VideoCapture(str(tmp_path / "out" / address))
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == len(clip)
        capture.release()


def test_each_frame_shows_what_was_known_then(clip, logs):

    (path,) = (path for path in find_logs([logs]) if "47ms" in path and EventLog.read(path).meta["start_number"] == 0)
    log = EventLog.read(path)
    shown = {"late": Shown(log, "hold", (0, 0, 255)), "now": Shown(log, "kalman", (0, 255, 0))}
    images = list(frames(clip, shown, "caption"))
    assert len(images) == len(clip)
    # The box that is held is left of the predicted one by the way that the target makes in the latency.
    green, red = (images[-1][36:48, :, channel].astype(int) for channel in (1, 2))
    late, now = (np.flatnonzero((one - other > 60).any(axis=0)).mean() for one, other in ((red, green), (green, red)))
    assert 4 <= now - late <= 16


def test_a_label_says_what_presence_says(clip, logs, monkeypatch):
    log, times = EventLog.read(find_logs([logs])[0]), clip.camera_t_ns
    for at, state in ((1, Presence.TRACKING), (5, Presence.LOST), (8, Presence.TRACKING)):
        log.presence(int(times[at]), state, 0.5)
    labels = []
    monkeypatch.setattr(video, "draw_boxes", lambda image, boxes, caption: labels.append(list(boxes)[-1]))
    list(frames(clip, {"now": Shown(log, "hold", (0, 0, 255))}, ""))
    assert [number for number, label in enumerate(labels) if label == "now: LOST"] == [5, 6, 7]
    assert {*labels} == {"now", "now: LOST"}


def test_without_images_there_is_no_video(tmp_path, clip, logs):
    bare = VideoSequence("moving one", clip.ground_truth_xywh)
    with pytest.raises(InputError, match="moving one: no images, which a video needs"):
        write_films(str(tmp_path / "out"), [logs], [bare], print)
    assert not (tmp_path / "out").exists()
