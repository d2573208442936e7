"""Rivers, those of valleys too, and shores: where they run is the same in every window of a round world; how they look
beside land and sea."""

import hashlib

import numpy as np
import pytest
import torch

from model import courses, rivers, shores, streams
from model.grid import width
from model.ground import watery
from model.residual import enlarge
from model.underlay import Dials, Shown, finished
from model.waters import BED, DRIED, RIVER

FIELDS = {"rivers": rivers.field, "courses": courses.field, "shores": shores.field, "beaches": shores.beaches}
BITS = {("rivers", 9): "8ff7f33ad56520ad", ("rivers", 15): "2f72ae386be1b779",
        ("courses", 9): "7f148f82334522b2", ("courses", 13): "2a0634d1f07c8497", ("courses", 15): "dea36cdd937c94c7",
        ("shores", 9): "265f113becc05a55", ("shores", 15): "dc4f879fd6d5f285",
        ("beaches", 11): "dae38976d8f38911", ("beaches", 15): "5676a79f979015e7"}
LAND, SEA, SAND, SNOW, WOODS = (85, 100, 60), (56, 105, 150), (200, 160, 110), (235, 236, 240), (25, 45, 25)
NEVER = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), 1.0)
RIVERS = 9, 64096, 42048  # a level and a place where seed 7 has some
KINDS = {"courses": courses}
WATERS = pytest.mark.parametrize("kind", [rivers, courses], ids=["rivers", "courses"])


def colour(levels) -> torch.Tensor:
    return torch.tensor(levels) / 127.5 - 1


def hazy(land=LAND, sea=SEA, haze: int = 5) -> torch.Tensor:
    """A condition ``(1, 3, 64, 64)``: land in the west, sea in the east, and a haze of so many pixels between."""
    wet = ((torch.arange(64.0) - 31.5) / haze + 0.5).clamp(0, 1)
    return (colour(land)[:, None] * (1 - wet) + colour(sea)[:, None] * wet)[None, :, None].expand(1, 3, 64, 64)


def water(kind, *place) -> np.ndarray:
    """How much of these pixels is river."""
    found = kind.field(*place)
    return found[0] if kind is courses else found


def at_a_river(level: int, kind=rivers) -> tuple[int, int]:
    """A pixel in the middle of one of seed 7's."""
    first, x, y = RIVERS
    row, column = np.unravel_index(water(kind, 7, first, x, y, x + 256, y + 256).argmax(), (256, 256))
    return int(x + column) << (level - first), int(y + row) << (level - first)


def laid(reach: float = 0.0, sandy: float = 0.0, river: float = 0.0, cut=np.s_[:], bank: float = 0.0):
    of = {shores.field: reach, shores.beaches: sandy, rivers.field: river, courses.field: river}

    def made(field):
        near = [torch.full((1, 1, 256, 256), bank)] * (field is courses.field)
        return torch.cat([torch.full((1, 1, 256, 256), of[field]), *near], 1)[cut]
    return made


@pytest.mark.parametrize("name, level", BITS)
def test_their_bits_are_written_down(name, level):
    x, y = at_a_river(level, KINDS.get(name, rivers))
    found = FIELDS[name](7, level, x - 150, y - 150, x + 150, y + 150)
    assert found.any() and hashlib.sha256(found.tobytes()).hexdigest()[:16] == BITS[name, level]


@pytest.mark.parametrize("name, level", BITS)
def test_a_window_does_not_matter_and_the_world_is_round(name, level):
    field, (x, y) = FIELDS[name], (corner - 100 for corner in at_a_river(level, KINDS.get(name, rivers)))
    whole = field(7, level, x, y, x + 200, y + 200)
    assert whole[..., 50:197, 37:189].any()
    assert np.array_equal(field(7, level, x + 37, y + 50, x + 189, y + 197), whole[..., 50:197, 37:189])
    around = width(level)
    assert np.array_equal(field(7, level, x + around, y, x + 200 + around, y + 200), whole)


def test_above_their_first_level_there_are_none():
    for level, fields in ((7, FIELDS), (9, ["beaches"])):
        assert not any(FIELDS[name](7, level, 9000, 9000, 9064, 9064).any() for name in fields)


def test_a_shore_is_moved_to_either_side_and_some_are_beaches():
    reach = np.stack([shores.field(seed, 13, 9000, 9000, 9512, 9512) for seed in range(4)])
    assert abs(reach.mean()) < 0.06 and 0.2 < reach.std() < 0.5
    sandy = np.stack([shores.beaches(seed, 9 + 2 * (1 + seed % 3), 9000 * seed, 9000, 9000 * seed + 4096, 10024)
                      for seed in range(6)])
    assert sandy.min() == 0 and sandy.max() == 1 and 0.1 < (sandy > 0.5).mean() < 0.6


