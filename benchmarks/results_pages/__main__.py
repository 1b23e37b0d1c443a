"""Write the docs' tables and pictures of results anew, from the committed JSON files.

    python -m pvtpp_benchmarks.results_pages            # in a checkout, from its root
    python -m pvtpp_benchmarks.results_pages --check    # write nothing; exit status 1 where a file would change

A page holds its prose, and names the block that stands between two marks (`pvtpp_benchmarks.results_pages.blocks`). A
picture is a whole file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional

from pvtpp.errors import InputError
from pvtpp.files import read_text, whole_file
from pvtpp_benchmarks.results_pages.blocks import rewritten
from pvtpp_benchmarks.results_pages.registry import BLOCKS, PICTURES


def pages(root: Path) -> List[Path]:
    """The pages of a checkout that may hold blocks."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def stale(root: Path) -> Dict[str, str]:
    """Files that the committed results would change: the text of each by its path from the root."""
    found = {}
    for page in pages(root):
        text, name = read_text(str(page)), page.relative_to(root).as_posix()
        anew = rewritten(text, BLOCKS, root, name)
        if anew != text:
            found[name] = anew
    for name, make in PICTURES.items():
        path, drawn = root / name, make(root)
        if not path.exists() or path.read_text(encoding="utf-8") != drawn:
            found[name] = drawn
    return found


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="folder of the checkout (default: the working directory)")
    parser.add_argument("--check", action="store_true", help="write nothing, and say what would change")
    options = parser.parse_args(arguments)
    root = Path(options.root)
    try:
        found = stale(root)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    for name, text in found.items():
        sys.stdout.write(f"{name}: {'not what the results say' if options.check else 'written'}\n")
        if not options.check:
            with whole_file(str(root / name)) as part:
                Path(part).write_text(text, encoding="utf-8")
    return int(options.check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
