"""The timing script scores every tracker on every data set, and writes its figures with the hardware."""

from __future__ import annotations

import json
import tarfile

import numpy as np

from pvtpp_benchmarks.speed import score_files


def test_it_writes_figures_and_hardware(tmp_path, capsys):
    truth = tmp_path / "truth"
    for subset in score_files.SETS.values():
        (truth / subset).mkdir(parents=True)
        for name in ("a", "b"):
            np.savetxt(truth / subset / f"{name}.txt", np.tile([10.0, 20, 30, 40], (12, 1)), "%g", ",")
    (tmp_path / "annotations").mkdir()
    with tarfile.open(tmp_path / "annotations" / "uav_annos.tar.xz", "w:xz") as archive:
        for folder in truth.iterdir():
            archive.add(folder, folder.name)
    path = tmp_path / "figures.json"
    assert score_files.main([str(tmp_path), "--trackers", "2", "--repeats", "1", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    assert figures["rows"]["runs"] == 2 * 3 * 2 and figures["rows"]["frames"] == 2 * 3 * 2 * 12
    assert set(figures["mauc"]) == {f"{dataset} T{n}" for dataset in score_files.SETS for n in (0, 1)}
    assert figures["protocol"]["hardware"]["machine"]
    assert "wall_s" in capsys.readouterr().out
