"""What a result says of its origin: enough to tell two data sets and two machines apart."""

import json
from dataclasses import replace

import numpy as np

from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import data_facts, facts

BOXES = np.tile([10.0, 20.0, 30.0, 40.0], (12, 1))
CLIPS = [VideoSequence("a", BOXES), VideoSequence("b", BOXES[:8] + 1.0, 30.0, 10.0)]


def test_facts_can_be_written_and_name_machine_load_and_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = json.loads(json.dumps(facts(5), allow_nan=False))
    assert found["seed"] == 5 and found["hardware"]["cores"] >= 1
    assert found["threads"]["processors"] >= 1 and found["threads"]["OMP_NUM_THREADS"] == "3"
    assert isinstance(found["power"], dict)
    assert found["load"] is None or (len(found["load"]) == 3 and all(each >= 0 for each in found["load"]))
    assert ("onnxruntime" in found["versions"]) == bool(found["providers"])


def test_data_are_known_by_boxes_and_rates_and_not_by_their_order():
    found = data_facts("clips", CLIPS)
    assert (found["dataset"], found["sequences"], found["frames"]) == ("clips", 2, 12 + 3)
    assert data_facts("clips", CLIPS[::-1]) == found
    for other in (
        CLIPS[:1],
        [CLIPS[0], replace(CLIPS[1], name="c")],
        [CLIPS[0], replace(CLIPS[1], world_fps=60.0)],
        [CLIPS[0], VideoSequence("b", BOXES[:8] + 1.5, 30.0, 10.0)],
    ):
        assert data_facts("clips", other)["digest"] != found["digest"]
