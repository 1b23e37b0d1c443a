"""Feed damaged inputs to every reader of user files: each answers or raises InputError, and nothing else.

    python -m pvtpp_benchmarks.studies.fuzz_readers --inputs 10000
    python -m pvtpp_benchmarks.studies.fuzz_readers --reader event_log --case 4711

Every reader begins with a sound file of its own. A case damages it in one to three ways: other bytes, cut off, lines in
another order, numbers that are no numbers or far too large, values of another type, a byte order mark, other ends of
lines, zero bytes. The number of a case decides all of it, so that a failure is repeated by its number.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import sys
import tarfile
import tempfile
import traceback
import warnings
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp import predictors as predictor_registry
from pvtpp.boxes import ArrayLike, xywh_to_box
from pvtpp.core.event_log import EventLog, is_complete, read_meta
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.inference import artefact, engine_cache
from pvtpp.predictors import n_head
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame, check_image
from pvtpp.weights import checkpoint
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_flags
from pvtpp_benchmarks.datasets.box_format import ORDERS, SCALES, SEPARATORS, BoxFormat, read_boxes
from pvtpp_benchmarks.datasets.dataset_check import check
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.gyro import read as read_gyro
from pvtpp_benchmarks.datasets.image_files import decode, read_header, read_image
from pvtpp_benchmarks.datasets.results import load_results
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.result import Result
from pvtpp_benchmarks.score import score_offline, score_online
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.studies.journal import Journal

# By name: the benchmarks must not need the nodes. Where they are not importable their reader is left out.
ROS_IMAGES = "pvtpp_ros_nodes.images"
TRAINING = ("pvtpp.training.recordings", "pvtpp.training.config", "pvtpp.training.windows")
NUMBERS = (
    "nan", "inf", "-inf", "NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e400", "1e-400", "9" * 25,
    "-" + "9" * 25, "9" * 400, "-1", "0", "0.0", "-0", "1e5", "2147483648", "9223372036854775808", "x", "", "0x10",
    "1_0", "None", "true", "null", "1,5",
)  # fmt: skip
VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e308, 10**25, 10**400, float("nan"), float("inf"), "", "x", "1", "nan",
    "\x00", "../x", [], [None], [1], [[]], [1, 2, 3, 4], {}, {"x": 1}, {"": None}, [[1, 2], [3]],
)  # fmt: skip


# Damage


def damage(rng: random.Random, data: bytes) -> bytes:
    """Damage a file in one to three ways."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(_WAYS)(rng, data)
    return data


