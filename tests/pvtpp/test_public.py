"""What `import pvtpp` offers: everything a program needs, imported when it is first used."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import pvtpp
from pvtpp import defaults, predictors
from pvtpp.boxes import xywh_to_box
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live import live_tracker
from pvtpp.propagation.optical_flow import OpticalFlow
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic import AerialClip, render

OFFERED = [
    "Frame", "LiveTracker", "Result", "create_predictor", "create_tracker", "evaluate", "load_dataset", "score"
]  # fmt: skip


def alone(code):
    """What a new Python prints after running this."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_it_imports_nothing_else():
    loaded = alone("import sys, pvtpp; print(*(m for m in sys.modules if m == 'numpy' or m.startswith('pvtpp')))")
    assert loaded == ["pvtpp"]


def test_a_frame_needs_none_of_the_benchmark():
    code = "import sys, pvtpp; pvtpp.Frame(0, 5); print(*(m for m in sys.modules if m.startswith('pvtpp')))"
    loaded = alone(code)
    assert "pvtpp.tracker" in loaded
    assert not [name for name in loaded if name.startswith(("pvtpp_", "pvtpp.public", "pvtpp.live"))]


def test_the_whole_of_it_needs_no_torch_and_no_plotting():
    heavy = "{'torch', 'matplotlib', 'onnx', 'lightning'}"
    assert alone(f"import sys; from pvtpp import *; print(*({heavy} & set(sys.modules)))") == []


def test_the_names_are_these():
    assert pvtpp.__all__ == OFFERED
    assert set(alone("names = set(dir()); from pvtpp import *; print(*set(dir()) - names - {'names'})")) == set(OFFERED)
    assert set(OFFERED) <= set(dir(pvtpp))
    for name in OFFERED:
        assert getattr(pvtpp, name) is getattr(pvtpp, name)


def test_another_name_is_an_error_that_says_what_there_is():
    with pytest.raises(
        AttributeError, match="no attribute 'Tracker'; it offers: Frame, LiveTracker, Result, create_pre"
    ):
        pvtpp.Tracker  # noqa: B018
    with pytest.raises(ImportError, match="wizard"):
        from pvtpp import wizard  # noqa: F401


