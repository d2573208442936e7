"""The laws: a tile is a pure function of its address. On a tiny network, hundreds of cases; see test_shipped.py."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import arrays, dunes, window
from model import checkpoint as checkpoints
from model.base import PlateCarree, halve
from model.errors import BadSeed, BadTile, Cancelled, TileOutside, UnknownVersion, UnknownWorld
from model.generator import Generator, MemoryStore, Support
from model.grid import TILE, width
from model.network import Network
from model.residual import Whitening
from model.sampler import SamplerConfig
from model.towns import SCALED
from model.window import TILES, block, generate, rounded, supports, with_halo
from model.worlds import World, Worlds
from tests.model.test_towns import nearest_town

law = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Nothing:
    """A store that forgets at once."""

    def get(self, address):
        return None

    def put(self, address, pixels, generated=True):
        pass


class SmallWorlds(Worlds):
    """One world, of noise, with a base at z1: three generated levels are reached cheaply."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(3)
        pixels = np.repeat(np.repeat(rng.integers(0, 256, (16, 32, 3), dtype=np.uint8), 16, 0), 16, 1)
        base = PlateCarree(pixels)
        world = World("small", "Small", "", "", base.zoom, "test", lambda seed: base)
        self._worlds = {"small": world, "earth": world}

    def names(self):
        return list(self._worlds)

    def get(self, name):
        if name not in self._worlds:
            raise UnknownWorld(name)
        return self._worlds[name]


@pytest.fixture(scope="module", params=["on supports", "on tiles"])
def weights(request, tiny_weights, tmp_path_factory):
    """The tiny network, whose levels stand on supports of the one above, or, as older versions', on its tiles."""
    tiny, folder = checkpoints.load(tiny_weights), tmp_path_factory.mktemp("weights")
    sampler = replace(tiny.sampler, supports=request.param == "on supports")
    checkpoints.save(folder, tiny.network, tiny.whitening, sampler, {})
    return folder


@pytest.fixture
def make(weights):
    return lambda store=None, threads=1: Generator(SmallWorlds(), store, weights=weights, threads=threads)


@pytest.fixture(scope="module")
def warm(weights):
    """One generator whose store fills while the module runs: its answers must be those of an empty one."""
    return Generator(SmallWorlds(), weights=weights, threads=1)


def tile(z):
    return st.tuples(st.just(z), st.integers(0, (1 << z) - 1), st.integers(0, (1 << z) - 1))


@law
@given(tile(5), st.integers(0, 3))
def test_a_warm_store_changes_no_byte(make, warm, address, seed):
    assert np.array_equal(warm.pixels(warm.address("small", seed, *address)),
                          make(MemoryStore()).pixels(make().address("small", seed, *address)))


def test_order_changes_no_byte(make):
    addresses = [make().address("small", 1, 5, x, y) for x in range(6, 10) for y in range(6, 10)]
    forward, backward = make(), make(MemoryStore(limit_bytes=3 * TILE * TILE * 3))
    one = {a: forward.pixels(a) for a in addresses}
    random.Random(4).shuffle(addresses)
    for a in addresses:
        assert np.array_equal(backward.pixels(a), one[a])


def test_without_any_store_the_bytes_are_the_same(make, warm):
    address = warm.address("small", 2, 5, 15, 16)
    assert np.array_equal(make(Nothing()).pixels(address), warm.pixels(address))


def test_threads_change_no_byte(make):
    address = make().address("small", 9, 5, 3, 4)
    assert np.array_equal(make(threads=1).pixels(address), make(threads=2).pixels(address))
    torch.set_num_threads(1)


@law
@given(st.sampled_from([2, 4, 6]).flatmap(tile), st.integers(0, 2))
def test_even_zooms_are_the_exact_mean_of_the_zoom_below(warm, address, seed):
    z, x, y = address
    below = [[warm.pixels(warm.address("small", seed, z + 1, 2 * x + i, 2 * y + j)) for i in (0, 1)] for j in (0, 1)]
    mosaic = np.concatenate([np.concatenate(row, axis=1) for row in below], axis=0)
    assert np.array_equal(warm.pixels(warm.address("small", seed, z, x, y)), halve(mosaic))


