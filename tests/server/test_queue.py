"""The render queue, with a generator whose every step the test decides."""

import threading
import time

import pytest

from model.errors import Cancelled
from model.generator import Address
from server.queue import Busy, RenderQueue


class Puppet:
    """A generator that makes a tile when it is let; ``parents`` names the windows that a tile needs first."""

    def __init__(self, workers=1):
        self.workers = workers
        self.parents = {}
        self.made: list[Address] = []
        self.started: list[Address] = []
        self.errors: dict[Address, list[Exception]] = {}
        self.gate = threading.Semaphore(0)
        self.began = threading.Semaphore(0)

    def warm(self):
        pass

    def needs(self, address):
        return [parent for parent in self.parents.get(address, []) if parent not in self.made] + [address]

    def make(self, address, check):
        self.started.append(address)
        self.began.release()
        while not self.gate.acquire(timeout=0.005):
            check()
        if self.errors.get(address):
            raise self.errors[address].pop(0)
        self.made.append(address)
        return f"pixels of {address.z}/{address.x}"

    def let(self, steps=1):
        for _ in range(steps):
            self.gate.release()

    def wait_begun(self):
        assert self.began.acquire(timeout=5)


def tile(x, z=9):
    return Address("earth", "v", 0, z, x, 0)


@pytest.fixture
def puppet():
    return Puppet()


@pytest.fixture
def queue(puppet):
    queue = RenderQueue(puppet, limit=8).start()
    yield queue
    puppet.let(100)
    queue.close()
    assert not queue.alive()


def test_many_requests_for_one_tile_are_one_render(puppet, queue):
    tickets = [queue.submit([tile(1)])[0] for _ in range(5)]
    puppet.let()
    assert {ticket.result(5) for ticket in tickets} == {"pixels of 9/1"}
    assert [ticket.how for ticket in tickets] == ["miss"] + ["join"] * 4
    assert puppet.made == [tile(1)]


def test_the_newest_goes_first(puppet, queue):
    first = queue.submit([tile(0)])
    puppet.wait_begun()
    tickets = [queue.submit([tile(x)])[0] for x in (1, 2, 3)]
    queue.submit([tile(1)])  # asked for again: it is the newest now
    puppet.let(4)
    for ticket in first + tickets:
        ticket.result(5)
    assert puppet.made == [tile(0), tile(1), tile(3), tile(2)]


def test_a_newcomer_does_not_wait_for_the_rest_of_a_cascade(puppet, queue):
    puppet.parents[tile(0, 15)] = [tile(0, 9), tile(0, 11), tile(0, 13)]
    deep = queue.submit([tile(0, 15)])[0]
    puppet.wait_begun()
    new = queue.submit([tile(7)])[0]
    puppet.let(2)
    new.result(5)
    assert puppet.made == [tile(0, 9), tile(7)]
    puppet.let(3)
    deep.result(5)
    assert puppet.made[2:] == [tile(0, 11), tile(0, 13), tile(0, 15)]


def test_a_window_made_on_the_way_is_handed_to_whoever_waits_for_it(puppet, queue):
    puppet.parents[tile(0, 15)] = [tile(0, 13)]
    parent = queue.submit([tile(0, 13)])[0]
    queue.submit([tile(0, 15)])
    puppet.let(2)
    assert parent.result(5) == "pixels of 13/0"
    assert puppet.made.count(tile(0, 13)) == 1


def test_a_store_that_forgets_does_not_keep_the_queue_busy_for_ever(puppet, queue):
    puppet.needs = lambda address: [tile(0, 13), address] if address.z == 15 else [address]
    ticket = queue.submit([tile(0, 15)])[0]
    puppet.let(2)
    ticket.result(5)
    assert puppet.made == [tile(0, 13), tile(0, 15)]


def test_what_nobody_waits_for_any_more_is_dropped(puppet, queue):
    gone = threading.Event()
    running = queue.submit([tile(0)], gone.is_set)[0]
    puppet.wait_begun()
    waiting = queue.submit([tile(1)], gone.is_set)[0]
    wanted = queue.submit([tile(2)])[0]
    gone.set()
    for ticket in (running, waiting):
        with pytest.raises(Cancelled):
            ticket.result(5)
    puppet.let()
    wanted.result(5)
    assert puppet.made == [tile(2)]
    assert tile(1) not in puppet.started


def test_a_tile_is_made_while_one_of_its_clients_stays(puppet, queue):
    gone = threading.Event()
    queue.submit([tile(0)], gone.is_set)
    puppet.wait_begun()
    stays = queue.submit([tile(0)])[0]
    gone.set()
    time.sleep(0.05)
    puppet.let()
    assert stays.result(5)
    assert puppet.made == [tile(0)]


def test_an_error_is_not_told_to_those_who_came_after_it_began(puppet, queue):
    puppet.errors[tile(0)] = [RuntimeError("once")]
    first = queue.submit([tile(0)])[0]
    puppet.wait_begun()
    later = queue.submit([tile(0)])[0]
    puppet.let(2)
    with pytest.raises(RuntimeError, match="once"):
        first.result(5)
    assert later.result(5)
    assert queue.submit([tile(0)])[0].how == "miss"


def test_too_many_are_refused_and_told_when_to_come_again(puppet, queue):
    queue.submit([tile(x) for x in range(8)])
    with pytest.raises(Busy) as refused:
        queue.submit([tile(9)])
    assert refused.value.retry_after >= 1