def _flip(rng: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if made:
            made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _drop_bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + data[at + rng.randint(1, 40) :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return (
        data[:at] + bytes(rng.choice(b',;\t\n\r \x00\xff-+.eE"[]{}<>&09') for _ in range(rng.randint(1, 6))) + data[at:]
    )


def _lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    way = rng.randrange(5)
    if way == 0:
        rng.shuffle(lines)
    elif way == 1:
        del lines[at]
    elif way == 2:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif way == 3:
        lines.insert(at, b"")
    else:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _number(rng: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", data))
    if not found:
        return data
    for match in sorted(rng.sample(found, min(len(found), rng.randint(1, 3))), key=lambda each: -each.start()):
        data = data[: match.start()] + rng.choice(NUMBERS).encode() + data[match.end() :]
    return data


def _json(rng: random.Random, data: bytes) -> bytes:
    """Exchange, remove or rename one value of a JSON file, or of one line of JSON."""
    with suppress(ValueError, RecursionError):
        return _changed_json(rng, data)
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    with suppress(ValueError, RecursionError):
        lines[at] = _changed_json(rng, lines[at])
    return b"\n".join(lines)


def _changed_json(rng: random.Random, data: bytes) -> bytes:
    content = json.loads(data.decode())
    places: List[Tuple[Any, Any]] = []
    _walk(content, places)
    if not places or rng.random() < 0.05:
        return json.dumps(rng.choice(VALUES)).encode()
    holder, key = rng.choice(places)
    way = rng.randrange(4)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[rng.choice(("", "x", key + "s"))] = holder.pop(key)
    elif way == 2:
        other, other_key = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[other_key]))
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(content).encode()


def _walk(value: Any, places: List[Tuple[Any, Any]]) -> None:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        places.append((value, key))
        _walk(value[key], places)


_WAYS: Sequence[Callable[[random.Random, bytes], bytes]] = (
    _flip, _cut, _drop_bytes, _insert, _lines, _lines, _number, _number, _json, _json,
    lambda rng, data: b"",
    lambda rng, data: b"\xef\xbb\xbf" + data,
    lambda rng, data: data.decode("latin-1").encode("utf-16"),
    lambda rng, data: data.replace(b"\n", b"\r\n"),
    lambda rng, data: data.replace(b"\n", b"\r"),
    lambda rng, data: data.replace(b",", rng.choice((b";", b"\t", b"\x00", b",,"))),
    lambda rng, data: data * rng.randint(2, 3),
    lambda rng, data: b"[" * rng.choice((10, 100_000)) + data,
)  # fmt: skip


# Readers

Case = Callable[[random.Random, Path], None]
READERS: Dict[str, Callable[[], Optional[Case]]] = {}
"""By name the function that makes the reader's cases, or None where something that it needs is not installed."""


def reader(make: Callable[[], Optional[Case]]) -> Callable[[], Optional[Case]]:
    """Register a reader under the name of the function."""
    READERS[make.__name__] = lru_cache(maxsize=None)(make)
    return make


@contextmanager
def allowed() -> Iterator[None]:
    """An InputError is an answer, and the case goes on behind the block."""
    with suppress(InputError):
        yield


def _of_file(name: str, sound: bytes, read: Callable[[Path, random.Random], None]) -> Case:
    """Damage one file in the case's folder and read it."""

    def case(rng: random.Random, folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damage(rng, sound))
        with allowed():
            read(path, rng)

    return case


def _boxes(count: int = 12) -> np.ndarray:
    i = np.arange(count)[:, None]
    return (np.array([[20.0, 15, 12, 8]]) + i * np.array([[2.5, 1.0, 0.1, 0.1]])).round(2)


def _rows(values: np.ndarray, separator: str = ",") -> bytes:
    return "".join(separator.join(f"{value:g}" for value in row) + "\n" for row in values).encode()


def _sequence() -> VideoSequence:
    return VideoSequence("car", _boxes(), size=(160, 120))


@reader
def box_file() -> Case:
    """Box files in every format."""

    def read(path: Path, rng: random.Random) -> None:
        order, scale = rng.choice(ORDERS), rng.choice(("", *SCALES))
        form = BoxFormat(order, scale, rng.random() < 0.3, rng.choice((None, *SEPARATORS)))
        for each in (BoxFormat(), form):
            with allowed():
                found = read_boxes(str(path), each, (160, 120))
                assert found.ndim == 2 and found.shape[1] == 4 and found.dtype == np.float64
                VideoSequence("car", found, size=(160, 120))

    return _of_file("groundtruth.txt", b"x,y,w,h\n" + _rows(_boxes()), read)


@reader
def flags() -> Case:
    """Flags of absent targets."""

    def read(path: Path, rng: random.Random) -> None:
        assert read_flags(str(path), 12).shape == (12,)

    return _of_file("absence.label", b"0\n1\n0\n0\n0\n0\n1\n1\n0\n0\n0\n0\n", read)


@reader
def folder_of_sequences() -> Case:
    """A box file, an index or a gyro in a folder of sequences, read and checked whole."""
    index = json.dumps([{"name": "car", "split": "val", "fps": 30, "width": 160, "height": 120}]).encode()
    camera = json.dumps(
        {"camera_matrix": [[300, 0, 80], [0, 300, 60], [0, 0, 1]], "camera_from_imu": np.eye(3).tolist()}
    )
    times = b"".join(b"%d,0.1,-0.2,%.2f\n" % (i * 10_000_000, i / 10) for i in range(20))
    files = {
        "index.json": index,
        "val/car/groundtruth.txt": _rows(_boxes()),
        "val/car/groundtruth_30fps.txt": _rows(_boxes(34)),
        "val/car/gyro.csv": b"# t_ns,x,y,z\n" + times,
        "val/car/camera.json": camera.encode(),
    }

    def case(rng: random.Random, folder: Path) -> None:
        damaged = rng.choice(list(files))
        for name, sound in files.items():
            if name != "val/car/groundtruth_30fps.txt" or rng.random() < 0.5 or name == damaged:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(damage(rng, sound) if name == damaged else sound)
        for kind, split in (("uav-mini", None), ("folder", "val")):
            with allowed():
                dataset = load(kind, folder, split)
                check(dataset)
                for name in dataset.names:
                    with allowed():
                        sequence = dataset[name]
                        assert len(sequence.camera_t_ns) == len(sequence)
                        if sequence.gyro is not None:
                            _turn(sequence.gyro)

    return case


def _turn(recording: GyroRecording) -> None:
    gyro = recording.gyro()
    for t_ns, rate in zip(recording.t_ns.tolist(), recording.rates):
        gyro.add(t_ns, rate)
    with np.errstate(all="ignore"):
        gyro.homography(int(recording.t_ns[0]), int(recording.t_ns[-1]))


@reader
def gyro_files() -> Case:
    """A gyro's samples alone."""
    times = b"".join(b"%d,0.1,-0.2,%.2f\n" % (i * 10_000_000, i / 10) for i in range(20))

    def read(path: Path, rng: random.Random) -> None:
        (path.parent / "camera.json").write_text('{"camera_matrix": [[300, 0, 80], [0, 300, 60], [0, 0, 1]]}')
        found = read_gyro(str(path.parent))
        assert found is not None
        _turn(found)

    return _of_file("gyro.csv", times, read)


@reader
def processing_trace() -> Case:
    """Recorded processing times, in one column or several."""

    def read(path: Path, rng: random.Random) -> None:
        for text in (f"trace:{path}", f"empirical:{path}*0.5", f"trace:{path.parent}*0.001"):
            with allowed():
                model = processing.parse(text)
                took = model.start("car", 3)
                assert all(0 <= took(i) <= processing.LONGEST_S * 10**9 for i in range(40)) and model.median_ms() >= 0

    def case(rng: random.Random, folder: Path) -> None:
        columns = rng.choice((1, 1, 3))
        sound = _rows(np.random.default_rng(0).uniform(0.01, 0.1, (20, columns)))
        _of_file("car_time.txt", sound, read)(rng, folder)

    return case


@reader
def bench_times() -> Case:
    """The JSON of ``pvtpp bench``."""

    def read(path: Path, rng: random.Random) -> None:
        model = processing.parse(f"bench:{path}")
        assert 0 <= model.start("car")(1) <= processing.LONGEST_S * 10**9

    sound = {"frame_s": [0.5, 0.02, 0.03, 0.02], "stages": {"backbone": {"median_ms": 3.5}}, "protocol": {"seed": 0}}
    return _of_file("orin.json", json.dumps(sound).encode(), read)


@reader
def tracker_results() -> Case:
    """Result files of trackers in the layouts of toolkits."""

    def read(path: Path, rng: random.Random) -> None:
        lengths = {"car": 12} if rng.random() < 0.5 else None
        root = path.parent if path.name == "car.txt" else path.parent.parent
        assert load_results(str(root), ["car"], lengths)["car"].shape[1] == 4

    def case(rng: random.Random, folder: Path) -> None:
        name = rng.choice(("car.txt", "car/car_001.txt"))
        _of_file(name, _rows(_boxes(), rng.choice((",", "\t", " "))), read)(rng, folder)

    return case


class _Still:
    """A propagator that carries nothing far."""

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        """Take a frame."""

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        """Carry the box by a pixel."""
        return Carried(np.add(box, [1.0, 0.5, 0, 0]), 0.8, 1)


def _logs() -> List[bytes]:
    """Sound event logs: with and without propagation, presence and gyro."""
    sequence = _sequence()
    camera = np.array([[300.0, 0, 80], [0, 300, 60], [0, 0, 1]])
    gyro = GyroRecording(np.arange(0, 400_000_000, 10_000_000), np.full((40, 3), 0.1), camera, np.eye(3))
    first = xywh_to_box(sequence.ground_truth_xywh[0])
    made = []
    options: List[Dict[str, Any]] = [
        {},
        {"propagation": Propagation(_Still(), 1_000_000), "search_region": "predicted", "predictor_ns": 200_000},
        {"gyro": gyro, "presence": PresenceConfig()},
        {"schedule": "paper"},
    ]
    for option in options:
        names = ("constant_velocity", "hold") if option.get("schedule") != "paper" else ("hold",)
        with tempfile.TemporaryDirectory() as folder:
            log = simulate(
                _WithImages(sequence) if "presence" in option else sequence,  # type: ignore[arg-type]
                Oracle(sequence, 0.02),
                {name: predictor_registry.create(name) for name in names},
                lambda frame: 70_000_000,
                first_box=first,
                meta={"schedule": option.get("schedule", "async"), "truth": sequence.digest(), "draw": 0},
                **option,
            )
            path = os.path.join(folder, "log.jsonl")
            log.write(path)
            made.append(Path(path).read_bytes())
    return made


class _WithImages:
    """A sequence whose frames have a grey image."""

    def __init__(self, sequence: VideoSequence):
        self._sequence = sequence
        self._image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sequence, name)

    def __len__(self) -> int:
        return len(self._sequence)

    def frame(self, index: int) -> Frame:
        """The frame with the image."""
        plain = self._sequence.frame(index)
        return Frame(plain.index, plain.t_ns, self._image)


