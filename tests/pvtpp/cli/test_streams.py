"""Whatever becomes of standard output and standard error, the work is done and its files are written."""

import io
import json
import os
import subprocess
import sys

import pytest

from pvtpp.cli.main import main
from pvtpp.cli.streams import ForgivingStream, forgiving


@pytest.fixture
def named(clips, tmp_path):
    """A data set whose name few encodings hold."""
    clips.rename(tmp_path / "Über-目标")
    return tmp_path / "Über-目标"


def evaluate(root, tmp_path, *redirection, **environment):
    given = ["--dataset", "folder", "--root", str(root), "--tracker", "kcf", "--processing", "0ms"]
    words = [sys.executable, "-m", "pvtpp.cli.main", "eval", *given, "--predictors", "hold", "--no-offline"]
    words += ["--logs", str(tmp_path / "logs"), "--json", str(tmp_path / "out.json")]
    script = " ".join(["exec", *(f"'{word}'" for word in words), *redirection])
    return subprocess.run(["sh", "-c", script], capture_output=True, env={**os.environ, **environment}, timeout=300)


def rows(tmp_path):
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["rows"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "ascii:strict", "utf-16"])
def test_a_name_that_the_encoding_lacks_loses_nothing(encoding, named, tmp_path):
    done = evaluate(named, tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    printed = done.stdout.decode(encoding.split(":")[0])
    assert "kcf" in printed and "?" in printed if encoding != "utf-16" else named.name in printed
    assert rows(tmp_path)[0]["dataset"] == named.name


def test_track_prints_what_it_can(named, tmp_path):
    words = ["track", str(named / "left" / "img"), "--box", "90,40,28,24", "--tracker", "kcf", "--predictors", "hold"]
    words += ["--propagation", "none", "--no-window", "--fps", "100", "--out", str(tmp_path / "目标.csv")]
    command = [sys.executable, "-m", "pvtpp.cli.main", *words]
    done = subprocess.run(
        command, capture_output=True, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"}, timeout=300
    )
    assert done.returncode == 0 and b"24 frames" in done.stdout and (tmp_path / "目标.csv").exists(), done.stderr


def test_a_name_that_is_no_utf8_is_printed(clips, tmp_path):
    root = tmp_path / "clip-\udcff"
    try:
        clips.rename(root)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    done = evaluate(root, tmp_path)
    assert done.returncode == 0 and b"clip-" in done.stdout, done.stderr


@pytest.mark.parametrize("closed", [[">&-"], ["2>&-"], [">&-", "2>&-"], ["<&-", ">&-", "2>&-"]])
def test_where_a_stream_is_closed_the_work_is_done(closed, clips, tmp_path):
    done = evaluate(clips, tmp_path, *closed)
    assert done.returncode == 0 and len(rows(tmp_path)) == 1
    # Nothing was printed into a file that took the number of a closed descriptor.
    for path in (tmp_path / "logs").rglob("*.jsonl"):
        assert all(json.loads(line) is not None for line in path.read_text().splitlines())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_an_error_after_the_files(clips, tmp_path):
    done = evaluate(clips, tmp_path, ">/dev/full")
    assert done.returncode == 1 and len(rows(tmp_path)) == 1
    assert done.stderr.splitlines()[-1] == b"pvtpp: error: standard output cannot be written (No space left on device)"


def test_who_has_read_enough_of_the_progress_does_not_end_the_work(clips, tmp_path):
    given = ["--dataset", "folder", "--root", str(clips), "--tracker", "kcf", "--processing", "0ms,50ms"]
    words = ["eval", *given, "--predictors", "hold", "--logs", str(tmp_path / "logs")]
    words += ["--json", str(tmp_path / "out.json")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pvtpp.cli.main", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(300) == 0 and len(rows(tmp_path)) == 3


def test_help_may_be_cut(capsys):
    process = subprocess.Popen(
        [sys.executable, "-m", "pvtpp.cli.main", "track", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(60) == 0


def test_streams_are_as_before_when_a_command_has_ended(capsys):
    before = sys.stdout, sys.stderr, sys.stdout.errors
    assert main(["weights", "list"]) == 0
    assert (sys.stdout, sys.stderr, sys.stdout.errors) == before


def test_characters_that_do_not_fit_become_question_marks():
    behind = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    stream = ForgivingStream(behind)
    stream.write("Größe 大\n")
    stream.restore()
    assert behind.buffer.getvalue() == "Größe ?\n".encode("latin-1") and behind.errors == "strict"


class Breaking(io.StringIO):
    """Takes three texts."""

    def __init__(self, error):
        super().__init__()
        self.error, self.left = error, 3

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize(("error", "reported"), [(BrokenPipeError(32, "x"), False), (OSError(28, "full"), True)])
def test_after_a_failure_texts_go_nowhere(error, reported):
    behind = Breaking(error)
    stream = ForgivingStream(behind)
    for _ in range(6):
        assert stream.write("abc") == 3
    stream.flush()
    assert behind.getvalue() == "abc" * 3 and (stream.error is error) == reported


def test_a_missing_stream_is_the_null_device(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with forgiving() as (out, err):
        print("nobody reads this")
        assert out.error is None
    assert sys.stdout is None
