"""What the committed JSON files say, for tests that change a copy of it."""

import copy
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def committed(path):
    """The content of a committed file; what is changed in it changes nothing else."""
    return copy.deepcopy(json.loads((ROOT / path).read_text()))


def rows_of(lines):
    """The cells of a block's first table, without heads."""
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def text_of(lines):
    """The words of a block, without line breaks."""
    return " ".join(line.strip() for line in lines)
