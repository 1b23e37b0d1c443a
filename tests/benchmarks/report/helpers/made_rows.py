"""Results by formula, of the shape that `pvtpp eval --json` writes: the same on every machine and for every scorer."""

import json
import math

import numpy as np

TRACKERS = ("north", "east", "south", "west")
PREDICTORS = ("hold", "constant_velocity", "kalman", "ensemble")
ATTRIBUTES = ("fast motion", "occlusion", "scale variation", "deformation", "similar objects")
SIGMAS = np.arange(51) / 50


def rounded(values):
    return [round(float(value), 6) for value in values]


def made_row(tracker, number, predictor, clips, ms, rates=(30.0, 30.0), mode="otb"):
    """A row with every field; `predictor` None is zero latency, `number` that of the tracker."""
    online = predictor is not None
    step = PREDICTORS.index(predictor) if online else 4
    base = 0.62 - 0.03 * number - (0.0 if not online else ms * (0.0035 - 0.0008 * step))
    aucs = {
        clip: round(base + 0.16 * math.sin(1.7 * i + 0.3 * number + 0.05 * step), 6) for i, clip in enumerate(clips)
    }
    auc = float(np.mean(list(aucs.values())))
    curve = rounded(auc + (0.62 - 0.03 * number - auc) * SIGMAS**2)
    on = predictor == "ensemble"
    figures = {"losses": 4, "noticed": 3, "frames": 2000, "lost": 120, "said": 110, "precision": 0.8, "recall": 0.733}
    losses = {**figures, "precision_in_time": 0.9, "recall_in_time": 0.85, "seconds_to_notice": [0.2, 0.6]}
    thresholds = {
        "success": np.arange(21) / 20,
        "precision": np.arange(51.0),
        "norm_precision": np.arange(51) / 100,
    }
    values = {
        "success": np.clip(1.5 * auc * (1 - thresholds["success"] ** 2), 0, 1),
        "precision": 1 - np.exp(-thresholds["precision"] * auc / 12),
        "norm_precision": 1 - np.exp(-thresholds["norm_precision"] * auc * 11),
    }
    latency = {
        **{"n": 900 + number, "median_ms": 1.2 * ms + 4, "p95_ms": 1.5 * ms + 9, "p99_ms": 1.7 * ms + 12},
        **{"worst_ms": 2.0 * ms + 20, "worst_stall_ms": 2.0 * ms + 40, "age_n": 2000},
        **{"age_median_ms": 1.6 * ms + 17, "age_p95_ms": 2.2 * ms + 25, "age_worst_ms": 3.0 * ms + 30},
    }
    return {
        "dataset": "generated",
        "tracker": tracker,
        "predictor": predictor,
        "propagation": ("optical_flow" if on else "none") if online else None,
        "schedule": "async" if online else None,
        "search_region": "predicted" if on else "last",
        "presence": ("on" if on else "off") if online else None,
        "ego_motion": "none" if online else None,
        "clock": "simulated",
        "version": "0123456789ab",
        "evaluation": "online" if online else "offline",
        "mode": mode,
        "processing": f"{ms:g}ms" if online else None,
        "processing_ms": float(ms) if online else 0.0,
        "predictor_ms": 0.0,
        "camera_fps": rates[0],
        "world_fps": rates[1] if online else rates[0],
        "sigma": 0.0,
        "auc": auc,
        "auc_std": None,
        "auc_ci95": [auc - 0.07, auc + 0.06] if len(clips) > 1 else None,
        "dp20": auc * 1.25,
        "norm_precision": auc * 1.1,
        "mauc": float(np.mean(curve)) if online else None,
        "mdp": float(np.mean(curve)) * 1.25 if online else None,
        "outages": {
            **{"nt2f": round(0.5 + auc / 2, 6), "outage_s": [round(1 - auc, 3), 3.2], "returns": 5, "found": 4},
            **{"found_in_1_s": 0.6, "seconds_to_find": [0.4, 1.5]},
        },
        "losses": losses if on else None,
        "runs": len(clips),
        "starts": 1,
        "draws": 1,
        "jitter_px": 0.0,
        "sequences": len(clips),
        "frames": 200 * len(clips),
        "per_sequence": aucs,
        "curve": {measure: rounded(np.multiply(curve, by)) for measure, by in (("auc", 1), ("dp", 1.25))}
        if online
        else None,
        "exact_curve": {"sigma": SIGMAS.tolist(), "auc": curve} if online else None,
        "apart": False,
        "plots": {
            name: {"threshold": rounded(thresholds[name]), "value": rounded(values[name])} for name in thresholds
        },
        "by_sequence": {
            clip: {
                **{"auc": value, "dp20": round(1.25 * value, 6), "norm_precision": round(1.1 * value, 6)},
                **{
                    "nt2f": round(0.5 + value / 2, 6),
                    "outage_s": round(1.5 * (1 - value), 6),
                    "frames": 200,
                    "runs": 1,
                },
                "world_frames_per_s": rates[1],
                "unpredictability": round(ms * 0.004 * (1 + math.sin(i)), 6) if online else None,
                **({"losses": losses} if on else {}),
            }
            for i, (clip, value) in enumerate(aucs.items())
        },
        "coverage": None
        if not online
        else {
            "frames": 2000,
            "centre": {"50": round(0.4 + 0.02 * step, 6), "90": round(0.8 + 0.02 * step, 6), "95": 0.93},
            "size": {"50": 0.55, "90": round(0.86 + 0.01 * step, 6), "95": 0.96},
        },
        "latency": latency if online else None,
        "attributes": {
            name: {
                "auc": round(auc * (0.8 + 0.08 * i), 6),
                "dp20": round(auc * (0.9 + 0.08 * i), 6),
                "sequences": 2 + i,
            }
            for i, name in enumerate(ATTRIBUTES)
        },
        "charged": {
            "tracker": f"{ms:g}ms" if online else "nothing",
            "propagation_step_ms": 2.5 if on else None,
            "predictor_ms": 0.0 if online else None,
            "propagation_core": "own" if on else None,
            "not_charged": ["reading and decoding of the image", "the predictor"] if online else ["everything"],
        },
    }


