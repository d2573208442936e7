"""Planets that a seed invents, at a small size."""

import numpy as np
import pytest

from model import procedural
from model.base import PlateCarree
from model.procedural import Planet, planet
from model.sphere import Noise, integers, points, smooth
from model.terrain import terrain

ROWS = 216


@pytest.fixture(scope="module")
def seven():
    return planet(7, ROWS)


def test_a_planet_is_a_pure_function_of_its_seed(seven):
    planet(8, ROWS)
    assert seven.dtype == np.uint8 and seven.shape == (ROWS, 2 * ROWS, 3)
    assert np.array_equal(seven, planet(7, ROWS))


def test_the_largest_seed_is_a_planet_too(seven):
    other = planet(2**64 - 1, ROWS)
    assert np.abs(other.astype(int) - seven).mean() > 10


def test_no_seam_at_the_antimeridian(seven):
    pixels = seven.astype(float)
    across = np.abs(pixels[:, 0] - pixels[:, -1]).mean()
    inside = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))
    assert across < 2 * inside.mean()


def test_noise_has_no_pinch_at_the_pole_and_no_seam():
    field = Noise(3, 1).fractal(points(128), 2, 3)
    assert 0.3 < field.std() < 2
    assert np.ptp(field[0]) < 0.3           # round the pole: one place, one value
    assert np.abs(field[:, 0] - field[:, -1]).max() < 0.3


@pytest.mark.parametrize("seed", [0, 1, 42, 2**63])
def test_every_planet_has_land_sea_and_climate(seed):
    ground = terrain(seed, 100)
    area = np.cos(np.pi * ((np.arange(100) + 0.5) / 100 - 0.5))
    land = ((ground.shore > 0).mean(axis=1) * area).sum() / area.sum()
    assert 0.1 < land < 0.65
    dry_land = ground.moisture[ground.shore > 0]
    assert dry_land.min() < 0.2 < 0.6 < dry_land.max()
    assert ground.temperature[48:52].mean() > ground.temperature[:5].mean() + 25


def test_colours_are_those_of_blue_marble(seven):
    sea = seven[terrain(7, ROWS).shore < -0.1]
    assert (sea[:, 2] > sea[:, 0]).mean() > 0.95
    assert 20 < seven.mean() < 120


def test_smoothing_keeps_the_mean_and_crosses_the_edge():
    picture = np.zeros((64, 128), np.float32)
    picture[32, 0] = 1
    blurred = smooth(picture, 6)
    assert blurred.sum() == pytest.approx(1, rel=1e-3)
    assert blurred[32, 127] == pytest.approx(blurred[32, 1], abs=1e-6)


def test_the_overview_shows_the_same_planet(seven):
    twice = planet(7, 2 * ROWS).reshape(ROWS, 2, 2 * ROWS, 2, 3).mean(axis=(1, 3, 4))
    assert np.corrcoef(seven.mean(axis=-1).ravel(), twice.ravel())[0, 1] > 0.85


def test_coarse_zooms_come_from_the_overview(monkeypatch, seven):
    drawn = []
    monkeypatch.setattr(procedural, "_drawn", lambda seed, rows: drawn.append(rows) or PlateCarree(seven))
    for zoom in (0, 1):
        assert Planet(7).region(zoom, 0, 0, 256, 256).shape == (256, 256, 3)
    assert set(drawn) == {procedural.OVERVIEW_ROWS}
    assert PlateCarree(np.zeros((procedural.OVERVIEW_ROWS, 2 * procedural.OVERVIEW_ROWS, 3), np.uint8)).zoom == \
        procedural.OVERVIEW_ZOOM
    assert Planet.zoom == 5


def test_neighbouring_large_seeds_are_different_planets():
    assert len({tuple(integers(2**63 + k, 1, 2)) for k in range(8)}) == 8
