"""A memory of the most recent things, with a limit in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Least recently used goes first. Safe to use from many threads.

    >>> memory = Recent(10, size=len)
    >>> memory.put("a", b"12345678"); memory.put("b", b"1234")
    >>> memory.get("a"), memory.get("b")
    (None, b'1234')
    """

    def __init__(self, limit: int, size: Callable[[T], int]):
        self._limit = limit
        self._size = size
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        with self._lock:
            thing = self._things.get(key)
            if thing is not None:
                self._things.move_to_end(key)
            return thing

    def put(self, key: Hashable, thing: T) -> None:
        """Keep one thing; what is larger than the whole limit is not kept."""
        with self._lock:
            self._drop(key)
            self._things[key] = thing
            self._bytes += self._size(thing)
            while self._bytes > self._limit:
                self._drop(next(iter(self._things)))

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        with self._lock:
            self._things.clear()
            self._bytes = 0

    def _drop(self, key: Hashable) -> None:
        thing = self._things.pop(key, None)
        if thing is not None:
            self._bytes -= self._size(thing)
