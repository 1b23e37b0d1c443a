"""Propagators are created by name, and each of them follows the protocol."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.propagation import create, names
from pvtpp.tracker import Frame

BOX = np.array([160.0, 120, 40, 30])


@pytest.fixture(params=names())
def propagator(request):
    return create(request.param)


def test_an_unknown_name_is_refused_with_the_valid_ones():
    with pytest.raises(InputError, match="unknown propagator 'klt', expected one of: optical_flow, none"):
        create("klt")


def test_without_frames_a_box_stays_where_it_is(propagator):
    propagated = propagator.carry(BOX, 0, 10)
    assert propagated.box.tolist() == BOX.tolist()
    assert (propagated.quality, propagated.steps) == (0.0, 0)


def test_the_propagated_box_is_read_only(propagator, scene):
    for i in range(2):
        propagator.push(Frame(i, i, scene.image(BOX)), BOX)
    for to_ns in (0, 1, 99):
        assert not propagator.carry(BOX, 0, to_ns).box.flags.writeable


def test_a_box_that_is_none_is_refused(propagator):
    with pytest.raises(InputError, match="box to carry"):
        propagator.carry([1, 2, 0, 4], 0, 10)


def test_two_of_a_name_share_nothing(scene):
    first, second = create("optical_flow"), create("optical_flow")
    for i in range(2):
        first.push(Frame(i, i, scene.image(BOX)), BOX)
    assert first.carry(BOX, 0, 1).quality > 0
    assert second.carry(BOX, 0, 1).quality == 0


def test_none_reads_no_image():
    propagator = create("none")
    propagator.push(Frame(0, 0, None), BOX)
    propagator.push(Frame(1, 1, None), None)
    assert propagator.carry(BOX, 0, 1).quality == 0
