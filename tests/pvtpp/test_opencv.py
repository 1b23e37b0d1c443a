"""Without OpenCV, or with one that does not load, one line says what to install."""

import subprocess
import sys

import pytest

from pvtpp import opencv
from pvtpp.errors import InputError

WITHOUT = """
import sys
if __name__ == "__main__":
    sys.modules["cv2"] = None
    from pvtpp.cli.main import main
    sys.exit(main(sys.argv[1:]))
"""
COMMANDS = {
    "check": ["check", "kcf"],
    "check of a network": ["check", "nanotrack-v3"],
    "datasets check": ["datasets", "check", "--dataset", "folder", "--root", "ROOT"],
    "track of a folder": ["track", "ROOT/left/img", "--box", "90,40,28,24", "--predictors", "hold", "--no-window"],
    "track of a file": ["track", "clip.mp4", "--box", "90,40,28,24", "--no-window"],
    "track of a camera": ["track", "0", "--box", "90,40,28,24", "--no-window"],
    "eval": ["eval", "--dataset", "folder", "--root", "ROOT", "--tracker", "kcf", "--logs", "logs"],
    "eval with workers": ["eval", "--dataset", "folder", "--root", "ROOT", "--logs", "logs", "--workers", "2"],
    "run": ["run", "--dataset", "folder", "--root", "ROOT", "--tracker", "kcf", "--logs", "logs"],
    "demo": ["demo", "--tracker", "kcf"],
    "bench": ["bench", "--tracker", "kcf"],
}


@pytest.fixture
def clip(tmp_path):
    import cv2
    import numpy as np

    folder = tmp_path / "clips" / "left" / "img"
    folder.mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((80, 160, 3), 30 * number, dtype=np.uint8))
    (folder.parent / "groundtruth.txt").write_text("90,40,28,24\n" * 3)
    (tmp_path / "clip.mp4").write_bytes(b"a file")
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_needs_it_says_in_one_line_what_to_install(name, clip):
    (clip / "without.py").write_text(WITHOUT)
    words = [word.replace("ROOT", str(clip / "clips")) for word in COMMANDS[name]]
    done = subprocess.run([sys.executable, "without.py", *words], cwd=clip, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"pvtpp {words[0]}: error: OpenCV is missing: pip install 'pvtpp[cpu]'")
    assert sorted(path.name for path in clip.iterdir()) == ["clip.mp4", "clips", "without.py"]


@pytest.mark.parametrize("words", [["weights", "list"], ["datasets", "list"], ["--help"], ["track", "--help"]])
def test_what_needs_none_works(words, clip):
    (clip / "without.py").write_text(WITHOUT)
    done = subprocess.run([sys.executable, "without.py", *words], cwd=clip, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("ImportError('libGL.so.1: cannot open shared object file: No such file or directory')", "apt install libgl1"),
        ("ImportError('numpy.core.multiarray failed to import')", "numpy<2"),
        ("AttributeError('_ARRAY_API not found')", "numpy<2"),
        ("ImportError('undefined\\n symbol: cblas')", "undefined symbol: cblas"),
        ("ModuleNotFoundError('no x', name='x')", "needs x, which is missing"),
    ],
)
def test_one_that_does_not_load_says_why(raised, said, tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text(f"raise {raised}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    found = opencv.problem()
    assert found is not None and said in found and "\n" not in found
    with pytest.raises(InputError, match="OpenCV is installed but"):
        opencv.require()


def test_with_opencv_there_is_no_problem():
    assert opencv.problem() is None
    opencv.require()
