"""Do two pictures consist of the same kinds of patches? Sliced Wasserstein distance of their patches' distributions.

A score of single pixels and squares (`score`) is content with grain that has the right spread. Real land is sparse: few
edges, long ones, and calm between. That is a property of how small patches are distributed over a place, and two
distributions are equal when all their projections to a line are (Cramér & Wold). On a line the distance is that of the
sorted values (Heitz et al. 2021, arXiv 2006.07229; of patches: Elnekave & Weiss 2022, arXiv 2203.11862), and needs no
opponent. Projections are drawn anew for every step, of pixels and of the moduli of wavelets, at three scales.
"""

import torch
from torch.nn import functional as F

from model.training.score import ORIENTATIONS, gabor_bank

SCALES = 3
RIM = 8      # pixels at a crop's edge, made of zeros for neighbours, are not judged
LEAST = 0.2  # standard deviations of real projections below this, in units of whitened detail, count as this


def projections(count: int, channels: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """Random windowed filters ``(count, channels, size, size)`` of zero mean and unit norm, from narrow to wide."""
    i = torch.arange(size, dtype=torch.float32) - size // 2
    squared = (i[None] ** 2 + i[:, None] ** 2)[None, None]
    width = torch.linspace(0.6, size / 3, count)[:, None, None, None]
    window = torch.exp(-squared / (2 * width**2))
    filters = torch.randn(count, channels, size, size, generator=generator) * window
    filters = filters - window * filters.sum((2, 3), keepdim=True) / window.sum((2, 3), keepdim=True)
    return filters / filters.square().sum((1, 2, 3), keepdim=True).sqrt()


def distance(values: torch.Tensor, pictures: int) -> torch.Tensor:
    """Wasserstein-2 distance (which minds the tails) of generated to real, in the real's spreads: ``(pictures,)``.

    `values` ``(3·pictures, C, h, w)``: projections of one picture, of the other, of the real one.
    """
    one, other, real = values.flatten(2).sort(-1).values.split(pictures)
    spread = real.std(-1).clamp_min(LEAST)
    away = sum((made - real).square().mean(-1).clamp_min(1e-8).sqrt() for made in (one, other))
    return (away / (2 * spread)).mean(1)


def patch_distance(one, other, real, generator: torch.Generator, count: int = 16) -> torch.Tensor:
    """Of two pictures' whitened detail ``(B, 3, H, W)`` to the real one's: ``(B,)``. `generator` is on the CPU."""
    x = torch.cat([one, other, real])[..., RIM:-RIM, RIM:-RIM]
    bank = gabor_bank().to(x.device)
    total = 0.0
    for scale in range(SCALES):
        stride = 2 if scale == 0 else 1
        filters = projections(count, 3, 7, generator).to(x.device)
        total = total + distance(F.conv2d(x, filters, stride=stride), len(one))
        waves = F.conv2d(x[:, :1], bank)
        moduli = (waves[:, 0::2].square() + waves[:, 1::2].square() + 1e-6).sqrt()
        filters = projections(count // 2, ORIENTATIONS, 5, generator).to(x.device)
        total = total + distance(F.conv2d(moduli, filters, stride=stride), len(one))
        x = F.avg_pool2d(x, 2)
    return total / (2 * SCALES)
