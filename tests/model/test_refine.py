"""One level in one pass, or in two octaves."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import checkpoint as checkpoints
from model.network import PRESETS, inner
from model.refine import coarser_noise, everywhere, passes, refine
from model.window import condition_box, with_halo

DOUBLING = replace(PRESETS["tiny"], scale=2, patch=2)


@pytest.fixture(params=["tiny_weights", "doubling_weights"])
def checkpoint(request):
    return checkpoints.load(request.getfixturevalue(request.param))


def draw(checkpoint, low, noise, check=lambda: None, **how):
    with torch.inference_mode():
        return refine(checkpoint.network, checkpoint.whitening, checkpoint.times, low, noise,
                      everywhere(torch.tensor([19.0])), torch.zeros(1), check=check, **how)


def test_a_doubling_network_takes_two_passes_and_what_ships_is_one():
    assert passes(PRESETS["tiny"]) == [1] and passes(DOUBLING) == [2, 1] == passes(PRESETS["explorer"])


def test_a_level_is_four_times_finer_however_it_is_drawn(checkpoint):
    asked = []
    made = draw(checkpoint, torch.zeros(1, 3, 24, 24), torch.randn(1, 3, 96, 96), lambda: asked.append(1))
    assert made.shape == (1, 3, 96, 96)
    assert len(asked) == sum(len(times) for times in checkpoint.times)


def test_noise_of_a_coarser_grid_is_white_and_belongs_to_its_place():
    noise = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    coarse = coarser_noise(noise, 2)
    assert float(coarse.var()) == pytest.approx(1, abs=0.03)
    assert abs(float((coarse[..., 1:] * coarse[..., :-1]).mean())) < 0.03
    assert torch.equal(coarse[..., 8:24, 4:20], coarser_noise(noise[..., 16:48, 8:40], 2))


def test_projecting_keeps_the_means_of_the_enlarged_condition(checkpoint):
    low = torch.rand(1, 3, 24, 24) - 0.5
    scale = checkpoint.network.config.scale
    made = draw(checkpoint, low, torch.randn(1, 3, 96, 96), project=True)
    silent = draw(replace(checkpoint, whitening=checkpoints.Whitening([[5.0, 1e-9, 1e-9, 1e-9]])), low,
                  torch.randn(1, 3, 96, 96), project=True)
    if scale == 4:
        assert torch.allclose(F.avg_pool2d(made, 4), F.avg_pool2d(silent, 4), atol=1e-5)
    assert not torch.allclose(made, silent, atol=1e-3)


def test_what_is_dropped_between_passes_changes_little_and_only_at_the_rim(doubling_weights):
    """A pass that is given less of what its parent made sees less around it, and nothing else is different."""
    checkpoint = checkpoints.load(doubling_weights)
    low, noise = torch.rand(1, 3, 64, 64) - 0.5, torch.randn(1, 3, 256, 256)
    whole, lean = draw(checkpoint, low, noise), draw(checkpoint, low, noise, drops=(16, 40))
    assert lean.shape[-1] == 256 - 2 * 56
    difference = (inner(whole, 56) - lean).abs()
    assert difference.max() < 0.02 and inner(difference, 40).max() < 1e-4


def test_what_is_kept_of_the_halo_lies_around_the_same_window(checkpoint):
    halo = checkpoint.sampler.halo
    x0, y0, x1, y1 = condition_box(halo, 300, 200)
    condition = np.random.default_rng(0).integers(60, 200, (y1 - y0, x1 - x0, 3), dtype=np.uint8)
    core = with_halo(checkpoint, condition, 1, 9, 300, 200)
    for keep in (4, checkpoint.sampler.last_halo or halo):
        wide = with_halo(checkpoint, condition, 1, 9, 300, 200, keep=keep)
        assert wide.shape == (256 + 2 * keep,) * 2 + (3,) and core.shape == (256, 256, 3)
        apart = np.abs(wide[keep:-keep, keep:-keep].astype(int) - core)
        assert apart.max() <= 1 and (apart == 0).mean() > 0.999