class Standing:
    """A tracker of the user's: says that the target stays where it was."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def init(self, image, box):
        self.box = [box[0] + self.shift, *box[1:]]

    def update(self, image):
        return self.box


CLIPS = [
    render(AerialClip(f"seed {seed}", seed, 160, 120, seconds=0.7, target_px=24.0, occlusions=())) for seed in (9, 10)
]


def test_a_live_tracker_has_the_default_configuration():
    with pvtpp.LiveTracker("csrt") as live:
        assert isinstance(live, live_tracker.LiveTracker)
        assert list(live._predictors) == [defaults.PREDICTOR] and isinstance(live._propagator, OpticalFlow)
        assert live._machine.config.search_region == "predicted" and live._machine.config.presence is not None
    with pvtpp.LiveTracker(Standing(), "hold", "none", "last", "on") as live:
        assert list(live._predictors) == ["hold"] and live._propagator is None
        assert live._machine.config.search_region == "last" and live._machine.config.presence == PresenceConfig()
    mine = {"mine": predictors.create("kalman")}
    with pvtpp.LiveTracker(Standing(), mine, presence=PresenceConfig(share=0.25)) as live:
        assert list(live._predictors) == ["mine"] and live._machine.config.presence.share == 0.25
    with pytest.raises(InputError, match="wizard"):
        pvtpp.LiveTracker("csrt", "wizard")


def follow(live, clip, clock):
    """Show a clip to a live tracker at the pace of its own work, and return its predictions."""
    found = []
    for index in range(len(clip)):
        frame = clip.frame(index)
        clock.now = frame.t_ns
        live.submit(frame)
        if index == 0:
            live.init(frame, xywh_to_box(clip.ground_truth_xywh[0]))
        found.append(live.predict(frame.t_ns))
    return found


class Clock:
    now = 0

    def __call__(self):
        return self.now


def test_an_own_tracker_is_followed_live(tmp_path):
    clock = Clock()
    with pvtpp.LiveTracker(Standing(), clock=clock, log=str(tmp_path / "flight.jsonl")) as live:
        found = follow(live, CLIPS[0], clock)
    assert len(found) == len(CLIPS[0]) and all(np.isfinite(each.box).all() for each in found)
    assert json.loads((tmp_path / "flight.jsonl").read_text().splitlines()[-1])[0] == "end"


@pytest.mark.real_data
def test_a_live_tracker_takes_the_name_of_a_pretrained_one(data_root, weights_root):
    clip = pvtpp.load_dataset("uav-mini", str(data_root / "uav-mini"), "test")["Biker"]
    clock = Clock()
    with pvtpp.LiveTracker("nanotrack-v3", clock=clock) as live:
        frame = clip.frame(0)
        live.submit(frame)
        live.init(frame, xywh_to_box(clip.ground_truth_xywh[0]))
        now = live.predict(frame.t_ns)
    np.testing.assert_allclose(now.box, xywh_to_box(clip.ground_truth_xywh[0]), atol=1.0)


@pytest.mark.real_data
def test_a_part_of_a_data_set_is_evaluated_as_the_readme_does(data_root):
    clips = pvtpp.load_dataset("uav-mini", str(data_root / "uav-mini"), "test")
    result = pvtpp.evaluate(Standing, clips[["Biker"]], processing=["0ms", "47ms"], predictors=["hold", "ensemble"])
    assert [(row["predictor"], row["processing"]) for row in result.rows] == [
        (None, None), ("hold", "0ms"), ("ensemble", "0ms"), ("hold", "47ms"), ("ensemble", "47ms"),
    ]  # fmt: skip
    assert result.rows[0]["dataset"].startswith("uav-mini") and list(result.rows[0]["per_sequence"]) == ["Biker"]


def test_an_own_tracker_is_evaluated_compared_drawn_and_written(tmp_path):
    result = pvtpp.evaluate(Standing, CLIPS, processing=["0ms", "47ms"], predictors=["hold", "ensemble"])
    assert "tracker Standing" in result.table() and "ensemble" in result.table()
    rows = {row["predictor"]: row for row in result.rows}
    assert (rows["hold"]["propagation"], rows["hold"]["search_region"]) == ("none", "last")
    assert (rows["ensemble"]["propagation"], rows["ensemble"]["search_region"]) == ("optical_flow", "predicted")
    assert "ensemble - hold" in str(result.compare("hold", "ensemble"))
    result.write(str(tmp_path / "result.json"))
    assert pvtpp.Result.read(str(tmp_path / "result.json")).table() == result.table()
    pytest.importorskip("matplotlib")
    result.plot(str(tmp_path / "elae.png"))
    assert (tmp_path / "elae.png").stat().st_size > 1000


def test_settings_are_those_of_the_grid_and_one_value_needs_no_list():
    given = {"processing": "47ms", "predictors": "hold", "propagation": "none", "offline": False, "seed": 5}
    result = pvtpp.evaluate(Standing, CLIPS[:1], mode="strict", **given)
    (row,) = result.rows
    assert (row["mode"], row["processing"]) == ("strict", "47ms") and result.protocol["seed"] == 5
    with pytest.raises(InputError, match="unknown propagation 'fast'"):
        pvtpp.evaluate(Standing, CLIPS, propagation="fast")


def test_a_tracker_by_name_gives_the_same_from_one_process_and_from_two():
    settings = {"processing": "47ms", "predictors": "hold"}
    one, two = (pvtpp.evaluate("kcf", CLIPS, **settings, workers=count) for count in (1, 2))
    assert one.rows == two.rows and one.rows[0]["tracker"] == "kcf"


def test_several_trackers_are_one_result():
    settings = {"processing": "47ms", "predictors": "hold", "offline": False}
    result = pvtpp.evaluate([Standing, "kcf"], CLIPS, **settings)
    alone = [pvtpp.evaluate(each, CLIPS, **settings).rows[0] for each in (Standing, "kcf")]
    assert list(result.rows) == alone and [row["tracker"] for row in alone] == ["Standing", "kcf"]
    with pytest.raises(InputError, match="kcf is there twice"):
        pvtpp.evaluate(["kcf", "kcf"], CLIPS, **settings)
    with pytest.raises(InputError, match="not the address of a Dask scheduler"):
        pvtpp.evaluate("kcf", CLIPS, **settings, cluster="somewhere")


def test_what_is_no_way_to_make_a_tracker_is_refused():
    with pytest.raises(InputError, match="a class or function that makes one.*an object of class Standing"):
        pvtpp.evaluate(Standing(), CLIPS)
    with pytest.raises(InputError, match="unknown tracker 'wizard'"):
        pvtpp.evaluate("wizard", CLIPS, processing="47ms", predictors="hold")


def test_logs_are_kept_and_scored_without_running_anything(tmp_path):
    shown = []

    class Seeing(Standing):
        def update(self, image):
            shown.append(image)
            return super().update(image)

    settings = {"processing": "47ms", "predictors": "hold", "offline": False, "logs": str(tmp_path)}
    result = pvtpp.evaluate(Seeing, CLIPS, **settings)
    count = len(shown)
    assert count and pvtpp.evaluate(Seeing, CLIPS, **settings).rows == result.rows
    assert pvtpp.score(str(tmp_path), CLIPS).rows == result.rows
    both = pvtpp.score([str(tmp_path)], CLIPS, ["hold", "kalman"], mode=["otb", "strict"])
    assert [(row["predictor"], row["mode"]) for row in both.rows] == [
        ("hold", "otb"), ("kalman", "otb"), ("hold", "strict"), ("kalman", "strict")
    ]  # fmt: skip
    assert len(shown) == count


def test_other_arguments_of_the_same_tracker_are_another_tracker(tmp_path):
    settings = {"processing": "0ms", "predictors": "hold", "offline": False, "logs": str(tmp_path)}
    found = [pvtpp.evaluate(partial(Standing, shift), CLIPS[:1], **settings).rows[0] for shift in (0.0, 50.0)]
    assert found[0]["auc"] > found[1]["auc"] + 0.1 and {row["tracker"] for row in found} == {"Standing"}


TRACKER = """
import sys
import pvtpp
from pvtpp_benchmarks.synthetic import AerialClip, render

