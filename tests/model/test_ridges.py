"""Ridges of mountains: streams run downhill, into one another; the light is the same in every window of a round world,
and at a level what the one above has not shown."""

import hashlib

import numpy as np
import pytest
import torch

from model import ground, ridges, streams
from model.grid import width
from model.residual import enlarge
from model.ridges import FINEST, SLOPES, far, field, lit
from model.underlay import ROCK, Dials, Shown, finished
from tests.model.test_underlay import SAND, SEA, SNOW, WOODS, striped

BITS = {7: "6a618d4f2bcaadd6", 9: "8063cf5ade14730b", 15: "6449f82efb24e62e"}
LEVELS = pytest.mark.parametrize("level", BITS)


def square(level: int, seed: int = 7, side: int = 256) -> np.ndarray:
    return field(seed, level, 9000, 9000, 9000 + side, 9000 + side)


@LEVELS
def test_their_bits_are_written_down(level):
    assert hashlib.sha256(square(level, side=200).tobytes()).hexdigest()[:16] == BITS[level]


@LEVELS
def test_a_window_does_not_matter_and_the_world_is_round(level):
    whole = square(level, side=200)
    assert np.array_equal(field(7, level, 9037, 9050, 9189, 9197), whole[:, 50:197, 37:189])
    around = width(level)
    assert np.array_equal(field(7, level, 9000 + around, 9000, 9200 + around, 9200), whole)
    steps = np.abs(np.diff(field(7, level, -100, 9000, 100, 9200), axis=2)).mean((0, 1))
    assert steps[99] < 1.5 * np.median(steps)  # no seam where the world begins
    assert not field(7, 5, 0, 0, 64, 64).any()


