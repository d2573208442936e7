"""Texture statistics of a picture, differentiable: wavelet moduli of two orders, their norms in windows.

First order: |x ∗ ψ| of complex Gabor wavelets at three scales and four orientations says how much detail of which size
and direction there is. Second order: the moduli filtered again says how that detail is arranged: along lines, in
blocks, or as noise (Bruna & Mallat 2013). Norms of order 1, 2 and 4 tell sparse edges from grain of the same energy.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

SCALES, ORIENTATIONS, SIZE = 3, 4, 9


def gabor_bank() -> torch.Tensor:
    """Real and imaginary parts of the wavelets of one scale: ``(2·ORIENTATIONS, 1, SIZE, SIZE)``, zero mean, unit L1."""
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


class Texture(nn.Module):
    """Statistics of whitened detail ``(B, 3, H, W)``: ``(B, N)`` logarithms of norms in windows of `window` px.

    `orders` of the norms: 2 alone asks for the energy of each size and direction, 1 and 4 beside it for sparseness.
    """

    def __init__(self, window: int = 16, orders: tuple[int, ...] = (2,)):
        super().__init__()
        self.window, self.orders = window, orders
        self.register_buffer("bank", gabor_bank())

    def _moduli(self, x):
        """``(B, C, H, W)`` -> ``(B, C·ORIENTATIONS, H, W)``."""
        b, c, h, w = x.shape
        y = F.conv2d(F.pad(x.reshape(b * c, 1, h, w), [SIZE // 2] * 4, mode="reflect"), self.bank)
        return (y[:, 0::2].square() + y[:, 1::2].square() + 1e-6).sqrt().reshape(b, c * ORIENTATIONS, h, w)

    def _norms(self, x, window):
        """Norms in windows, as logarithms: ``(B, len(orders)·C·windows)``."""
        norms = [(F.avg_pool2d(x.abs() ** p, window) + 1e-8) ** (1 / p) for p in self.orders]
        return torch.log(torch.cat(norms, 1) + 0.03).flatten(1)

    def forward(self, detail):
        found = []
        x = detail
        for scale in range(SCALES):
            window = self.window >> scale
            moduli = self._moduli(x)
            found.append(self._norms(moduli, window))
            y = moduli[:, :ORIENTATIONS]  # of luminance
            for deeper in range(scale + 1, SCALES + 1):
                y = F.avg_pool2d(y, 2)
                if self.window >> deeper >= 4:
                    found.append(0.5 * self._norms(self._moduli(y), self.window >> deeper))
            x = F.avg_pool2d(x, 2)
        return torch.cat(found, 1)
