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
