"""The state machine, driven by hand: which results are encoded, and when."""

from by_hand import FRAME, PREDICTOR, Reader, started

from pvtpp.core.commands import Encode, Predict
from pvtpp.core.state_machine import UNENCODED_KEPT
from pvtpp.predictors import create


def test_each_result_is_encoded_once_and_for_those_alone_that_read_features():
    reader = Reader()
    hand = started({"reader": reader, "hold": create("hold")})
    asked = []
    for index in (1, 2, 3):
        hand.frame(index)
        asked += hand.tracked()
        hand.encoded()
        hand.predicted()
    assert [type(each) for each in asked] == [Encode] * 3
    assert reader.encoded == [100, 110, 120, 130]
    assert reader.seen[-1] == tuple(f"encoding of {x}" for x in (100, 110, 120, 130))
    # The tracks differ in their encodings alone.
    hand.frame(4)
    hand.tracked()
    hand.encoded()
    tracks = hand.todo[PREDICTOR].tracks
    assert tracks["hold"].encodings == (None,) * 5 and tracks["reader"].t_ns == tracks["hold"].t_ns


def test_predictors_that_read_no_features_are_not_asked_to_encode_and_those_that_do_not_say_are():
    class Silent:
        def encode(self, output):
            return 7

        def predict(self, track):
            assert track.encodings == (7,) * len(track)
            return create("hold").predict(track)

    hand = started()
    hand.frame(1)
    assert [type(each) for each in hand.tracked()] == [Predict] and hand.log.of_kind("encoded") == []
    hand = started({"silent": Silent(), "hold": create("hold")})
    hand.frame(1)
    assert [type(each) for each in hand.tracked()] == [Encode]
    hand.settle()


def test_of_results_that_wait_for_a_slow_predictor_the_newest_are_encoded():
    reader = Reader()
    hand = started({"reader": reader}, propagation=True)
    hand.frame(1)
    hand.propagated()
    assert isinstance(hand.todo[PREDICTOR], Predict)
    for index in range(2, UNENCODED_KEPT + 6):
        hand.tracked()
        hand.frame(index)
    hand.predicted()
    outputs = hand.todo[PREDICTOR].outputs
    assert [t_ns // FRAME for t_ns, _ in outputs] == list(range(UNENCODED_KEPT + 5))[-UNENCODED_KEPT:]
    hand.settle()
    assert len(reader.encoded) == 1 + UNENCODED_KEPT
    assert reader.seen[-1][-1] is not None and reader.seen[-1][1] is None


def test_encodings_are_forgotten_with_their_results():
    hand = started({"reader": Reader()})
    for index in range(1, 40):
        hand.frame(index)
        hand.tracked()
        hand.settle()
    kept = hand.machine._target.encodings["reader"]
    assert sorted(kept) == list(hand.machine._target.track.t_ns) and len(kept) == 24
