"""What a contributor and an archive read: it says the same version everywhere, and stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pvtpp

ROOT = Path(__file__).resolve().parents[1]


def test_contributing_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_citation_and_changelog_know_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(pvtpp.__version__)}$", citation, re.MULTILINE)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(pvtpp.__version__)}\b", changelog, re.MULTILINE)


def test_the_tools_that_they_name_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ".github").rglob("*.yml")]
    texts.append((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    named = {target for text in texts for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", text)}
    assert {"setup", "test", "lint", "demo", "release"} <= named
    assert not [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


def test_the_workflow_runs_the_pythons_that_the_docs_promise():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    for version in ("3.8", "3.10", "3.11", "3.12", "3.13"):
        assert f'"{version}"' in workflow or re.search(rf"^ +{version}$", workflow, re.MULTILINE)
