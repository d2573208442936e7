"""Mountains stay where they are from level to level, and their gullies run downhill."""

import numpy as np
import pytest
import torch

from model.gullies import FIRST, field, formed, white
from model.readings import MOST

LEVELS = 5, 7, 9, 15


@pytest.mark.parametrize("level", LEVELS)
def test_both_channels_vary_by_one_or_so_and_differ_from_seed_to_seed(level):
    """Over sixteen places far apart: deep down whole windows lie on one flank, or in one plain."""
    one, other = (np.concatenate([field(seed, level, x, y, x + 64, y + 64) for x in range(0, 8000, 2000)
                                  for y in range(0, 8000, 2000)], 1) for seed in (1, 2))
    assert all(0.5 < deviation < 1.1 for deviation in one.std((1, 2))) and np.abs(one).max() <= MOST
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("level", [9, 11, 15])
def test_a_level_stands_on_the_slopes_of_the_one_above(level):
    """Means over its own gullies point where the level above's slopes do, and not where another world's do."""
    found = {"own": [], "other": []}
    for seed in range(8):
        x, y, size = 3000 + 700 * seed, 2000, 64
        fine = torch.nn.functional.avg_pool2d(formed(seed, level, 4 * x, 4 * y, 4 * (x + size), 4 * (y + size))[1], 4)
        for whose, of in (("own", seed), ("other", seed + 1)):
            above = formed(of, level - 2, x, y, x + size, y + size)[1]
            found[whose].append((above * fine).sum() / (above.square().sum() * fine.square().sum()).sqrt())
    assert min(found["own"]) > 0.6 and abs(sum(found["other"])) / 8 < 0.3


def test_stripes_run_downhill():
    """Along the slope that a level stands on its finest light changes less than across it."""
    light, slope = formed(4, FIRST, 500, 700, 756, 956)
    slope = torch.nn.functional.avg_pool2d(slope, 33, 1, 16, count_include_pad=False)
    dy, dx = (light[0, 1].diff(dim=i)[:255, :255] for i in (0, 1))
    sx, sy = slope[0, :, :255, :255] / slope[0, :, :255, :255].norm(dim=0)
    along, across = (dx * sx + dy * sy).square().mean(), (dy * sx - dx * sy).square().mean()
    assert across > 1.5 * along


def test_white_numbers_have_variance_one():
    assert white(1, 9, 4, 4, 0, 0, 200, 200).var().item() == pytest.approx(1, abs=0.05)
