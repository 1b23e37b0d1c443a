"""Trackers are found by name, by entry point and by import path, and a wrong name says what would be right."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, ImageTracker
from pvtpp_trackers import registry


class PlainTracker:
    """The toolkit convention, with one option."""

    def __init__(self, step=1.0):
        self.step = step

    def init(self, image, xywh):
        self.xywh = np.array(xywh)

    def update(self, image):
        self.xywh = self.xywh + [self.step, 0, 0, 0]
        return self.xywh


class NoTracker:
    pass


HERE = __name__
IMAGE = np.zeros((50, 60, 3), np.uint8)


@pytest.fixture
def by_path(monkeypatch):
    """Make this very module importable under a plain name."""
    monkeypatch.setitem(sys.modules, "plain_module", sys.modules[HERE])


def test_lists_the_trackers_of_the_project():
    own = {"nanotrack-v3", "siamrpn-mobilenetv2", "siamrpn-resnet50", "siamrpn-alexnet", "siammask-resnet50"}
    own |= {"nanotrack-v1", "nanotrack-v2", "vittrack", "cv2-nano", "cv2-vit"}
    assert {*own, "csrt", "kcf", "mil", "replay", "external"} <= set(registry.names())


def test_unknown_name_lists_the_valid_ones():
    with pytest.raises(InputError, match="'dog'.*csrt.*nanotrack-v3.*replay"):
        registry.create("dog")


def test_unknown_option_lists_the_valid_ones():
    with pytest.raises(InputError, match="colour.*weights, threads"):
        registry.create("nanotrack-v3", colour="red")
    with pytest.raises(InputError, match="csrt.*options are: none"):
        registry.create("csrt", weights="x")


def test_missing_option_is_named():
    with pytest.raises(InputError, match="xywh_boxes"):
        registry.create("replay")


def test_text_after_a_name_is_the_option_it_was_registered_for(monkeypatch):
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    monkeypatch.setattr(registry, "_ARGUMENTS", dict(registry._ARGUMENTS))

    @registry.register("shifted", argument="step")
    def shifted(step, times=1):
        return PlainTracker(float(step) * times)

    assert registry.create("shifted:2", times=3).plain.step == 6.0
    with pytest.raises(InputError, match="step"):
        registry.create("shifted")


def test_a_plain_class_is_wrapped_as_a_tracker(by_path):
    tracker = registry.create("plain_module:PlainTracker", step=2.0)
    assert isinstance(tracker, ImageTracker)
    tracker.init(Frame(0, 0, IMAGE), np.array([20.0, 20.0, 4.0, 4.0]))
    assert tracker.track(Frame(1, 1, IMAGE)).box.tolist() == [22.0, 20.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_anywhere:Tracker", "cannot import no_such_module_anywhere"),
        ("plain_module:Absent", "no class 'Absent'.*PlainTracker"),
        ("plain_module:IMAGE", "no class 'IMAGE'"),
        ("plain_module:NoTracker", "NoTracker is not a tracker"),
        ("plain_module:", "module:Class"),
        (":PlainTracker", "module:Class"),
    ],
)
def test_wrong_import_path_says_what_is_wrong(by_path, name, message):
    with pytest.raises(InputError, match=message):
        registry.create(name)


def test_a_module_in_the_working_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "my_own_tracker.py").write_text(
        "class Mine:\n    def init(self, frame, box): pass\n    def track(self, frame, search_box=None): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert type(registry.create("my_own_tracker:Mine")).__name__ == "Mine"


MINE = "class Mine:\n    def init(self, image, xywh): pass\n    def update(self, image): return [0, 0, 5, 5]\n"


@pytest.fixture
def same_name(tmp_path, monkeypatch):
    """A package that is installed, and a folder of the same name, without ``__init__.py``, in the working folder."""
    installed, folder = tmp_path / "site-packages", tmp_path / "work"
    (installed / "same_name_package").mkdir(parents=True)
    (installed / "same_name_package" / "__init__.py").write_text("ORIGIN = 'installed'\n")
    (installed / "same_name_package" / "theirs.py").write_text(MINE)
    (folder / "same_name_package").mkdir(parents=True)
    (folder / "same_name_package" / "mosse.py").write_text(MINE)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(installed))
    before = list(sys.meta_path)
    yield folder / "same_name_package"
    assert sys.meta_path == before
    for name in [name for name in sys.modules if name.startswith("same_name_package")]:
        del sys.modules[name]


def test_a_folder_in_the_working_folder_wins_over_an_installed_package_of_its_name(same_name):
    assert registry.sources("same_name_package.mosse:Mine") == [str(same_name / "mosse.py")]
    registry.create("same_name_package.mosse:Mine")
    assert sys.modules["same_name_package.mosse"].__file__ == str(same_name / "mosse.py")


def test_so_does_a_package_in_the_working_folder(same_name):
    (same_name / "__init__.py").write_text("ORIGIN = 'working folder'\n")
    registry.create("same_name_package.mosse:Mine")
    assert sys.modules["same_name_package"].ORIGIN == "working folder"


@pytest.mark.parametrize("is_empty", [True, False])
def test_a_folder_without_the_module_hides_no_installed_package(same_name, is_empty):
    if is_empty:
        (same_name / "mosse.py").unlink()
    registry.create("same_name_package.theirs:Mine")
    assert sys.modules["same_name_package"].ORIGIN == "installed"


def test_the_sources_of_a_tracker_are_its_modules_file_whatever_becomes_of_it(tmp_path, monkeypatch):
    (tmp_path / "sourced.py").write_text("raise RuntimeError('not run')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert registry.sources("sourced:Mine") == [str(tmp_path / "sourced.py")]
    assert registry.sources("no_such_package.at_all:Mine") == registry.sources("nanotrack-v3") == []


def test_what_a_tracker_may_import_as_its_own_belongs_to_it(tmp_path, monkeypatch):
    package = tmp_path / "packed_tracker"
    (package / "nets").mkdir(parents=True)
    site = tmp_path / "site-packages"
    site.mkdir()
    own = [package / "__init__.py", package / "adapter.py", package / "nets" / "net.py"]
    for file in (*own, tmp_path / "beside.py", tmp_path / "notes.txt", site / "lone_tracker.py", site / "another.py"):
        file.write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(site))
    assert registry.sources("packed_tracker.adapter:Mine") == list(map(str, own))
    assert registry.sources("beside:Mine") == [str(tmp_path / "beside.py")]
    assert registry.sources("lone_tracker:Mine") == [str(site / "lone_tracker.py")]
    # It has no file.
    assert registry.sources("sys:Mine") == []


@pytest.mark.parametrize(
    "code", ["import a_runtime_that_is_not_there", "raise SystemExit('a_runtime_that_is_not_there')"]
)
def test_a_module_that_fails_to_import_says_why(tmp_path, monkeypatch, code):
    (tmp_path / "broken_tracker.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(InputError, match="a_runtime_that_is_not_there"):
        registry.create("broken_tracker:Any")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution that offers trackers as entry points."""
    monkeypatch.delitem(sys.modules, "offering_module", raising=False)
    info = tmp_path / "offering-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[pvtpp.trackers]\noffered = offering_module:Mine\nlost = absent_module:Mine\n"
    )
    (tmp_path / "offering_module.py").write_text(
        "class Mine:\n    def init(self, image, xywh): pass\n    def update(self, image): return [0, 0, 5, 5]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_other_distributions_offer_trackers_by_entry_point(installed):
    assert {"offered", "lost"} <= set(registry.names())
    assert isinstance(registry.create("offered"), ImageTracker)


def test_the_sources_of_an_offered_tracker_are_its_modules(installed, tmp_path):
    assert registry.sources("offered") == [str(tmp_path / "offering_module.py")] and registry.sources("lost") == []


def test_a_broken_entry_point_says_which(installed):
    with pytest.raises(InputError, match="'lost'.*absent_module"):
        registry.create("lost")


def test_two_trackers_of_one_name_are_refused():
    registry.names()
    with pytest.raises(InputError, match="two trackers are called 'replay'"):
        registry.register("replay")(NoTracker)


def test_listing_names_loads_no_runtime():
    code = (
        "import sys; from pvtpp_trackers import registry; registry.names(); "
        "print(sorted({'cv2', 'onnxruntime', 'onnx', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "[]"
