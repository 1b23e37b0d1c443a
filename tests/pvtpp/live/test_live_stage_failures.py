"""The live tracker: a stage that raises or answers nonsense is reported, and tracking goes on."""

import numpy as np
import pytest
from live_fakes import BOX, Clock, Quick, Steady, box_at, evidence, frame, made, until

from pvtpp.predictors import create
from pvtpp.propagation import Carried


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_raises_or_exits_is_reported_and_the_next_frame_tried(kind):
    class Moody(Quick):
        def track(self, frame, search_box=None):
            if frame.index == 1:
                raise kind("no mood")
            return super().track(frame, search_box) if frame.index != 2 else "a box"

    failures = []
    with made(Moody(), clock=Clock(), on_error=lambda failure: (failures.append(failure), 1 / 0)) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        until(lambda: len(failures) == 1)
        live.submit(frame(2))
        until(lambda: len(failures) == 2)
        live.submit(frame(3))
        until(lambda: evidence(live) == 3)
        assert [failure.stage for failure in live.errors] == ["track", "track"] and live.counts["errors"] == 2
        assert "no mood" in str(failures[0].error) and "TrackerOutput" in str(failures[1].error)


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_cannot_begin_leaves_no_target_and_the_next_one_may_succeed(kind):
    class Picky(Quick):
        def init(self, frame, box):
            if frame.index == 0:
                raise kind("not this one")
            super().init(frame, box)

    with made(Picky(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        until(lambda: not live.active)
        assert live.predict(0) is None
        until(lambda: [failure.stage for failure in live.errors] == ["init"])
        live.init(frame(1), BOX)
        live.submit(frame(2))
        until(lambda: live.active and evidence(live) == 2)


class Blind(Steady):
    def push(self, frame, region):
        super().push(frame, region)
        if frame.index % 2:
            raise (RuntimeError if frame.index == 1 else SystemExit)("cannot see")


class Wild(Steady):
    def carry(self, box, from_ns, to_ns):
        return Carried(np.full(4, np.nan), 1.0, 1)


class Sure(Steady):
    def carry(self, box, from_ns, to_ns):
        return Carried(box, 1.5, 1)


@pytest.mark.parametrize("propagator", [Blind, Wild, Sure])
def test_a_propagator_that_raises_or_answers_nonsense_costs_a_frame_and_no_result(propagator):
    seen = propagator()
    with made(Quick(), propagator=seen, clock=Clock()) as live:
        live.init(frame(0), BOX)
        for index in range(1, 5):
            live.submit(frame(index))
            # Each at its own pace: the result may be there before the propagator has looked.
            until(lambda index=index: evidence(live) == index and seen.pushed[-1:] == [index])
        until(lambda: len(live.errors) >= (2 if propagator is Blind else 1))
        assert {failure.stage for failure in live.errors} == {"propagate"}
        assert propagator is not Blind or len(live.errors) == 2


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, None])
@pytest.mark.parametrize("stage", ["encode", "predict"])
def test_a_predictor_that_raises_or_answers_nonsense_is_reported_and_the_next_result_tried(stage, kind):
    class Weak:
        reads_features = True

        def encode(self, output):
            if stage == "encode" and output.box[0] == 110:
                raise (kind or ValueError)("cannot")

        def predict(self, track):
            if stage == "predict" and len(track) == 2:
                if kind is None:
                    return "a trajectory"
                raise kind("cannot")
            return create("hold").predict(track)

    with made(Quick(), {"weak": Weak()}, clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        until(lambda: [failure.stage for failure in live.errors] == [stage])
        live.submit(frame(2))
        until(lambda: evidence(live) == 2)
        assert box_at(live, 2) == 120 and len(live.errors) == 1
