"""The distiller's score is proper: the right distribution scores least. Its moduli tell edges from grain."""

import pytest
import torch

from model.training.score import GROUPS, SCALES, Score, crps, gabor_bank


def expected(mean: float, spread: float, n: int = 200_000) -> float:
    """Mean score of draws from N(mean, spread²) where the truth is N(0, 1)."""
    generator = torch.Generator().manual_seed(0)
    one, other, real = torch.randn(3, 1, n, generator=generator)
    return float(crps(mean + spread * one, mean + spread * other, real))


def test_the_right_spread_beats_none_too_little_and_too_much():
    scores = {spread: expected(0.0, spread) for spread in (0.0, 0.5, 1.0, 1.5, 2.0)}
    assert min(scores, key=scores.get) == 1.0
    assert expected(0.0, 1.0) == pytest.approx(3.14159**-0.5, abs=0.01)  # E|N(0, 1)|·(√2 - √2/2)


def test_the_right_mean_beats_a_wrong_one():
    assert expected(0.0, 1.0) < min(expected(0.3, 1.0), expected(-0.3, 1.0))


def test_with_no_spread_the_score_is_the_absolute_error():
    one, real = torch.randn(2, 3, 5)
    assert torch.allclose(crps(one, one, real), (one - real).abs().mean(1))


def fields(kind: str, seed: int, batch: int = 8, size: int = 48) -> torch.Tensor:
    """Detail ``(B, 3, size, size)`` of unit energy: `grain` is white noise, `edges` are a few lines."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "grain":
        x = torch.randn(batch, 1, size, size, generator=generator)
    else:
        x = torch.zeros(batch, 1, size, size)
        for picture in x:
            for _ in range(size // 16):
                at, turn = torch.randint(4, size - 4, (2,), generator=generator).tolist()
                picture[:, at] += 1
                picture[..., turn] += 1
    x = x - x.mean((1, 2, 3), keepdim=True)
    return (x / x.square().mean((1, 2, 3), keepdim=True).sqrt()).expand(-1, 3, -1, -1).contiguous()


def test_the_moduli_tell_edges_from_grain_of_equal_energy():
    score = Score()
    for edges, grain in zip(score.moduli(fields("edges", 1)[:, :1]), score.moduli(fields("grain", 2)[:, :1]),
                            strict=True):
        spread = [float(m.std() / m.mean()) for m in (edges, grain)]  # sparse against even
        assert spread[0] > 1.3 * spread[1]


@pytest.mark.parametrize("truth, wrong", [("edges", "grain"), ("grain", "edges")])
def test_draws_of_the_truths_own_kind_score_better(truth, wrong):
    score, real = Score(), fields(truth, 1)
    right, other = (score(fields(kind, 2), fields(kind, 3), real, texture=4.0).mean() for kind in (truth, wrong))
    assert right < other


def test_two_equal_pictures_score_worse_than_two_different_ones():
    score, real = Score(), fields("grain", 1)
    alike, apart = fields("grain", 2), fields("grain", 3)
    assert score(alike, apart, real).mean() < score(alike, alike, real).mean()


def test_the_wavelets_do_not_see_brightness():
    assert gabor_bank().sum((1, 2, 3)).abs().max() < 1e-5
    assert torch.allclose(gabor_bank().abs().sum((1, 2, 3)), torch.ones(8))
    flat = Score().moduli(torch.full((1, 1, 48, 48), 5.0))
    assert len(flat) == SCALES and all(m.max() < 2e-3 for m in flat)


def test_a_score_has_a_gradient_everywhere():
    detail = torch.zeros(2, 3, 48, 48, requires_grad=True)
    Score()(detail, detail + 0.1, fields("edges", 1, 2)).sum().backward()
    assert torch.isfinite(detail.grad).all() and (detail.grad != 0).any()


@pytest.mark.parametrize("truth, wrong", [("edges", "grain"), ("grain", "edges")])
def test_pictures_of_the_same_kind_of_ground_are_near_wherever_its_edges_lie(truth, wrong):
    score, real = Score(), fields(truth, 1, size=128)

    def away(*made):
        return score.kind(*map(score.scattered, (*made, real))).mean()
    right, other = (away(*(fields(kind, seed, size=128) for seed in (2, 3))) for kind in (truth, wrong))
    assert right < 0.5 * other
    fainter = [0.5 * fields(truth, seed, size=128) for seed in (2, 3)]
    assert right < away(*fainter)
    assert score.scattered(real).shape == (8, sum(GROUPS), 2, 2) == (8, 60, 2, 2)


def test_of_calm_pictures_it_is_not_told_how_their_detail_is_bunched():
    """Or they would decide the mean of a level: rounding is as even as grain, whatever the ground is."""
    score = Score()

    def bunched(kind, gain):
        groups = score.scattered(gain * fields(kind, 1, size=128)).split(GROUPS, 1)
        return torch.stack([group.mean() for group in groups if group.shape[1] > min(GROUPS)])
    assert (bunched("edges", 1) - bunched("grain", 1)).max() > 0.5
    assert (bunched("edges", 1e-3) - bunched("grain", 1e-3)).abs().max() < 0.05
