"""Containers say where they end; a file that ends before was cut off."""

import os

import cv2
import numpy as np
import pytest

from pvtpp.cli.container import is_cut_off


def written(path, codec):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 30, (64, 48))
    for value in range(20):
        writer.write(np.full((48, 64, 3), 10 * value, dtype=np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(("name", "codec"), [("clip.avi", "MJPG"), ("clip.mp4", "mp4v"), ("clip.mkv", "MJPG")])
def test_a_whole_file_is_whole_and_a_part_of_it_is_not(name, codec, tmp_path):
    path = written(tmp_path / name, codec)
    size = os.path.getsize(path)
    if not size:
        pytest.skip(f"this OpenCV does not write {name}")
    assert not is_cut_off(path)
    for part in (size - 1, size // 2):
        os.truncate(path, part)
        assert is_cut_off(path), part


def element(name, body, length=None):
    size = bytes([0x01, *len(body).to_bytes(7, "big")]) if length is None else length
    return name + size + body


def test_matroska_that_was_written_to_a_pipe_does_not_say_where_it_ends(tmp_path):
    path = tmp_path / "live.mkv"
    header = element(b"\x1a\x45\xdf\xa3", b"\x42\x86\x81\x01")
    path.write_bytes(header + element(b"\x18\x53\x80\x67", bytes(50), length=b"\x01" + b"\xff" * 7))
    assert not is_cut_off(path)
    path.write_bytes(header + element(b"\x18\x53\x80\x67", bytes(50)))
    assert not is_cut_off(path)
    os.truncate(path, len(header) + 30)
    assert is_cut_off(path)


def test_a_box_of_64_bits_and_one_to_the_end_of_the_file(tmp_path):
    path, first = tmp_path / "clip.mp4", b"\0\0\0\x10ftypisom\0\0\0\0"
    path.write_bytes(first + b"\0\0\0\x01mdat" + (40).to_bytes(8, "big") + bytes(24))
    assert not is_cut_off(path)
    path.write_bytes(first + b"\0\0\0\x01mdat" + (41).to_bytes(8, "big") + bytes(24))
    assert is_cut_off(path)
    path.write_bytes(first + b"\0\0\0\0mdat" + bytes(24))
    assert not is_cut_off(path)


@pytest.mark.parametrize(
    "content", [b"", b"RIF", b"\0\0\0\x03ftypisom", b"\x47" * 400, b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x80" * 40]
)
def test_what_is_no_container_is_not_said_to_be_cut_off(content, tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(content)
    assert not is_cut_off(path)
    assert not is_cut_off(tmp_path / "missing")


def test_random_bytes_after_every_known_beginning_raise_nothing(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "clip"
    for begin in (b"RIFF", b"\x1a\x45\xdf\xa3", b"\0\0\0\x10ftyp", b"\0\0\0\0moov"):
        for _ in range(50):
            path.write_bytes(begin + rng.integers(0, 256, rng.integers(0, 80), dtype=np.uint8).tobytes())
            assert is_cut_off(path) in (True, False)
