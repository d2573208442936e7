"""What is done to a condition, by a strength in 0…1 that the network is told.

`degrade`: high-order degradation (Real-ESRGAN, arXiv 2107.10833), two passes of blur, resize, noise, JPEG, every range
scaled by the strength. At strength 0 the condition is the exact 4×4 mean, which is what a level of the cascade hands to
the next.
`haze`: less contrast than the target has. The coarse levels' imagery is flatter than the fine levels', and a network
that only ever saw a picture and its own mean would keep a world flat all the way down.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from model.training.pixels import as_pixels, as_tensor


@dataclass(frozen=True)
class Pass:
    """Ranges of one pass at strength 1, as in Real-ESRGAN's configuration."""

    sigma: tuple[float, float]      # of the blur, pixels
    resize: tuple[float, float]     # factor
    noise: tuple[float, float]      # standard deviation, grey levels
    jpeg: tuple[int, int]           # quality


FIRST = Pass(sigma=(0.2, 3.0), resize=(0.15, 1.5), noise=(1, 30), jpeg=(30, 95))
SECOND = Pass(sigma=(0.2, 1.5), resize=(0.3, 1.2), noise=(1, 25), jpeg=(30, 95))


def degrade(image: torch.Tensor, strength: float, rng: np.random.Generator) -> torch.Tensor:
    """``(3, H, W)`` in [-1, 1] -> ``(3, H/4, W/4)``, degraded by `strength`."""
    height, width = image.shape[1] // 4, image.shape[2] // 4
    if strength <= 0:
        return F.avg_pool2d(image[None], 4)[0]
    x = image[None]
    for stage in (FIRST, SECOND):
        x = _blur(x, stage, strength, rng)
        x = _resize(x, stage, strength, rng, least=(height, width))
        x = _noise(x, stage, strength, rng)
        if stage is FIRST:
            x = _jpeg(x, stage, strength, rng)
    x = F.interpolate(x, size=(height, width), mode="area" if x.shape[2] > height else "bicubic")
    return _jpeg(x, SECOND, strength, rng)[0].clamp(-1, 1)


def haze(condition: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """``(B, 3, h, w)``, h and w multiples of 8: what differs from the 8 px mean is scaled by 1 - strength ``(B,)``."""
    wide = F.interpolate(F.avg_pool2d(condition, 8), scale_factor=8, mode="bilinear", align_corners=False)
    return torch.lerp(condition, wide, strength[:, None, None, None])


def _between(rng, low, high):
    return low + (high - low) * rng.random()


def _blur(x, stage, strength, rng):
    """Anisotropic Gaussian; its standard deviations grow with the strength."""
    a, b = (max(1e-3, strength * _between(rng, *stage.sigma)) for _ in range(2))
    if max(a, b) < 0.25:
        return x
    radius = min(10, math.ceil(3 * max(a, b)))
    angle = math.pi * rng.random()
    i = torch.arange(-radius, radius + 1, dtype=torch.float32)
    u = math.cos(angle) * i[None] + math.sin(angle) * i[:, None]
    v = -math.sin(angle) * i[None] + math.cos(angle) * i[:, None]
    kernel = torch.exp(-0.5 * ((u / a) ** 2 + (v / b) ** 2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1, -1)
    return F.conv2d(F.pad(x, [radius] * 4, mode="reflect"), kernel, groups=3)


def _resize(x, stage, strength, rng, least):
    low, high = stage.resize
    factor = math.exp(strength * math.log(_between(rng, low, high)))
    size = [max(n, round(s * factor)) for n, s in zip(least, x.shape[2:], strict=True)]
    mode = ("area", "bilinear", "bicubic")[rng.integers(3)]
    return F.interpolate(x, size=size, mode=mode)


def _noise(x, stage, strength, rng):
    sigma = strength * _between(rng, *stage.noise) / 127.5
    channels = 1 if rng.random() < 0.4 else 3  # grey noise in 40 %
    noise = rng.standard_normal((1, channels, *x.shape[2:]), dtype=np.float32)
    return x + sigma * torch.from_numpy(noise)


def _jpeg(x, stage, strength, rng):
    if rng.random() > strength:
        return x
    quality = round(100 - strength * (100 - _between(rng, *stage.jpeg)))
    file = io.BytesIO()
    Image.fromarray(as_pixels(x[0])).save(file, "JPEG", quality=quality)
    return as_tensor(np.asarray(Image.open(file)))[None].contiguous()
