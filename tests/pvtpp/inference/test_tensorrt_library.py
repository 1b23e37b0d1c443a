"""Which of NVIDIA's libraries is taken, and one line where none can be."""

import sys
from types import SimpleNamespace

import pytest

from pvtpp.errors import InputError
from pvtpp.inference.tensorrt_library import KEPT, LONGEST, Words, find, look


@pytest.fixture
def installed(monkeypatch):
    """Put modules in place by import name; None is one that is not installed."""

    def install(**modules):
        for name in ("tensorrt", "tensorrt_rtx"):
            version = modules.get(name)
            monkeypatch.setitem(sys.modules, name, version and SimpleNamespace(__version__=version))

    return install


@pytest.mark.parametrize(
    ("modules", "title"),
    [
        ({"tensorrt": "8.4.1"}, "TensorRT 8.4.1"),
        ({"tensorrt": "11.4.1.2"}, "TensorRT 11.4.1.2"),
        ({"tensorrt_rtx": "1.7.1.116"}, "TensorRT-RTX 1.7.1.116"),
        ({"tensorrt": "10.3.0", "tensorrt_rtx": "1.7.1"}, "TensorRT 10.3.0"),
    ],
)
def test_either_library_is_found_and_tensorrt_first(installed, modules, title, caplog):
    installed(**modules)
    assert find("net.onnx").title == title and not caplog.messages


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ({"tensorrt": "12.0.0"}, "TensorRT 12.0.0 is installed, supported are TensorRT 8.4 to 11 and TensorRT-RTX 1.0"),
        ({"tensorrt": "8.0.3"}, "TensorRT 8.0.3 is installed"),
        ({"tensorrt_rtx": "2.0.0"}, "TensorRT-RTX 2.0.0 is installed"),
        ({"tensorrt": "unknown"}, "TensorRT unknown is installed"),
        ({}, "TensorRT is not installed .import of tensorrt halted"),
    ],
)
def test_a_library_that_is_missing_or_of_another_major_version_is_one_line(installed, modules, words):
    installed(**modules)
    with pytest.raises(InputError, match=f"^net.onnx: {words}") as error:
        find("net.onnx")
    assert "\n" not in str(error.value)


def test_what_cannot_be_used_is_reported_where_the_other_is_taken(installed, caplog):
    installed(tensorrt="12.0.0", tensorrt_rtx="1.7.1")
    assert find("net.onnx").title == "TensorRT-RTX 1.7.1"
    (line,) = caplog.messages
    assert line.startswith("net.onnx: TensorRT 12.0.0 is installed") and line.endswith("; TensorRT-RTX 1.7.1 is used")


def test_a_folder_of_its_name_that_holds_nothing_is_not_tensorrt(installed, monkeypatch, tmp_path):
    installed()
    # As type stubs leave it.
    (tmp_path / "tensorrt").mkdir()
    (tmp_path / "tensorrt" / "__init__.pyi").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt")
    library, (problem,) = look()
    assert library is None and problem.startswith("TensorRT is not installed (the module 'tensorrt' is empty; ")


def test_a_library_that_does_not_load_is_named(installed, monkeypatch, tmp_path):
    installed()
    (tmp_path / "tensorrt.py").write_text("raise OSError('libnvinfer.so.10: cannot open\\nshared object file')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt")
    with pytest.raises(InputError, match=r"TensorRT does not load \(OSError: libnvinfer.so.10: cannot open shared obj"):
        find("net.onnx")


def test_the_first_error_is_the_cause_and_is_said_once(caplog):
    words = Words()
    words.add("WARNING", "slow")
    words.add("ERROR", "the cause\n" + "and more " * 100)
    words.add("INTERNAL_ERROR", "what follows")
    words.add("VERBOSE", "much")
    said = words.take()
    assert said.startswith("the cause and more") and len(said) == LONGEST and said.endswith("..")
    assert words.take() == "" and not caplog.messages


def test_errors_are_not_kept_for_ever():
    words = Words()
    for number in range(2 * KEPT):
        words.add("ERROR", str(number))
    assert words.take() == str(KEPT)


def test_rtx_is_the_library_that_its_wheel_brings(rtx):
    assert rtx.is_strongly_typed and not rtx.kind.keeps_times
    assert {"8.6", "8.9", "12.0"} <= set(rtx.capabilities)
