"""Train a predictor on boxes alone, then fly it: the live tracker looks where it expects the target. About a minute.

This training is a small one. Leave --config and --calibration out for a real one, and put your boxes in its folder.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import pvtpp
from pvtpp.boxes import xywh_to_box
from pvtpp.cli.main import main
from pvtpp_benchmarks.synthetic import AerialClip, render


def clip(seed):
    return render(AerialClip(f"clip-{seed}", seed, 320, 180, seconds=4.0, target_px=30.0, occlusions=()))


with tempfile.TemporaryDirectory() as folder:
    Path(folder, "boxes").mkdir()
    for seed in range(20, 60):  # a file for each target, a line for each frame: left, top, width, height
        np.savetxt(Path(folder, "boxes", f"{seed}.txt"), clip(seed).ground_truth_xywh, "%.2f", ",")
    small = '{"epochs": 1, "epoch_batches": 150, "validation_windows": 1024}'
    main(
        ["train", "motion", "--dataset", "annotations", "--root", f"{folder}/boxes", "--out", f"{folder}/run"]
        + ["--config", small, "--calibration", '{"steps": 300}']
    )
    flown = clip(9)
    with pvtpp.LiveTracker("csrt", predictor=f"motion:{folder}/run/motion.onnx") as live:
        for index in range(60):
            frame = pvtpp.Frame(index, time.time_ns(), flown.frame(index).image)
            live.submit(frame)
            if index == 0:
                live.init(frame, xywh_to_box(flown.ground_truth_xywh[0]))
            time.sleep(1 / flown.camera_fps)
        now, true = live.predict(time.time_ns()).box, xywh_to_box(flown.ground_truth_xywh[index])
        print(f"flown with it: the target is at {now[0]:.0f}, {now[1]:.0f} px; truth {true[0]:.0f}, {true[1]:.0f} px")
