"""Web Mercator arithmetic, against mercantile and against itself."""

import mercantile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import BadTile, TileOutside
from model.grid import bounds, check_tile, ground_resolution, lonlat_to_pixel, pixel_to_lonlat, width

tiles = st.integers(0, 15).flatmap(
    lambda z: st.tuples(st.just(z), st.integers(0, (1 << z) - 1), st.integers(0, (1 << z) - 1)))


@given(tiles)
def test_bounds_are_mercantiles(tile):
    z, x, y = tile
    theirs = mercantile.bounds(mercantile.Tile(x, y, z))
    assert bounds(z, x, y) == pytest.approx((theirs.west, theirs.south, theirs.east, theirs.north), abs=1e-9)


@given(st.integers(0, 15), st.floats(-180, 179.99), st.floats(-85, 85))
def test_a_place_comes_back_from_its_pixel(z, lon, lat):
    assert pixel_to_lonlat(z, *lonlat_to_pixel(z, lon, lat)) == pytest.approx((lon, lat), abs=1e-7)


def test_ground_resolution_is_the_papers_at_33_degrees():
    assert ground_resolution(15, 33) == pytest.approx(4.0, abs=0.05)
    assert ground_resolution(9, 33) == pytest.approx(256, abs=1)
    assert width(15) * ground_resolution(15, 0) == pytest.approx(40_075_016.7, abs=1)


@pytest.mark.parametrize("tile", [(16, 0, 0), (-1, 0, 0), (0, 1, 0), (3, 8, 0), (3, 0, -1), (400, 0, 0)])
def test_tiles_that_do_not_exist_are_outside(tile):
    with pytest.raises(TileOutside):
        check_tile(*tile)


@pytest.mark.parametrize("tile", [(1.5, 0, 0), ("1", 0, 0), (None, 0, 0)])
def test_tiles_are_integers(tile):
    with pytest.raises(BadTile):
        check_tile(*tile)
