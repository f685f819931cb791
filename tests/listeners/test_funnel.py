"""The queue between a pushing client and a listener."""

from __future__ import annotations

import threading

import pytest

from listeners.funnel import EndedError, Funnel


def test_what_is_put_is_taken_in_its_order():
    """Up to so many at once, and nothing where nothing came."""
    funnel: Funnel[int] = Funnel(10)
    assert all(funnel.put(number) for number in range(5))
    assert funnel.take(3, 0) == [0, 1, 2]
    assert funnel.take(3, 0) == [3, 4]
    assert funnel.take(3, 0.01) == []


def test_a_full_funnel_waits_for_room():
    """Nothing is dropped: whoever pushes waits until something was taken."""
    funnel: Funnel[int] = Funnel(1)
    assert funnel.put(1)
    assert not funnel.put(2, timeout=0.01)
    thread = threading.Thread(target=funnel.put, args=(2,), daemon=True)
    thread.start()
    assert funnel.take(5, 1) == [1]
    thread.join(5)
    assert funnel.take(5, 1) == [2]


def test_what_ended_it_is_raised_after_the_last_item():
    """The items that came before an error are not lost to it."""
    funnel: Funnel[int] = Funnel()
    funnel.put(1)
    funnel.end(ValueError("broke"))
    funnel.end()
    assert funnel.take(5, 0) == [1]
    with pytest.raises(ValueError, match="broke"):
        funnel.take(5, 0)


def test_an_end_without_a_word_and_a_close_are_told_alike():
    """The taker stops."""
    ended: Funnel[int] = Funnel()
    ended.end()
    closed: Funnel[int] = Funnel()
    closed.put(1)
    closed.close()
    for funnel in (ended, closed):
        with pytest.raises(EndedError):
            funnel.take(5, 1)
    assert not closed.put(2)


def test_close_frees_whoever_waits():
    """Neither a full nor an empty funnel holds a thread back for ever."""
    full: Funnel[int] = Funnel(1)
    full.put(1)
    thread = threading.Thread(target=full.put, args=(2,), daemon=True)
    thread.start()
    full.close()
    thread.join(5)
    assert not thread.is_alive()
