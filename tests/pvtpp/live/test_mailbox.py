"""The mailbox: only the newest is there, nobody waits for nothing, and nothing piles up."""

import threading

from pvtpp.live.mailbox import Mailbox


def test_only_the_newest_is_there_and_what_was_replaced_is_counted():
    box = Mailbox()
    for item in range(1000):
        box.put(item)
    assert box.wait() and box.pop() == 999
    assert box.pop() is None and box.dropped == 999


def test_a_wake_up_is_kept_until_somebody_waits_and_serves_once():
    box = Mailbox()
    box.wake()
    box.wake()
    assert box.wait(timeout=60)
    begun = threading.Event()
    threading.Timer(0.02, lambda: (begun.set(), box.put("later"))).start()
    assert box.wait(timeout=60) and begun.is_set() and box.pop() == "later"


def test_closing_ends_the_wait_and_forgets_what_lies_there():
    box = Mailbox()
    box.put(1)
    threading.Timer(0.02, box.close).start()
    assert box.wait() and box.pop() == 1
    assert box.wait() is False
    box.put(2)
    assert box.wait() is False and box.pop() is None
