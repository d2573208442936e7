"""Light on what the network leaves bare (dunes, crowns, rocks, faces, crags): the same in every window of a round
world."""

import hashlib

import numpy as np
import pytest

from model import crags, crowns, dunes, faces, rocks
from model.grid import width

BITS = {(dunes, 9): "038bc8c9cd6cafd8", (dunes, 11): "3bb7e9c4ba99e4c1",
        (dunes, 13): "62f63980a34928f5", (dunes, 15): "e147418039772941",
        (crowns, 13): "a76bd5126d2e9e1e", (crowns, 15): "00093684e624ff29",
        (rocks, 11): "f4ebf437b4ce5eb3", (rocks, 13): "d04f940a1189f6a7", (rocks, 15): "b1323b9888a1126d",
        (faces, 9): "1e2fbaa7f68b30f1", (faces, 11): "ed0f4029693d6dc8",
        (faces, 13): "f22d34525fc16fb3", (faces, 15): "5535ebc3f10d6650",
        (crags, 9): "69e7af210f021f62", (crags, 11): "548404c85b50495f", (crags, 15): "9f204b0112aebb08"}
MOST = {crags: 0.9}  # of deviation, where it is more than a little
KINDS = pytest.mark.parametrize("kind, level", BITS, ids=lambda v: getattr(v, "__name__", v))


def square(kind, level: int, seed: int = 7, at: int = 9000, side: int = 512) -> np.ndarray:
    return kind.field(seed, level, at, at, at + side, at + side)


@KINDS
def test_their_bits_are_written_down(kind, level):
    digest = hashlib.sha256(square(kind, level, side=300).tobytes()).hexdigest()
    assert digest[:16] == BITS[kind, level]


@KINDS
def test_a_window_does_not_matter_and_the_world_is_round(kind, level):
    whole = square(kind, level, side=200)
    assert np.array_equal(kind.field(7, level, 9037, 9050, 9189, 9197), whole[50:197, 37:189])
    around = width(level)
    assert np.array_equal(kind.field(7, level, 9000 + around, 9000, 9200 + around, 9200), whole)
    across = kind.field(7, level, -100, 9000, 100, 9200)
    steps = np.abs(np.diff(across, axis=1)).mean(0)
    assert steps[99] < 1.5 * np.median(steps)  # no seam where the world begins


@KINDS
def test_light_and_shade_are_as_much_and_every_seed_has_its_own(kind, level):
    found = np.stack([square(kind, level, seed) for seed in range(4)])
    assert abs(found.mean()) < 0.06 and 0.2 < found.std() < MOST.get(kind, 0.7)
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("kind, level", [(dunes, 7), (crowns, 11), (rocks, 9), (faces, 7), (crags, 7)])
def test_above_their_first_level_there_are_none(kind, level):
    assert not square(kind, level, side=64).any()


def test_dunes_have_a_long_lit_slope_a_sharp_crest_and_a_short_one_in_shade():
    for seed in range(4):
        found = square(dunes, 9, seed)
        steps = np.diff(found, axis=1)
        assert (found > 0.05).sum() > 1.3 * (found < -0.05).sum() and -found.min() > 1.2 * found.max()
        assert -np.percentile(steps, 2) > 1.15 * np.percentile(steps, 98)  # from light to shade sooner than back
        falls = steps < -0.25
        crests = (falls[:, 1:] & ~falls[:, :-1]).mean() * dunes.APART
        assert 0.5 < crests < 2  # as many as there are teeth, though some are low and two saws cross


@pytest.mark.parametrize("level", [11, 13, 15])
def test_every_level_shows_the_crests_of_the_one_above_sharper(level):
    """What it adds of them lies at their crests, and is as much light as shade."""
    place = 36000, 36000, 36512, 36512
    coarse = dunes._seen(7, level - 2, level - 2, tuple(v // 4 for v in place), None)
    added = dunes._seen(7, level, level - 2, place, None)
    steps = np.abs(np.diff(coarse, axis=1))[:, :, None].repeat(4, 0).reshape(512, -1).repeat(4, 1)
    where = np.abs(added[:, :508]) > 0.2
    assert 0.05 < where.mean() < 0.3 and steps[where].mean() > 2 * steps[~where].mean()
    assert abs(added.mean()) < 0.1 * np.abs(added).mean()


def test_there_are_seas_of_sand_and_ground_that_has_few():
    strength = [square(dunes, 9, seed, 9000 + 700 * n, 128).std() for seed in range(4) for n in range(6)]
    assert max(strength) > 2 * min(strength) > 0.1
    assert not np.isclose(dunes.FEWEST, 0)


def test_between_crowns_it_is_dark():
    found = square(crowns, 15)
    assert -np.percentile(found, 1) > 1.1 * np.percentile(found, 99)
    assert np.abs(np.diff(found, axis=1)).mean() > 0.3 * found.std()  # as small as trees are


def test_rocks_have_sharp_ridges_and_crowns_do_not():
    """Down the light, over a ridge, light turns to shade at once; over a crown it takes longer than from one to the
    next."""
    for kind, sharp in ((rocks, True), (crowns, False)):
        steps = square(kind, 15)[1:, 1:] - square(kind, 15)[:-1, :-1]
        skewness = (steps**3).mean() / steps.std() ** 3
        assert skewness < -0.3 if sharp else skewness > 0.1


@pytest.mark.parametrize("level", [11, 13, 15])
@pytest.mark.parametrize("kind, least", [(faces, 0.2), (crags, 0.15)])
def test_what_a_level_shows_of_faces_lies_on_those_of_the_one_above(kind, least, level):
    def alike(seed):
        above = kind.field(seed, level - 2, 2000, 2000, 2128, 2128)
        means = kind.field(7, level, 8000, 8000, 8512, 8512).reshape(128, 4, 128, 4).mean((1, 3))
        return np.corrcoef(above.ravel(), means.ravel())[0, 1]
    assert alike(7) > least and abs(alike(8)) < 0.05


def test_the_first_level_alone_shows_the_widest_crags():
    """The others see them in what is enlarged."""
    def wide(level):
        found = square(crags, level)
        return found.reshape(8, 64, 8, 64).mean((1, 3)).std() / found.std()
    assert wide(9) > 1.5 * wide(11) and wide(11) == pytest.approx(wide(13), rel=0.4)


def test_crags_do_not_show_the_squares_of_their_noise():
    """Light lies along rows and columns hardly more than along diagonals."""
    found = np.stack([square(crags, 13, seed) for seed in range(4)])
    power = np.abs(np.fft.fft2(found - found.mean())) ** 2
    row, column = np.meshgrid(*2 * [np.fft.fftfreq(512)], indexing="ij")
    angle = np.abs(np.arctan2(row, column)) % (np.pi / 2)
    ring = (np.hypot(row, column) > 1 / 32) & (np.hypot(row, column) < 1 / 8)
    along = (angle < np.pi / 16) | (angle > 7 * np.pi / 16)
    assert power[:, ring & along].mean() < 1.6 * power[:, ring].mean()
