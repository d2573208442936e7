"""What windows side by side have in common: noise and fields, which each pixel has by its address alone.

A window sees 72 px more on every side than it keeps: of its 400² pixels, 144 columns are those of its neighbour too.
They are the same in any box, to the bit, so whoever comes second need not make them again.
"""

from collections.abc import Callable

import numpy as np

from model.grid import TILE
from model.recent import Recent

IN_MEMORY = 96 << 20  # bytes, of some twenty windows: as many as a view has


class Overlaps:
    """The parts of fields that were made last. Each axis of a window is cut where its neighbours' begin and end."""

    def __init__(self, limit: int = IN_MEMORY):
        self._parts: Recent[np.ndarray] = Recent(limit, size=lambda part: part.nbytes)

    def field(self, make: Callable[..., np.ndarray], seed: int, level: int, x0: int, y0: int, x1: int, y1: int,
              *how) -> np.ndarray:
        """``make(seed, level, x0, y0, x1, y1, *how)``, ``(…, y1-y0, x1-x0)``, for the box of a tile and as much around
        it on every side, less than half a tile."""
        shared = x1 - x0 - TILE
        columns, rows = ((begin, begin + shared, begin + TILE, begin + TILE + shared) for begin in (x0, y0))
        names = {(i, j): (make, how, seed, level, shared, columns[i], rows[j]) for j in range(3) for i in range(3)}
        known = {at: self._parts.get(name) for at, name in names.items()}
        if missing := [at for at, part in known.items() if part is None]:
            (left, right), (top, bottom) = ((min(of), max(of) + 1) for of in zip(*missing, strict=True))
            made = make(seed, level, columns[left], rows[top], columns[right], rows[bottom], *how)
            for i in range(left, right):
                for j in range(top, bottom):
                    part = made[..., rows[j] - rows[top]:rows[j + 1] - rows[top],
                                columns[i] - columns[left]:columns[i + 1] - columns[left]]
                    known[i, j] = np.ascontiguousarray(part)
                    self._parts.put(names[i, j], known[i, j])
        return np.concatenate([np.concatenate([known[i, j] for i in range(3)], -1) for j in range(3)], -2)
