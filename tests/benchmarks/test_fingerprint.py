"""The digest of the code that makes a run: its meaning counts, comments do not, and neither does anything else."""

import re
import shutil
from pathlib import Path

import pytest

import pvtpp
import pvtpp_benchmarks
import pvtpp_trackers
from pvtpp_benchmarks import fingerprint, oracle, runs, simulation, wall


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the code, of which the digest is made."""
    for package in (pvtpp, pvtpp_trackers, pvtpp_benchmarks):
        source = Path(package.__file__).resolve().parent
        for path in source.rglob("*.py"):
            place = tmp_path / package.__name__ / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    monkeypatch.setattr(fingerprint, "FOLDER", tmp_path / "pvtpp")
    monkeypatch.setattr(pvtpp_trackers, "__file__", str(tmp_path / "pvtpp_trackers" / "__init__.py"))
    for module in (oracle, runs, simulation, wall):
        monkeypatch.setattr(module, "__file__", str(tmp_path / "pvtpp_benchmarks" / Path(module.__file__).name))
    return tmp_path


@pytest.fixture(scope="module")
def before():
    """The digest of the code as it is."""
    return fingerprint.code_digest()


def digest():
    """As a new process would make it."""
    return fingerprint.code_digest.__wrapped__()


def test_comments_and_docstrings_do_not_count(copy, before):
    path = copy / "pvtpp" / "trajectory.py"
    text = path.read_text()
    changed, count = re.subn(r'^( *""")(?=[A-Z])', r"\1Other words. ", text, flags=re.MULTILINE)
    path.write_text(changed + "\n\n# Another comment.\n")
    assert count > 5 and digest() == before


COUNTING = [
    "pvtpp/trajectory.py", "pvtpp/defaults.py", "pvtpp/core/state_machine.py", "pvtpp/live/live_tracker.py",
    "pvtpp/predictors/kalman.py", "pvtpp/propagation/optical_flow.py", "pvtpp/inference/engine.py",
    "pvtpp_trackers/nanotrack.py", "pvtpp_benchmarks/simulation.py", "pvtpp_benchmarks/wall.py",
    "pvtpp_benchmarks/runs.py", "pvtpp_benchmarks/oracle.py", "pvtpp/predictors/brand_new.py",
]  # fmt: skip


@pytest.mark.parametrize("name", COUNTING)
def test_a_changed_line_of_what_computes_a_run_counts(copy, before, name):
    with open(copy / name, "a") as file:
        file.write("\nCHANGED = 1\n")
    assert digest() != before


def test_a_change_elsewhere_keeps_the_digest(copy, before):
    names = ["cli/eval.py", "public.py", "export/graph.py", "training/fit.py", "weights/catalogue.py"]
    paths = [copy / "pvtpp" / name for name in names]
    paths += [copy / "pvtpp_benchmarks" / name for name in ("result.py", "metrics.py", "report/table.py")]
    for path in paths:
        path.write_text(path.read_text() + "\nCHANGED = 1\n")
    assert digest() == before and len(before) == 12


def test_everything_that_is_listed_exists():
    for name in fingerprint.COMPUTES:
        assert (fingerprint.FOLDER / name).exists(), name
