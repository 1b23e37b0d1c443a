"""Cases of `fuzz_readers`: files of data sets, results of trackers, processing times, images."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tarfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import check_image
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_flags
from pvtpp_benchmarks.datasets.box_format import ORDERS, SCALES, SEPARATORS, BoxFormat, read_boxes
from pvtpp_benchmarks.datasets.dataset_check import check
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.gyro import read as read_gyro
from pvtpp_benchmarks.datasets.image_files import decode, read_header, read_image
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import read_results
from pvtpp_benchmarks.studies.fuzz_damage import Case, Sound, allowed, damage, imported, of_file, reader

# By name: the benchmarks must not need the nodes. Where they are not importable their reader is left out.
ROS_IMAGES = "pvtpp_ros_nodes.images"


def boxes(count: int = 12) -> np.ndarray:
    """Boxes ``[left, top, w, h]`` of a target that moves, pixels, shape ``(count, 4)``."""
    i = np.arange(count)[:, None]
    return (np.array([[20.0, 15, 12, 8]]) + i * np.array([[2.5, 1.0, 0.1, 0.1]])).round(2)


def _rows(values: np.ndarray, separator: str = ",") -> bytes:
    return "".join(separator.join(f"{value:g}" for value in row) + "\n" for row in values).encode()


@reader
def box_file() -> Case:
    """Box files in every format."""

    def read_as(path: Path, form: BoxFormat) -> None:
        found = read_boxes(str(path), form, (160, 120))
        assert found.ndim == 2 and found.shape[1] == 4 and found.dtype == np.float64
        VideoSequence("car", found, size=(160, 120))

    def case(rng: random.Random, folder: Path) -> None:
        header, separator = rng.random() < 0.3, rng.choice((None, *SEPARATORS))
        mark = {None: " ", "tab": "\t"}.get(separator, separator or ",")
        other = BoxFormat(rng.choice(ORDERS), rng.choice(("", *SCALES)), rng.random() < 0.3, rng.choice(SEPARATORS))

        def read(path: Path, rng: random.Random) -> None:
            with suppress(InputError):
                read_as(path, other)
            read_as(path, BoxFormat(header=header, separator=separator))

        names = mark.join("xywh").encode() + b"\n" if header else b""
        of_file("groundtruth.txt", names + _rows(boxes(), mark), read)(rng, folder)

    return case


@reader
def flags() -> Case:
    """Flags of absent targets."""

    def read(path: Path, rng: random.Random) -> None:
        assert read_flags(str(path), 12).shape == (12,)

    return of_file("absence.label", b"0\n1\n0\n0\n0\n0\n1\n1\n0\n0\n0\n0\n", read)


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
        "val/car/groundtruth.txt": _rows(boxes()),
        "val/car/groundtruth_30fps.txt": _rows(boxes(34)),
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
            with allowed(rng):
                dataset = load(kind, folder, split)
                check(dataset)
                for name in dataset.names:
                    with allowed(rng):
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

    return of_file("gyro.csv", times, read)


@reader
def processing_trace() -> Case:
    """Recorded processing times, in one column or several."""

    def read(path: Path, rng: random.Random) -> None:
        for text in (f"trace:{path}", f"empirical:{path}*0.5", f"trace:{path.parent}*0.1"):
            with allowed(rng):
                model = processing.parse(text)
                took = model.start("car", 3)
                assert all(0 <= took(i) <= processing.LONGEST_S * 10**9 for i in range(40)) and model.median_ms() >= 0

    def case(rng: random.Random, folder: Path) -> None:
        columns = rng.choice((1, 1, 3))
        sound = _rows(np.random.default_rng(0).uniform(0.01, 0.1, (20, columns)))
        of_file("car_time.txt", sound, read)(rng, folder)

    return case


@reader
def bench_times() -> Case:
    """The JSON of ``pvtpp bench``."""

    def read(path: Path, rng: random.Random) -> None:
        model = processing.parse(f"bench:{path}")
        assert 0 <= model.start("car")(1) <= processing.LONGEST_S * 10**9

    sound = {"frame_s": [0.5, 0.02, 0.03, 0.02], "stages": {"backbone": {"median_ms": 3.5}}, "protocol": {"seed": 0}}
    return of_file("orin.json", json.dumps(sound).encode(), read)


@reader
def tracker_results() -> Case:
    """Result files of trackers in the layouts of toolkits."""

    def read(path: Path, rng: random.Random) -> None:
        lengths = {"car": 12} if rng.random() < 0.5 else None
        root = path.parent if path.name == "car.txt" else path.parent.parent
        assert read_results(str(root), ["car"], lengths)["car"].xywh.shape[2] == 4

    def case(rng: random.Random, folder: Path) -> None:
        name = rng.choice(("car.txt", "car/car_001.txt"))
        of_file(name, _rows(boxes(), rng.choice((",", "\t", " "))), read)(rng, folder)

    return case


@reader
def tracker_runs() -> Case:
    """Runs of trackers as pickles, and regions of VOT as binary files."""
    clip = VideoSequence("car", boxes())

    def read(path: Path, rng: random.Random) -> None:
        root = path.parent if path.suffix == ".pkl" else path.parent.parent
        assert read_results(str(root), ["car"], {"car": 12}, clips=[clip])["car"].xywh.shape[1:] == (12, 4)

    def case(rng: random.Random, folder: Path) -> None:
        rows = boxes()
        regions = b"".join(struct.pack("<B4f", 1, *row) for row in rows.tolist())
        run = {"results_raw": list(rows[::2]), "timestamps": [0.04 + i / 15 for i in range(6)]}
        run.update(input_fidx=list(range(0, 12, 2)), runtime=[0.04] * 6)
        sound = {
            "car.pkl": pickle.dumps(run, rng.randrange(pickle.HIGHEST_PROTOCOL + 1)),
            "car/car_001.bin": struct.pack("<hI", 1, 12) + regions,
        }
        name = rng.choice(sorted(sound))
        of_file(name, sound[name], read)(rng, folder)

    return case


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
        if rng.random() < 0.1 and not isinstance(rng, Sound):
            names[1] = rng.choice(("x.xml", "000009.xml", ".000001.xml", "-1.xml", "1e3.xml", "²5.xml"))
        damaged = rng.randrange(3)
        for number, name in enumerate(names):
            sound = text.format(10 + number).encode()
            (video / name).write_bytes(damage(rng, sound) if number == damaged else sound)
        for _ in range(2):
            with allowed(rng):
                for sequence in load("imagenet-vid", folder):
                    assert len(sequence) >= 2
        for index in (folder / "cache").rglob("*.json"):
            index.write_bytes(damage(rng, index.read_bytes()))
        with allowed(rng):
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
            (folder / "val" / name / "groundtruth.txt").write_bytes(_rows(boxes()))
        for name, sound in files.items():
            (folder / name).write_bytes(damage(rng, sound) if name == damaged else sound)
        with allowed(rng):
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
                info.size = len(_rows(boxes()))
                archive.addfile(info, io.BytesIO(_rows(boxes())))
        packed[mode] = buffer.getvalue()

    def read(path: Path, rng: random.Random) -> None:
        check(load("annotations", path, "A"))

    def case(rng: random.Random, folder: Path) -> None:
        of_file("boxes.tar", packed[rng.choice(list(packed))], read)(rng, folder)

    return case


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
        with allowed(rng):
            assert decode(str(path)).ndim == 3
        check_image(read_image(str(path)))

    def case(rng: random.Random, folder: Path) -> None:
        ending = rng.choice(list(coded))
        of_file(f"1{ending}", coded[ending], read)(rng, folder)

    return case


@reader
def ros_image() -> Optional[Case]:
    """Images of ROS messages, raw and compressed."""
    found = imported(ROS_IMAGES)
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
        if isinstance(rng, Sound):
            message = SimpleNamespace(height=2, width=3, step=10, encoding="rgb8", is_bigendian=0, data=bytes(20))
        for convert, given in ((images.raw_image, message), (images.compressed_image, packed)):
            with allowed(rng):
                image = convert(given)
                check_image(image() if callable(image) else image)

    return case