@reader
def event_log() -> Case:
    """Event logs: read, replayed, scored."""
    logs, sequence = _logs(), _sequence()

    def read(path: Path, rng: random.Random) -> None:
        is_complete(str(path))
        with allowed():
            read_meta(str(path))
        log = EventLog.read(str(path), cut_off=rng.random() < 0.5)
        for name in log.predictors:
            with allowed(), np.errstate(all="ignore"):
                score_online(log, sequence, name)
        with allowed():
            score_offline(log, sequence)
        made = rng.choice((["hold"], ["constant_velocity", "hold"], ["kalman"]))
        with np.errstate(all="ignore"):
            again = replay(log, {name: predictor_registry.create(name) for name in made})
        assert len(again.rows) <= 4 * len(log.rows) + 8

    def case(rng: random.Random, folder: Path) -> None:
        sound = rng.choice(logs)
        if rng.random() < 0.4:
            _of_file("log.jsonl", sound, read)(rng, folder)
            return
        path = folder / "log.jsonl"
        path.write_bytes(_other_events(rng, sound))
        with allowed():
            read(path, rng)

    return case


def _other_events(rng: random.Random, data: bytes) -> bytes:
    """A log that is whole by its form, of events that do not follow from one another."""
    header, *lines = data.decode().splitlines()
    rows = [json.loads(line) for line in lines[:-1]]
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at, other = rng.randrange(len(rows)), rng.randrange(len(rows))
        way = rng.randrange(7)
        if way == 0 and len(rows) > 1:
            del rows[at]
        elif way == 1:
            rows.insert(at, [rows[other][0], rows[at][1], *rows[other][2:]])
        elif way == 2:
            rows[at][1], rows[other][1] = rows[other][1], rows[at][1]
        elif way == 3:
            rows[at][1:] = rows[other][1:]
        elif way == 4:
            rows = rows[at:] if rng.random() < 0.3 else rows[: at + 1]
        else:
            _other_value(rng, rows[at])
    rows.sort(key=lambda row: row[1])
    return "\n".join([header, *map(json.dumps, rows), json.dumps(["end", len(rows), {}])]).encode() + b"\n"


