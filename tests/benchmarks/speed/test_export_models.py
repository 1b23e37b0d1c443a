"""The scripts behind the figures of the export run and write their figures."""

from __future__ import annotations

import json

import pytest

for package in ("torch", "onnx", "onnxruntime"):
    pytest.importorskip(package)


def test_a_network_is_exported_in_both_forms_and_timed(tmp_path, capsys):
    from pvtpp_benchmarks.speed import export_models

    path = tmp_path / "figures.json"
    assert export_models.main(["--models", "nanotrack-v3", "--frames", "1", "--json", str(path)]) == 0
    (row,) = json.loads(path.read_text())["rows"]
    assert set(row["median_ms"]) == {"torch", "grouped", "unrolled"} and min(row["faster"].values()) > 0
    assert row["grouped"]["relative"] <= 1e-4 and row["unrolled"]["relative"] <= 1e-4
    assert "nanotrack-v3" in capsys.readouterr().out


@pytest.mark.real_data
def test_torch_our_graphs_and_the_published_ones_track_the_same(data_root, weights_root, tmp_path, monkeypatch):
    from pvtpp_benchmarks.speed import export_parity

    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "figures.json"
    arguments = [str(data_root / "uav-mini"), "--sequences", "wakeboard7", "--candidates", "published,grouped fp32"]
    assert export_parity.main([*arguments, "--json", str(path)]) == 0
    rows = json.loads(path.read_text())["rows"]
    assert [row["candidate"] for row in rows] == ["published", "grouped fp32"]
    for row in rows:
        assert all(each["absolute"] <= 1e-3 for each in row["tensors"].values())
        assert row["boxes"]["max_px"] <= 0.5
        assert row["tracks"]["candidate"] == pytest.approx(row["tracks"]["reference"], abs=0.005)