def made_rows(trackers=4, predictors=4, clips=12, times=(47,), rates=((30.0, 30.0),), mode="otb"):
    """Rows of so many trackers and predictors, with zero latency; every camera rate has clips of its own."""
    rows = []
    for camera, (shown, world) in enumerate(rates):
        names = [f"clip{camera}{i:02d}" for i in range(clips)]
        for number, tracker in enumerate(TRACKERS[:trackers]):
            rows.append(made_row(tracker, number, None, names, 0, (shown, world), mode))
            for ms in times:
                for predictor in PREDICTORS[4 - predictors :] if predictors < 4 else PREDICTORS:
                    rows.append(made_row(tracker, number, predictor, names, ms, (shown, world), mode))
    return rows


PROTOCOL = {
    "versions": {"pvtpp": "0.1.0", "python": "3.11.2"},
    "commit": "0123456789ab",
    "hardware": {"machine": "a generated machine", "cores": 2, "system": "none"},
    "power": {"governor": "performance", "cpu": [{"min": 800000, "max": 2400000, "cur": 2400000}] * 2},
    "load": [0.5, 0.25, 0.125],
    "threads": {"processors": 2, "cv2": 2},
    "providers": ["CPUExecutionProvider"],
    "seed": 0,
    "command": "pvtpp eval --generated",
    "data": {"dataset": "generated", "sequences": 12, "frames": 2400, "digest": "abcdef012345"},
}


def write_result(path, rows, **protocol):
    """Write the rows as a result file."""
    path.write_text(json.dumps({"protocol": {**PROTOCOL, **protocol}, "rows": rows}))
    return path