class Mine:
    def init(self, image, box):
        self.box = list(box)
    def update(self, image):
        self.box[0] += {step}
        return self.box

if __name__ == "__main__":
    clip = render(AerialClip(width=160, height=120, seconds=0.5, target_px=24.0, occlusions=()))
    lines = []
    pvtpp.evaluate(
        Mine, [clip], "47ms", "hold", logs="runs", offline=False, workers={workers}, progress=lines.append
    )
    print(lines[0].rpartition(" ")[2])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_tracker_in_the_script_itself_is_run_again_where_that_was_edited(tmp_path, workers):
    said = []
    for step in (0, 0, 7):
        (tmp_path / "script.py").write_text(TRACKER.format(step=step, workers=workers))
        done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    assert said == ["ran", "kept", "ran"]


def test_a_list_of_sequences_will_do_for_clips():
    boxes = np.tile([10.0, 10, 20, 20], (10, 1))

    class Blind:
        def init(self, frame, box):
            self.box = box

        def track(self, frame, search_box=None):
            from pvtpp.tracker import TrackerOutput

            return TrackerOutput(self.box)

    result = pvtpp.evaluate(Blind, (VideoSequence(name, boxes) for name in "ab"), "47ms", "hold", propagation="none")
    assert [row["sequences"] for row in result.rows] == [2, 2] and result.rows[0]["dataset"] == "clips"


def test_a_tracker_that_cannot_be_sent_to_workers_is_named_before_the_work():
    class Local(Standing):
        pass

    for make in (Local, lambda: Standing()):
        with pytest.raises(InputError, match="cannot be sent to worker processes.*top of a module, or workers=1"):
            pvtpp.evaluate(make, CLIPS, "0ms", "hold", workers=2)
    with pytest.raises(InputError, match="--workers must be at least 1, got 0"):
        pvtpp.evaluate(Standing, CLIPS, "0ms", "hold", workers=0)


def test_logs_that_cannot_be_written_are_found_before_the_work(tmp_path):
    def make():
        raise AssertionError("made")

    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/logs: event logs cannot be written there"):
        pvtpp.evaluate(make, CLIPS, "0ms", "hold", logs=str(tmp_path / "file" / "logs"))