def _other_value(rng: random.Random, row: list) -> None:
    """Exchange one number of an event, at any depth, for one of the same type."""
    places: List[Tuple[Any, Any]] = []
    _walk(row, places)
    numbers = [(holder, key) for holder, key in places if type(holder[key]) in (int, float)]
    holder, key = rng.choice(numbers)
    if type(holder[key]) is int:
        holder[key] = rng.choice((0, 1, -1, holder[key] + 1, holder[key] - 1, 2 * holder[key], 10**15, -(10**15)))
    else:
        factor = rng.choice((0.0, 1e-12, 1e-3, -1.0, 1.5, 1e3, 1e9))
        holder[key] = holder[key] * factor


@reader
def result_json() -> Case:
    """The JSON of a result: tabled and compared."""
    sequences = [_sequence(), VideoSequence("dog", _boxes(20))]
    grid = make_grid(
        "mini", "oracle", predictors=["hold", "constant_velocity"], processing=["47ms"], propagation=["none"]
    )
    rows = evaluate(sequences, grid, Oracle)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.json")
        Result(tuple(rows), {"seed": 0}).write(path)
        sound = Path(path).read_bytes()

    def read(path: Path, rng: random.Random) -> None:
        found = Result.read(str(path))
        if found.rows:
            assert found.table()
        with allowed(), np.errstate(all="ignore"):
            assert str(found.compare("hold", "constant_velocity"))

    return _of_file("result.json", sound, read)


