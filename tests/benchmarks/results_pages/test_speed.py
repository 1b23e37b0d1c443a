"""Every measured speed is on a page, and the kinds of answers stand as they were counted."""

from __future__ import annotations

import json
from pathlib import Path

from pvtpp_benchmarks.results_pages.speed import BLOCKS, FOLDER, trouble

ROOT = Path(__file__).resolve().parents[3]


def test_every_file_of_speeds_is_on_a_page():
    # The others are on the pages of clocks and of interfaces.
    others = {"harness", "scoring", "score_files", "serve_load", "stream_age", "stream_trouble"}
    assert {path.stem for path in (ROOT / FOLDER).glob("*.json")} - others == {name[len("speed.") :] for name in BLOCKS}


def test_answers_among_faults_add_up():
    content = json.loads((ROOT / FOLDER / "trouble_soak.json").read_text())
    counts = {line.split(" | ")[0][2:]: line.split(" | ")[1].rstrip(" |") for line in trouble(content) if "|" in line}
    kinds = [
        int(count.replace(",", "")) for words, count in counts.items() if not words.startswith(("of these", "a", "-"))
    ]
    assert sum(kinds) == content["answers"]["queries"]
