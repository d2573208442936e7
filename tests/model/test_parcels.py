"""Parcels: the same fields whoever looks, ruled by straight lines, in a direction of each district's own."""

import hashlib

import numpy as np
import pytest

from model.parcels import field


def test_their_bits_are_written_down():
    assert hashlib.sha256(field(7, 11, 100, -20, 330, 230).tobytes()).hexdigest()[:16] == "d887b91c3f316ed1"


def test_there_are_none_where_a_pixel_is_larger_than_a_field():
    assert not field(7, 9, 0, 0, 300, 300).any() and field(7, 11, 0, 0, 300, 300).any()


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_every_seed_and_level_has_its_own(seed):
    found = [field(s, level, 0, 0, 400, 400) for s, level in ((seed, 11), (seed, 13), ((seed + 5) % 2**64, 11))]
    for channels in found:
        assert np.abs(channels.mean((1, 2))).max() < 0.2 and (channels.std((1, 2)) > 0.3).all()
        assert np.abs(channels).max() < 6
    for other in found[1:]:
        assert abs(np.corrcoef(found[0].ravel(), other.ravel())[0, 1]) < 0.1


def test_most_of_the_land_is_flat_between_straight_borders():
    light, green = field(5, 13, 0, 0, 512, 512)
    for steps in (np.abs(np.diff(green, axis=0)), np.abs(np.diff(green, axis=1))):
        assert 0.5 < (steps == 0).mean() < 0.98
    # Along a border a parcel's neighbours stay the same for several rows: lines, not grains.
    edge = np.diff(green, axis=1) != 0
    shifted = edge[1:] & (edge[:-1] | np.roll(edge[:-1], 1, 1) | np.roll(edge[:-1], -1, 1))
    assert shifted.sum() > 0.85 * edge[1:].sum()


@pytest.mark.parametrize("level, nested, least, most", [(13, True, 0.4, 1), (15, True, 0.1, 1),
                                                        (13, False, -0.1, 0.1), (15, False, -0.1, 0.1)])
def test_nested_ones_lie_in_those_of_the_levels_above(level, nested, least, most):
    """Where a parcel of z11 ends and a lighter one begins, it grows lighter at the finer levels too."""
    times, steps = 1 << (level - 11), []
    for x, y in ((40, 900), (700, 300), (520, 610), (-300, 200)):
        coarse = field(4, 11, x, y, x + 40, y + 40)[1]
        fine = field(4, level, x * times, y * times, (x + 40) * times, (y + 40) * times, nested)[1]
        means = fine.reshape(40, times, 40, times).mean((1, 3))
        steps += [np.stack([np.diff(coarse, axis=axis).ravel(), np.diff(means, axis=axis).ravel()]) for axis in (0, 1)]
    assert least < np.corrcoef(np.concatenate(steps, axis=1))[0, 1] < most


def test_at_their_first_level_nested_ones_are_the_same_but_for_roads_and_their_bits_are_written_down():
    (light, green), (plain, same) = (field(4, 11, 5, 6, 300, 200, nested) for nested in (True, False))
    assert np.array_equal(green, same)
    road = light - plain
    assert road.min() >= 0 and road.max() > 1 and 0.005 < (road > 0.3).mean() < 0.1
    found = {level: field(7, level, 100, -20, 330, 230, nested=True) for level in (11, 13, 15)}
    for channels in found.values():
        assert (channels.std((1, 2)) > 0.2).all() and np.abs(channels).max() < 9
    digests = [hashlib.sha256(v.tobytes()).hexdigest()[:16] for v in found.values()]
    assert digests == ["c9fd4ad9662096eb", "6b59f468d09fd0e4", "2e8759d6a4aebfe0"]
