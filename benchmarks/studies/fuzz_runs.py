"""Cases of `fuzz_readers`: event logs, results, exported networks, checkpoints, recordings, configurations."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from pvtpp import predictors as predictor_registry
from pvtpp.boxes import ArrayLike, xywh_to_box
from pvtpp.core.event_log import EventLog, is_complete, read_meta
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.inference import artefact, engine_cache
from pvtpp.predictors import n_head
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame
from pvtpp.weights import checkpoint
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.result import Result
from pvtpp_benchmarks.score import score_offline, score_online
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.studies.fuzz_damage import Case, Sound, allowed, damage, imported, of_file, reader, walk
from pvtpp_benchmarks.studies.fuzz_data import boxes
from pvtpp_benchmarks.studies.journal import Journal

TRAINING = ("pvtpp.training.recordings", "pvtpp.training.config", "pvtpp.training.windows")


def _sequence() -> VideoSequence:
    return VideoSequence("car", boxes(), size=(160, 120))


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
        with allowed(rng):
            read_meta(str(path))
        log = EventLog.read(str(path), cut_off=rng.random() < 0.5)
        for name in log.predictors:
            with allowed(rng), np.errstate(all="ignore"):
                score_online(log, sequence, name)
        with suppress(InputError):
            score_offline(log, sequence)
        made = log.predictors if isinstance(rng, Sound) else rng.choice((["hold"], ["constant_velocity", "hold"]))
        with np.errstate(all="ignore"):
            again = replay(log, {name: predictor_registry.create(name) for name in made})
        assert len(again.rows) <= 4 * len(log.rows) + 8

    def case(rng: random.Random, folder: Path) -> None:
        sound = rng.choice(logs)
        if rng.random() < 0.4:
            of_file("log.jsonl", sound, read)(rng, folder)
            return
        path = folder / "log.jsonl"
        path.write_bytes(sound if isinstance(rng, Sound) else _other_events(rng, sound))
        with allowed(rng):
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
    walk(row, places)
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
    sequences = [_sequence(), VideoSequence("dog", boxes(20))]
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
        with allowed(rng), np.errstate(all="ignore"):
            assert str(found.compare("hold", "constant_velocity"))

    return of_file("result.json", sound, read)


@reader
def export_sidecar() -> Case:
    """The sidecar of an exported network, and the engine record beside its engines."""
    graph = {
        "file": "head.onnx",
        "sha256": hashlib.sha256(b"graph").hexdigest(),
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
        with allowed(rng):
            artefact.read(path.parent)
        for name, found in artefact.read_sidecar(path.parent)["graphs"].items():
            assert isinstance(name, str) and isinstance(found["file"], str)

    return of_file(artefact.SIDECAR, json.dumps(card).encode(), read)


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
        of_file(path.with_suffix(".json").name, json.dumps(record).encode(), lambda *_: None)(rng, folder)
        assert isinstance(engine_cache.why_build(folder, "head", key), str)

    return case


@reader
def network_card() -> Case:
    """The card beside the network of an N-head predictor."""
    card = {"kappa": 30.0, "encoder": "encoder.onnx", "past": 3}

    def read(path: Path, rng: random.Random) -> None:
        n_head.files(str(path.with_suffix(".onnx")))

    return of_file("net.json", json.dumps(card).encode(), read)


@reader
def torch_checkpoint() -> Optional[Case]:
    """Checkpoints of trackers."""
    found = imported("torch")
    if found is None:
        return None
    torch, buffer = found[0], io.BytesIO()
    torch.save({"epoch": 3, "state_dict": {"module.a": torch.zeros(2, 3), "module.b": torch.ones(4)}}, buffer)

    def read(path: Path, rng: random.Random) -> None:
        assert all(isinstance(name, str) for name in checkpoint.read_checkpoint(path))

    return of_file("net.pth", buffer.getvalue(), read)


@reader
def own_weights() -> Optional[Case]:
    """Weights and their card."""
    found = imported("torch", "safetensors.torch")
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
        with allowed(rng):
            tensors, card = checkpoint.read_weights(folder / "net.safetensors")
            assert card is not tensors and isinstance(tensors, dict)

    return case


@reader
def recording() -> Optional[Case]:
    """Recordings of trackers for the training of predictors."""
    found = imported(*TRAINING)
    if found is None:
        return None
    recordings, n, rng = found[0], 5, np.random.default_rng(0)
    sound = recordings.Recording(
        "car", np.arange(n) * 10**7, np.arange(n) * 10**7 + 1, rng.uniform(1, 9, (n, 4)), np.ones(n),
        rng.uniform(1, 9, (n, 4)), np.arange(n) > 0, np.zeros((n, 2, 3, 3), np.float16),
        np.zeros((2, 2, 2), np.float16), np.arange(n) * 10**7,
        rng.uniform(1, 9, (n, 4)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "car.npz")
        sound.write(path)
        content = Path(path).read_bytes()

    def read(path: Path, rng: random.Random) -> None:
        assert len(recordings.Recording.read(path)) >= 2

    return of_file("car.npz", content, read)


@reader
def training_config() -> Optional[Case]:
    """Configurations of training in JSON."""
    found = imported(*TRAINING)
    if found is None:
        return None
    config, kind = found[1], found[2].WindowConfig
    sound = asdict(kind())

    def read(path: Path, rng: random.Random) -> None:
        assert isinstance(config.read(path, kind), kind)

    return of_file("config.json", json.dumps(sound).encode(), read)


@reader
def journal() -> Case:
    """The journal of a study."""
    lines = [json.dumps([["DTB70", i, "hold"], [0.5, None]]) for i in range(4)]

    def read(path: Path, rng: random.Random) -> None:
        Journal(str(path)).get(("DTB70", 1, "hold"))

    return of_file("journal.jsonl", ("\n".join(lines) + "\n").encode(), read)
