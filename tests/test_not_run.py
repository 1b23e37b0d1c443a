"""One page lists all that was not run: whatever says so of itself, in code, docs or examples, is named there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "not-run.md"
SAYS_SO = re.compile(
    r"\bunrun\b|[,;] not run\b(?! again)|(?<!does )\bnot run (on|by)\b|\bnot been run yet\b|\bwere not run\b",
    re.IGNORECASE,
)
"""How a file says of something that it was not run."""


def says_so(text):
    """Whether a text says that something was not run; comments may break the words."""
    return bool(SAYS_SO.search(re.sub(r"\s+(?:#\s*)?", " ", text)))


def named(page):
    """Paths that a page names: in code spans, and by its links."""
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(r"`([^`\s]+)`", text))
    for link in re.findall(r"\]\(([^)#\s]+)", re.sub(r"\]\(\s*", "](", text)):
        paths.add(os.path.relpath(page.parent / link, ROOT))
    return paths


def test_what_was_not_run_is_on_the_page():
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE, text=True, check=True
    )
    there, missing = named(PAGE), []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path == PAGE or name.startswith("tests/") or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if says_so(text) and name not in there:
            missing.append(name)
    assert not missing, f"{PAGE.relative_to(ROOT)} does not name: {', '.join(missing)}"


def test_files_on_the_page_are_there_and_every_entry_is_whole():
    text = PAGE.read_text(encoding="utf-8")
    files = [each for each in re.findall(r"`([^`\s]+/[^`\s]+\.\w+)`", text) if "://" not in each]
    assert files and not [each for each in files if not (ROOT / each).exists()]
    parts = ["**Where:**", "**Checked instead:**", "**To run it:**"]
    entries = [each for each in re.split(r"^##+ ", text, flags=re.MULTILINE)[1:] if any(part in each for part in parts)]
    assert len(entries) > 10
    for entry in entries:
        assert [entry.count(part) for part in parts] == [1, 1, 1], entry.splitlines()[0]


def test_words_that_say_so_are_found_over_a_line_s_end():
    assert says_so("# Written against its documentation, not\n# run.") and says_so("Not\n  run by its authors")
    assert not says_so("a kept one does not run again") and not says_so("the download ran")
