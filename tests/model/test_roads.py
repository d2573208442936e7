"""Roads: from town to town, and lanes between villages, the same in every window and at every level."""

import hashlib

import numpy as np
import pytest
import torch

from model import roads
from model.grid import width
from model.residual import enlarge
from model.roads import BENT, HAZE, JOINED, LANES, LIGHT, NEAR, SKEWED, beside, field, lanes, near, ribbons
from model.towns import SCALED, town
from tests.model.test_country import crisp

BITS = {11: "a07efa6a3ae2d62b", 13: "c793f754ac7af023", 15: "ca7561fca49c838d"}
OF_LANES = {11: "f803d1b78a115426", 13: "f0b08f55129795a0", 15: "ea37e1a398a60363"}


def some_road(seed: int):
    return near(seed, 9000, 9000, 9256, 9256)[0]


def some_lane(seed: int):
    return near(seed, 9000, 9000, 9256, 9256, kind=1)[0]


def around(x: float, y: float, level: int, side: int) -> tuple[int, int, int, int]:
    """A box about a place of `SCALED`."""
    x0, y0 = (int(v * 2.0 ** (level - SCALED)) - side // 2 for v in (x, y))
    return x0, y0, x0 + side, y0 + side


@pytest.mark.parametrize("kind, some, bits", [(field, some_road, BITS), (lanes, some_lane, OF_LANES)])
def test_their_bits_are_written_down(kind, some, bits):
    begin = some(7).begin
    digests = {level: hashlib.sha256(kind(7, level, *around(begin.x, begin.y, level, 300)).tobytes()).hexdigest()[:16]
               for level in bits}
    assert digests == bits


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


@pytest.mark.parametrize("level", [11, 13, 15])
def test_a_lane_leads_from_a_village_to_another_or_to_a_town(level):
    towns_joined = 0
    for seed in range(6):
        for lane in near(seed, 9000, 9000, 9100, 9100, kind=1)[:4]:
            assert lane.begin == town(seed, 1, int(lane.begin.x // 64), int(lane.begin.y // 64))
            to_town = lane.end == town(seed, 0, int(lane.end.x // 256), int(lane.end.y // 256))
            assert to_town or lane.end == town(seed, 1, int(lane.end.x // 64), int(lane.end.y // 64))
            assert not to_town or np.hypot(lane.end.x - lane.begin.x, lane.end.y - lane.begin.y) <= NEAR
            towns_joined += to_town
            for end in (lane.begin, lane.end):
                made = lanes(seed, level, *around(end.x, end.y, level, 64))
                assert made[30:34, 30:34].max() > 0.4 * made.max() > 0
    assert towns_joined > 2


def test_most_villages_have_a_lane_and_little_of_the_land_is_one():
    villages = [(seed, place) for seed in range(4) for column in range(130, 160)
                if (place := town(seed, 1, column, 144))]
    joined = [any(place in (lane.begin, lane.end) for lane in near(seed, place.x, place.y, place.x + 1, place.y + 1, 1))
              for seed, place in villages]
    assert len(villages) > 20 and 0.7 < np.mean(joined) < 1 and max(LANES.values()) < 1
    land = np.stack([lanes(seed, 13, 20000, 36000, 21024, 37024) for seed in range(4)])
    assert 0.0005 < land.mean() < 0.02 and land.max() <= 1
    assert not lanes(7, 9, 0, 0, 300, 300).any()


def test_no_window_misses_a_lane_that_comes_from_afar():
    """Small ones at either end of every lane see it as wide ones do."""
    seen = 0
    for seed in range(4):
        whole = lanes(seed, 11, 9000, 9000, 10500, 10500)
        for lane in near(seed, 9000, 9000, 10500, 10500, kind=1):
            for end in (lane.begin, lane.end):
                x0, y0, x1, y1 = around(end.x, end.y, 11, 8)
                if min(x0, y0) >= 9000 and max(x1, y1) <= 10500:
                    here = whole[y0 - 9000:y1 - 9000, x0 - 9000:x1 - 9000]
                    assert np.array_equal(lanes(seed, 11, x0, y0, x1, y1), here)
                    seen += 1
    assert seen > 1000


def test_lanes_are_the_same_in_every_window():
    lane = some_lane(3)
    x0, y0, x1, y1 = around(lane.end.x, lane.end.y, 13, 260)
    for kind in lanes, beside, ribbons:
        whole = kind(3, 13, x0, y0, x1, y1)
        assert whole.any()
        assert np.array_equal(kind(3, 13, x0 + 37, y0 + 50, x1 - 11, y1 - 3), whole[..., 50:-3, 37:-11])
        assert np.array_equal(kind(3, 13, x0 + width(13), y0, x1 + width(13), y1), whole)


@pytest.mark.parametrize("level", [13, 15])
def test_a_road_that_the_level_above_has_shown_is_no_haze(level):
    """Of one that was drawn there less than a third is left: it will be drawn again, as wide as it is."""
    for road, kind in (some_road(3), field), (some_lane(3), lanes):
        wide = around(*((a + b) / 2 for a, b in zip(road.begin[:2], road.end[:2], strict=True)), level, 4000)
        rows, columns = np.nonzero(kind(3, level, *wide) > 0.3)  # it may be bent
        x0, y0 = (int(of[len(of) // 2] + begin - 128) // 4 * 4 for of, begin in ((columns, wide[0]), (rows, wide[1])))
        x1, y1 = x0 + 256, y0 + 256
        drawn = np.clip(kind(3, level - 2, *(v // 4 for v in (x0, y0, x1, y1))), 0, 1)
        assert drawn.max() > 0.1
        away = beside(3, level, x0, y0, x1, y1)
        hazy, made, _ = crisp(enlarge(torch.from_numpy(drawn)[None, None].expand(1, 3, -1, -1)), away)
        assert made.square().sum() < 0.33 * hazy.square().sum()
        assert np.abs(away[:2]).max() <= 2 * HAZE[0] and (away[2] > 0).mean() < 0.5
    assert not beside(3, 11, *around(road.begin.x, road.begin.y, 11, 200)).any()


def test_ribbons_of_houses_begin_at_a_town_and_end_soon():
    for seed in range(3):
        box = 9000, 9000, 9500, 9500
        made, soon = ribbons(seed, 11, *box), np.zeros((500, 500), bool)
        rows, columns = np.indices(made.shape) + 9000.5
        for end in {end for kind in (0, 1) for way in near(seed, *box, kind) for end in (way.begin, way.end)}:
            away = np.hypot(columns - end.x, rows - end.y)
            # Roads are bent, so what is near along one may be a third farther away.
            soon |= away < 1.34 * (end.radius * roads.OUT[0] + roads.OUT[1]) + roads.RIBBON[0]
            assert away.min() > 1 or made[away < 1].max() > 0.9 * roads.HOUSES
        road = field(seed, 11, *box) + lanes(seed, 11, *box) > 0.1
        assert not made[~soon].any() and (road & ~soon).sum() > 50
        assert made.max() <= roads.HOUSES and 0.001 < (made > 0).mean() < 0.05
    assert not ribbons(7, 9, 0, 0, 300, 300).any()