@LEVELS
def test_light_and_shade_are_as_much_and_every_seed_has_its_own(level):
    found = np.stack([square(level, seed) for seed in range(4)])
    assert abs(found.mean()) < 0.06 and 0.8 < found[:, 1].std() < 1.1
    assert abs(np.corrcoef(found[0, 1].ravel(), found[1, 1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("level, size", [(7, 32), (9, 4), (15, 8)])
def test_streams_run_downhill_to_a_spring_beside(level, size):
    found = streams.streams(7, level, size, 50, 60, 80, 85)[size]
    x, y, along, down, _, high, fall = found.known
    ends = np.floor(x + along).astype(int), np.floor(y + down).astype(int)
    assert (found.column, found.row) == (50, 60) and all(set(np.unique(of)) == {-1, 0, 1} for of in ends)
    running = (along != 0) | (down != 0)
    assert 0.6 < running.mean() < 1  # some springs are the lowest about
    assert (fall[running] < 0).all() and not fall[~running].any()
    rows, columns = np.indices(x.shape)
    inside = np.s_[1:-1, 1:-1]
    to = rows[inside] + ends[1][inside], columns[inside] + ends[0][inside]
    assert np.allclose((x + along)[inside], x[to] + ends[0][inside], atol=1e-6)
    assert np.allclose((high + fall)[inside], high[to], atol=1e-5)


def test_whoever_is_far_away_is_not_asked_and_need_not_be(monkeypatch):
    """The nearest of the streams of all squares about is that of those which are asked."""
    for seed, size in ((1, 4), (2, 8), (3, 32)):
        box = 9000, 9000, 9096, 9096
        c0, r0, c1, r1 = (9000 // size - 5, 9000 // size - 5, 9096 // size + 6, 9096 // size + 6)
        found = streams.streams(seed, 9, size, c0, r0, c1, r1)[size]
        ys, xs = (np.mgrid[9000:9096, 9000:9096] / size).reshape(2, -1)
        x, y, along, down = (of.astype(float).reshape(-1, 1) for of in found.known[:4])
        rows, columns = (of.reshape(-1, 1) for of in np.indices(found.known.shape[1:]))
        x, y = x + columns + c0 - xs, y + rows + r0 - ys
        at = (-(x * along + y * down) / (along**2 + down**2 + 1e-9)).clip(0, 1)
        nearest = np.hypot(x + at * along, y + at * down).min(0).reshape(96, 96)
        monkeypatch.setattr(streams, "BENT", ())
        assert np.abs(far(seed, 9, size, found, *box) - nearest).max() < 1e-3


@pytest.mark.parametrize("level", [9, 13])
def test_a_valley_is_where_the_level_above_has_it_and_is_not_shown_twice(level):
    x = y = 4 * 3000
    below = streams.streams(7, level, FINEST, x // 4 - 2, y // 4 - 2, x // 4 + 66, y // 4 + 66)
    above = streams.streams(7, level - 2, FINEST, x // 16 - 4, y // 16 - 4, x // 16 + 20, y // 16 + 20)
    for size in (16, 32):
        fine = far(7, level, size, below[size], x, y, x + 256, y + 256)
        coarse = far(7, level - 2, size // 4, above[size // 4], x // 4, y // 4, x // 4 + 64, y // 4 + 64)
        assert np.abs(fine[::4, ::4] - coarse).mean() < 0.02 < 0.1 < fine.std()
    own, whole = field(7, level, x, y, x + 256, y + 256)
    shown = lit(7, level, below, {size: SLOPES[size] for size in (16, 32)}, x, y, x + 256, y + 256)

    def share(of):
        """Of what the wide ones show, as far as a level above can."""
        means, wide = (v.reshape(64, 4, 64, 4).mean((1, 3)).ravel() for v in (of, shown))
        return np.cov(means, wide)[0, 1] / wide.var()
    assert share(whole) == pytest.approx(1, abs=0.15) and share(own) < 0.45


def laid(own: float, whole: float) -> Shown:
    light = torch.stack([torch.full((256, 256), own), torch.full((256, 256), whole)])[None]
    return Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), 0.0,
                 laid=lambda kind: light, hilly=1.0)


def uniform(colour) -> torch.Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, 64, 64) / 127.5 - 1


@pytest.mark.parametrize("colour, less, mean", [(WOODS, 1.0, 0.0), (SAND, 1.0, 0.0), (SEA, 0.0, 0.0),
                                                (SNOW, ridges.SNOWY, ridges.MEAN)])
def test_mountains_are_lit_and_the_sea_is_not(colour, less, mean):
    condition, detail, dials = uniform(colour), torch.zeros(1, 3, 256, 256), Dials(ridges=0.2)
    bare = finished(condition, detail, laid(0, 0), Dials())
    for own in (0.3, -0.5):
        made = finished(condition, detail, laid(own, own), dials)
        warm = torch.tensor((1.05, 1.0, 0.9))
        assert torch.allclose((made + 1) / (bare + 1), (1 + 0.2 * less * (own + mean) * warm)[:, None, None], atol=1e-4)
        assert torch.equal(finished(condition, detail, laid(own, own)._replace(hilly=0.0), dials), bare)
        hills = finished(condition, detail, laid(own, own)._replace(hilly=0.5), dials)
        assert torch.allclose(hills - bare, (made - bare) / 2, atol=1e-5)
        assert torch.equal(finished(condition, detail, laid(own, own)._replace(laid=None), dials), bare)


def test_out_of_snow_stands_rock_where_all_levels_together_are_steep():
    detail, dials = torch.zeros(1, 3, 256, 256), Dials(ridges=0.2)
    steep, woods = (finished(uniform(of), detail, laid(0.0, -2.0), dials)[0, :, 128, 128] + 1 for of in (SNOW, WOODS))
    snow = torch.tensor(SNOW) / 127.5 * (1 + 0.2 * ridges.SNOWY * ridges.MEAN * torch.tensor((1.05, 1.0, 0.9)))
    assert torch.allclose(steep, snow + 0.2 * ridges.SNOWY * ridges.ROCKY * (torch.tensor(ROCK) / 127.5 - snow),
                          atol=1e-4)
    assert torch.allclose(woods, torch.tensor(WOODS) / 127.5, atol=1e-5)


def test_what_is_lit_is_more_like_what_is_light_about_and_what_is_in_shade_like_what_is_dark():
    """Between woods and sand: red differs more than blue."""
    chance = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    woods, sand = (torch.tensor(of)[None, :, None, None] / 127.5 - 1 for of in (WOODS, SAND))
    condition = woods + chance * (sand - woods)
    told = ground.contrast(condition, ground.smoothed(condition))[0, :, 8:-8, 8:-8].mean((1, 2))
    deviation = chance.std() * (sand - woods)[0, :, 0, 0]
    assert torch.allclose(told, deviation, rtol=0.15) and told[0] > 1.9 * told[2]
    flat = torch.full_like(condition, 0.3)
    assert not ground.contrast(flat, ground.smoothed(flat)).abs().max() > 1e-6
    detail = torch.zeros(1, 3, 256, 256)
    lit, dark = (finished(condition, detail, laid(of, of), Dials(ridges=0.1)) for of in (1.0, -1.0))
    moved = ((lit - dark) / 2)[0, :, 32:-32, 32:-32].mean((1, 2))
    light = 0.1 * (enlarge(condition) + 1)[0, :, 32:-32, 32:-32].mean((1, 2)) * torch.tensor((1.05, 1.0, 0.9))
    assert torch.allclose(moved - light, 0.1 * ridges.SORTED * told, rtol=0.05)


def test_what_is_drawn_on_mountains_may_be_less_but_for_snow():
    condition, detail = striped(WOODS, SAND, SNOW, SEA), torch.ones(1, 3, 256, 256)
    made = finished(condition, detail, laid(0, 0), Dials(still=0.4)) - enlarge(condition)
    assert torch.allclose(made[..., [32, 96]], torch.tensor(0.6), atol=1e-5)
    assert torch.allclose(made[..., 160], torch.tensor(1.0), atol=1e-5)
    plain = finished(condition, detail, laid(0, 0)._replace(plain=1.0), Dials(still=0.4)) - enlarge(condition)
    assert torch.allclose(plain, detail, atol=1e-5)
