"""Files appear complete or not at all, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, whole_file


def write(path, content, **options):
    with whole_file(path, **options) as part, open(part, "w") as file:
        file.write(content)


def test_a_file_appears_complete_and_alone_in_a_folder_created_for_it(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as part:
        assert os.path.dirname(part) == str(path.parent) and os.path.basename(part).startswith(".")
        assert str(os.getpid()) in part and part.endswith(".part")
        with open(part, "w") as file:
            file.write("new")
        assert not path.exists()
    assert path.read_text() == "new" and os.listdir(path.parent) == ["a.txt"]


def test_a_name_without_a_folder_is_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.txt", "new")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_extension_is_kept_for_a_writer_that_goes_by_it(tmp_path):
    with whole_file(tmp_path / "clip.mp4", keep_extension=True) as part:
        assert part.endswith(".part.mp4")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, InputError, SystemExit])
def test_any_exception_is_passed_on_and_leaves_the_older_file_unchanged(error, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("older")
    with pytest.raises(error), whole_file(path) as part:
        with open(part, "w") as file:
            file.write("new")
        raise error
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["a.txt"]


def test_a_place_that_cannot_be_written_is_found_before_the_work_and_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path, options in ((tmp_path / "file" / "a.txt", {}), (tmp_path / "new" / "a.txt", {"make_folder": False})):
        with pytest.raises(InputError, match=r"a\.txt: cannot write \(.+\)$"), whole_file(path, **options):
            pytest.fail("the work began")
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_or_device_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(str(tmp_path / "pipe"))
    for name in ("folder", "pipe"):
        with pytest.raises(InputError, match=f"{name}: cannot write .it is there and not a plain file"):
            write(tmp_path / name, "")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


FULL_DISK = """
import resource, sys
from pvtpp_benchmarks.datasets.box_files import write_text
from pvtpp_benchmarks.report.files import write_json
from pvtpp.errors import InputError
from pvtpp.core.event_log import EventLog

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
log = EventLog(rows=[["frame", t, t, t] for t in range(9999)])
for write in (log.write, lambda path: write_json(path, [0] * 9999), lambda path: write_text(path, "0" * 9999)):
    try:
        write(sys.argv[1])
    except InputError as error:
        print(error)
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    run = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.txt")]
    lines = subprocess.check_output(run, text=True).splitlines()
    assert len(lines) == 3 and all("a.txt: cannot write (File too large)" in line for line in lines)
    assert os.listdir(tmp_path) == []


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("PVTPP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "pvtpp"
