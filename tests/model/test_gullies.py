"""Mountains stay where they are from level to level, their gullies run downhill, and every window sees the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.grid import width
from model.gullies import CHANNELS, FIRST, field, formed, white
from model.readings import MOST

boxes = st.tuples(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 150), st.integers(1, 150))
LEVELS = 5, 7, 9, 15


@pytest.mark.parametrize("level", LEVELS)
@settings(max_examples=20, deadline=None)
@given(a=boxes, b=boxes)
def test_windows_that_overlap_see_the_same(level, a, b):
    """To the last digits, in which a platform's convolutions may differ from size to size."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    x0, y0, x1, y1 = min(ax, bx), min(ay, by), max(ax + aw, bx + bw), max(ay + ah, by + bh)
    part, whole = field(3, level, ax, ay, ax + aw, ay + ah), field(3, level, x0, y0, x1, y1)
    assert part.shape == (CHANNELS, ah, aw) and part.dtype == np.float32
    assert np.allclose(part, whole[:, ay - y0:ay - y0 + ah, ax - x0:ax - x0 + aw], atol=1e-3)


@pytest.mark.parametrize("level", LEVELS)
def test_they_wrap_at_the_levels_own_width(level):
    around = width(level)
    assert np.array_equal(field(1, level, -40, 30, 60, 90), field(1, level, around - 40, 30, around + 60, 90))


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
