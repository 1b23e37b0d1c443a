"""Time inside goes on without a jump whatever is done to the clock; each step of the clock is known."""

from hypothesis import given
from hypothesis import strategies as st

from pvtpp.live.session_clock import SessionClock

MS = 1_000_000
DAY = 86_400 * 10**9


class Clocks:
    """Two clocks that the test moves: the system's, which may be set, and real time."""

    def __init__(self):
        self.system, self.real = 1_795_900_000 * 10**9, 5 * 10**9
        self.session = SessionClock(lambda: self.system, lambda: self.real)

    def pass_(self, ns):
        self.system += ns
        self.real += ns


def steady():
    clocks = Clocks()
    for _ in range(30):
        clocks.session.now()
        clocks.pass_(33 * MS)
    clocks.session.now()
    return clocks


def test_without_steps_inside_is_outside():
    clocks = steady()
    assert clocks.session.now() == clocks.system and clocks.session.step() is None
    assert clocks.session.inside(7) == 7 and clocks.session.outside(7) == 7


def test_a_step_in_either_direction_is_known_and_time_inside_goes_on():
    for by in (-3600 * 10**9, -10 * 10**9, -100 * MS, 2 * 10**9, 20_000 * DAY):
        clocks = steady()
        before = clocks.session.now()
        clocks.system += by
        clocks.pass_(33 * MS)
        assert clocks.session.now() - before == 33 * MS
        step = clocks.session.step()
        assert step.by_ns == by and clocks.session.step() is None
        assert clocks.session.inside(clocks.system) == clocks.session.now()
        assert clocks.session.outside(clocks.session.now()) == clocks.system


def test_a_pause_is_no_step():
    clocks = steady()
    clocks.pass_(7200 * 10**9)
    assert clocks.session.now() == clocks.system and clocks.session.step() is None


def test_a_clock_at_its_own_pace_may_jump_forward_but_not_back():
    clocks = Clocks()
    for _ in range(20):
        clocks.system += 10**10
        clocks.real += MS
        assert clocks.session.now() == clocks.system
    assert clocks.session.step() is None
    before = clocks.session.now()
    clocks.system -= 5 * 10**9
    assert clocks.session.now() >= before and clocks.session.step().by_ns == -5 * 10**9


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-DAY, DAY)), max_size=50))
def test_time_inside_never_goes_back(moves):
    clocks, newest = Clocks(), 0
    for passed, by in moves:
        clocks.pass_(passed)
        clocks.system = max(clocks.system + by, 0)
        now = clocks.session.now()
        assert now >= newest
        newest = now


def test_a_frame_stamped_before_the_clock_was_set_back_is_converted_as_it_was_set_then():
    clocks = steady()
    newest = clocks.session.now() - 33 * MS
    stamped = clocks.system - 5 * MS
    clocks.system -= 100 * MS
    clocks.pass_(1 * MS)
    now = clocks.session.now()
    assert clocks.session.captured(stamped, newest) == now - 6 * MS
    # Stamped since, also by a camera whose clock is a little ahead.
    assert clocks.session.captured(clocks.system - 5 * MS, newest) == now - 5 * MS
    assert clocks.session.captured(clocks.system + 30 * MS, newest) == now + 30 * MS
    # As old as the frame before: then it is of the clock as it is set now.
    assert clocks.session.captured(stamped, now) == now + 94 * MS
    clocks.pass_(2 * 10**9)
    assert clocks.session.captured(clocks.system + 95 * MS, newest) == clocks.session.now() + 95 * MS


def test_without_a_step_back_a_capture_time_ahead_stays_ahead():
    for by in (0, 100 * 10**9):
        clocks = steady()
        clocks.system += by
        clocks.pass_(33 * MS)
        assert clocks.session.captured(clocks.system + 60 * MS, None) == clocks.session.now() + 60 * MS
