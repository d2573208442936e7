"""Towns: where they are, the same in every window and at every level, and their streets."""

import hashlib

import numpy as np
import pytest

from model.grid import width
from model.towns import FIRST, KINDS, SCALED, field, streets, town

BITS = {9: ["97a71cbdc55ef088", "ac2878215ad33205"], 11: ["e83bfb66f1606dff", "6a72819e266e5055"],
        13: ["70bff952d3e11e8e", "c0f4e5da7178082e"], 15: ["7a944efdbb26e231", "adaaa31d8edf39fb"]}


def nearest_town(seed: int, least: float):
    """A town of at least that radius, and the pixels of `SCALED` around it."""
    return next(found for row in range(40, 80) for column in range(40, 80)
                if (found := town(seed, 0, column, row)) and found.radius >= least)


def around(place, level: int, side: int) -> tuple[int, int, int, int]:
    x, y = (int(v * 2.0 ** (level - SCALED)) - side // 2 for v in (place.x, place.y))
    return x, y, x + side, y + side


def test_their_bits_are_written_down():
    place = nearest_town(7, 20.0)
    digests = {level: [hashlib.sha256(kind(7, level, *around(place, level, 200)).tobytes()).hexdigest()[:16]
                       for kind in (field, streets)] for level in (9, 11, 13, 15)}
    assert digests == BITS


def test_a_few_hundredths_of_the_land_are_towns_and_their_middles_are_built_up():
    found = np.stack([field(seed, 11, 999 * seed, 9000, 999 * seed + 1024, 10024) for seed in range(12)])
    assert found.min() == 0 and found.max() == 1
    assert 0.01 < found.mean() < 0.06
    assert not field(7, FIRST - 2, 0, 0, 300, 300).any()
    for seed in range(5):
        place = nearest_town(seed, 15.0)
        assert field(seed, 13, *around(place, 13, 8)).mean() > 0.9


@pytest.mark.parametrize("level", [11, 13, 15])
def test_every_level_has_the_towns_of_the_one_above(level):
    for seed in range(4):
        place = nearest_town(seed, 12.0)
        x0, y0, x1, y1 = around(place, level - 2, 128)
        coarse, fine = field(seed, level - 2, x0, y0, x1, y1), field(seed, level, 4 * x0, 4 * y0, 4 * x1, 4 * y1)
        means = fine.reshape(128, 4, 128, 4).mean((1, 3))
        assert coarse.mean() > 0.005 and np.mean((means > 0.5) == (coarse > 0.5)) > 0.9
        other = field(seed + 100, level, 4 * x0, 4 * y0, 4 * x1, 4 * y1).reshape(128, 4, 128, 4).mean((1, 3))
        assert ((means > 0.5) & (coarse > 0.5)).sum() > 2 * ((other > 0.5) & (coarse > 0.5)).sum()


def test_a_window_does_not_matter_and_the_world_is_round():
    place = nearest_town(3, 30.0)
    x0, y0, x1, y1 = around(place, 13, 260)
    for kind in (field, streets):
        whole = kind(3, 13, x0, y0, x1, y1)
        assert np.array_equal(kind(3, 13, x0 + 37, y0 + 50, x1 - 11, y1 - 3), whole[..., 50:-3, 37:-11])
        assert np.array_equal(kind(3, 13, x0 + width(13), y0, x1 + width(13), y1), whole)
    # A town whose square is the world's last reaches over its edge.
    seed = next(s for s in range(4000) if (t := town(s, 0, -1, 50)) and t.x + t.radius > 10)
    edge = town(seed, 0, -1, 50)
    _, y0, _, y1 = around(edge, 11, 120)
    assert field(seed, 11, 0, y0, 8, y1).any()
    assert np.array_equal(field(seed, 11, -20, y0, 20, y1)[:, 20:], field(seed, 11, 0, y0, 20, y1))


def test_streets_are_narrow_and_most_of_a_town_has_them():
    place = nearest_town(5, 40.0)
    ruled = streets(5, 13, *around(place, 13, 256))[0]
    # Of 64 squares of 32 pixels hardly one is without; of farmland's districts a third are.
    squares = ruled.reshape(8, 32, 8, 32).std((1, 3))
    assert np.mean(squares > 0.3) > 0.9
    assert KINDS[0].least > KINDS[1].least and not streets(5, 9, 0, 0, 64, 64).any()
