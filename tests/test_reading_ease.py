"""The pages for newcomers are easy to read: Flesch reading ease of their prose, by textstat."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [page for folder in ("getting-started", "concepts") for page in sorted((ROOT / "docs" / folder).glob("*.md"))]
EASY = 50
LEAST_WORDS = 100
# From here on textstat downloads the dictionary that it counts syllables with.
FIRST_WITH_DOWNLOAD = (0, 7, 8)


@pytest.fixture(scope="module")
def textstat():
    pytest.importorskip("textstat", reason="textstat is in the extra dev")
    version = metadata.version("textstat")
    if tuple(map(int, version.split(".")[:3])) >= FIRST_WITH_DOWNLOAD:
        pytest.fail(f"textstat {version} downloads a dictionary, the one that the extra dev asks for does not")
    import textstat

    return textstat


def prose(text):
    """Sentences of a Markdown page, each paragraph and each point of a list ending with a full stop."""
    text = re.sub(r"^```.*?^```\s*$", "\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "\n", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^]]*\]\([^)]*\)(\{[^}]*\})?", "", text)
    text = re.sub(r"^\[[^]]+\]: .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^]]*)\](\([^)]*\)|\[[^]]*\])", r"\1", text)
    # Code within a sentence is one short word, so that the sentence keeps its length.
    text = re.sub(r"`[^`]*`", "it", text)
    text = re.sub(r"<[^>]+>", "", text)
    lines = [re.sub(r"^(!!!|\?\?\?|===).*$", "", line) for line in text.splitlines()]
    lines = ["" if re.match(r"\s*(#|\||[-*_]{3,}\s*$)", line) else line for line in lines]
    # A point of a list begins a paragraph of its own.
    joined = re.sub(r"\n\s*(?:[*+-]|\d+\.)\s+", "\n\n", "\n" + "\n".join(lines))
    parts = [" ".join(part.replace("**", "").replace("*", "").split()) for part in re.split(r"\n\s*\n", joined)]
    # A dot within a number or a name ends no sentence.
    parts = [re.sub(r"(?<!\w)\.(?=\d)|(?<=\w)\.(?=\w)", "", part) for part in parts if re.search("[a-zA-Z]", part)]
    return "\n".join(part if part[-1] in ".!?" else part.rstrip(":;,") + "." for part in parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_a_page_for_newcomers_is_easy_to_read(page, textstat):
    text = prose(page.read_text(encoding="utf-8"))
    words = len(text.split())
    assert words >= LEAST_WORDS, f"{page}: {words} words of prose, there must be {LEAST_WORDS} to say anything"
    ease = textstat.flesch_reading_ease(text)
    hardest = sorted(re.split(r"(?<=[.!?])\s+", text), key=textstat.flesch_reading_ease)[:5]
    assert ease >= EASY, f"{page}: reading ease {ease:.1f}, at least {EASY}; hardest sentences:\n" + "\n".join(hardest)


def test_there_are_pages():
    assert {page.parent.name for page in PAGES} == {"getting-started", "concepts"}


MARKDOWN = """# A heading that is not read

Some *words*, a [link](https://example.org/a_b) and `code = 1.5` here.
<!-- a comment -->
```bash
pvtpp track flight.mp4
```

![A picture
of something](drawings/x.svg)

| a | table |
|---|---|
| 1 | 2 |

1. First point, 0.5 s.
2. **Second** point
   goes on
* third
"""


def test_only_prose_counts():
    assert prose(MARKDOWN).splitlines() == [
        "Some words, a link and it here.",
        "First point, 05 s.",
        "Second point goes on.",
        "third.",
    ]


def test_hard_prose_is_found_hard(textstat):
    hard = (
        "Notwithstanding considerations regarding computational heterogeneity, extrapolation necessitates calibration."
    )
    assert textstat.flesch_reading_ease(hard) < 0 < EASY < textstat.flesch_reading_ease("The dog ran to the red ball.")