@reader
def export_sidecar() -> Case:
    """The sidecar of an exported network, and the engine record beside its engines."""
    graph = {
        "file": "head.onnx",
        "sha256": "0" * 64,
        "inputs": [{"name": "x", "shape": [1, None], "dtype": "float32"}],
        "outputs": [],
    }
    card = {
        "format": 1,
        "model": "m",
        "form": "grouped",
        "precision": "fp32",
        "pixels": False,
        "source": {},
        "graphs": {"head": graph},
    }
    engine: Any = SimpleNamespace(inputs=(), outputs=())

    def read(path: Path, rng: random.Random) -> None:
        (path.parent / "head.onnx").write_bytes(b"graph")
        assert isinstance(engine_cache.precision_of(path.parent / "head.onnx"), str)
        assert artefact.is_artefact(path.parent) and artefact.described(engine)
        with allowed():
            artefact.read(path.parent)
        for name, found in artefact.read_sidecar(path.parent)["graphs"].items():
            assert isinstance(name, str) and isinstance(found["file"], str)

    return _of_file(artefact.SIDECAR, json.dumps(card).encode(), read)


@reader
def engine_record() -> Case:
    """The record beside a built engine."""
    key = engine_cache.EngineKey("ab" * 32, "Orin", "8.7", "8.6", "11.4", "fp16", ("fp16",))
    record = {**key.__dict__, "flags": list(key.flags), "engine": "0" * 64}

    def case(rng: random.Random, folder: Path) -> None:
        path = engine_cache.engine_path(folder, "head", key)
        if rng.random() < 0.5:
            path.write_bytes(b"engine")
        else:
            path = path.with_name("head-0123.engine")
        _of_file(path.with_suffix(".json").name, json.dumps(record).encode(), lambda *_: None)(rng, folder)
        assert isinstance(engine_cache.why_build(folder, "head", key), str)

    return case


@reader
def network_card() -> Case:
    """The card beside the network of an N-head predictor."""
    card = {"kappa": 30.0, "encoder": "encoder.onnx", "past": 3}

    def read(path: Path, rng: random.Random) -> None:
        n_head.files(str(path.with_suffix(".onnx")))

    return _of_file("net.json", json.dumps(card).encode(), read)


def _import(*names: str) -> Optional[List[Any]]:
    try:
        return [import_module(name) for name in names]
    except ImportError:
        return None


@reader
def torch_checkpoint() -> Optional[Case]:
    """Checkpoints of trackers."""
    found = _import("torch")
    if found is None:
        return None
    torch, buffer = found[0], io.BytesIO()
    torch.save({"epoch": 3, "state_dict": {"module.a": torch.zeros(2, 3), "module.b": torch.ones(4)}}, buffer)

    def read(path: Path, rng: random.Random) -> None:
        assert all(isinstance(name, str) for name in checkpoint.read_checkpoint(path))

    return _of_file("net.pth", buffer.getvalue(), read)


