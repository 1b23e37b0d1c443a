"""The documentation: links lead somewhere, lines are short, and the messages that it quotes are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGES = ("pvtpp", "trackers", "benchmarks", "ros_nodes")
TROUBLE = ROOT / "docs" / "troubleshooting.md"
LONGEST_LINE = 120
ENTRY_LINES = range(10, 56)
"""Of an entry with its messages and its example."""
LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"#+ (.+)")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def without_code(text):
    """The text without blocks of code; a comment in a shell script looks like a heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(page):
    """The names of the headings, as GitHub makes them."""
    found = HEADING.findall(without_code(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in found}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page):
    lost = []
    links = re.sub(r"\s*\n\s*", " ", without_code(page.read_text(encoding="utf-8")))
    for link in LINK.findall(links):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            lost.append(link)
    assert not lost, f"{name_of(page)}: these lead nowhere: {lost}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_are_short(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not long, f"{name_of(page)}: over {LONGEST_LINE} characters in lines {long}"


def messages():
    """Every quoted message: code spans in block quotes and in the table of ROS diagnostics; ``..`` is what varies."""
    for line in TROUBLE.read_text(encoding="utf-8").splitlines():
        if line.startswith(">"):
            yield from re.findall(r"`([^`]+)`", line)
        elif re.match(r"\| (OK|WARN|ERROR) \|", line):
            yield from re.findall(r"`([^`]+)`", line.split("|")[2])


def strings_of_the_source():
    """Every string in the code; an f-string as one, with a line feed for each value in it."""
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(part.value if isinstance(part, ast.Constant) else "\n" for part in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.fixture(scope="module")
def source():
    return sorted(set(strings_of_the_source()))


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_a_quoted_message_is_in_the_source(message, source):
    parts = message.split("..")
    assert len("".join(parts)) >= 5, f"{message!r} quotes next to nothing"
    pattern = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    assert any(pattern.search(text) for text in source), f"no string of the code is {message!r}"


def entries():
    parts = re.split(r"^## (.+)\n", TROUBLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


@pytest.mark.parametrize("title", entries())
def test_an_entry_has_messages_and_an_example_and_fits_a_page(title):
    text = entries()[title]
    assert re.search(r"^> .*`", text, re.MULTILINE), "no message"
    assert re.search(r"^```bash\n", text, re.MULTILINE), "no example"
    assert len(text.strip().splitlines()) in ENTRY_LINES