@law
@given(st.integers(-700, 3000), st.integers(-60, 2000), st.integers(1, 300), st.integers(1, 300))
def test_a_region_is_the_mosaic_of_its_tiles(warm, x0, y0, w, h):
    address = warm.address("small", 1, 3, 0, 0)
    region = warm.region(address, x0, y0, x0 + w, y0 + h)
    assert region.shape == (h, w, 3)
    for px, py in ((x0, y0), (x0 + w - 1, y0 + h - 1), (x0 + w // 2, y0 + h // 2)):
        row = min(max(py, 0), width(3) - 1)
        column = px % width(3)
        pixels = warm.pixels(address._replace(x=column // TILE, y=row // TILE))
        assert np.array_equal(region[py - y0, px - x0], pixels[row % TILE, column % TILE])


def test_the_world_is_round(warm):
    address = warm.address("small", 1, 5, 0, 0)
    around = width(5)
    beyond = warm.region(address, around - 40, 1000, around + 40, 1050)
    assert np.array_equal(warm.region(address, -40, 1000, 40, 1050), beyond)


@pytest.mark.parametrize("y", [0, 31])
def test_the_last_rows_at_the_poles_are_sound(warm, y):
    pixels = warm.pixels(warm.address("small", 1, 5, 7, y)).astype(int)
    rows = np.abs(np.diff(pixels, axis=0)).mean((1, 2))
    edge = rows[:2] if y == 0 else rows[-2:]
    assert edge.max() < 4 * np.median(rows) + 4


def test_seeds_change_every_generated_level_and_leave_the_base_alone(warm):
    for z in range(7):
        one, other = (warm.pixels(warm.address("small", seed, z, 0, 0)) for seed in (1, 2))
        assert np.array_equal(one, other) == (z <= 1)


@pytest.fixture
def made(monkeypatch):
    """Windows as they are made: (level, x, y), and whether it is a support."""
    made = []

    def watched(*args):
        made.append((*args[3:6], args[9] != TILES))
        return block(*args)

    monkeypatch.setattr("model.generator.block", watched)
    return made


def named(needed):
    """The same of what `needs` names."""
    of = getattr(needed, "shown", needed)
    return needed.z, of.x, of.y, isinstance(needed, Support)


def test_needs_names_exactly_what_will_be_made_coarsest_first(make, made):
    generator = make()
    for zxy in ((4, 7, 8), (5, 0, 31), (6, 40, 2)):
        address = generator.address("small", 5, *zxy)
        expected = generator.needs(address)
        made.clear()
        generator.pixels(address)
        assert sorted(made) == sorted(map(named, expected))
        assert [of.z for of in expected] == sorted(level for level, *_ in made)
        assert generator.needs(address) == []


def test_what_is_needed_can_be_made_one_by_one(make, made):
    generator = make()
    address = generator.address("small", 5, 6, 40, 2)
    expected = generator.needs(address)
    for needed in expected:
        generator.make(needed)
    assert made == [named(of) for of in expected]
    assert np.array_equal(generator.make(address), make().pixels(address)) and len(made) > 1


def test_many_threads_change_no_byte_and_make_nothing_twice(make, made):
    """Neighbours, which stand on the same, and each of them asked for twice at once."""
    addresses = [make().address("small", 6, 6, x, y) for x in range(9, 12) for y in (50, 51)]
    one, many = make(), make(threads=3)
    expected = [one.pixels(address) for address in addresses]
    alone = sorted(made)
    made.clear()
    with ThreadPoolExecutor(2 * many.workers) as pool:
        found = list(pool.map(many.pixels, addresses * 2))
    assert sorted(made) == alone and len(set(alone)) == len(alone) > len(addresses)
    assert all(map(np.array_equal, found, expected * 2))


def test_ancestors_are_odd_zooms_and_the_base_deepest_first(make):
    generator = make()
    above = generator.ancestors(generator.address("small", 0, 6, 44, 21))
    assert [(a.z, a.x, a.y) for a in above] == [(5, 22, 10), (3, 5, 2), (1, 1, 0), (0, 0, 0)]


def test_check_may_stop_the_work_and_nothing_half_made_stays(make):
    generator = make()
    address = generator.address("small", 0, 5, 9, 9)
    calls = iter(range(1000))

    def check():
        if next(calls) == 3:
            raise Cancelled("nobody waits")

    with pytest.raises(Cancelled):
        generator.pixels(address, check)
    assert np.array_equal(generator.pixels(address), make().pixels(address))


@pytest.mark.parametrize("error, args", [
    (UnknownWorld, ("mars", 0, 0, 0, 0)), (BadSeed, ("small", "a b", 0, 0, 0)), (BadTile, ("small", 0, "z", 0, 0)),
    (TileOutside, ("small", 0, 16, 0, 0)), (TileOutside, ("small", 0, 2, 4, 0)),
    (UnknownVersion, ("small", 0, 0, 0, 0, "000000000000"))])
def test_bad_addresses_are_refused(make, error, args):
    with pytest.raises(error):
        make().address(*args)


def test_earth_is_the_base_to_z5_and_imagined_below(tiny_generator):
    address = tiny_generator.address("earth", 0, 5, 16, 11)
    assert tiny_generator.is_base(address)
    assert not tiny_generator.is_base(address._replace(z=6))
    pixels = tiny_generator.pixels(tiny_generator.address("earth", 0, 7, 64, 44))
    assert pixels.shape == (256, 256, 3) and pixels.dtype == np.uint8 and pixels.std() > 1


def asked(weights, **sampler):
    """The checkpoint, whose sampler does something else."""
    checkpoint = checkpoints.load(weights)
    return replace(checkpoint, sampler=replace(checkpoint.sampler, **sampler))


def test_a_projection_draws_the_means_to_the_condition_and_is_the_same_however_much_is_dropped(tiny_weights):
    condition = SmallWorlds().get("earth").base(0).region(1, *TILES.condition_box(32, 2, 3))
    away = {}
    for share in (0.0, 0.3):
        checkpoint = asked(tiny_weights, projections={"3": share}, sharpenings={"3": 0.2})
        made = generate(checkpoint, condition, 5, 3, 2, 3).astype(float)
        for drop in (0, 8, 28):
            cut = 32 - drop
            whole = with_halo(checkpoint, condition, 5, 3, 2, 3, drop=drop)[cut:cut + TILE, cut:cut + TILE]
            assert np.abs(whole - made).max() <= 1
        away[share] = np.abs(made.reshape(64, 4, 64, 4, 3).mean((1, 3)) - condition[8:-8, 8:-8]).mean()
    assert away[0.3] < 0.85 * away[0.0]
    other = asked(tiny_weights, projections={"5": 0.3}, sharpenings={"5": 0.2})  # of another level
    assert np.array_equal(generate(other, condition, 5, 3, 2, 3),
                          generate(asked(tiny_weights), condition, 5, 3, 2, 3))


def test_a_sharpened_condition_has_more_contrast(tiny_weights):
    condition = SmallWorlds().get("earth").base(0).region(1, *TILES.condition_box(32, 2, 3))
    contrast = [generate(asked(tiny_weights, sharpenings=of), condition, 5, 3, 2, 3).std()
                for of in ({}, {"3": 0.2}, {"3": 0.4})]
    assert contrast == sorted(set(contrast))


@pytest.fixture
def shown(plains_config):
    """A checkpoint of a tiny network that is shown gullies and, on plains, fields."""
    torch.manual_seed(2)
    network = Network(plains_config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return checkpoints.Checkpoint(network, Whitening([[5.0, 0.1, 0.02, 0.02]]),
                                  SamplerConfig((999,), halo=32), "tiny", {})


def test_where_the_base_is_rugged_no_fields_are_shown_and_gullies_may_be_lit(shown):
    checkpoint = shown
    flat = np.full((512, 1024, 3), 110, np.uint8)
    ridged = flat.copy()
    ridged[:, ::3] = 60
    condition = np.full((80, 80, 3), 110, np.uint8)
    bases = None, PlateCarree(flat), PlateCarree(ridged)
    unknown, on_plain, on_ridges = (generate(checkpoint, condition, 1, 11, 800, 700, base=base) for base in bases)
    assert np.array_equal(on_plain, unknown) and not np.array_equal(on_ridges, unknown)
    # There gullies may be lit in snow, and nowhere else.
    lit = replace(checkpoint, sampler=replace(checkpoint.sampler, shades={"11": 0.2}))
    snow = condition + 90
    on_plain, on_ridges = (generate(checkpoint, snow, 1, 11, 800, 700, base=base) for base in bases[1:])
    assert np.array_equal(generate(lit, snow, 1, 11, 800, 700, base=bases[1]), on_plain)
    assert generate(lit, snow, 1, 11, 800, 700, base=bases[2]).std() > 1.5 * on_ridges.std()



def test_fields_are_painted_where_land_has_any_and_alike_however_much_is_dropped(shown):
    painted = replace(shown, sampler=replace(shown.sampler, paints={"11": 0.1}))
    condition = np.full((80, 80, 3), (110, 105, 75), np.uint8)
    condition[:, 40:] = 200, 160, 120  # the east is sand
    bare, made = (generate(of, condition, 1, 11, 800, 700).astype(int) for of in (shown, painted))
    assert (made != bare)[:, :100].mean() > 0.5 and not (made != bare)[:, 160:].any()
    for drop in (0, 8, 28):
        cut = 32 - drop
        whole = with_halo(painted, condition, 1, 11, 800, 700, drop=drop)[cut:cut + TILE, cut:cut + TILE]
        assert np.abs(whole - made).max() <= 1
    assert np.array_equal(generate(painted, condition, 1, 13, 800, 700), generate(shown, condition, 1, 13, 800, 700))


def test_sand_has_dunes_and_woods_have_crowns_in_windows_and_blocks(shown, monkeypatch):
    laid = replace(shown, sampler=replace(shown.sampler, dunes={"13": 0.1}, crowns={"13": 0.2}))
    ground = np.full((80, 144, 3), (205, 170, 125), np.uint8)  # of two windows side by side, each of which sees 80
    ground[:, 96:] = 30, 48, 28  # woods in the east of the second
    windows = np.stack([ground[:, :80], ground[:, 64:]])
    bare, made = ([generate(of, part, 1, 13, 800 + i, 700).astype(int) for i, part in enumerate(windows)]
                  for of in (shown, laid))
    changed = np.abs(np.concatenate(made, 1) - np.concatenate(bare, 1)).max(2)
    assert (changed[:, :320] > 2).mean() > 0.3 and (changed[:, 400:] > 1).mean() > 0.3
    assert np.array_equal(generate(laid, windows[0], 1, 11, 800, 700), generate(shown, windows[0], 1, 11, 800, 700))
    four = block(laid, np.concatenate([windows, windows]), 1, 13, 800, 700, 2, drop=32)
    assert all(alike(rounded(four[i]), made[i]) for i in (0, 1))
    # What there is none of is not made.
    monkeypatch.setattr(dunes, "field", None)
    generate(laid, windows[1, :, 32:].repeat(2, 1)[:, :80], 1, 13, 800, 700)
    with pytest.raises(TypeError):
        generate(laid, windows[0], 1, 13, 800, 700)


def test_where_the_base_is_hilly_there_are_ridges_and_as_many_as_it_is(shown):
    ridged = replace(shown, sampler=replace(shown.sampler, ridges={"11": 0.3}))
    condition = np.full((80, 80, 3), (110, 120, 75), np.uint8)
    changed = []
    for depth in (0, 12, 22, 60):  # a third of the base's pixels are darker by so much than the others
        pixels = np.full((512, 1024, 3), 110, np.uint8)
        pixels[:, ::3] -= depth
        bare, made = (generate(of, condition, 1, 11, 800, 700, base=PlateCarree(pixels)).astype(int)
                      for of in (shown, ridged))
        changed.append(np.abs(made - bare).mean())
    assert changed[0] == changed[1] == 0 and 0.5 < changed[2] < 0.6 * changed[3]
    alone = [generate(of, condition, 1, 11, 800, 700) for of in (shown, ridged)]
    assert np.array_equal(*alone)  # without a base nobody knows of hills


@pytest.mark.parametrize("level", [11, 13, 15])
def test_towns_are_built_where_people_live_and_alike_in_blocks_and_on_a_gpu(shown, monkeypatch, level):
    built = replace(shown, sampler=replace(shown.sampler, houses={str(level): 0.8}, paved={str(level): 0.5}))
    town = nearest_town(1, 40.0)
    x, y = (int(at * 2.0 ** (level - SCALED)) // TILE for at in (town.x, town.y))
    green, sand = (PlateCarree(np.full((64, 128, 3), of, np.uint8)) for of in ((85, 100, 60), (210, 170, 120)))
    conditions = np.full((4, 80, 80, 3), (85, 100, 60), np.uint8)
    windows = [generate(of, conditions[0], 1, level, x, y, base=base).astype(int)
               for base in (green, sand) for of in (shown, built)]
    assert np.abs(windows[1] - windows[0]).mean() > 2 and np.array_equal(windows[2], windows[3])
    x, y = x // 2 * 2, y // 2 * 2
    made = block(built, conditions, 1, level, x, y, 2, base=green, drop=32)
    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)):
        assert alike(rounded(made)[2 * j + i], generate(built, conditions[0], 1, level, x + i, y + j, base=green))
    monkeypatch.setattr(arrays, "of", lambda device: device)
    assert np.array_equal(block(built, conditions, 1, level, x, y, 2, base=green, drop=32), made)


def alike(some, others) -> bool:
    """No value more than a grey level away, and hardly any so far."""
    away = np.abs(some.astype(int) - others)
    return away.max() <= 1 and (away == 0).mean() > 0.99


@pytest.mark.parametrize("level, x, y, batch", [(11, 800, 700, 2), (7, 126, 0, 16)])
def test_a_block_is_its_windows(shown, monkeypatch, level, x, y, batch):
    """In one batch or in batches of a row, on the world's edge too, with light in snow and on hills, paint, and
    rivers."""
    monkeypatch.setattr(window, "BATCH", batch)
    everything = {"shades": {"11": 0.2}, "paints": {"11": 0.1}, "projections": {"11": 0.3}, "gentle": {"11": 0.5},
                  "stills": {"7": 0.3}, "ridges": {"7": 0.2, "11": 0.2}, "courses": {"11": 0.8}}
    checkpoint = replace(shown, sampler=replace(shown.sampler, rows=True, **everything))
    pixels = np.full((256, 512, 3), (110, 105, 75), np.uint8)
    pixels[:, ::3] = 60
    pixels[:, 300:] = 190
    base = PlateCarree(pixels)
    conditions = (np.random.default_rng(1).integers(0, 30, (4, 80, 80, 3)) + (110, 105, 75)).astype(np.uint8)
    conditions[:, 60:, 60:] += 110
    made = rounded(block(checkpoint, conditions, 1, level, x, y, 2, base=base, drop=32))
    assert made.shape == (4, TILE, TILE, 3)
    for i, j in ((0, 0), (1, 0), (0, 1)):
        part = conditions[2 * j + i]
        assert alike(made[2 * j + i], generate(checkpoint, part, 1, level, x + i, y + j, base=base))


def test_what_a_gpu_is_given_is_the_same(shown, monkeypatch):
    """Its fields and noise are tensors from the first; here on a processor."""
    pixels = np.full((128, 256, 3), 110, np.uint8)
    pixels[:, ::3] = 85
    base = PlateCarree(pixels)
    conditions = np.full((4, 80, 80, 3), (110, 105, 75), np.uint8)
    laid = {name: {"11": 0.3} for name in ("ridges", "stills", "courses", "rocks", "shores")}
    checkpoint = replace(shown, sampler=replace(shown.sampler, **laid))
    arrays_made = block(checkpoint, conditions, 1, 11, 800, 700, 2, base=base)
    assert not np.array_equal(arrays_made, block(shown, conditions, 1, 11, 800, 700, 2, base=base))
    monkeypatch.setattr(arrays, "of", lambda device: device)
    assert np.array_equal(block(checkpoint, conditions, 1, 11, 800, 700, 2, base=base), arrays_made)


def test_blocks_change_bytes_hardly_and_the_order_none(weights, make):
    def blocks():
        return Generator(SmallWorlds(), weights=weights, threads=1, block=2)

    addresses = [make().address("small", 1, 5, x, y) for x, y in ((7, 6), (6, 7), (0, 31))]
    forward, backward, single = blocks(), blocks(), make()
    one = {address: forward.pixels(address) for address in addresses}
    for address in reversed(addresses):
        assert np.array_equal(backward.pixels(address), one[address]) and alike(one[address], single.pixels(address))
    neighbour = addresses[0]._replace(x=6)
    assert forward.needs(neighbour) == [] and forward.store.get(neighbour) is not None
    assert single.needs(neighbour) == [neighbour]
    with pytest.raises(ValueError, match="power of two"):
        Generator(SmallWorlds(), weights=weights, block=3)


def test_a_support_is_what_its_tiles_show_and_all_that_the_next_level_stands_on(shown):
    """Neighbours, each in a window of its own, agree in all that either is used for; and with the tile."""
    base = PlateCarree(np.full((128, 256, 3), 110, np.uint8))
    cut = supports(shown)
    assert cut.core == 128 and cut.rim >= (cut.rim + shown.sampler.halo) / 4  # ... of a support of the level below
    assert cut.core % shown.network.config.stride == cut.rim % shown.network.config.stride == 0
    ground = (np.random.default_rng(5).integers(0, 40, (160, 160, 3)) + (110, 105, 75)).astype(np.uint8)

    def conditioned(by, x, y):  # `ground` begins where that of tile 99/99 does
        left, top = (i * by.core // 4 - (by.rim + 32) // 4 - (99 * 64 - 8) for i in (x, y))
        x0, y0, x1, y1 = by.condition_box(32, x, y)
        return ground[top:top + y1 - y0, left:left + x1 - x0]

    whole = generate(shown, conditioned(TILES, 100, 100), 1, 11, 100, 100, base=base).astype(float)
    west, east = (block(shown, conditioned(cut, x, 200)[None], 1, 11, x, 200, 1, base=base, cut=cut, drop=32)[0]
                  for x in (200, 201))
    rim = cut.rim
    assert west.shape == (128 + 2 * rim, 128 + 2 * rim, 3) and west.dtype == np.float32
    assert np.abs(west[:, 128:] - east[:, :2 * rim]).max() < 0.5
    assert np.abs(west[rim:-rim, rim:-rim] - whole[:128, :128]).max() < 1
    assert np.abs(east[rim:-rim, rim:-rim] - whole[:128, 128:]).max() < 1


def test_a_deep_tile_on_supports_makes_one_window_a_level(make, weights, made):
    if not checkpoints.load(weights).sampler.supports:
        pytest.skip("older versions stand on tiles")
    generator = make()
    address = generator.address("small", 3, 7, 9, 55)
    assert generator.at_hand(address._replace(z=6, x=4, y=27)) is None
    pixels = generator.pixels(address)
    assert made == [(3, 1, 6, True), (5, 4, 27, True), (7, 9, 55, False)]
    neighbours = [generator.pixels(address._replace(x=x, y=y)) for x, y in ((8, 54), (8, 55), (9, 54))]
    assert len(made) == 6 and len({of.tobytes() for of in (pixels, *neighbours)}) == 4
    half = generator.at_hand(address._replace(z=6, x=4, y=27)).astype(int)  # of zoom 5, as it is shown there
    shown = generator.pixels(address._replace(z=5, x=2, y=13))[128:, :128]
    assert half.shape == shown.shape and np.abs(half - shown).mean() < 0.5 < np.abs(half[1:] - shown[:-1]).mean()


def test_what_neighbours_have_in_common_changes_no_byte(shown, tmp_path):
    checkpoints.save(tmp_path, shown.network, shown.whitening, replace(shown.sampler, supports=True), {})
    both = Generator(SmallWorlds(), weights=tmp_path, threads=1)
    addresses = [both.address("small", 4, 11, x, y) for x, y in ((300, 511), (301, 511), (301, 512), (300, 512))]
    for address in addresses:
        alone = Generator(SmallWorlds(), weights=tmp_path, threads=1)
        assert np.array_equal(both.pixels(address), alone.pixels(address))


def test_a_planet_is_drawn_once_though_every_window_asks_how_plain_it_is(shown, tmp_path):
    checkpoints.save(tmp_path, shown.network, shown.whitening, shown.sampler, {})
    drawn = []

    class Drawing(SmallWorlds):
        def get(self, name):
            world = super().get(name)
            return replace(world, base=lambda seed: drawn.append(seed) or world.base(seed))
    store = MemoryStore()
    addresses = [Generator(SmallWorlds(), weights=tmp_path).address("small", 4, 5, 3, y) for y in (8, 9)]
    for address in addresses:
        Generator(Drawing(), store, weights=tmp_path).pixels(address)
    count = len(drawn)
    assert count
    parent = addresses[0]._replace(z=3, x=0, y=2)
    assert store.get(parent) is not None
    store._windows.forget(addresses[0])
    again = Generator(Drawing(), store, weights=tmp_path).pixels(addresses[0])
    assert len(drawn) == count  # all that it needs is kept
    assert np.array_equal(again, Generator(SmallWorlds(), Nothing(), weights=tmp_path).pixels(addresses[0]))
