"""Small data that the commands run on."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def clips(tmp_path):
    """Two plain-folder sequences of a bright square that moves over noise, 24 frames each."""
    rng = np.random.default_rng(0)
    for name, speed in (("left", -4), ("right", 5)):
        folder = tmp_path / "clips" / name / "img"
        folder.mkdir(parents=True)
        ground = cv2.GaussianBlur(rng.integers(0, 255, (120, 200, 3), dtype=np.uint8), (0, 0), 3)
        lines = []
        for i in range(24):
            left, top = 90 + speed * i * 3 // 4, 40 + i
            image = ground.copy()
            image[top : top + 24, left : left + 28] = (0, 220, 250)
            image[top + 6 : top + 12, left + 5 : left + 20] = (200, 20, 20)
            cv2.imwrite(str(folder / f"{i + 1:06d}.png"), image)
            lines.append(f"{left},{top},28,24")
        (folder.parent / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "clips"


@pytest.fixture
def results(tmp_path, clips):
    folder = tmp_path / "results" / "MyTracker"
    folder.mkdir(parents=True)
    for name in ("left", "right"):
        (folder / f"{name}.txt").write_text((clips / name / "groundtruth.txt").read_text())
    return folder
