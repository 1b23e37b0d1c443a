"""Trackers of other toolkits plug in by their style, see the images that they expect, and without it are named."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest

import pvtpp
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, as_tracker, checked_output
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic import AerialClip, render
from pvtpp_trackers import registry
from pvtpp_trackers.factory import MakeTracker
from pvtpp_trackers.styles import STYLES, adapt

BLUE = np.zeros((40, 60, 3), np.uint8)
BLUE[..., 0] = 200
FRAMES = [Frame(i, i * 33_000_000, BLUE) for i in range(3)]
BOX = [20.0, 15.0, 10.0, 8.0]


class PySOT:
    """As PySOT's trackers: `track` gives a dict, with numbers of NumPy."""

    def init(self, img, bbox):
        self.seen, self.bbox = img[0, 0].tolist(), list(bbox)

    def track(self, img):
        self.seen = img[0, 0].tolist()
        self.bbox[0] += 1
        return {"bbox": self.bbox, "best_score": np.float32(0.75)}


class ToolkitBase:
    """As the base class of the GOT-10k toolkit, whose `track` runs a whole sequence."""

    def track(self, img_files, box, visualize=False):
        raise AssertionError("not called here")


class GOT10k(ToolkitBase):
    def init(self, image, box):
        self.box = np.array(box)

    def update(self, image):
        self.size, self.pixel = image.size, image.getpixel((0, 0))
        return self.box + [1, 0, 0, 0]


class Arrays(GOT10k):
    def update(self, image):
        self.pixel, self.contiguous = tuple(image[0, 0].tolist()), image.flags["C_CONTIGUOUS"]
        return self.box + [1, 0, 0, 0]


def follow(tracker):
    tracker.init(FRAMES[0], BOX)
    return tracker.track(FRAMES[1], None)


def test_pysot_trackers_see_bgr_and_answer_with_their_score():
    plain = PySOT()
    output = follow(adapt(plain, "pysot"))
    np.testing.assert_allclose(output.box, [21, 15, 10, 8])
    assert output.score == 0.75 and plain.seen == [200, 0, 0]


def test_got10k_trackers_see_rgb_images_of_pillow_and_rgb_ones_arrays():
    pytest.importorskip("PIL")
    plain, arrays = GOT10k(), Arrays()
    np.testing.assert_allclose(follow(adapt(plain, "got10k")).box, [21, 15, 10, 8])
    assert plain.size == (60, 40) and plain.pixel == (0, 0, 200)
    assert follow(adapt(arrays, "rgb")).score == 1.0
    assert arrays.pixel == (0, 0, 200) and arrays.contiguous


@pytest.mark.parametrize("make, style", [(PySOT, "pysot"), (GOT10k, "got10k"), (Arrays, "got10k")])
def test_without_its_style_one_line_says_which(make, style):
    with pytest.raises(InputError, match=f"use --style {style}, in Python style='{style}'") as error:
        as_tracker(make())
    assert "\n" not in str(error.value)
    for call in (lambda: registry.create(f"{__name__}:{make.__name__}"), lambda: pvtpp.LiveTracker(make())):
        with pytest.raises(InputError, match=f"--style {style}"):
            call()


def test_a_dict_from_a_track_of_two_arguments_is_named_when_it_comes():
    with pytest.raises(InputError, match="returns a dict, as PySOT's do; use --style pysot"):
        checked_output(object(), {"bbox": [1, 2, 3, 4]})


def test_an_unknown_style_and_missing_methods_are_refused():
    with pytest.raises(InputError, match=f"style 'vot' of a tracker, allowed is one of: {', '.join(STYLES)}"):
        adapt(PySOT(), "vot")
    with pytest.raises(
        InputError, match=r"PySOT has no update\(\), which the style got10k needs: init\(\), update\(\)"
    ):
        adapt(PySOT(), "got10k")
    with pytest.raises(InputError, match=r"object has no init\(\) and no track\(\), which the style pysot"):
        adapt(object(), "pysot")


class Wrong(PySOT):
    def track(self, img):
        return [1, 2, 3, 4]


def test_another_answer_than_the_styles_is_named():
    with pytest.raises(InputError, match=r"Wrong.track\(\) returned \[1, 2, 3, 4\], the style pysot expects a dict"):
        follow(adapt(Wrong(), "pysot"))


def test_without_pillow_the_other_style_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match="pip install pillow, or use the style rgb"):
        adapt(GOT10k(), "got10k")


class Central:
    """A tracker that answers with the brightest column, so that a run depends on what it sees."""

    def init(self, image, box):
        self.box = np.array(box, float)

    def _find(self, image):
        return self.box + [float(image[..., 0].mean() > 300), 0, 0, 0]

    def track(self, image):
        return {"bbox": self._find(image), "best_score": 0.5}


def test_evaluate_takes_a_style_and_tells_its_logs_apart(tmp_path):
    clip = render(AerialClip(width=160, height=120, seconds=0.3, target_px=24.0, occlusions=()))
    assert isinstance(clip, VideoSequence)
    settings = {"processing": "47ms", "predictors": "hold", "propagation": "none", "logs": str(tmp_path)}
    for tracker in (Central, partial(Central)):
        with pytest.raises(InputError, match="use --style pysot"):
            pvtpp.evaluate(tracker, [clip], **settings)
        assert pvtpp.evaluate(tracker, [clip], style="pysot", **settings).rows[-1]["auc"] > 0
    with pytest.raises(InputError, match="style 'x' of a tracker"):
        pvtpp.evaluate(Central, [clip], style="x", **settings)
    made = [MakeTracker("kcf", style=style).digest() for style in ("plain", "pysot", "rgb")]
    assert len(set(made)) == 3 and made[0] == MakeTracker("kcf").digest()
