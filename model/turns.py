"""Who makes what, and with how much of the processor, among threads that make windows at once."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from model.errors import Cancelled

AHEAD = 4  # items for each thread that are begun or wait while the first of them is being looked at

Item, Made = TypeVar("Item"), TypeVar("Made")


def in_order(work: Callable[[Item, Callable[[], None]], Made], items: Iterable[Item], threads: int) -> Iterator[Made]:
    """`work(item, check)` of all items, one after the other, done by so many threads a little ahead of whoever asks.

    An error is raised when its item's turn comes. From then on, or when nobody asks any more, nothing is begun, and
    `check()` raises `Cancelled` in what has been."""
    waiting: deque[Future[Made]] = deque()
    stopping = threading.Event()

    def check() -> None:
        if stopping.is_set():
            raise Cancelled("nobody asks for it any more")

    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item, check))
                if len(waiting) > AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)


class Turns:
    """What goes by a name is made by one thread at a time; those at work share `threads` of the processor.

    A window's small operations do not keep two cores busy, so two windows on a thread each take less time than one
    after the other on both. Whoever is alone has them all.
    """

    def __init__(self, threads: int):
        self.threads = threads
        self._at_work: Counter[int] = Counter()  # of each thread, how deep
        self._taken: set[Hashable] = set()
        self._waiting: Counter[Hashable] = Counter()  # for what
        self._changed = threading.Condition()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Said around all that a thread does; a second time, within the first, changes nothing."""
        me = threading.get_ident()
        with self._changed:
            self._at_work[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work[me] -= 1
                self._at_work += Counter()  # forgets whoever is down to none

    @contextmanager
    def of(self, name: Hashable) -> Iterator[None]:
        """Wait until nobody else makes it. Whoever waited should look whether it has been made."""
        with self._changed:
            self._waiting[name] += 1
            self._changed.wait_for(lambda: name not in self._taken)
            self._waiting[name] -= 1
            self._waiting += Counter()
            self._taken.add(name)
        try:
            yield
        finally:
            with self._changed:
                self._taken.remove(name)
                self._changed.notify_all()

    def share(self) -> int:
        """How many threads of the processor one that is at work may use for what it begins now."""
        with self._changed:
            idle = sum(count for name, count in self._waiting.items() if name in self._taken)
            return max(1, self.threads // max(1, len(self._at_work) - idle))