@WATERS
def test_a_river_is_as_wide_at_every_level_and_stays_in_its_bed(kind):
    level, x, y = RIVERS
    above = water(kind, 7, level, x, y, x + 256, y + 256)
    assert above.max() == 1 and 0.001 < above.mean() < 0.05
    below = water(kind, 7, level + 2, 4 * x, 4 * y, 4 * (x + 256), 4 * (y + 256))
    means = below.reshape(256, 4, 256, 4).mean((1, 3))
    assert means.mean() == pytest.approx(above.mean(), rel=0.15)
    assert np.corrcoef(above.ravel(), means.ravel())[0, 1] > 0.7


def test_some_ground_has_rivers_and_some_has_none_and_they_rise_from_nothing():
    found = np.stack([rivers.field(seed, 9, 60000, 40000, 61024, 41024) for seed in range(6)])
    assert 0.0001 < (found > 0.5).mean() < 0.02
    blocks = found.reshape(6, 16, 64, 16, 64).max((2, 4))
    assert 0.3 < (blocks == 0).mean() < 0.95
    assert ((blocks > 0.02) & (blocks < 0.4)).any()  # a brook, narrower than a pixel


@pytest.mark.parametrize("colours, wet", [(SEA, 1), ((40, 72, 83), 1), ((12, 14, 45), 1), (RIVER, (0.7, 1)), (LAND, 0),
                                          (SAND, 0), (SNOW, 0), (WOODS, 0), ((60, 66, 80), 0), ((150, 160, 185), 0)],
                         ids=["sea", "bay", "deep", "river", "land", "sand", "snow", "woods", "shade", "snow's shade"])
def test_water_is_told_by_its_colour(colours, wet):
    found = float(watery(colour(colours)[None, :, None, None])[0, 0, 0, 0])
    least, most = wet if isinstance(wet, tuple) else (wet, wet)
    assert least - 1e-6 <= found <= most + 1e-6


def test_of_a_haze_it_makes_a_shore_of_the_colours_beside_it():
    condition, detail = hazy(), torch.zeros(1, 3, 256, 256)
    shown = NEVER._replace(laid=laid())
    bare, made = (finished(condition, detail, shown, of) for of in (Dials(), Dials(shores=1.0)))
    assert torch.equal(bare, enlarge(condition))
    red = {name: of[0, 0, 128] * 127.5 + 127.5 for name, of in (("bare", bare), ("made", made))}
    steepest = {name: float(-of.diff().min()) for name, of in red.items()}
    assert steepest["made"] > 4 * steepest["bare"]
    middle = {name: int(((of < LAND[0] - 10) & (of > SEA[0] + 10)).sum()) for name, of in red.items()}
    assert middle["made"] <= 3 < middle["bare"]
    assert torch.equal(made[..., :64], bare[..., :64]) and torch.equal(made[..., 192:], bare[..., 192:])


def test_noise_moves_a_shore_and_nothing_else():
    condition, detail = hazy(), torch.zeros(1, 3, 256, 256)

    def sea(reach):
        made = finished(condition, detail, NEVER._replace(laid=laid(reach)), Dials(shores=1.0))
        return int((made[0, 0, 128] * 127.5 + 127.5 < (LAND[0] + SEA[0]) / 2).sum())
    assert 2 <= sea(0.5) - sea(0.0) <= 12 and 2 <= sea(0.0) - sea(-0.5) <= 12
    sharp = hazy(haze=0.1)  # a condition of land and sea and no pixel between
    moved = [finished(sharp, detail, NEVER._replace(laid=laid(reach)), Dials(shores=1.0)) for reach in (-0.5, 0.5)]
    assert (moved[0] - moved[1]).abs().max() > 0.1
    for inland in (LAND, SEA, SAND, SNOW):
        plain = colour(inland)[None, :, None, None].expand(1, 3, 64, 64)
        made = finished(plain, detail, NEVER._replace(laid=laid(0.9, 1.0)), Dials(shores=1.0))
        assert torch.equal(made, enlarge(plain))


