"""What is diffused: the residual over the enlarged condition, whitened.

A level's picture is `enlarge(condition) + residual`. The residual's variance is nearly all luminance, so it is turned
into three opponent axes, each divided by its own standard deviation at that ground resolution (DESIGN §1: noise of
equal strength in R, G and B leaves coloured speckle that grows from level to level).
"""

import math

import numpy as np
import torch
from torch.nn import functional as F

from model.grid import SCALE
from model.readings import laid_as

# Rows: luminance (1,1,1)/√3, red-blue (1,0,-1)/√2, green-magenta (1,-2,1)/√6. Orthonormal.
AXES = torch.tensor([[1, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=torch.float64)
AXES = (AXES / AXES.square().sum(1, keepdim=True).sqrt()).float()


def enlarge(condition: torch.Tensor) -> torch.Tensor:
    """Bicubic enlargement by 4: ``(B, 3, h, w)`` -> ``(B, 3, 4h, 4w)``."""
    apart = condition.contiguous()  # channels last, three of them take half as long again
    return laid_as(condition, F.interpolate(apart, scale_factor=SCALE, mode="bicubic", align_corners=False))


class Whitening:
    """Residual standard deviations by ground resolution, interpolated in octaves.

    Parameters
    ----------
    table : rows of ``(metres per pixel, std luminance, std red-blue, std green-magenta)``, pixels in [-1, 1].
    """

    def __init__(self, table):
        if len(table) < 1 or any(len(row) != 4 or min(row) <= 0 for row in table):
            raise ValueError("a whitening table has rows (m/px, three standard deviations), all positive")
        self.table = sorted([float(v) for v in row] for row in table)

    def std(self, ground_resolution: float) -> list[float]:
        """Standard deviation of each axis at a ground resolution in m/px; held constant beyond the table's ends."""
        rows = self.table
        if ground_resolution <= rows[0][0]:
            return rows[0][1:]
        for (ra, *a), (rb, *b) in zip(rows, rows[1:], strict=False):
            if ground_resolution <= rb:
                w = (math.log2(ground_resolution) - math.log2(ra)) / (math.log2(rb) - math.log2(ra))
                return [(1 - w) * p + w * q for p, q in zip(a, b, strict=True)]
        return rows[-1][1:]

    def _matrices(self, ground_resolution) -> torch.Tensor:
        if torch.is_tensor(ground_resolution):
            ground_resolution = ground_resolution.tolist()  # in one piece from where it is
        return torch.tensor([self.std(float(r)) for r in ground_resolution])

    def whiten(self, residual: torch.Tensor, ground_resolution) -> torch.Tensor:
        """``(B, 3, H, W)`` RGB in [-1, 1] units -> unit-variance axes."""
        std = self._matrices(ground_resolution).to(residual.device)
        return torch.einsum("bac,bchw->bahw", AXES.to(residual.device) / std[:, :, None], residual)

    def colour(self, whitened: torch.Tensor, ground_resolution) -> torch.Tensor:
        """Inverse of `whiten`; also of pixel rows that each have their ground resolution, ``(B, H)``. There may be as
        many pictures of each of them, one after another: ``(k·B, 3, H, W)``."""
        device = whitened.device

        def of_pictures(std):
            std = std.to(device, non_blocking=True)
            return std.repeat_interleave(len(whitened) // len(std), 0)
        axes = AXES.to(device, non_blocking=True)
        if np.ndim(ground_resolution) == 2:
            std = of_pictures(torch.stack([self._matrices(rows) for rows in ground_resolution]))
            return torch.einsum("ac,bahw->bchw", axes, whitened * std.transpose(1, 2)[..., None])
        return torch.einsum("bac,bahw->bchw", axes * of_pictures(self._matrices(ground_resolution))[:, :, None],
                            whitened)
