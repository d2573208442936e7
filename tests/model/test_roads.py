"""Roads: from town to town, the same in every window and at every level."""

import hashlib

import numpy as np
import pytest

from model.grid import width
from model.roads import BENT, JOINED, LIGHT, SKEWED, field, near
from model.towns import SCALED, town

BITS = {11: "a07efa6a3ae2d62b", 13: "c793f754ac7af023", 15: "ca7561fca49c838d"}


def some_road(seed: int):
    return near(seed, 9000, 9000, 9256, 9256)[0]


def around(x: float, y: float, level: int, side: int) -> tuple[int, int, int, int]:
    """A box about a place of `SCALED`."""
    x0, y0 = (int(v * 2.0 ** (level - SCALED)) - side // 2 for v in (x, y))
    return x0, y0, x0 + side, y0 + side


def test_their_bits_are_written_down():
    road = some_road(7)
    digests = {level: hashlib.sha256(field(7, level, *around(road.begin.x, road.begin.y, level, 300)).tobytes())
               .hexdigest()[:16] for level in BITS}
    assert digests == BITS


@pytest.mark.parametrize("level", [11, 13, 15])
def test_a_road_leads_from_one_town_to_the_other(level):
    for seed in range(6):
        road = some_road(seed)
        for end in (road.begin, road.end):
            assert end == town(seed, 0, int(end.x // 256), int(end.y // 256))
            made = field(seed, level, *around(end.x, end.y, level, 64))
            assert made.max() > 0.8 * LIGHT[0] and made[31:33, 31:33].max() > 0.5 * LIGHT[0]
        # Nowhere on its way is it interrupted: whoever walks across, as far as it may be bent, comes to a road.
        across, along = road.end.x - road.begin.x, road.end.y - road.begin.y
        reach = int(2 * (BENT + SKEWED) * np.hypot(across, along) * 2.0 ** (level - SCALED))
        for share in np.linspace(0, 1, 12):
            x, y = (int((a + share * by) * 2.0 ** (level - SCALED))
                    for a, by in ((road.begin.x, across), (road.begin.y, along)))
            wide, high = (reach, 1) if abs(along) > abs(across) else (1, reach)
            assert field(seed, level, x - wide, y - high, x + wide, y + high).max() > 0.5 * LIGHT[0]


@pytest.mark.parametrize("level", [13, 15])
def test_every_level_has_the_roads_of_the_one_above(level):
    road = some_road(3)
    x0, y0, x1, y1 = around(*((a + b) / 2 for a, b in zip(road.begin[:2], road.end[:2], strict=True)), level - 2, 128)
    coarse, fine = field(3, level - 2, x0, y0, x1, y1), field(3, level, 4 * x0, 4 * y0, 4 * x1, 4 * y1)
    means = fine.reshape(128, 4, 128, 4).mean((1, 3))
    assert coarse.max() > 1 and np.corrcoef(means.ravel(), coarse.ravel())[0, 1] > 0.8
    assert (fine > 0.7).sum() < 16 * (coarse > 0.7).sum()  # narrower, as a share of the ground


def test_a_window_does_not_matter_and_the_world_is_round():
    road = some_road(3)
    x0, y0, x1, y1 = around(road.end.x, road.end.y, 13, 260)
    whole = field(3, 13, x0, y0, x1, y1)
    assert np.array_equal(field(3, 13, x0 + 37, y0 + 50, x1 - 11, y1 - 3), whole[50:-3, 37:-11])
    assert np.array_equal(field(3, 13, x0 + width(13), y0, x1 + width(13), y1), whole)
    seed, y = next((seed, y) for seed in range(9) for y in range(0, 9000, 300)
                   if field(seed, 11, -2, y, 2, y + 300).any())
    beyond = field(seed, 11, -20, y, 20, y + 300)
    assert np.array_equal(beyond[:, 20:], field(seed, 11, 0, y, 20, y + 300))
    assert np.array_equal(beyond[:, :20], field(seed, 11, width(11) - 20, y, width(11), y + 300))


def test_most_towns_have_one_and_little_of_the_land_is_road():
    towns = [(seed, place) for seed in range(4) for column in range(30, 38) if (place := town(seed, 0, column, 44))]
    joined = [any(place in (road.begin, road.end) for road in near(seed, place.x, place.y, place.x + 1, place.y + 1))
              for seed, place in towns]
    assert len(towns) > 10 and np.mean(joined) > 0.8 and max(JOINED.values()) < 1
    land = np.stack([field(seed, 11, 5000, 9000, 6024, 10024) for seed in range(4)])
    assert 0.002 < (land > 0.7).mean() < 0.02
    assert not field(7, 9, 0, 0, 300, 300).any()
