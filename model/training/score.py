"""How well two pictures of one condition, drawn with two noises, stand for the real one: a proper score.

For a number y and two independent draws a, b:  CRPS = (|a - y| + |b - y| - |a - b|) / 2  (Gneiting & Raftery 2007,
eq. 21). Its expectation is least when the draws have y's own distribution given the condition: neither their mean
(blur) nor less spread than there is (all worlds alike). It is taken of means over squares, which say where things are,
and of the moduli of wavelets, whose distribution is what tells sparse edges from grain of the same energy.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

SQUARES = (1, 2, 4, 8)
SCALES, ORIENTATIONS, SIZE = 3, 4, 9


def crps(one: torch.Tensor, other: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean score of each item ``(B,)``; all three ``(B, …)``."""
    score = (one - real).abs() + (other - real).abs() - (one - other).abs()
    return 0.5 * score.flatten(1).mean(1)


def near(one: torch.Tensor, other: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Energy score ``(B,)`` of the vectors of all channels in every 3×3 neighbourhood (same paper, eq. 22)."""
    def distance(a, b):
        return F.avg_pool2d((a - b).square().mean(1, keepdim=True), 3, 1).clamp_min(1e-8).sqrt()
    score = distance(one, real) + distance(other, real) - distance(one, other)
    return 0.5 * score.flatten(1).mean(1)


def gabor_bank() -> torch.Tensor:
    """Real and imaginary parts of the wavelets of one scale: ``(2·ORIENTATIONS, 1, SIZE, SIZE)``, zero mean, L1 1."""
    i = torch.arange(SIZE, dtype=torch.float32) - SIZE // 2
    kernels = []
    for k in range(ORIENTATIONS):
        angle = math.pi * k / ORIENTATIONS
        u = math.cos(angle) * i[None] + math.sin(angle) * i[:, None]
        v = -math.sin(angle) * i[None] + math.cos(angle) * i[:, None]
        envelope = torch.exp(-(u**2 / (2 * 1.2**2) + v**2 / (2 * 1.9**2)))
        for part in (torch.cos(u * 3 * math.pi / 4), torch.sin(u * 3 * math.pi / 4)):
            kernel = part * envelope
            kernel = kernel - envelope * kernel.sum() / envelope.sum()
            kernels.append(kernel / kernel.abs().sum())
    return torch.stack(kernels)[:, None]


class Score(nn.Module):
    """CRPS of two pictures' whitened detail ``(B, 3, H, W)`` against the real one's: ``(B,)``."""

    def __init__(self):
        super().__init__()
        self.register_buffer("bank", gabor_bank())

    def moduli(self, luminance: torch.Tensor) -> list[torch.Tensor]:
        """|x ∗ ψ| of four orientations at three scales, pooled over 4, 2, 1 px, each ``(B, ORIENTATIONS, h, w)``."""
        found, x = [], luminance
        for scale in range(SCALES):
            y = F.conv2d(x, self.bank)
            modulus = (y[:, 0::2].square() + y[:, 1::2].square() + 1e-6).sqrt()
            found.append(F.avg_pool2d(modulus, 2) if scale < 2 else modulus)
            x = F.avg_pool2d(x, 2)
        return found

    def forward(self, one, other, real, texture: float = 1.0):
        total = 0.0
        for n in SQUARES:
            squares = [F.avg_pool2d(v, n) for v in (one, other, real)]
            total = total + 0.5 * (crps(*squares) + near(*squares)) / len(SQUARES)
        if texture:
            for triple in zip(*(self.moduli(v[:, :1]) for v in (one, other, real)), strict=True):
                total = total + 0.5 * texture * (crps(*triple) + near(*triple)) / SCALES
        return total
