"""What each version of TensorRT is given to build, and what is said where it fails."""

import pytest

from pvtpp.errors import InputError
from pvtpp.inference.engine_build import BuildError, build, build_flags, check_capabilities


@pytest.fixture
def graph(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"a graph")
    return tmp_path / "net.onnx"


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_an_engine_is_strongly_typed_where_tensorrt_can(precision):
    assert build_flags(precision, True) == ("strongly_typed",)
    assert build_flags(precision, False) == (() if precision == "fp32" else (precision,))


def test_a_precision_that_is_unknown_is_named():
    for typed in (True, False):
        with pytest.raises(InputError, match="artefact.json: precision is 'bf16', allowed is one of: fp32, fp16, int8"):
            build_flags("bf16", typed)


@pytest.mark.parametrize(
    ("version", "bits", "flags"), [("8.6.1", 0b01, ["FP16"]), ("10.3.0", 0b11, []), ("11.0.0", 0b10, [])]
)
def test_each_version_gets_the_flags_that_it_has(make_tensorrt, graph, version, bits, flags):
    library = make_tensorrt(version)
    built = build(library, graph, build_flags("fp16", library.is_strongly_typed))
    (builder,) = library.api.builders
    assert (builder.bits, builder.flags) == (bits, flags)
    assert (built.engine, built.layers, built.times) == (b"an engine", 7, b"times of this build")
    assert built.seconds >= 0


@pytest.mark.parametrize(
    ("refuses", "words"),
    [
        ("network", r"cannot make a network$"),
        ("configuration", r"cannot make a configuration$"),
        ("engine", r"cannot compile this graph \(Error Code 10: Could not find any implementation for node /Conv\.\)$"),
    ],
)
def test_none_in_place_of_what_was_asked_for_is_one_line(tensorrt, graph, refuses, words):
    tensorrt.api.refuses = refuses
    with pytest.raises(InputError, match=rf"net.onnx: TensorRT 8\.6\.1 {words}") as error:
        build(tensorrt, graph, ())
    assert isinstance(error.value, BuildError) == (refuses == "engine")


def test_a_graph_that_is_not_read_is_said_with_the_parser_s_words(tensorrt, graph):
    graph.write_bytes(b"of another kind")
    with pytest.raises(BuildError, match=r"head: TensorRT 8\.6\.1 cannot read this graph \(Plugin not found\)$"):
        build(tensorrt, graph, (), source="head")


def test_a_library_that_does_not_start_is_no_fault_of_the_graph(tensorrt, graph, monkeypatch):
    def nothing(logger):
        raise TypeError("pybind11::init(): factory function returned nullptr")

    monkeypatch.setattr(tensorrt.api, "Builder", nothing)
    with pytest.raises(InputError, match=r"start here; does the driver fit its CUDA\? \(pybind11") as error:
        build(tensorrt, graph, ())
    assert not isinstance(error.value, BuildError)


def test_tensorrt_takes_no_compute_capability(tensorrt):
    with pytest.raises(InputError, match=r"--compile: TensorRT 8\.6\.1 builds for the GPU of this machine alone"):
        check_capabilities(tensorrt, ("8.6",), "--compile")
    check_capabilities(tensorrt, (), "--compile")


def test_rtx_builds_for_the_capabilities_that_are_named(rtx, real_graph):
    one, two = (build(rtx, real_graph, ("strongly_typed",), each) for each in (("8.6",), ("8.6", "12.0")))
    assert one.layers == two.layers > 10 and one.times == b""
    # Sizes are not compared: after a refused build the next engine of a process may be larger than it need be.
    assert one.engine and two.engine and one.engine != two.engine


def test_rtx_names_the_capabilities_that_it_has(rtx, real_graph):
    for wrong in ("8.7", "sm86", "86"):
        with pytest.raises(InputError, match=rf"compute capability '{wrong}', allowed for TensorRT-RTX .*: 7\.5, 8\.0"):
            build(rtx, real_graph, (), (wrong,))
    with pytest.raises(InputError, match="a compute capability is there twice: 8.6, 8.6"):
        check_capabilities(rtx, ("8.6", "8.6"), "--compile")


def test_what_rtx_does_not_read_or_compile_is_said_in_its_own_words(rtx, real_graph, tmp_path):
    onnx = pytest.importorskip("onnx")

    def write(operator, shape):
        value = onnx.helper.make_tensor_value_info
        made = [value(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
        node = onnx.helper.make_node(operator, ["x"], ["y"], name="odd")
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "one", made[:1], made[1:]))
        onnx.save(model, str(tmp_path / "one.onnx"))
        return tmp_path / "one.onnx"

    with pytest.raises(BuildError, match=r"one.onnx: TensorRT-RTX .* cannot read this graph \(Nonsense 'odd': .*found"):
        build(rtx, write("Nonsense", [1, 2]), ("strongly_typed",))
    with pytest.raises(
        BuildError, match=r"one.onnx: TensorRT-RTX .* cannot compile this graph \(.*no optimization pro"
    ):
        build(rtx, write("Relu", ["n", 2]), ("strongly_typed",))
    (tmp_path / "one.onnx").write_bytes(real_graph.read_bytes()[:100])
    with pytest.raises(BuildError, match=r"one.onnx: TensorRT-RTX .* cannot read this graph \(.*parse the ONNX model"):
        build(rtx, tmp_path / "one.onnx", ("strongly_typed",))
    assert build(rtx, write("Relu", [1, 2]), ("strongly_typed",)).engine
