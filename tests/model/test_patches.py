"""The distance of patches: zero for the same kind, wherever it lies; large for grain where there are edges."""

import pytest
import torch

from model.training.patches import patch_distance, projections
from tests.model.test_score import fields


def between(one: torch.Tensor, real: torch.Tensor) -> float:
    return float(patch_distance(one, one, real, torch.Generator().manual_seed(0)).mean())


def wide(kind: str, seed: int) -> torch.Tensor:
    """Fields of one kind laid side by side, (2, 3, 96, 192)."""
    rows = [torch.cat(list(fields(kind, seed)[i::2]), 2) for i in range(2)]
    return torch.cat([torch.stack(rows)] * 2, 2)


def test_a_picture_has_no_distance_to_itself_and_little_to_itself_moved():
    grain = wide("grain", 1)
    assert between(grain, grain) < 1e-3  # the root is kept off zero, where it has no slope
    assert between(grain.roll((20, 33), (2, 3)), grain) < 0.1


@pytest.mark.parametrize("truth, wrong", [("edges", "grain"), ("grain", "edges")])
def test_the_same_kind_is_nearer_than_another_of_equal_energy(truth, wrong):
    assert between(wide(truth, 2), wide(truth, 1)) < 0.7 * between(wide(wrong, 2), wide(truth, 1))


def test_it_falls_along_its_gradient():
    real, made = wide("edges", 1), wide("grain", 2).requires_grad_()
    patch_distance(made, made, real, torch.Generator().manual_seed(0)).sum().backward()
    made, slope = made.detach(), made.grad
    assert between(made - 0.1 * made.norm() * slope / slope.norm(), real) < between(made, real)


def test_projections_see_no_level_and_weigh_alike():
    filters = projections(16, 3, 7, torch.Generator().manual_seed(0))
    assert filters.sum((2, 3)).abs().max() < 1e-5
    assert torch.allclose(filters.square().sum((1, 2, 3)), torch.ones(16))
