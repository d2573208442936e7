"""How well two pictures of one condition, drawn with two noises, stand for the real one: a proper score.

For a number y and two independent draws a, b:  CRPS = (|a - y| + |b - y| - |a - b|) / 2  (Gneiting & Raftery 2007,
eq. 21). Its expectation is least when the draws have y's own distribution given the condition: neither their mean
(blur) nor less spread than there is (all worlds alike). It is taken of means over squares, which say where things are,
and of the moduli of wavelets, whose distribution is what tells sparse edges from grain of the same energy. What kind of
ground a picture shows is in moduli of moduli, means over a quarter of it (scattering, Bruna & Mallat 2013).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

SQUARES = (1, 2, 4, 8)
SCALES, ORIENTATIONS, SIZE = 3, 4, 9
# Channels of what is scattered: of each scale its own moduli, and those of these at each coarser one.
GROUPS = [n for scale in range(SCALES) for n in [ORIENTATIONS] + [ORIENTATIONS**2] * (SCALES - 1 - scale)]
# Standard deviations, pixels, across and along a wavelet of 2.7 px. Short ones see points and edges; of 1.2 by 1.9 px
# they saw half as well how detail is bunched.
ACROSS, ALONG = 0.8, 1.6
FAINT = 0.05   # whitened detail below which logarithms say little ...
EVEN = 0.2     # ... and how much of a modulus varies in most pictures: calm ones count as neither even nor bunched
BUNCHED = 3.0  # how much more bunching counts: real pictures differ by 0.1 in it, and by 0.5 in how strong they are


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
        envelope = torch.exp(-(u**2 / (2 * ACROSS**2) + v**2 / (2 * ALONG**2)))
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

    def modulus(self, x: torch.Tensor) -> torch.Tensor:
        """|x ∗ ψ| of four orientations, of every channel: ``(B, C, H, W)`` -> ``(B, C, 4, H - 8, W - 8)``."""
        y = F.conv2d(x.flatten(0, 1)[:, None], self.bank)
        return (y[:, 0::2].square() + y[:, 1::2].square() + 1e-6).sqrt().unflatten(0, x.shape[:2])

    def moduli(self, luminance: torch.Tensor) -> list[torch.Tensor]:
        """Of three scales, on grids of 1, 2 and 4 px, each ``(B, ORIENTATIONS, h, w)``."""
        found, x = [], luminance
        for _ in range(SCALES):
            found.append(self.modulus(x)[:, 0])
            x = F.avg_pool2d(x, 2)
        return found

    def scattered(self, pictures: torch.Tensor) -> torch.Tensor:
        """Of ``(B, 3, H, W)`` the logarithms of the mean moduli, and BUNCHED times those of the moduli of these at all
        coarser scales in units of them, of the four quarters: ``(B, sum(GROUPS), 2, 2)``. How strong detail is, and how
        it is bunched: edges and fields against grain."""
        def quarters(x):
            return F.adaptive_avg_pool2d(x.flatten(1, -3), 2)
        found = []
        for scale, x in enumerate(self.moduli(pictures[:, :1])):
            first = quarters(x)
            found.append((first + FAINT).log())
            for _ in range(scale + 1, SCALES):
                x = F.avg_pool2d(x, 2)
                second, of = quarters(self.modulus(x)), first.repeat_interleave(ORIENTATIONS, 1)
                found.append(BUNCHED * ((second + EVEN * FAINT) / (of + FAINT)).log())
        return torch.cat(found, 1)

    def kind(self, one, other, real) -> torch.Tensor:
        """Energy score ``(B,)`` of what two pictures are `scattered` to against what a real one is."""
        def distance(a, b):
            return (a - b).square().mean(1).clamp_min(1e-8).sqrt()
        return 0.5 * (distance(one, real) + distance(other, real) - distance(one, other)).mean((1, 2))

    def forward(self, one, other, real, texture: float = 1.0):
        total = 0.0
        for n in SQUARES:
            squares = [F.avg_pool2d(v, n) for v in (one, other, real)]
            total = total + 0.5 * (crps(*squares) + near(*squares)) / len(SQUARES)
        if texture:
            for scale, triple in enumerate(zip(*(self.moduli(v[:, :1]) for v in (one, other, real)), strict=True)):
                if scale + 1 < SCALES:
                    triple = [F.avg_pool2d(modulus, 2) for modulus in triple]
                total = total + 0.5 * texture * (crps(*triple) + near(*triple)) / SCALES
        return total
