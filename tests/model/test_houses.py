"""Houses: streets, roofs, shade and trees of towns and farms, the same in every window, and at a level the means of the
next; laid over where people live."""

import hashlib

import numpy as np
import pytest
import torch

from model import houses, land_use, roads, towns
from model.grid import width
from model.houses import FEW, LEAVES, SHADE, built, farms, field
from model.underlay import ROAD, Dials, Shown, finished
from tests.model.test_towns import around, nearest_town
from tests.model.test_underlay import SEA, TILLED

BITS = {9: "8ac27fad153972c3", 11: "e723dee339961f15", 13: "b99df213665702db", 15: "ebcab79ee9dfd9b4"}
LEVELS = pytest.mark.parametrize("level", BITS)


def town(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, share: float = 1.0) -> np.ndarray:
    """What would be built, were all one."""
    return built(seed, level, x0, y0, x1, y1, np.full((y1 - y0, x1 - x0), share, np.float32))


def means(fine: np.ndarray, times: int) -> np.ndarray:
    channels, height, wide = fine.shape
    return fine.reshape(channels, height // times, times, wide // times, times).mean((2, 4))


@LEVELS
def test_their_bits_are_written_down(level):
    made = field(7, level, *around(nearest_town(7, 20.0), level, 200))
    assert hashlib.sha256(made[:, made[5] > 0].tobytes()).hexdigest()[:16] == BITS[level]


@LEVELS
def test_a_window_does_not_matter_and_the_world_is_round(level):
    x0, y0, x1, y1 = around(nearest_town(3, 30.0), level, 260)
    whole = field(3, level, x0, y0, x1, y1)
    for x, y in ((37, 50), (90, 3)):  # those that see the town's edge make other parts of it
        part = field(3, level, x0 + x, y0 + y, x0 + x + 150, y0 + y + 190)
        some = part[5] > 0
        assert some.sum() > 100 and np.array_equal(part[5], whole[5, y:y + 190, x:x + 150])
        assert np.array_equal(part[:, some], whole[:, y:y + 190, x:x + 150][:, some])
    assert np.array_equal(field(3, level, x0 + width(level), y0, x1 + width(level), y1), whole)
    assert width(towns.SCALED) % houses.FARMS.size == 0


def test_there_are_none_above_their_first_level_and_none_outside_towns_and_farms():
    assert not field(7, 7, 0, 0, 4000, 4000).any()
    made, share = (kind(7, 11, *around(nearest_town(7, 20.0), 11, 150)) for kind in (field, towns.field))
    assert np.abs(made[5] - share).mean() < 0.02  # a network is shown as much of a town, in steps
    assert 0.1 < (made[5] > 0).mean() < 0.9
    assert np.all((made >= 0) & (made <= 1)) and np.all(made[1:4] <= made[0] + 0.001)


@pytest.mark.parametrize("level", [13, 15])
def test_every_level_shows_what_the_one_above_has_shown(level):
    """Of z13 every other pixel of z15 in the mean, and of z11 the mean of blocks, which know of no roof."""
    least, same = {13: (0.45, 0.12), 15: (0.9, 0.03)}[level]
    for seed in range(3):
        x0, y0, x1, y1 = around(nearest_town(seed, 20.0), level - 2, 64)
        coarse, fine = town(seed, level - 2, x0, y0, x1, y1), town(seed, level, 4 * x0, 4 * y0, 4 * x1, 4 * y1)
        found = means(fine, 4)
        for channel in range(4):  # how much is covered, and by what colours
            assert np.corrcoef(found[channel].ravel(), coarse[channel].ravel())[0, 1] > least
        assert np.abs(found[:4].mean((1, 2)) - coarse[:4].mean((1, 2))).max() < same
        other = means(town(seed + 50, level, 4 * x0, 4 * y0, 4 * x1, 4 * y1), 4)
        assert abs(np.corrcoef(other[0].ravel(), coarse[0].ravel())[0, 1]) < 0.3


def test_roofs_are_light_and_shade_lies_to_their_right_and_below():
    covered, red, green, blue, _ = town(5, 15, 40000, 50000, 40600, 50600)
    assert 0.5 < covered.mean() < 0.95
    shade = (covered > 0.4) & (red < 0.3 * covered + 0.02) & (blue > green)
    assert SHADE[2] > SHADE[1] and LEAVES[1] > LEAVES[2] and 0.005 < shade.mean() < 0.3
    roof = (covered > 0.98) & (red > 0.55)
    assert 0.15 < roof.mean() < 0.7
    right_below, left_above = ((shade[2:-2, 2:-2] & roof[2 + by:596 + 2 + by, 2 + by:596 + 2 + by]).sum()
                               for by in (-2, 2))
    assert right_below > 1.5 * left_above


@pytest.mark.parametrize("level", [11, 13, 15])
def test_at_a_town_s_edge_more_houses_have_gardens(level):
    covered = [town(5, level, 40000, 50000, 40200, 50200, share)[0].mean() for share in (1.0, 0.5, 0.01)]
    assert covered[0] - 0.01 > covered[1] > covered[2] + 0.01


def test_where_no_block_is_seen_towns_are_as_light_and_end_raggedly():
    x0, y0, x1, y1 = around(nearest_town(7, 40.0), 9, 64)
    made, blocks = field(7, 9, x0, y0, x1, y1), field(7, 11, 4 * x0, 4 * y0, 4 * x1, 4 * y1)
    inside = made[5] == 1
    assert inside.sum() > 100 and np.std(made[0][inside]) > 0.05 and np.std(made[4]) > 0.1
    of_blocks = blocks[:4, means(blocks[5:], 4).repeat(4, 1).repeat(4, 2)[0] == 1].mean(1)
    assert np.allclose(made[1:4, inside].mean(1) / made[0][inside].mean(), of_blocks[1:] / of_blocks[0], atol=0.12)


def test_farms_are_few_houses_and_no_level_above_has_any():
    found = farms(4, 13, 100000, 90000, 104000, 94000)
    assert len(found) > 100 and not farms(4, 11, 25000, 22500, 26000, 23500)
    alone = [farm for farm in found if not towns.near(4, 13, *around(farm, 13, 40))]
    for farm in alone[:20]:
        made = field(4, 15, *around(farm, 15, 200))
        far = np.hypot(*(np.indices((200, 200)) - 99.5))
        assert 0.95 * FEW < made[5].max() <= FEW
        assert not made[5, far > 16 * farm.radius + 2].any() and not made[:, far > 23 * farm.radius + 2].any()
    share = np.stack([field(4, 15, *around(farm, 15, 100))[0].mean() for farm in alone[:20]])
    assert share.min() > 0.01


def test_half_a_farm_is_seen_whichever_square_it_is_of():
    """Those whose yards lie across the border of the squares in each of which there is one, in windows that end there
    and that begin there."""
    size, seen = houses.FARMS.size, 0
    for farm in farms(4, 13, -300, 90000, 8000, 94000):
        for axis, at in enumerate((farm.x, farm.y)):
            border = round(at / size) * size
            if abs(at - border) >= 0.7 * farm.radius:
                continue
            x0, y0, x1, y1 = around(farm, 15, 120)
            border, whole = 16 * border, field(4, 15, x0, y0, x1, y1)
            halves = [((x0, y0, border, y1), (border, y0, x1, y1)), ((x0, y0, x1, border), (x0, border, x1, y1))][axis]
            made = np.concatenate([field(4, 15, *half) for half in halves], axis=2 - axis)
            town = whole[5] > 0
            assert np.array_equal(made[5], whole[5]) and np.array_equal(made[:, town], whole[:, town])
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("level", [11, 13, 15])
def test_beside_roads_that_lead_out_of_a_town_are_houses(level):
    place = next(lane.begin for lane in roads.near(7, 9000, 9000, 9256, 9256, kind=1))
    x0, y0, x1, y1 = around(place, level, 300)
    made, without = houses.spread(7, level, x0, y0, x1, y1), field(7, level, x0, y0, x1, y1)
    ribbons = roads.ribbons(7, level, x0, y0, x1, y1)
    assert np.array_equal(made[5], np.maximum(without[5], ribbons))
    more = made[5] > without[5]
    assert more.sum() > 50 and made[0][more].mean() > 0.2 and not more[ribbons == 0].any()
    same = (without[5] == made[5]) & (made[5] > 0)
    assert same.sum() > 50 and np.array_equal(made[:, same], without[:, same])
    part = houses.spread(7, level, x0 + 31, y0 + 47, x1 - 60, y1 - 9)
    built = part[5] > 0
    assert np.array_equal(part[:, built], made[:, 47:-9, 31:-60][:, built])
    assert np.array_equal(houses.spread(7, 9, *around(place, 9, 60)), field(7, 9, *around(place, 9, 60)))


def flat(colour, side: int = 24) -> torch.Tensor:
    return (torch.tensor(colour, dtype=torch.float32)[:, None, None].expand(3, side, side) / 127.5 - 1)[None]


def drawn(condition, dials, made, plain=1.0, habitable=1.0):
    """A picture of a condition, on which fields lay what is `made` of them."""
    size = 4 * condition.shape[-1]
    zeros, lives = torch.zeros(1, 1, size, size), torch.full((1, 1, size, size), habitable)
    shown = Shown(zeros.repeat(1, 2, 1, 1), zeros.repeat(1, 4, 1, 1), zeros, torch.full_like(lives, plain), made.get,
                  torch.zeros_like(lives), lives)
    return finished(condition, torch.zeros(1, 3, size, size), shown, dials)


@pytest.mark.parametrize("plain, habitable, colour, lived", [(1.0, 1.0, TILLED, True), (0.0, 1.0, TILLED, False),
                                                             (1.0, 0.0, TILLED, False), (1.0, 1.0, SEA, False)])
def test_houses_stand_on_dry_plains_where_people_live(plain, habitable, colour, lived):
    condition = flat(colour)
    town = torch.zeros(1, 6, 96, 96)
    town[:, 0], town[:, 1:4], town[:, 5] = 1, 0.8, 0.5  # all is covered, light grey, at the edge of a town, ...
    town[:, 4, 48:] = 1                                 # ... but in the south only farther in
    made = drawn(condition, Dials(houses=0.9), {houses.field: town}, plain, habitable)
    bare = drawn(condition, Dials(), {}, plain, habitable)
    assert torch.equal(made[..., 48:, :], bare[..., 48:, :])
    expected = 0.9 * lived * (0.6 - bare)[..., :48, :]  # 0.8 of 255, in -1…1
    assert torch.allclose((made - bare)[..., :48, :], expected, atol=1e-5)


def test_a_road_is_paved_over_a_river_and_nowhere_in_the_wild():
    light = torch.zeros(1, 1, 96, 96)
    light[..., 40:44] = 2.2
    for colour in (TILLED, SEA):
        condition = flat(colour)
        made, wild = (drawn(condition, Dials(paved=0.5), {roads.field: light}, habitable=share) for share in (1.0, 0.0))
        bare = drawn(condition, Dials(), {})
        assert torch.equal(wild, bare)
        off = made - bare
        road = torch.tensor(ROAD)[:, None, None] / 127.5 - 1
        assert torch.allclose(off[..., 40:44], 0.5 * (road - bare[..., 40:44]), atol=1e-5)
        assert not off[..., :40].any() and not off[..., 44:].any()


@pytest.mark.parametrize("colour, share", [(TILLED, 1), (SEA, 0), ((200, 160, 110), 0), ((235, 236, 240), 0),
                                           ((25, 45, 25), 0)])
def test_people_live_on_green_land_by_its_colour_in_the_base(colour, share):
    base = np.full((20, 30, 3), colour, np.uint8)
    assert np.all(land_use.habitable(base) == share)


def test_where_a_coast_begins_fewer_people_live():
    base = np.full((20, 60, 3), TILLED, np.uint8)
    base[:, 30:] = SEA
    share = land_use.habitable(base)[5]
    assert share[0] == 1 and share[-1] == 0 and np.all(np.diff(share) <= 0)
    sea = 30 - land_use.AROUND
    assert share[sea - 1] == 1 and share[sea] < 0.5 and not share[sea + 1:].any()
