"""Threads that make windows at once: each thing once, and the processor shared."""

import threading
import time

import pytest

from model.turns import AHEAD, Turns, in_order


def started(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_what_goes_by_a_name_is_made_by_one_at_a_time():
    turns, inside, most = Turns(2), set(), []

    def work(name):
        for _ in range(20):
            with turns.of(name):
                inside.add((name, threading.get_ident()))
                most.append(max(sum(of == each for of, _ in tuple(inside)) for each in "ab"))
                time.sleep(0.001)
                inside.remove((name, threading.get_ident()))

    for thread in [started(lambda name=name: work(name)) for name in "aaabbb"]:
        thread.join(10)
        assert not thread.is_alive()
    assert max(most) == 1 and len(most) == 120


def test_an_error_ends_a_turn():
    turns = Turns(2)
    with pytest.raises(KeyError), turns.at_work(), turns.of("a"):
        raise KeyError
    with turns.of("a"), turns.at_work():
        assert turns.share() == 2


def test_those_at_work_share_the_processor_and_who_waits_for_another_has_none():
    turns, go = Turns(4), threading.Event()
    with turns.at_work(), turns.at_work():
        assert turns.share() == 4

        def other():
            with turns.at_work():
                first.set()
                with turns.of("a"):
                    second.set()
                    go.wait(10)

        with turns.of("a"):
            threads = []
            for _ in range(2):
                first, second = threading.Event(), threading.Event()
                threads.append(started(other))
                assert first.wait(10)
            until = time.monotonic() + 10
            while turns.share() < 4 and time.monotonic() < until:
                time.sleep(0.001)
            assert turns.share() == 4  # both wait for what this one makes
        assert second.wait(10) and turns.share() == 2  # one of them makes it now
        go.set()
    for thread in threads:
        thread.join(10)
    with turns.at_work():
        assert turns.share() == 4


def test_work_in_order_is_a_little_ahead_and_ends_with_whoever_asks():
    begun, ended = [], []

    def work(item, check):
        begun.append(item)
        for _ in range(item % 3):
            time.sleep(0.002)
            check()
        ended.append(item)
        return -item

    assert list(in_order(work, range(40), 3)) == [-item for item in range(40)]
    begun.clear()
    ended.clear()
    asked = in_order(work, iter(range(10**9)), 3)
    assert [next(asked) for _ in range(5)] == [0, -1, -2, -3, -4]
    asked.close()
    assert max(begun) <= 5 + 3 * AHEAD and set(ended) <= set(begun)
    count = len(begun)
    time.sleep(0.02)
    assert len(begun) == count


def test_what_has_begun_is_told_to_stop_when_nobody_asks_on():
    begun, told = threading.Event(), threading.Event()

    def work(item, check):
        if not item:
            return item
        begun.set()
        try:
            while True:
                check()
                time.sleep(0.001)
        finally:
            told.set()

    asked = in_order(work, range(100), 1)
    assert next(asked) == 0 and begun.wait(10)
    asked.close()
    assert told.is_set()


def test_an_error_in_order_is_raised_in_its_turn():
    asked = in_order(lambda item, check: 1 // (2 - item), range(100), 2)
    assert [next(asked), next(asked)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(asked)
