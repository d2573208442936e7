"""Land use: what is tilled at one level is tilled at the next, and about half of the land is."""

import hashlib

import numpy as np
import pytest

from model.land_use import field
from model.parcels import FIRST

BITS = {11: "438a2beb669d2850", 13: "768691e7efcfaea1", 15: "768691e7efcfaea1"}


def test_its_bits_are_written_down():
    digests = {level: hashlib.sha256(field(7, level, 100, -20, 330, 230).tobytes()).hexdigest()[:16]
               for level in (11, 13, 15)}
    assert digests == BITS


def test_about_half_of_the_land_is_tilled_and_little_is_neither():
    assert not field(7, FIRST - 2, 0, 0, 300, 300).any()  # at 305 m a pixel is larger than a field
    found = np.stack([field(seed, 11, 999 * seed, 500, 999 * seed + 512, 1012) for seed in range(40)])
    assert found.min() == 0 and found.max() == 1
    assert 0.4 < found.mean() < 0.65 and np.mean((found > 0) & (found < 1)) < 0.25
    # In 40 km there are both.
    assert np.mean([0.1 < one.mean() < 0.9 for one in found]) > 0.8


@pytest.mark.parametrize("level", [13, 15])
def test_every_level_has_the_land_use_of_the_one_above(level):
    times, alike = 4, {4: [], 5: []}
    for x, y in ((40, 900), (700, 300), (520, 610), (-300, 200)):
        shown = field(4, level - 2, x, y, x + 128, y + 128)
        for seed, into in alike.items():
            fine = field(seed, level, times * x, times * y, times * (x + 128), times * (y + 128))
            into.append(np.mean((fine.reshape(128, times, 128, times).mean((1, 3)) > 0.5) == (shown > 0.5)))
    assert np.mean(alike[4]) > 0.9 > 0.75 > np.mean(alike[5])