@reader
def own_weights() -> Optional[Case]:
    """Weights and their card."""
    found = _import("torch", "safetensors.torch")
    if found is None:
        return None
    torch = found[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        checkpoint.write_weights(
            path, {"a": torch.zeros(2, 3), "b": torch.ones(4)}, {"kind": "motion", "sizes": [1, 2]}
        )
        files = {name: (Path(folder) / name).read_bytes() for name in ("net.safetensors", "net.json")}

    def case(rng: random.Random, folder: Path) -> None:
        damaged = rng.choice(list(files))
        for name, sound in files.items():
            (folder / name).write_bytes(damage(rng, sound) if name == damaged else sound)
        with allowed():
            tensors, card = checkpoint.read_weights(folder / "net.safetensors")
            assert isinstance(card, dict) and isinstance(tensors, dict)

    return case


@reader
def recording() -> Optional[Case]:
    """Recordings of trackers for the training of predictors."""
    found = _import(*TRAINING)
    if found is None:
        return None
    recordings, n, rng = found[0], 5, np.random.default_rng(0)
    sound = recordings.Recording(
        "car", np.arange(n) * 10**7, np.arange(n) * 10**7 + 1, rng.uniform(1, 9, (n, 4)), np.ones(n), np.arange(n) > 0,
        np.zeros((n, 2, 3, 3), np.float16), np.zeros((2, 2, 2), np.float16), np.arange(n) * 10**7,
        rng.uniform(1, 9, (n, 4)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "car.npz")
        sound.write(path)
        content = Path(path).read_bytes()

    def read(path: Path, rng: random.Random) -> None:
        assert len(recordings.Recording.read(path)) >= 2

    return _of_file("car.npz", content, read)


@reader
def training_config() -> Optional[Case]:
    """Configurations of training in JSON."""
    found = _import(*TRAINING)
    if found is None:
        return None
    config, kind = found[1], found[2].WindowConfig
    sound = asdict(kind())

    def read(path: Path, rng: random.Random) -> None:
        assert isinstance(config.read(path, kind), kind)

    return _of_file("config.json", json.dumps(sound).encode(), read)


@reader
def video_xml() -> Case:
    """Annotations of ImageNet VID."""
    box = "<bndbox><xmax>{}</xmax><xmin>4</xmin><ymax>20</ymax><ymin>3</ymin></bndbox>"
    size = "<size><width>160</width><height>120</height></size>"
    text = "<annotation>\n" + size + "\n<object><trackid>0</trackid>" + box + "</object>\n</annotation>\n"

    def case(rng: random.Random, folder: Path) -> None:
        video = folder / "Annotations" / "VID" / "val" / "video"
        video.mkdir(parents=True)
        names = [f"{number:06d}.xml" for number in range(3)]
        if rng.random() < 0.1:
            names[1] = rng.choice(("x.xml", "000009.xml", ".000001.xml", "-1.xml", "1e3.xml", "²5.xml"))
        damaged = rng.randrange(3)
        for number, name in enumerate(names):
            sound = text.format(10 + number).encode()
            (video / name).write_bytes(damage(rng, sound) if number == damaged else sound)
        for _ in range(2):
            with allowed():
                for sequence in load("imagenet-vid", folder):
                    assert len(sequence) >= 2
        for index in (folder / "cache").rglob("*.json"):
            index.write_bytes(damage(rng, index.read_bytes()))
        with allowed():
            list(load("imagenet-vid", folder))

    return case


@reader
def got10k_lists() -> Case:
    """The list of GOT-10k and the information of its sequences."""
    files = {
        "val/list.txt": b"car\ndog\n",
        "val/car/meta_info.ini": b"[METAINFO]\nurl: x\nresolution: (160, 120)\n",
        "val/car/cover.label": b"8\n" * 12,
        "val/car/absence.label": b"0\n" * 12,
    }

    def case(rng: random.Random, folder: Path) -> None:
        damaged = rng.choice(list(files))
        for name in ("car", "dog"):
            (folder / "val" / name).mkdir(parents=True)
            (folder / "val" / name / "groundtruth.txt").write_bytes(_rows(_boxes()))
        for name, sound in files.items():
            (folder / name).write_bytes(damage(rng, sound) if name == damaged else sound)
        with allowed():
            check(load("got10k", folder))

    return case


@reader
def box_archive() -> Case:
    """Archives of box files."""
    packed = {}
    for mode in ("w", "w:gz", "w:xz", "w:bz2"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:
            for name in ("A/car.txt", "A/dog.txt", "B/car.txt"):
                info = tarfile.TarInfo(name)
                info.size = len(_rows(_boxes()))
                archive.addfile(info, io.BytesIO(_rows(_boxes())))
        packed[mode] = buffer.getvalue()

    def read(path: Path, rng: random.Random) -> None:
        check(load("annotations", path, "A"))

    def case(rng: random.Random, folder: Path) -> None:
        _of_file("boxes.tar", packed[rng.choice(list(packed))], read)(rng, folder)

    return case


@reader
def journal() -> Case:
    """The journal of a study."""
    lines = [json.dumps([["DTB70", i, "hold"], [0.5, None]]) for i in range(4)]

    def read(path: Path, rng: random.Random) -> None:
        Journal(str(path)).get(("DTB70", 1, "hold"))

    return _of_file("journal.jsonl", ("\n".join(lines) + "\n").encode(), read)


@reader
def image_file() -> Case:
    """Image files of all kinds."""
    import cv2

    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 4), dtype=np.uint8)
    images: Dict[str, np.ndarray] = {
        ".png": pixels, ".jpg": pixels[:, :, :3], ".bmp": pixels[:, :, :3], ".pgm": pixels[:, :, 0],
        ".tiff": pixels[:, :, 0].astype(np.uint16) * 40,
    }  # fmt: skip
    coded = {ending: cv2.imencode(ending, image)[1].tobytes() for ending, image in images.items()}

    def read(path: Path, rng: random.Random) -> None:
        read_header(str(path))
        with allowed():
            assert decode(str(path)).ndim == 3
        check_image(read_image(str(path)))

    def case(rng: random.Random, folder: Path) -> None:
        ending = rng.choice(list(coded))
        _of_file(f"1{ending}", coded[ending], read)(rng, folder)

    return case


@reader
def ros_image() -> Optional[Case]:
    """Images of ROS messages, raw and compressed."""
    found = _import(ROS_IMAGES)
    if found is None:
        return None
    import cv2

    images = found[0]
    coded = [cv2.imencode(ending, np.full((24, 32, 3), 90, np.uint8))[1].tobytes() for ending in (".png", ".jpg")]
    sizes = (0, 1, 2, 3, 24, 31, 32, 33, 4096, 2**31, 2**32 - 1)
    names = (
        *images.ENCODINGS,
        "mono16",
        "16UC1",
        "32FC1",
        "yuv422",
        "bayer_rggb16",
        "",
        "bgr8 ",
        "x" * 300,
        "\x00",
        "ü",
    )

    def case(rng: random.Random, folder: Path) -> None:
        height, width = (rng.choice(sizes) if rng.random() < 0.3 else rng.randint(1, 33) for _ in range(2))
        step = rng.choice(
            (width, 2 * width, 3 * width, 4 * width, 0, rng.choice(sizes), width * 3 + rng.randint(-3, 9))
        )
        count = min(max(step * height + rng.choice((0, 0, 0, 1, -1, -step)), 0), 10_000)
        data: Any = rng.getrandbits(8 * count).to_bytes(count, "little") if count else b""
        message = SimpleNamespace(
            height=height, width=width, step=max(step, 0), encoding=rng.choice(names), is_bigendian=rng.choice((0, 1)),
            data=rng.choice((bytes, bytearray, lambda each: np.frombuffer(each, np.uint8)))(data),
        )  # fmt: skip
        packed = SimpleNamespace(
            format=rng.choice(("jpeg", "png", "", "rgb8; jpeg compressed bgr8")), data=damage(rng, rng.choice(coded))
        )
        for convert, given in ((images.raw_image, message), (images.compressed_image, packed)):
            with allowed():
                image = convert(given)
                check_image(image() if callable(image) else image)

    return case


def run_case(name: str, number: int) -> Optional[str]:
    """Run one case of a reader.

    Returns
    -------
    str or None
        None for an answer or an InputError, else what was raised, as text.
    """
    case = READERS[name]()
    assert case is not None
    before = os.environ.get("PVTPP_CACHE")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.environ["PVTPP_CACHE"] = os.path.join(folder, "cache")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case(random.Random(f"{name} {number}"), Path(folder))
        except InputError:
            return None
        except Exception:
            return traceback.format_exc(limit=-4)
        finally:
            if before is None:
                del os.environ["PVTPP_CACHE"]
            else:
                os.environ["PVTPP_CACHE"] = before
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what libraries write about damaged files nowhere: the answers count."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def main(argv: Optional[List[str]] = None) -> int:
    """Run the command line; the exit status is 1 where a reader failed."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=200, help="damaged inputs for each reader (default 200)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default 0)")
    parser.add_argument("--reader", choices=READERS, action="append", help="this reader alone; may be given again")
    parser.add_argument("--case", type=int, help="this case alone, with its whole error")
    options = parser.parse_args(argv)
    numbers = range(options.first, options.first + options.inputs) if options.case is None else [options.case]
    failed = 0
    for name in options.reader or READERS:
        if READERS[name]() is None:
            print(f"{name}: left out, something that it needs is not installed", flush=True)
            continue
        errors: Dict[str, int] = {}
        with _quiet():
            found = {number: run_case(name, number) for number in numbers}
        for number, error in found.items():
            if error is not None:
                failed += 1
                if errors.setdefault(error, number) == number:
                    print(f"{name}, case {number}:\n{error}", flush=True)
        bad = sum(error is not None for error in found.values())
        print(f"{name}: {len(found)} inputs, {bad} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