def test_a_beach_lies_on_the_land_s_side():
    condition, detail = hazy(), torch.zeros(1, 3, 256, 256)
    bare, sandy = (finished(condition, detail, NEVER._replace(laid=laid(0.0, share)), Dials(shores=1.0))
                   for share in (0.0, 1.0))
    change = (sandy - bare)[0, 0, 128] * 127.5
    lit = (change > 20).nonzero().flatten()
    shore = int((bare[0, 0, 128] * 127.5 + 127.5 > (LAND[0] + SEA[0]) / 2).sum())
    assert 2 <= len(lit) <= 16 and shore - 16 <= lit.min() and lit.max() <= shore + 2
    assert change.min() > -1e-3


def test_near_a_shore_the_sea_is_calm_and_the_land_is_not():
    detail = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(1)) / 20
    condition = hazy()
    bare, made = (finished(condition, of, NEVER._replace(laid=laid()), Dials(shores=1.0))
                  for of in (0 * detail, detail))
    drawn = (made - bare).square().mean((0, 1, 2)).sqrt() / detail.square().mean().sqrt()
    assert drawn[130:136].mean() < 0.8 and drawn[110:120].mean() > 0.95 and drawn[180:].mean() > 0.95


def test_what_a_shore_depends_on_lies_within_28_pixels():
    condition = hazy(haze=40).clone()
    other = condition.clone()
    other[:, :, 32, 32] = colour(SAND)
    shown = NEVER._replace(laid=laid(0.2, 0.5))
    one, two = (finished(of, torch.zeros(1, 3, 256, 256), shown, Dials(shores=1.0)) for of in (condition, other))
    changed = (one != two).nonzero()[:, 2:]
    assert len(changed) and changed.min() >= 128 - 28 and changed.max() < 132 + 28


@WATERS
def test_rivers_run_through_fertile_land_and_their_beds_through_dry(kind):
    """Those that know of no valley, through plains alone."""
    dial = kind.__name__.split(".")[-1]
    plain = torch.cat([colour(of)[None, :, None, None].expand(1, 3, 64, 16) for of in (LAND, SAND, SNOW, SEA)], -1)
    shown, detail = NEVER._replace(laid=laid(river=1.0)), torch.zeros(1, 3, 256, 256)
    bare, made = (finished(plain, detail, shown, of) for of in (Dials(), Dials(**{dial: 0.8})))
    land, sand, snow, sea = ((made - bare)[0, :, 128, at] for at in (32, 96, 160, 224))
    assert torch.allclose(land, 0.8 * (colour(RIVER) - bare[0, :, 128, 32]), atol=1e-4)
    assert torch.allclose(sand, DRIED * 0.8 * (colour(BED) - bare[0, :, 128, 96]), atol=1e-4)
    assert not snow.any() and not sea.any()
    rugged = finished(plain, detail, shown._replace(plain=0.0), Dials(**{dial: 0.8}))
    assert torch.equal(rugged, bare if kind is rivers else made)
    dunes = shown._replace(laid=lambda field: torch.zeros(1, 1, 256, 256) if field not in FIELDS.values()
                           else shown.laid(field))
    sandy = finished(plain, detail, dunes, Dials(dunes=0.05, **{dial: 0.8}))
    assert torch.allclose(sandy[0, :, 128, 96], bare[0, :, 128, 96], atol=1e-4)  # nor through a sea of sand


@pytest.mark.parametrize("drop", [24, 48])
def test_they_are_alike_however_much_is_dropped(drop):
    cut = np.s_[..., drop:-drop, drop:-drop]
    condition, dials = hazy(), Dials(shores=0.9, rivers=0.7, courses=0.5, projection=0.3)
    detail = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(2)) / 20
    whole = finished(condition, detail, NEVER._replace(laid=laid(0.2, 0.5, 0.3)), dials)
    kept = 4
    inner = np.s_[..., drop - kept:kept - drop, drop - kept:kept - drop]
    less = finished(condition, detail[inner], NEVER._replace(laid=laid(0.2, 0.5, 0.3, cut)), dials, drop, kept)
    assert torch.allclose(less, whole[cut], atol=1e-5)


@WATERS
@pytest.mark.parametrize("level", [9, 11, 13, 15])
def test_where_the_river_is_elsewhere_nobody_looks_for_it_and_none_is_missed(kind, level, monkeypatch):
    """On a device, which is not asked on the way, a field has the same bits, at a river and at any place; and of z13
    and finer most places need none of the finest noises."""
    places = [at_a_river(level, kind), *np.random.default_rng(level).integers(0, width(level), (11, 2))]
    boxes = [(int(x) - 64, int(y) - 64, int(x) + 64, int(y) + 64) for x, y in places]
    source = streams if kind is courses else kind  # of noises
    sizes, rolling = [], source.rolling
    monkeypatch.setattr(source, "rolling", lambda *how: sizes.append(how[2]) or rolling(*how))
    found = [kind.field(7, level, *box) for box in boxes]
    finest = sizes.count(kind.FINEST)
    assert water(kind, 7, level, *boxes[0]).max() == 1 and finest >= 1
    if kind is rivers:
        assert finest < (24 if level == RIVERS[0] else 12)
    elif level >= 13:  # of three kinds, along x and along y
        assert finest < 12 * 6 / 2
    for box, here in zip(boxes, found, strict=True):
        assert np.array_equal(here, kind.field(7, level, *box, device=torch.device("cpu")).numpy())


