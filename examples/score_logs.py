"""Run once, score later: event logs on disk are scored again with other predictors and metrics; no tracker runs."""

import tempfile

import pvtpp
from pvtpp_benchmarks.synthetic import AerialClip, render

clips = [render(AerialClip(f"seed {seed}", seed, 320, 180, seconds=2.0, occlusions=())) for seed in (9, 10)]
with tempfile.TemporaryDirectory() as logs:
    pvtpp.evaluate("kcf", clips, processing="47ms", predictors="hold", offline=False, logs=logs)
    result = pvtpp.score(logs, clips, predictors=["hold", "constant_velocity", "kalman"], mode=["otb", "strict"])
    result.write(f"{logs}/result.json")
    print(pvtpp.Result.read(f"{logs}/result.json"))
