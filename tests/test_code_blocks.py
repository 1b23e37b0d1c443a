"""What README and getting started tell a reader to type works: every block marked `bash` or `python` is run.

Each page is followed from top to bottom in a folder of its own, as it stands:

* a `bash` block is run by bash, which stops at the first command that fails; the programs of this environment come
  first;
* a `python` block is run by this Python, unless its first line is a comment that is a file name: then it is saved as
  that file, as the page asks its reader to do;
* a `text` block right after a block that was run shows some lines of what that printed; figures may differ, and `..`
  stands for what is left out.

What no test can do (clone, install, a camera, a robot) is marked `sh`, `py` or `text` and not run. A reader has weights
here, and `data` with two clips of `uav-mini`; what else a page begins with is in `FILES`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pvtpp_benchmarks.report.video import write_video
from pvtpp_benchmarks.synthetic import AerialClip, render

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", *sorted(f"docs/getting-started/{page.name}" for page in ROOT.glob("docs/getting-started/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.\w+)\n")
RUN = ("bash", "python")
CLIPS = ("MountainBike6", "Surfing06")
SECONDS = 240
NEEDS_TORCH = ("docs/getting-started/trainer.md",)


def video(path):
    """Write two and a half seconds of a generated clip in which the target stays in the middle, 640x360."""
    clip = render(AerialClip(seconds=2.5, agility=0.0, occlusions=()))
    write_video(str(path), (clip.frame(index).image for index in range(len(clip))), clip.camera_fps)


# What a reader of a page has already: path, and what writes it.
FILES = {"README.md": {"flight.mp4": video}}


def blocks(page):
    """The blocks of a page: line, mark, text, and the `text` block that follows it with nothing but prose between."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [(text[: match.start()].count("\n") + 2, *match.groups()) for match in BLOCK.finditer(text)]
    shown = [after[2] if after[1] == "text" else "" for after in found[1:]] + [""]
    return [(*block, following) for block, following in zip(found, shown)]


def masked(text):
    """The lines of a text, whatever figures and presence they hold (a busy machine skips frames), however spaced."""
    lines = (re.sub(r"[-+]?\.?\d[\d.:]*|TRACKING|UNCERTAIN|LOST", "#", line) for line in text.splitlines())
    return [re.sub(r"\s+", " ", re.sub(r"-{2,}", "--", line)).strip() for line in lines]


def not_printed(shown, printed):
    """The lines that a page shows and the run did not print, in order."""
    came, missing = iter(masked(printed)), []
    for line in masked(shown):
        pattern = ".*".join(map(re.escape, line.split("..")))
        if line and not any(re.fullmatch(pattern, each) for each in came):
            missing.append(line)
            came = iter(masked(printed))
    return missing


@pytest.fixture
def folder(request, tmp_path, data_root, weights_root):
    """Where a reader works: `data`, and what the page begins with."""
    mini = data_root / "uav-mini"
    (tmp_path / "data" / "uav-mini").mkdir(parents=True)
    for other in data_root.iterdir():
        if other.name != mini.name:
            (tmp_path / "data" / other.name).symlink_to(other)
    for split in ("train", "test"):
        (tmp_path / "data" / "uav-mini" / split).symlink_to(mini / split)
    index = [each for each in json.loads((mini / "index.json").read_text()) if each["name"] in CLIPS]
    (tmp_path / "data" / "uav-mini" / "index.json").write_text(json.dumps(index))
    for path, write in FILES.get(request.node.callspec.params["page"], {}).items():
        write(tmp_path / path)
    return tmp_path


def environment(folder):
    """That of a reader who activated this environment: no variable of ours but that of weights, and no display."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PVTPP_WEIGHTS" or not name.startswith(("PVTPP_", "DISPLAY", "WAYLAND_", "PYTEST_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    cache = str(folder.parent / f"{folder.name}-cache")
    return {**kept, "PATH": path, "PVTPP_CACHE": cache, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}


@pytest.mark.parametrize("page", [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in PAGES])
def test_a_page_can_be_followed(page, folder):
    if page in NEEDS_TORCH:
        pytest.importorskip("lightning", reason="training needs the extra [train]")
    for line, mark, text, shown in blocks(page):
        if mark not in RUN:
            continue
        named = FILE_NAME.match(text) if mark == "python" else None
        script = folder / (named[1] if named else f"line_{line}.{mark}")
        script.write_text(text)
        if named:
            continue
        command = ["bash", "-e", script.name] if mark == "bash" else [sys.executable, script.name]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{page}, line {line}: exit status {done.returncode}\n{text}\n{done.stdout}"
        missing = not_printed(shown, done.stdout)
        assert not missing, f"{page}, line {line}: was not printed: {missing}\n{done.stdout}"


def test_every_page_has_blocks_that_are_run():
    for page in PAGES:
        assert sum(mark in RUN for _, mark, _, _ in blocks(page)) >= 1, page


def test_files_are_those_of_pages():
    assert set(FILES) <= set(PAGES)


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("hold  85  0.30", []),
        ("written: .. and more", []),
        ("hold 9 9\nwritten: x, y and more", []),
        ("written: x, y and more\nhold 9 9", ["hold # #"]),
        ("kalman 85 0.31", ["kalman # #"]),
    ],
)
def test_what_a_page_shows_is_compared_but_for_its_figures(shown, missing):
    assert not_printed(shown, "hold  20   0.412\nwritten: x, y and more\n") == missing


def test_a_block_has_its_line_and_what_it_shows():
    text = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    for line, mark, block, _ in blocks("README.md"):
        assert text[line - 2] == f"```{mark}" and text[line - 1] == block.splitlines()[0]
