"""Snow over mountains: white and blue, as much of it as the dice say, and the mountains seen through it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.training.imagery import Patch
from model.training.pairs import LEVELS_M, SNOWED, PairConfig, Pairs
from model.training.pixels import white
from model.training.snow import LIT, SHADED, snowed, snowy


def mountains(number: int = 0, landcover="desert, mountains") -> Patch:
    """Slopes of some 20 px, lit and shaded, of the colour of sand."""
    rng = np.random.default_rng(number)
    slopes = torch.from_numpy(rng.standard_normal((1, 1, 32, 32)).astype(np.float32))
    slopes = F.interpolate(slopes, scale_factor=8, mode="bicubic")[0, 0, :, :, None].numpy()
    pixels = (np.array([150, 120, 90]) + 25 * slopes).clip(0, 255).astype(np.uint8)
    return Patch(f"m{number}", "76", f"s{number}", landcover, 0.0, 0.0, 76.0, pixels)


def test_snow_covers_from_some_to_nearly_all_and_leaves_the_rest_as_it_was():
    before, shares = mountains().pixels.astype(int), []
    for n in range(12):
        after = snowed(mountains().pixels, np.random.default_rng(n)).astype(int)
        shares.append(np.mean(np.abs(after - before).max(-1) > 20))
        bare = np.abs(after - before).max(-1) <= 1
        assert bare.any()  # the steepest rock at least
        white = after[~bare]
        assert (white <= np.array(LIT) + 1).all()
    assert min(shares) < 0.6 and max(shares) > 0.85


def test_in_snow_light_is_white_shadow_blue_and_both_lie_where_the_mountains_have_them():
    before = mountains().pixels.astype(float)
    covered = max((snowed(mountains().pixels, np.random.default_rng(n)) for n in range(12)), key=np.mean).astype(float)
    snow = covered[..., 2] > covered[..., 0]  # sand is red, snow never
    assert snow.mean() > 0.8
    grey = before.mean(-1)[snow]
    assert np.corrcoef(grey, covered.mean(-1)[snow])[0, 1] > 0.7
    lit, shaded = (covered[snow][chosen].mean(0) for chosen in (grey > np.percentile(grey, 90),
                                                               grey < np.percentile(grey, 15)))
    assert lit.min() > 215 and shaded.max() < 225
    assert shaded[2] - shaded[0] > 2 * (lit[2] - lit[0]) > 0
    assert np.array(SHADED).min() < shaded.min()


def under_snow(level: str, number: int = 0) -> Patch:
    """Blue Marble's: ridges of some 20 px, white above green valleys."""
    patch = mountains(number, "auto:vegetation")
    high = patch.pixels.mean(-1, keepdims=True) > 118
    pixels = np.where(high, np.array([240, 243, 246]), np.array([50, 62, 35])).astype(np.uint8)
    return replace(patch, id=f"bm{number}", scene=f"bm{number}", level=level, m_per_px=LEVELS_M[level], pixels=pixels)


def test_snow_on_mountains_is_told_from_ice_and_shores_and_clouds_over_nothing():
    assert snowy(under_snow("305").pixels) and not snowy(mountains().pixels)
    ice, shore = np.full((256, 256, 3), 240, np.uint8), np.full((256, 256, 3), 240, np.uint8)
    shore[:, :128] = 30, 60, 120
    half = under_snow("305").pixels.copy()
    half[:, :200] = 50, 62, 35  # a peak in a corner is no range
    assert not any(snowy(pixels) for pixels in (ice, shore, half))


def test_of_the_pairs_some_are_mountains_under_snow_at_all_levels():
    patches = [mountains(n) for n in range(3)] + [mountains(9, "savanna"), under_snow("1223", 4), under_snow("305", 5)]
    pairs = Pairs(patches, 1, PairConfig(crop=64, calm=0.0, borrowed=0.0, snowed=1.0, clean=1.0))
    drawn = pairs.items(0, 60)
    assert {p.level for p in drawn} == set(SNOWED)
    assert all(0.69 < pair.m_per_px / LEVELS_M[pair.level] < 1.3 * 92 / 64 + 0.01 for pair in drawn)
    assert np.mean([float(pair.target[2].amax()) > 0.55 for pair in drawn]) > 0.9  # nothing else is as blue here
    darkest = [pair.target.flatten(1)[:, pair.target.mean(0).argmin()] for pair in drawn]  # green valleys, or sand
    real = [pair.level for pair, (red, green, _) in zip(drawn, darkest, strict=True) if green > red]
    assert {"1223", "305", "76"} == set(real) and real.count("305") == sum(p.level == "305" for p in drawn)
    plain = PairConfig(crop=64, calm=0.0, borrowed=0.0, clean=1.0)
    assert all(p.target[2].amax() < 0.55 for p in Pairs(patches[:4], 1, plain).items(0, 20))


@pytest.mark.parametrize("colour, found", [((255, 255, 255), True), ((236, 240, 246), True), ((180, 182, 190), True),
                                           ((235, 215, 190), False), ((150, 152, 155), False)])
def test_white_is_what_is_bright_and_has_no_colour(colour, found):
    """Of pictures as they are kept as well: the brightest are white, too."""
    assert white(np.full((2, 2, 3), colour, np.uint8)).all() == found == bool(white(np.array(colour, float)))