def test_a_refused_request_leaves_nothing_behind(puppet, queue):
    queue.submit([tile(x) for x in range(7)])
    with pytest.raises(Busy):
        queue.submit([tile(20), tile(21)])
    assert tile(20) not in queue._jobs


def test_clients_that_hung_up_make_room(puppet, queue):
    gone = threading.Event()
    queue.submit([tile(x) for x in range(8)], gone.is_set)
    gone.set()
    assert queue.submit([tile(9)])


@pytest.mark.alone
def test_closing_sends_everybody_away_at_once(puppet):
    queue = RenderQueue(puppet).start()
    tickets = queue.submit([tile(0), tile(1)])
    puppet.wait_begun()
    began = time.monotonic()
    queue.close()
    for ticket in tickets:
        with pytest.raises(Busy):
            ticket.result(1)
    assert time.monotonic() - began < 1 and not queue.alive()
    with pytest.raises(Busy):
        queue.submit([tile(2)])


def test_idle_hands_work_ahead_and_yield_at_once(puppet, monkeypatch):
    monkeypatch.setattr("server.queue.IDLE_AFTER", 0.01)
    plan = [tile(5), tile(5)]
    queue = RenderQueue(puppet, foresee=lambda: plan.pop(0) if plan else None).start()
    puppet.wait_begun()
    assert puppet.started == [tile(5)]
    ticket = queue.submit([tile(1)])[0]
    puppet.wait_begun()  # without a step having been let: the speculative window was given up
    assert puppet.started == [tile(5), tile(1)]
    puppet.let(2)
    assert ticket.result(5)
    queue.close()


def test_a_speculative_window_that_somebody_wants_is_finished_and_handed_over(puppet, monkeypatch):
    monkeypatch.setattr("server.queue.IDLE_AFTER", 0.01)
    plan = [tile(5)]
    queue = RenderQueue(puppet, foresee=lambda: plan.pop(0) if plan else None).start()
    puppet.wait_begun()
    ticket = queue.submit([tile(5)])[0]
    time.sleep(0.05)
    puppet.let()
    assert ticket.result(5)
    assert puppet.started == [tile(5)]
    queue.close()


@pytest.fixture
def pair():
    """A generator that two threads keep busy, and its queue."""
    puppet = Puppet(workers=2)
    queue = RenderQueue(puppet, limit=8).start()
    yield puppet, queue
    puppet.let(100)
    queue.close()
    assert not queue.alive()


def test_two_threads_make_two_tiles_at_once_and_one_of_them_once(pair):
    puppet, queue = pair
    tickets = queue.submit([tile(0), tile(1), tile(2)])
    puppet.wait_begun()
    puppet.wait_begun()
    assert queue.submit([tile(0)])[0].how == "join"
    time.sleep(0.05)
    assert sorted(puppet.started) == [tile(1), tile(2)] and queue.rendering in puppet.started
    puppet.let(3)
    assert [ticket.result(5) for ticket in tickets] == [f"pixels of 9/{x}" for x in range(3)]
    assert sorted(puppet.made) == [tile(0), tile(1), tile(2)] and queue.made == 3


def test_two_threads_share_the_windows_of_one_tile(pair):
    puppet, queue = pair
    parents = puppet.parents[tile(0, 14)] = [tile(x, 15) for x in range(4)]
    ticket = queue.submit([tile(0, 14)])[0]
    for at_work in ({0, 1}, {2, 3}):
        puppet.wait_begun()
        puppet.wait_begun()
        assert {address.x for address in puppet.started[-2:]} == at_work
        puppet.let(2)
    puppet.wait_begun()
    puppet.let()
    assert ticket.result(5)
    assert sorted(puppet.made) == sorted([*parents, tile(0, 14)]) and queue.made == 5


def test_no_thread_makes_what_stands_on_a_window_that_another_is_making(pair):
    puppet, queue = pair
    puppet.parents[tile(0, 15)] = [tile(0, 11), tile(0, 13)]
    ticket = queue.submit([tile(0, 15)])[0]
    puppet.wait_begun()
    time.sleep(0.05)
    assert puppet.started == [tile(0, 11)]
    puppet.let(3)
    assert ticket.result(5)
    assert puppet.made == [tile(0, 11), tile(0, 13), tile(0, 15)]


def test_only_one_thread_works_ahead_and_the_other_serves_who_comes(monkeypatch):
    monkeypatch.setattr("server.queue.IDLE_AFTER", 0.01)
    puppet, plan = Puppet(workers=2), [tile(5), tile(6)]
    queue = RenderQueue(puppet, foresee=lambda: plan.pop(0) if plan else None).start()
    puppet.wait_begun()
    time.sleep(0.1)
    assert puppet.started == [tile(5)]
    ticket = queue.submit([tile(1)])[0]
    puppet.wait_begun()
    assert puppet.started == [tile(5), tile(1)]
    puppet.let(2)
    assert ticket.result(5)
    puppet.let(100)
    queue.close()


def test_weights_that_cannot_be_used_leave_the_queue_alive_and_not_warm(puppet, caplog):
    def refuse():
        raise RuntimeError("truncated")

    puppet.warm = refuse
    queue = RenderQueue(puppet).start()
    puppet.let()
    assert queue.submit([tile(1)])[0].result(5)
    assert queue.alive() and not queue.warm
    assert "cannot be used" in caplog.text
    queue.close()
