"""Weights: the order of search, hashes, downloads that are complete or leave nothing, errors that say what to do."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading

import pytest

from pvtpp import weights
from pvtpp.errors import InputError
from pvtpp.weights import catalogue

CONTENT = {"one.onnx": b"first graph" * 20000, "two.onnx": b"second graph"}


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A catalogue of one made-up entry, served on loopback; the folder that is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    files = tuple(
        catalogue.WeightFile(
            name, f"http://127.0.0.1:{server.server_port}/{name}", hashlib.sha256(content).hexdigest(), len(content)
        )
        for name, content in CONTENT.items()
    )
    entry = catalogue.Entry("toy", "toys", files, "none", "made up")
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("PVTPP_WEIGHTS", "PVTPP_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def offline(served, monkeypatch):
    monkeypatch.setenv("PVTPP_OFFLINE", "1")
    return served


def filled(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


def test_missing_weights_are_downloaded_once_to_the_cache(served, tmp_path):
    seen = []
    folder = weights.find("toy", progress=lambda *step: seen.append(step))
    assert folder == tmp_path / "cache" / "weights" / "toys"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT
    assert seen[-1] == ("two.onnx", 12, 12)
    assert [done for name, done, _ in seen if name == "one.onnx"] == sorted({done for _, done, _ in seen} - {12})
    for path in served.iterdir():
        path.unlink()
    assert weights.find("toy") == folder


def test_a_given_folder_comes_before_the_environment_and_that_before_the_cache(offline, tmp_path, monkeypatch):
    cached = filled(tmp_path / "cache" / "weights" / "toys")
    assert weights.path("toy") == cached
    named = filled(tmp_path / "named")
    monkeypatch.setenv("PVTPP_WEIGHTS", str(named))
    assert weights.path("toy") == named
    given = filled(tmp_path / "given")
    assert weights.path("toy", given) == given
    assert weights.find("toy", str(given)) == given


def test_the_entrys_own_folder_below_a_weights_folder_is_found(offline, tmp_path, monkeypatch):
    inner = filled(tmp_path / "all" / "toys")
    assert weights.path("toy", tmp_path / "all") == inner
    monkeypatch.setenv("PVTPP_WEIGHTS", str(tmp_path / "all"))
    assert weights.path("toy") == inner


def test_one_of_the_files_stands_for_its_folder(offline, tmp_path):
    given = filled(tmp_path / "given")
    assert weights.path("toy", given / "two.onnx") == given


def test_a_given_place_without_the_weights_is_an_error_whatever_the_cache_holds(offline, tmp_path):
    filled(tmp_path / "cache" / "weights" / "toys")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: toy needs one.onnx and two.onnx"):
        weights.find("toy", tmp_path / "empty")
    with pytest.raises(InputError, match="absent: no such weights.*one.onnx and two.onnx"):
        weights.find("toy", tmp_path / "absent")
    (tmp_path / "empty" / "other.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"other.onnx: not a file of toy"):
        weights.find("toy", tmp_path / "empty" / "other.onnx")


def test_a_wrong_hash_shows_both(offline, tmp_path):
    given = filled(tmp_path / "given")
    (given / "two.onnx").write_bytes(b"another network")
    wrong, right = (hashlib.sha256(content).hexdigest() for content in (b"another network", CONTENT["two.onnx"]))
    with pytest.raises(InputError, match=f"two.onnx: sha256 is {wrong}, expected {right}"):
        weights.find("toy", given)


def test_offline_says_which_files_to_put_where(offline, tmp_path):
    for look in (weights.find, weights.path, weights.pull):
        with pytest.raises(InputError) as caught:
            look("toy")
        for part in (
            "one.onnx",
            "two.onnx",
            str(tmp_path / "cache" / "weights" / "toys"),
            "PVTPP_WEIGHTS",
            "http://127",
        ):
            assert part in str(caught.value)


def test_an_unreachable_server_says_which_files_to_put_where(served, monkeypatch):
    (entry,) = catalogue.CATALOGUE
    dead = catalogue.WeightFile("one.onnx", "http://127.0.0.1:9/one.onnx", "0" * 64, 1)
    monkeypatch.setattr(catalogue, "CATALOGUE", (catalogue.Entry("toy", "toys", (dead,), entry.licence, entry.note),))
    with pytest.raises(InputError, match="cannot fetch one.onnx.*put one.onnx"):
        weights.find("toy")


def test_a_file_gone_from_the_server_is_an_input_error(served):
    (served / "two.onnx").unlink()
    with pytest.raises(InputError, match="two.onnx.*404"):
        weights.pull("toy")


def test_a_server_that_hangs_up_is_not_reported_as_a_disk_that_cannot_be_written(served, monkeypatch, tmp_path):
    def hang_up(*arguments, **options):
        raise ConnectionResetError("hung up")

    monkeypatch.setattr("urllib.request.urlopen", hang_up)
    with pytest.raises(InputError, match=r"cannot fetch one\.onnx.*hung up.*put one\.onnx") as caught:
        weights.pull("toy")
    assert "cannot write" not in str(caught.value)


def test_a_wrong_or_truncated_download_leaves_nothing_behind(served, tmp_path):
    (served / "one.onnx").write_bytes(CONTENT["one.onnx"][:1000])
    with pytest.raises(
        InputError, match=r"one.onnx: the download has sha256 .* \(1000 bytes\), expected .* \(220000 bytes\)"
    ):
        weights.pull("toy")
    assert list((tmp_path / "cache" / "weights" / "toys").iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(served, tmp_path):
    def interrupt(*step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.pull("toy", interrupt)
    assert list((tmp_path / "cache" / "weights" / "toys").iterdir()) == []


def test_pull_replaces_what_is_damaged_in_the_cache(served, tmp_path):
    folder = filled(tmp_path / "cache" / "weights" / "toys")
    (folder / "one.onnx").write_bytes(b"torn")
    with pytest.raises(InputError, match="sha256"):
        weights.find("toy")
    weights.pull("toy")
    assert weights.find("toy") == folder


def test_an_unwritable_cache_is_an_input_error(served, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot fetch one.onnx.*cannot write.*put one.onnx"):
        weights.pull("toy")


def test_unknown_weights_list_the_catalogue():
    with pytest.raises(InputError, match="'dog'.*nanotrack-v3"):
        weights.find("dog")


def test_the_catalogue_is_complete():
    for entry in weights.list_entries():
        assert entry.licence and entry.files
        for file in entry.files:
            if file.url:
                assert file.url.startswith("https://") and len(file.sha256) == 64 and file.size > 0
            else:
                assert "github.com/" in entry.note


@pytest.mark.real_data
def test_the_real_weights_match_the_catalogue(weights_root):
    folder = weights.path("nanotrack-v3", weights_root)
    for file in catalogue.entry("nanotrack-v3").files:
        assert (folder / file.name).stat().st_size == file.size


def test_weights_without_an_address_are_asked_for_by_hand_and_taken_as_they_are(served, tmp_path, monkeypatch):
    entry = catalogue.Entry(
        "manual", "by_hand", (catalogue.WeightFile("model.pth"),), "none", "example.org/zoo: manual there"
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))
    for attempt in (weights.find, weights.pull, weights.path):
        with pytest.raises(
            weights.MissingWeights, match=r"put model\.pth \(from example\.org/zoo: manual there\) into .*by_hand"
        ):
            attempt("manual")
    monkeypatch.setenv("PVTPP_WEIGHTS", str(tmp_path))
    for folder, content in (("by_hand", b"its own"), (".", b"another one")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "model.pth").write_bytes(content)
    assert weights.find("manual") == tmp_path / "by_hand"


def test_an_address_without_a_hash_is_refused():
    with pytest.raises(InputError, match="no sha256 or size"):
        catalogue.WeightFile("model.pth", "http://127.0.0.1/model.pth")
