"""Threads that make windows at once: each thing once, and the processor shared."""

import threading
import time

import pytest

from model.turns import Turns


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
