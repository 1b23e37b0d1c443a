"""Results of several files joined: equal rows once, contradictions named, nothing of two data sets mixed."""

import json

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.result import Result

CLIPS = [VideoSequence(f"clip {step}", np.array([[step * i, 20.0, 60, 50] for i in range(60)])) for step in (1, 5)]


def made(predictors, tracker="oracle", dataset="d", protocol=None, clips=CLIPS):
    settings = {"processing": "47ms", "propagation": "none", "presence": "off", "search_region": "last"}
    rows = evaluate(clips, make_grid(dataset, tracker, predictors=predictors, **settings), Oracle)
    return Result(tuple(json.loads(json.dumps(rows))), protocol or {"seed": 0})


@pytest.fixture
def written(tmp_path):
    def write(name, result):
        result.write(str(tmp_path / name))
        return str(tmp_path / name)

    return write


def test_rows_of_two_files_are_those_of_one_evaluation(written):
    files = [written("a.json", made(["hold"])), written("b.json", made(["kalman", "hold"]))]
    merged, whole = Result.merged(files), made(["hold", "kalman"])
    assert merged.rows == whole.rows and merged.compare("hold", "kalman") == whole.compare("hold", "kalman")
    assert merged.protocol == {"seed": 0}
    assert Result.merged([whole]) == whole


def test_the_protocol_keeps_what_differs_by_file(written):
    a, b = (
        written(f"{commit}.json", made(["hold"], name, protocol={"seed": 0, "commit": commit}))
        for name, commit in (("A", "one"), ("B", "two"))
    )
    protocol = Result.merged([a, b]).protocol
    assert protocol["seed"] == 0 and "commit" not in protocol
    assert {source: part["commit"] for source, part in protocol["parts"].items()} == {a: "one", b: "two"}


def test_a_merged_result_is_written_and_read(written, tmp_path):
    merged = Result.merged([made(["hold"], "A"), made(["hold"], "B")])
    assert Result.read(written("merged.json", merged)).rows == merged.rows
    assert [row["tracker"] for row in merged.rows if row["predictor"]] == ["A", "B"]


def test_of_two_equal_rows_the_one_with_more_fields_stays():
    new = made(["hold"])
    old = Result(tuple({k: v for k, v in row.items() if k not in ("plots", "latency")} for row in new.rows))
    for order in ([old, new], [new, old]):
        assert Result.merged(order).rows == new.rows


def test_rows_that_contradict_each_other_are_named_with_their_files(written):
    right = made(["hold"])
    wrong = Result((right.rows[0], {**right.rows[1], "auc": 0.5, "version": "other"}), right.protocol)
    files = [written("right.json", right), written("wrong.json", wrong)]
    message = (
        r"right\.json and .*wrong\.json: two rows of oracle/hold \(47ms, otb\) .* differ in auc: .* and 0\.5; their"
    )
    with pytest.raises(InputError, match=message):
        Result.merged(files)


def test_other_clips_are_other_rows_and_other_data_sets_are_refused():
    assert len(Result.merged([made(["hold"]), made(["hold"], clips=CLIPS[:1])]).rows) == 4
    with pytest.raises(InputError, match="result 1 is of the data set 'd', result 2 of 'e'"):
        Result.merged([made(["hold"]), made(["hold"], dataset="e")])
    with pytest.raises(InputError, match="there is no result to merge"):
        Result.merged([])
