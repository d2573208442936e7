"""Calm ground: open sea, ice and sand at z11 or deeper are to stay calm, and the smoother they are the more shows."""

import torch
from torch.nn import functional as F

from model.residual import enlarge
from model.training.adversary import COARSE
from model.training.lattice import lines
from model.training.pixels import sand
from model.training.strength import BARE, kinds

FROM = 100.0         # m/px below which what is bare is calm: above, there are dunes and crevasses to see
LIVELIEST, DUNES = 1.45, 1.9  # times its condition's contrast, for calm ground, for sand ...
ROUNDING = 0.5       # ... which is at least so many grey levels: below this it is rounding
LINES = 2.0          # grey levels that a lattice there, of lines twice as steep as all else, costs


def contrast(pictures: torch.Tensor, square: int = 64) -> torch.Tensor:
    """Mean standard deviation of brightness in squares, grey levels: ``(B, 3, H, W)`` in [-1, 1] -> ``(B,)``."""
    grey = 127.5 * pictures.mean(1, keepdim=True)
    grey = grey - grey.mean((2, 3), keepdim=True)
    away = F.avg_pool2d(grey.square(), square) - F.avg_pool2d(grey, square).square()
    return away.clamp(min=1e-4).sqrt().mean((1, 2, 3))


def lively(fake: torch.Tensor, condition: torch.Tensor, resolution: torch.Tensor) -> torch.Tensor:
    """Of two pictures each, ``(2B, 3, 4h, 4w)``, of conditions ``(B, 3, h, w)`` at ``(B,)`` m/px, which are to stay
    calm where they are bare: by how many grey levels, in the mean of all, the contrast in 64 px squares is more than
    LIVELIEST times the condition's enlarged (DUNES for sand, which went blank); and, but for sand, what the lines of
    its pixels, and of the network's, cost."""
    count, bare = len(condition), kinds(condition) == BARE
    places = [i for i in range(count) if bare[i] and resolution[i] < FROM]
    both = places + [count + i for i in places]
    if not both:
        return fake.new_zeros(())
    made, parent = (contrast(v) for v in (fake[both], enlarge(condition[places]).repeat(2, 1, 1, 1)))
    dunes = [sand(*(127.5 * (condition[i, :2].mean((1, 2)) + 1)).tolist()) for i in places] * 2
    smooth = [i for i, sandy in zip(both, dunes, strict=True) if not sandy]
    most = torch.where(torch.tensor(dunes, device=fake.device), DUNES, LIVELIEST)
    lattice = sum((lines(fake[smooth].mean(1, keepdim=True), period) - 1).clamp(min=0) for period in (4, COARSE)
                  ) if smooth else 0.0
    return ((made - most * parent.clamp(min=ROUNDING)).clamp(min=0).sum() + LINES * lattice * len(smooth)) / (2 * count)
