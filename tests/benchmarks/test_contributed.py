"""Contributed results: every committed one keeps the schema and its place, and the page is made from them."""

import copy
import json
from pathlib import Path

import pytest

from pvtpp import __version__
from pvtpp.errors import InputError
from pvtpp_benchmarks import machine_lock
from pvtpp_benchmarks.contributed import FOLDER, check, name_of, read_all
from pvtpp_benchmarks.report.boards import suite_table
from pvtpp_benchmarks.results_pages.boards import suites
from pvtpp_benchmarks.stage_suite import measure_suite

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted((ROOT / FOLDER).rglob("*.json"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A small suite, really timed on this machine."""
    lock = str(tmp_path_factory.mktemp("lock") / "lock")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine_lock, "lock_path", lambda: lock)
        return measure_suite(frames=4, names=("kcf", "siamrpn-resnet50"), exports=None)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_every_committed_result_keeps_the_schema(path):
    content = check(json.loads(path.read_text(encoding="utf-8")), str(path))
    assert path.relative_to(ROOT / FOLDER).as_posix() == name_of(content)
    for name, entry in content["trackers"].items():
        assert len(entry["frame_ms"]) == entry["stages"]["track"]["samples"], name
        assert sorted(entry["frame_ms"])[-1] == pytest.approx(entry["stages"]["track"]["max_ms"], abs=1e-3), name


def test_what_is_measured_keeps_the_schema_and_says_what_is_missing(measured):
    content = json.loads(json.dumps(measured))
    assert check(content, "x") == content
    assert list(content["trackers"]) == ["kcf"] and len(content["trackers"]["kcf"]["frame_ms"]) == 4
    assert list(content["left_out"]) == ["siamrpn-resnet50"] and "/" not in content["left_out"]["siamrpn-resnet50"]
    assert content["trackers"]["kcf"]["cpu_per_wall"] > 0 and content["propagation"]["step"]["samples"] == 4
    assert "kcf" in suite_table([content]) and any(line.startswith("### ") for line in suites([content]))
    # Of four frames there is no 99th percentile to print.
    assert [line for line in suites([content]) if line.startswith("| kcf")][0].split(" | ")[2:4] == [
        "-",
        "-",
    ]


BROKEN = {
    "schema": lambda content: content.update(schema=2),
    "suite": lambda content: content.pop("suite"),
    "protocol": lambda content: content["protocol"].pop("hardware"),
    "power": lambda content: content["power"].pop("before"),
    "load": lambda content: content["load"].update(after=[0.1, "much", 0.2]),
    "settings": lambda content: content["settings"].update(threads=0),
    "trackers": lambda content: content["trackers"]["kcf"]["stages"]["track"].update(median_ms=float("nan")),
    "propagation": lambda content: content.update(propagation={}),
    "left_out": lambda content: content.update(left_out={"mil": ""}),
    "unknown field 'more'": lambda content: content.update(more=1),
}


@pytest.mark.parametrize("field", BROKEN)
def test_a_field_that_is_not_as_it_must_be_is_named_with_the_file(measured, field):
    content = copy.deepcopy(measured)
    BROKEN[field](content)
    with pytest.raises(InputError, match=f"board.json: {field}.*allowed"):
        check(content, "board.json")


@pytest.mark.parametrize("content", [[], None, "text", 3])
def test_what_is_no_object_is_refused(content):
    with pytest.raises(InputError, match="a contributed result is an object"):
        check(content, "board.json")


def test_a_file_in_the_place_of_another_is_refused(measured, tmp_path):
    (tmp_path / __version__).mkdir()
    (tmp_path / __version__ / "trackers--other.json").write_text(json.dumps(measured))
    with pytest.raises(InputError, match="lies in a wrong place"):
        read_all(tmp_path)


def test_a_machine_that_has_nothing_of_the_suite_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_lock, "lock_path", lambda: str(tmp_path / "lock"))
    with pytest.raises(InputError, match="none of the suite can be timed here: no export of it was given"):
        measure_suite(frames=2, names=("nanotrack-v3",), exports=str(tmp_path))