def test_a_stream_beside_a_wider_one_flows_into_it():
    wide, finer = (streams.streams(7, 9, 64, 40, 40, 80, 80, beside)[64] for beside in (0.0, 0.5))
    into = (wide.known[2:4] != finer.known[2:4]).any(0)
    assert 0.3 < into.mean() < 0.8 and np.array_equal(wide.known[:2], finer.known[:2])
    wider = streams.streams(7, 9, 128, 18, 18, 42, 42)[128]
    rows, columns = np.indices(into.shape)
    ends = (finer.known[0] + finer.known[2] + columns + 40) / 2, (finer.known[1] + finer.known[3] + rows + 40) / 2
    ends = [of[into] for of in ends]
    x, y, along, down = (of.ravel()[:, None] for of in wider.known[:4])
    rows, columns = (of.ravel()[:, None] for of in np.indices(wider.known.shape[1:]))
    x, y = ends[0] - (x + columns + 18), ends[1] - (y + rows + 18)
    at = ((x * along + y * down) / (along**2 + down**2 + 1e-9)).clip(0, 1)
    assert np.hypot(x - at * along, y - at * down).min(0).max() < 1e-3  # on a wider one
    assert np.hypot(*finer.known[2:4])[into].max() < 0.5


def test_where_no_spring_around_is_lower_lies_a_lake():
    found = streams.streams(7, 11, 512, 30, 30, 60, 60)[512]
    x, y, along, down = found.known[:4]
    lowest = np.argwhere((along == 0) & (down == 0))
    assert 5 < len(lowest) < 200
    for row, column in lowest[:5]:
        x0, y0 = int((column + 30 + x[row, column]) * 512) - 96, int((row + 30 + y[row, column]) * 512) - 96
        lake = water(courses, 7, 11, x0, y0, x0 + 192, y0 + 192)
        assert 0.3 * np.pi * 18**2 < lake.sum() and lake.max() == 1  # bent, it is elsewhere by some pixels


def test_beside_a_river_of_valleys_there_is_land_and_no_beach_and_in_it_what_was_drawn():
    """The haze about a river that the level above has shown is no shore: it is where it is said to be."""
    off = (torch.arange(64.0) - 31.5).abs()
    wet = (1.5 - off / 2).clamp(0, 1)  # two pixels of water, and haze
    condition = (colour(LAND)[:, None] * (1 - wet) + colour(RIVER)[:, None] * wet)[None, :, None].expand(1, 3, 64, 64)
    detail, dials = torch.zeros(1, 3, 256, 256), Dials(shores=1.0, courses=0.8)

    def made(river, bank, of=dials):
        return finished(condition, detail, NEVER._replace(laid=laid(0.0, 1.0, river, bank=bank)), of)
    bare, shore, banks = made(0.0, 0.0, Dials()), made(0.0, 0.0), made(0.0, 1.0)
    beside, land = np.s_[..., 114:122], colour(LAND)[:, None, None]
    assert (banks - land)[beside].abs().mean() < 0.35 * (bare - land)[beside].abs().mean()
    assert (shore - land)[..., 108:122].abs().max() > 3 * (banks - land)[..., 108:122].abs().max()  # a beach
    drawn = made(1.0, 1.0, dials._replace(shores=0.0))
    assert (made(1.0, 1.0) - drawn)[..., 124:132].abs().max() < 0.2 * (shore - bare).abs().max()


@pytest.mark.parametrize("level", [11, 15])
def test_a_river_has_banks_where_the_level_above_shows_it(level):
    x, y = at_a_river(level, courses)
    river, bank = courses.field(7, level, x - 100, y - 100, x + 100, y + 100)
    assert bank.max() == 1 and bank.min() < 0.2 and (bank[river == 1] == 1).mean() > 0.9
    x, y = at_a_river(9, courses)
    assert not courses.field(7, 9, x - 100, y - 100, x + 100, y + 100)[1].any()  # there, it is shown first
