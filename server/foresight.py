"""What is worth making before anybody asks: the ring around the last view, then what lies under its middle.

The render queue asks :meth:`Foresight.next` while nobody waits, and drops the work as soon as somebody does.
"""

import threading
from collections import deque

from model.generator import Address, Generator, Needed
from model.grid import MAX_ZOOM

VIEW = 64  # tiles that count as one view: a large screen has about 40
MIDDLE = 4  # tiles of a view under which we look: below each lie 16 windows or more


class Foresight:
    """Follows what people look at. ``budget`` windows are made ahead for each view, so that a machine comes to rest."""

    def __init__(self, generator: Generator, budget: int):
        self.generator = generator
        self.budget = budget
        self._view: deque[Address] = deque(maxlen=VIEW)
        self._plan: deque[Address] | None = None
        self._left = 0
        self._lock = threading.Lock()

    def note(self, address: Address) -> None:
        """A person asked for this tile."""
        with self._lock:
            if self._view and self._view[-1]._replace(x=0, y=0) != address._replace(x=0, y=0):
                self._view.clear()  # another zoom or world: a new view
            if address not in self._view:  # looked at again: what can be foreseen from it is under way
                self._view.append(address)
                self._plan, self._left = None, self.budget

    def next(self) -> Needed | None:
        """What is worth making now, the coarsest that is missing; None when there is nothing more to foresee."""
        with self._lock:
            if not self._left or not self._view:
                return None
            if self._plan is None:
                self._plan = deque(self.around(list(self._view)))
            plan = self._plan
        while plan:
            missing = self.generator.needs(plan[0])
            if missing:
                self._left -= 1
                return missing[0]
            plan.popleft()
        self._left = 0
        return None

    def around(self, view: list[Address]) -> list[Address]:
        """Tiles in the order of their worth: the ring, nearest to where people went last first; then the children."""
        last, base = view[-1], self.generator.worlds.get(view[-1].world).base_zoom
        ring = _ring(view) if last.z > base else []
        ring.sort(key=lambda tile: (_distance(tile, last.x, last.y), tile.y, tile.x))
        # The next level of windows that this view has not made itself (an even zoom has made the next odd one).
        level = max(last.z + 2 if last.z % 2 else last.z + 3, base + 2)
        if level > min(MAX_ZOOM, last.z + 3):
            return ring
        x, y = sum(tile.x for tile in view) / len(view), sum(tile.y for tile in view) / len(view)
        middle = sorted(view, key=lambda tile: (_distance(tile, x, y), tile.y, tile.x))[:MIDDLE]
        return ring + [child for tile in middle for child in _under(tile, level)]


def _ring(view: list[Address]) -> list[Address]:
    """The tiles that touch a view and are not in it; x wraps around the world."""
    count = 1 << view[0].z
    seen = {(tile.x, tile.y) for tile in view}
    touching = {((x + i) % count, y + j) for x, y in seen for i in (-1, 0, 1) for j in (-1, 0, 1)}
    return [view[0]._replace(x=x, y=y) for x, y in touching - seen if 0 <= y < count]


def _under(tile: Address, level: int) -> list[Address]:
    """All tiles of a deeper zoom that lie under one."""
    factor = 1 << (level - tile.z)
    corner = tile._replace(z=level, x=tile.x * factor, y=tile.y * factor)
    return [corner._replace(x=corner.x + i, y=corner.y + j) for j in range(factor) for i in range(factor)]


def _distance(tile: Address, x: float, y: float) -> float:
    across = abs(tile.x - x)
    return min(across, (1 << tile.z) - across) ** 2 + (tile.y - y) ** 2
