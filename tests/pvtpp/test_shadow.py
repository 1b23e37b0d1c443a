"""A second distribution called `trackers` is noticed, whichever of the two Python would import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pvtpp.errors import InputError
from pvtpp.shadow import check_trackers

ROOT = Path(__file__).resolve().parents[2]


def run(code, *search_path):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, search_path)), PYTHONSAFEPATH="1")
    return subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=str(search_path[0]),
    )


def test_our_own_package_passes():
    check_trackers()


def test_another_distribution_first_on_the_path_is_named(tmp_path):
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "__init__.py").write_text("")
    done = run("from pvtpp.shadow import check_trackers; check_trackers()", tmp_path, ROOT)
    assert done.returncode != 0
    assert f"finds {tmp_path.resolve() / 'trackers'}" in done.stdout
    assert str(ROOT / "trackers") in done.stdout


def test_our_package_notices_that_pvtpp_comes_from_elsewhere(tmp_path):
    other = tmp_path / "pvtpp"
    other.mkdir()
    for name in ("__init__.py", "errors.py", "shadow.py"):
        (other / name).write_text((ROOT / "pvtpp" / name).read_text())
    done = run("import trackers", tmp_path, ROOT)
    assert done.returncode != 0
    assert "second copy of pvtpp" in done.stdout


def test_an_installation_overwritten_by_the_other_distribution_is_noticed(tmp_path, monkeypatch):
    import pvtpp.shadow

    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "__init__.py").write_text("")
    (tmp_path / "pvtpp").mkdir()
    monkeypatch.setattr(pvtpp.shadow, "__file__", str(tmp_path / "pvtpp" / "shadow.py"))
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "trackers"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match="no registry.py"):
        check_trackers()
