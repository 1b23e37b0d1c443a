"""NanoTrack's backbone for the template crop: the published graph only takes the 255 pixels of the search crop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, whole_file
from pvtpp.weights.store import sha256

SIZE, FEATURES = 127, 8
SOURCE_KEY = "source_sha256"


def nanotrack_template_graph(backbone: Path) -> Path:
    """Find or derive the graph ``1 x 3 x 127 x 127 -> 1 x C x 8 x 8`` with the weights of `backbone`.

    A graph that was derived from the same file is taken from beside the backbone or from the cache. Otherwise it is
    derived and written to the cache, which needs `onnx`.

    Raises
    ------
    InputError
        If `onnx` is needed and not installed, the backbone is no such graph, or the cache cannot be written.
    """
    source = sha256(backbone)
    name = f"{backbone.stem}_{SIZE}.onnx"
    # Backbones of several versions have the same name.
    cached = cache_folder() / "weights" / "nanotrack" / source[:12] / name
    for candidate in (backbone.with_name(name), cached):
        if _derived_from(candidate, source):
            return candidate
    model = _derive(backbone, source)
    try:
        with whole_file(cached) as part:
            Path(part).write_bytes(model.SerializeToString())
    except InputError as error:
        raise InputError(f"{error}; set PVTPP_CACHE to a folder that can be written") from None
    return cached


def _derived_from(path: Path, source: str) -> bool:
    """Whether the file is complete and was derived from the file with this hash."""
    # Metadata comes last in a serialised model, so a truncated file has none.
    return path.is_file() and source.encode() in path.read_bytes()[-256:]


def _derive(backbone: Path, source: str) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            f"{backbone}: its graph for {SIZE}-pixel templates has to be derived once, which needs onnx ({error}); "
            "pip install 'pvtpp[weights]', or copy the derived file from a machine that has it to beside the backbone"
        ) from None
    try:
        model = onnx.load(str(backbone))
        for value, size in ((model.graph.input[0], SIZE), (model.graph.output[0], FEATURES)):
            for dimension in value.type.tensor_type.shape.dim[2:]:
                dimension.dim_value = size
        # Shapes between the two may stand there too, of the search crop.
        del model.graph.value_info[:]
        onnx.helper.set_model_props(model, {SOURCE_KEY: source})
        onnx.checker.check_model(model)
    except Exception as error:
        raise InputError(f"{backbone}: cannot derive the template graph ({' '.join(str(error).split())})") from None
    return model
