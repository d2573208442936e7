"""Fields on a device have the bits that NumPy's have; how fields look is claimed beside each of them."""

import numpy as np
import pytest
import torch

from model import (
    arrays,
    courses,
    cover,
    crags,
    crowns,
    dunes,
    faces,
    farmland,
    gullies,
    houses,
    land_use,
    parcels,
    ridges,
    rivers,
    roads,
    rocks,
    shores,
    towns,
)
from model.base import PlateCarree
from tests.model import test_farmland, test_towns

HERE = torch.device("cpu")
PLACES = [(7, (100, -20, 730, 230)), (2**64 - 1, (131072 - 90, 3000, 131072 + 200, 3150))]  # the world's edge at z9


def same(tensor, array) -> bool:
    return tensor.dtype == torch.float32 and tensor.contiguous().numpy().tobytes() == array.tobytes()


@pytest.mark.parametrize("level", [7, 9, 11, 13, 15])
@pytest.mark.parametrize("seed, box", PLACES)
def test_every_field_is_the_same_to_the_bit(level, seed, box):
    kinds = parcels, cover, land_use, gullies, towns, roads
    laid = dunes, crowns, rocks, faces, crags, ridges, rivers, courses, shores
    fields = [(kind, ()) for kind in (*kinds, *laid)]
    for kind, how in [*fields, (parcels, (True, parcels.Ruling((7.0, 48.0))))]:
        place = seed, level, *box, *how
        assert same(kind.field(*place, device=HERE), kind.field(*place)), kind
    for made in shores.beaches, cover.beside, roads.lanes, roads.beside, roads.ribbons:
        assert same(made(seed, level, *box, device=HERE), made(seed, level, *box)), made


@pytest.mark.parametrize("level", [9, 11, 13, 15])
def test_so_are_houses_where_there_are_any(level):
    box = test_towns.around(test_towns.nearest_town(7, 20.0), level, 200)
    for kind in houses.field, houses.spread:
        made, expected = kind(7, level, *box, device=HERE), kind(7, level, *box)
        assert same(made[5], expected[5]) and same(made[:, made[5] > 0], expected[:, expected[5] > 0])
        assert (expected[5] > 0).sum() > 50


@pytest.mark.parametrize("level", [11, 13, 15])
def test_so_is_farmland_where_land_is_tilled(level):
    x0, y0, x1, y1 = test_farmland.tilled(level, 200)
    place = test_farmland.SEED, level, x0 - 300, y0 - 300, x1, y1
    made, expected, tilled = farmland.field(*place, device=HERE), farmland.field(*place), land_use.field(*place) > 0
    assert tilled.sum() >= 200 * 200 and same(made[:, tilled], expected[:, tilled])
    assert not farmland.field(7, 9, 0, 0, 50, 50, HERE).any()


def test_so_is_how_plain_the_base_is():
    base = PlateCarree(np.random.default_rng(1).integers(90, 110, (64, 128, 3), dtype=np.uint8))
    place = base, 9, 131072 - 90, 3000, 131072 + 200, 3150, land_use.ALL
    for made, expected in zip(land_use.known(*place, HERE), land_use.known(*place), strict=True):
        assert same(made, expected)


def test_a_hash_takes_arrays_and_tensors_and_numbers():
    key, parts = np.uint64(2**63 + 11), np.arange(-4, 5)
    found = arrays.hashed(arrays.hashed(key, parts), 5, parts[:, None])
    tensors = arrays.put(parts, HERE), arrays.put(parts[:, None], HERE)
    made = arrays.hashed(arrays.hashed(key, tensors[0]), 5, tensors[1])
    assert np.array_equal(made.numpy().view(np.uint64), found)
    assert same(arrays.scaled(made, -0.7, 1.9), arrays.scaled(found, -0.7, 1.9))
    numbers = np.array([0, 1, 2**63, 2**64 - 1, 12345678901234567890], np.uint64)
    for by in (1, 30, 40, 63):
        shifted = arrays.shifted(arrays.put(numbers, HERE), by)
        assert np.array_equal(shifted.numpy().view(np.uint64), numbers >> np.uint64(by))
