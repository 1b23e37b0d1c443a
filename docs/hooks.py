"""What the site needs beside its pages: links to files of the repository, and packages by their import names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Import names and folders differ (setup.py), and the reference is made from the source without importing it.
FOLDERS = {"pvtpp": "pvtpp", "pvtpp_trackers": "trackers", "pvtpp_benchmarks": "benchmarks"}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Make a folder in which each package stands by its import name."""
    links = ROOT / "build" / "links"
    links.mkdir(parents=True, exist_ok=True)
    for name, folder in FOLDERS.items():
        link = links / name
        if not link.is_symlink():
            link.symlink_to(ROOT / folder, target_is_directory=True)
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replace links that leave docs/: by the address of the file where a repository is set, else by its path."""
    folder = os.path.dirname(page.file.src_uri)

    def replaced(found: re.Match[str]) -> str:
        picture, text, path, _ = found.groups()
        target = os.path.normpath(os.path.join("docs", folder, path))
        if picture or target.startswith("docs" + os.sep) or not (ROOT / target).exists():
            return found[0]
        if config.repo_url:
            return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{target})"
        return text if target in text.strip("`") or text.startswith("`") else f"{text} (`{target}`)"

    return _LINK.sub(replaced, markdown)
