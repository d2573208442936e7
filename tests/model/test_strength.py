"""What is too weak in the mean of a level is pulled up, what is too strong down, and each level by itself."""

import numpy as np
import pytest
import torch

from model.evaluation.statistics import contrast as measured
from model.training.calm import contrast
from model.training.pixels import as_tensor
from model.training.score import GROUPS, Score
from model.training.strength import AMPLITUDES, BANDS, LEVELS, MEMORY, Strength, amplitudes, kinds, traits


def test_the_bands_are_octaves():
    wave = torch.sin(torch.arange(128) * 2 * torch.pi / 3).expand(1, 3, 128, 128)
    slow = torch.sin(torch.arange(128) * 2 * torch.pi / 6).expand(1, 3, 128, 128)
    assert amplitudes(wave)[0].argmax() == 0 and amplitudes(slow)[0].argmax() == 1
    assert torch.allclose(amplitudes(3e3 * wave), amplitudes(1e3 * wave) + torch.tensor(3.0).log(), atol=1e-2)


def test_brightness_and_both_colours_have_amplitudes_of_their_own():
    noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    one = amplitudes(noise)[0].view(3, BANDS)
    for channel in range(3):
        gain = torch.ones(3, 1, 1)
        gain[channel] = 4
        change = amplitudes(gain * noise)[0].view(3, BANDS) - one
        assert change[channel].min() > 1 and change.sum() == pytest.approx(change[channel].sum().item())


def test_traits_tell_how_strong_and_how_bunched_detail_is():
    noise, score = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(3)), Score()
    even, stronger, bunched = (traits(v, score.scattered(v))[0] for v in (
        10 * noise, 20 * noise, 10 * noise * (0.2 + 1.6 * (torch.arange(128) // 4 % 2))))
    firsts = [AMPLITUDES + i for i, group in enumerate(GROUPS) if group == min(GROUPS)]
    seconds = [i for i in range(AMPLITUDES, len(even)) if i not in firsts]
    assert (stronger - even)[:AMPLITUDES].min() > 0.5 and (stronger - even)[firsts].min() > 0.5
    assert (stronger - even)[seconds].abs().max() < 0.1
    assert (bunched - even)[seconds[:2]].max() > 0.3 > (bunched - even)[firsts].abs().max()


def test_descending_it_gives_each_level_the_strength_of_its_real_pictures_in_the_mean():
    """Two levels, one drawn too weak and one too strong; single pictures differ by far more than the means do."""
    strength, chance = Strength(AMPLITUDES), torch.Generator().manual_seed(0)
    gains = torch.zeros(2, requires_grad=True)  # logarithms
    resolution, real = torch.tensor([76.0, 4.8]), torch.tensor([2.0, 0.5])
    optimiser, seen = torch.optim.SGD([gains], lr=0.1), []
    for _ in range(600):
        spread = torch.exp(0.5 * torch.randn(2, 2, 1, 1, 1, generator=chance) - 0.125)  # of mean one
        detail = torch.randn(3, 2, 3, 32, 32, generator=chance)
        made = (detail[:2] * spread[0][None] * gains.exp()[None, :, None, None, None]).flatten(0, 1)
        like = detail[2] * spread[1] * real[:, None, None, None]
        loss = strength(amplitudes(made), amplitudes(like), resolution, torch.zeros(2, dtype=torch.long))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(gains.detach().exp())
    assert torch.allclose(torch.stack(seen[-200:]).mean(0), real, rtol=0.1)


def test_plain_ground_and_varied_built_or_not_are_kinds_of_their_own():
    plain = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 4 / 127.5
    condition = torch.cat([plain, 5 * plain, plain, 5 * plain])
    assert kinds(condition, torch.tensor([0.0, 0.0, 1.0, 1.0])).tolist() == [1, 0, 3, 2]
    built = torch.tensor([0.0, 0.0, 1.0, 1.0])
    sand = condition + torch.tensor([0.5, 0.3, 0.0])[:, None, None]
    assert kinds(sand, built).tolist() == [4] * 4
    assert kinds(condition + 0.4, built).tolist() == [4, 0, 4, 2]  # white: ice, and mountains' snow


def test_contrast_is_the_evaluations():
    pixels = np.random.default_rng(1).integers(90, 130, (128, 128, 3)).astype(np.uint8)
    pixels[:64, :64] //= 2
    grey = pixels.mean(-1, keepdims=True).repeat(3, -1).round().astype(np.uint8)  # of grey both weights are the same
    assert contrast(as_tensor(grey)[None]).item() == pytest.approx(measured(grey), rel=1e-3)


def test_the_mean_is_over_its_latest_places():
    strength, one = Strength(AMPLITUDES), amplitudes(torch.ones(1, 3, 32, 32))
    detail = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for k in range(200):
        made = amplitudes(detail * (5 if k < 40 else 1)).repeat(2, 1)
        strength(made, amplitudes(detail), 19 * torch.ones(1), torch.tensor([2]))
    off = strength.made - strength.real
    assert torch.allclose(off[7], torch.zeros(AMPLITUDES), atol=2 * MEMORY**160) and (off[7] > 0).all()
    assert (strength.count.flatten() > 0).tolist() == [group == 7 for group in range(5 * LEVELS)]  # z13's third kind
    assert torch.isfinite(strength(torch.cat([one, one]), one, 4.8 * torch.ones(1), torch.tensor([0])))  # nothing there
