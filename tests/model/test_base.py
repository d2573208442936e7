"""Base imagery on the map."""

import numpy as np
import pytest

from model.base import PlateCarree, base_zoom, halve, tone_curve
from model.worlds import Worlds


@pytest.fixture(scope="module")
def globe():
    """A picture whose red is longitude and whose green is latitude."""
    h, w = 512, 1024
    pixels = np.zeros((h, w, 3), np.uint8)
    pixels[..., 0] = (np.arange(w) * 256 // w)[None]
    pixels[..., 1] = (np.arange(h) * 256 // h)[:, None]
    return PlateCarree(pixels)


@pytest.mark.parametrize("width, zoom", [(256, 1), (5400, 5), (21600, 7), (1024, 3), (200_000, 9), (10**8, 13)])
def test_the_bases_zoom_is_the_nearest_odd_one(width, zoom):
    assert base_zoom(width) == zoom


def test_a_place_is_where_mercator_puts_it(globe):
    z0 = globe.region(0, 0, 0, 256, 256)
    assert np.all(np.abs(z0[128, 8:-8, 0].astype(int) - np.arange(8, 248)) <= 1)
    assert abs(int(z0[128, 5, 1]) - 128) <= 1                      # the equator
    assert abs(int(z0[0, 5, 1]) - (90 - 85.05) / 180 * 256) <= 2   # the map's last row


def test_regions_fit_together_and_wrap(globe):
    whole = globe.region(3, -256, 0, 256, 512)
    assert np.array_equal(whole[:, :256], globe.region(3, 2048 - 256, 0, 2048, 512))
    assert np.array_equal(whole[:, 256:], globe.region(3, 0, 0, 256, 512))


def test_rows_beyond_the_poles_repeat_the_last(globe):
    region = globe.region(3, 0, -5, 64, 5)
    assert np.array_equal(region[:5], np.repeat(region[5:6], 5, axis=0))


def test_halving_is_the_exact_rounded_mean():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    exact = pixels.reshape(8, 2, 8, 2, 3).astype(float).mean((1, 3))
    assert np.array_equal(halve(pixels), np.floor(exact + 0.5).astype(np.uint8))


def test_a_picture_that_is_not_two_by_one_is_refused():
    with pytest.raises(ValueError, match="H, 2H, 3"):
        PlateCarree(np.zeros((10, 10, 3), np.uint8))


def test_the_tone_curve_keeps_black_and_white_and_rises():
    curve = tone_curve(0.7)
    assert curve[0] == 0 and curve[255] == 255 and np.all(np.diff(curve.astype(int)) >= 0) and curve[64] > 90


def test_earth_is_no_rougher_at_the_antimeridian_than_beside_it():
    base = Worlds().get("earth").base(0)
    strip = base.region(5, -32, 1024, 32, 7168).astype(int)
    step = np.abs(np.diff(strip, axis=1)).mean((0, 2))
    assert step[31] <= 1.25 * np.median(step)
