"""Cover: woods and streams that are the same whoever looks, and keep their outlines from level to level."""

import hashlib

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.cover import FIRST, HAZE, OWN, beside, field, grounds, key, splines, steep
from model.residual import enlarge
from tests.model.test_country import crisp

BITS = {9: "529da72011d4a913", 11: "3b921fc7c5ecebae", 13: "454e6fd1baa0fb19", 15: "60701a3b9450ba99"}


def test_its_bits_are_written_down():
    digests = {level: hashlib.sha256(field(7, level, 100, -20, 330, 230).tobytes()).hexdigest()[:16]
               for level in (9, 11, 13, 15)}
    assert digests == BITS


def test_there_is_none_where_the_base_says_all():
    assert not field(7, FIRST - 2, 0, 0, 300, 300).any() and field(7, FIRST, 0, 0, 300, 300).any()


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_every_seed_has_its_own(seed):
    found = [field(s, level, 900, 0, 1412, 512) for s, level in ((seed, 9), (seed, 15), ((seed + 5) % 2**64, 9))]
    for channels in found:
        assert (channels.std((1, 2)) > 0.2).all() and np.abs(channels).max() < 9
    for other in found[1:]:
        assert abs(np.corrcoef(found[0].ravel(), other.ravel())[0, 1]) < 0.15


def test_land_is_even_between_sharp_borders():
    light, _ = field(5, 13, 0, 0, 512, 512)
    steps = np.abs(np.diff(light, axis=1)).ravel()
    rough = np.abs(np.diff(np.random.default_rng(1).standard_normal(light.shape), axis=1)).ravel()
    # Half of all that changes does so in few places: of noise, in a quarter of all.
    for changes, least, most in ((steps, 0.0, 0.12), (rough, 0.2, 0.3)):
        ordered = np.sort(changes)[::-1].cumsum()
        assert least < np.searchsorted(ordered, ordered[-1] / 2) / len(ordered) < most


@pytest.mark.parametrize("coarser, level, least", [(9, 11, 0.6), (11, 13, 0.6), (13, 15, 0.6), (11, 15, 0.2)])
def test_a_border_is_where_the_levels_above_had_it(coarser, level, least):
    """Where a wood ends and lighter land begins, it grows lighter at the finer levels too."""
    times, found = 1 << (level - coarser), {4: [], 5: []}
    for x, y in ((40, 900), (700, 300), (520, 610), (-300, 200)):
        shown = np.diff(field(4, coarser, x, y, x + 64, y + 64)[1])
        borders = np.abs(shown) > 0.6
        for seed, into in found.items():
            fine = field(seed, level, x * times, y * times, (x + 64) * times, (y + 64) * times)[1]
            into += list((np.diff(fine.reshape(64, times, 64, times).mean((1, 3))) * np.sign(shown))[borders])
    assert len(found[4]) > 100 and np.mean(found[4]) > least and abs(np.mean(found[5])) < 0.1


def test_noise_is_smooth_and_of_the_size_that_is_asked():
    wide, fine = (splines(np.uint64(3), 13, size, 0, 0, 2048, 2048, 1) for size in (64, 16))
    for noise, size in ((wide, 64), (fine, 16)):
        assert abs(noise.mean()) < 0.05 and 0.2 < noise.std() < 0.45 and np.abs(noise).max() <= 1
        assert np.abs(np.diff(noise, axis=0)).max() < 2 / size
        shifted = np.corrcoef(noise[:, 3 * size:].ravel(), noise[:, :-3 * size].ravel())[0, 1]
        assert abs(shifted) < 0.1 < np.corrcoef(noise[:, size:].ravel(), noise[:, :-size].ravel())[0, 1]


def wood(level: int, of: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """Where woods of a level are that a finer one looks at: -1 or 1."""
    total = 0
    for shown, scale, sizes in grounds(level):
        total = total + sum(splines(key(4, level, "shared", 0, size), level, size, *box, 1) * steep(size, level)
                            for size in sizes)
        if shown == of:
            return np.sign(total + sum(splines(key(4, level, "land", of, scale * own), level, scale * own, *box, 1)
                                       * steep(scale * own, level) for own in OWN))
    raise AssertionError(of)


@pytest.mark.parametrize("level", [11, 13, 15])
def test_the_edge_of_a_wood_that_the_level_above_has_shown_is_crisp(level):
    seen, before, after = 0, 0.0, 0.0
    for x, y in ((4000, 9000), (7000, 3000), (5200, 6100), (9000, 2000)):
        box = x, y, x + 256, y + 256
        truth = torch.from_numpy(wood(level, level - 2, box).astype(np.float32))[None, None].expand(1, 3, -1, -1) / 4
        away = beside(4, level, *box)
        hazy, made, inside = crisp(enlarge(F.avg_pool2d(truth, 4)), away)
        before += float((hazy - truth[inside]).square().mean())
        after += float((made - truth[inside]).square().mean())
        seen += int((truth[..., 1:] != truth[..., :-1]).sum())
        assert np.abs(away[:2]).max() <= HAZE + 0.01 and away[2].min() >= 0 and away[2].max() <= 1
    assert seen > 300 and after < 0.5 * before


def test_edges_are_the_same_in_every_window():
    whole = beside(4, 13, 900, 800, 1156, 1056)
    assert whole.any() and np.array_equal(beside(4, 13, 937, 850, 1145, 1053), whole[:, 50:-3, 37:-11])
    assert not beside(4, FIRST, 0, 0, 300, 300).any() and not beside(4, FIRST - 2, 0, 0, 300, 300).any()
