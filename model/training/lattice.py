"""What a network on a square grid is prone to draw, measured so that it can be punished: a lattice, and a weave."""

import torch
from torch.nn import functional as F

from model.readings import inner
from model.training.adversary import COARSE
from model.training.patches import RIM


def grid_phase(pictures: torch.Tensor, period: int = COARSE) -> torch.Tensor:
    """What pictures of different places have in common at the phases of a square grid.

    `pictures` ``(B, 1, H, W)``, B > 1, whose rim does not count. Of detail, and of steps along x and y, in units of the
    picture's own mean (a lattice is seen where a picture is calm), the mean of every phase is taken, and of all pairs
    of pictures how large their product is: next to zero unless the grid itself shows, however grainy they are. (Its
    sign does not count: a student that was paid for products below zero drew two lattices, each the other's negative.)
    """
    x, total = inner(pictures, RIM), 0.0
    size, count = (min(x.shape[-2:]) - 1) // period * period, len(x)
    for what in (x.diff(dim=2).abs(), x.diff(dim=3).abs(), x - F.avg_pool2d(x, 5, 1, 2, count_include_pad=False)):
        what = what[:, 0, :size, :size]
        what = what / (what.abs().mean((1, 2), keepdim=True) + 1e-3)
        phases = what.reshape(count, size // period, period, size // period, period).mean((1, 3)).flatten(1)
        phases = phases - phases.mean(1, keepdim=True)
        alike = (phases @ phases.T / period**2).abs()
        total = total + (alike.sum() - alike.diagonal().sum()) / (count * (count - 1))
    return total


def lines(pictures: torch.Tensor, period: int) -> torch.Tensor:
    """Mean gradient across every `period`th row and column of ``(B, 1, H, W)`` over that across the others: a scalar,
    1 where no grid shows. What is enlarged is steepest between the pixels that it is made of."""
    on, off = [], []
    for dim in (2, 3):
        gradient = pictures.diff(dim=dim).abs().mean((0, 1, 5 - dim))
        at = torch.arange(1, len(gradient) + 1, device=pictures.device) % period == 0
        on.append(gradient[at])
        off.append(gradient[~at])
    return torch.cat(on).mean() / (torch.cat(off).mean() + 1e-6)


def streaks(detail: torch.Tensor) -> torch.Tensor:
    """Power of what is drawn out along rows and columns over that along diagonals, at two scales: ``(2,)``.

    `detail` ``(B, 1, H, W)``. A network on a square grid is prone to a weave which no small patch betrays. What has no
    direction gives about 1.2, for the square whose mean is taken off is not round: to be held against real pictures'.
    """
    run, steps, ratios = 17, 12, []  # as many pixels of a row as of a diagonal in so many steps
    for _ in range(2):
        x = detail - F.avg_pool2d(detail, 9, 1, 4, count_include_pad=False)
        straight = sum(F.avg_pool2d(x, shape, 1).square().mean() for shape in ((1, run), (run, 1)))
        height, width = x.shape[-2] - steps, x.shape[-1] - steps
        slanted = 0.0
        for way in (x, x.flip(-1)):
            diagonal = torch.stack([way[..., k:k + height, k:k + width] for k in range(steps)])
            slanted = slanted + diagonal.mean(0).square().mean()
        ratios.append(straight / (slanted + 1e-6))
        detail = F.avg_pool2d(detail, 2)
    return torch.stack(ratios)
