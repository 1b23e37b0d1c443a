"""Words that a newcomer cannot know: the project once had a language of its own, which must not come back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().relative_to(ROOT).as_posix()
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".xml", ".launch", ".msg", ".srv", ".txt", ".rviz", ".test", ".cfg"}
# Retired word (a regular expression, whole words), what to say instead.
RETIRED = {
    r"fast[ _-]lanes?|lanes?|FastLane": "propagation",
    r"anchors?|anchored": "result",
    r"bridges?": "displacement",
    r"laws?": "motion model, extrapolation",
    r"likeness(es)?|alike": "appearance similarity",
    r"judges?|judged|judging|judgements?": "presence",
    r"watch|watches|watched|watching|RotationWatch": "presence; observe, check",
    r"UNSURE|unsure": "UNCERTAIN",
    r"houses?|rooms?|workshops?": "project, package, development",
    r"floors?": "onboard, oldest supported",
    r"told|untold": "result; reported, given, said",
    r"sightings?": "prediction, record",
    r"wish|wishes": "request",
    r"inertia": "IMU",
    r"carried": "propagated",
    r"verdicts?": "assessment",
}
# Region proposal networks have anchors (Faster R-CNN), SVG and MkDocs settings of that name; `Carried` and its verb are
# the propagator's contract.
ALLOWED_IN = {
    r"anchors?|anchored": re.compile(r"rpn|decode|siammask|siamese|docs/how-to/trackers|report/svg|mkdocs"),
    r"houses?|rooms?|workshops?": re.compile(r"synthetic/scenery"),
    r"floors?": re.compile(r"(np|math|torch|numpy)\.floor|\bfloor\("),
}


def texts():
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if name != HERE and path.is_file() and (path.suffix in SUFFIXES or path.name in ("Makefile", "run")):
            yield name, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", RETIRED)
def test_a_retired_word_is_nowhere(word):
    pattern, allowed = re.compile(rf"(?<![A-Za-z])({word})(?![a-z])"), ALLOWED_IN.get(word)
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and not (allowed and (allowed.search(name) or allowed.search(line)))
    ]
    assert not found, f"say {RETIRED[word]} instead of {word}:\n" + "\n".join(found[:60])
