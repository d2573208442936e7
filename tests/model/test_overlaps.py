"""What neighbours have in common is what each would have made alone, to the bit, in any order."""

import random

import numpy as np
import pytest

from model import cover, noise, parcels
from model.grid import TILE, width
from model.overlaps import Overlaps

HOW = {parcels.field: (True, parcels.Ruling((7.0, parcels.ROWS[1]))), cover.field: (), noise.field: ()}


def box(x: int, y: int, around: int = 72) -> tuple[int, int, int, int]:
    return x * TILE - around, y * TILE - around, (x + 1) * TILE + around, (y + 1) * TILE + around


@pytest.mark.parametrize("field", HOW, ids=lambda field: field.__module__)
@pytest.mark.parametrize("level, x, y", [(9, 255, 190), (11, 1820, 800), (13, 7000, 3300), (15, 18000, 14000),
                                         (11, 0, 0), (13, 8190, 8190)])
def test_in_any_order_the_bits_are_the_same(field, level, x, y):
    places = [(x + i, y + j) for i in range(2) for j in range(2)]
    alone = {place: field(5, level, *box(*place), *HOW[field]) for place in places}
    for chance in range(3):
        random.Random(chance).shuffle(places)
        overlaps = Overlaps()
        for place in places + places[:1]:
            assert np.array_equal(overlaps.field(field, 5, level, *box(*place), *HOW[field]), alone[place])
    assert max(max(place) for place in places) < width(level) // TILE


def test_only_what_no_neighbour_has_made_is_made():
    made = []

    def field(seed, level, x0, y0, x1, y1):
        made.append((x0, y0, x1, y1))
        rows, columns = np.mgrid[y0:y1, x0:x1]
        return np.stack([columns, rows]) + 1000 * seed + level

    overlaps = Overlaps()
    for x, y, size in ((4, 7, (400, 400)), (5, 7, (256, 400)), (4, 8, (400, 256)), (5, 8, (256, 256)), (4, 7, None)):
        before = len(made)
        pixels = overlaps.field(field, 3, 13, *box(x, y))
        assert pixels.shape == (2, 400, 400) and (pixels[:, 72, 72] == (3013 + x * TILE, 3013 + y * TILE)).all()
        assert [(x1 - x0, y1 - y0) for x0, y0, x1, y1 in made[before:]] == ([size] if size else [])
    for different in ((4, 13, box(4, 7)), (3, 11, box(4, 7)), (3, 13, box(4, 7, 104))):
        before = len(made)
        overlaps.field(field, *different[:2], *different[2])
        assert made[before:] == [different[2]]


def test_what_lies_long_back_is_forgotten():
    overlaps, made = Overlaps(limit=3 * 400 * 400 * 4), []

    def field(*place):
        made.append(place)
        return np.zeros((place[5] - place[3], place[4] - place[2]), np.float32)
    for x in (0, 3, 6, 9, 12, 0):
        overlaps.field(field, 0, 15, *box(x, 5))
    assert len(made) == 6
