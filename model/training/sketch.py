"""What a real picture would have been read as, had it been noise: where its forms lie, whatever their strength.

A network whose noise has nothing to do with the picture that it is held against learns to use of it what is easiest,
specks. Shown the real picture's own sketch in its place it learns to draw what a sketch says; and on the map, `gullies`
are the sketch.
"""

import math

import torch
from torch.nn import functional as F

from model.readings import limited

BANDS = ((3.0, 10.0), (1.2, 3.0))  # pixels: differences of two blurs, as wide as Relief's two channels
AROUND = 12.0   # pixels within which a form is strong or weak
FIELDS, FARTHER = (0.8, 20.0), 24.0  # likewise, of what `parcels` shows ...
TOWN = 5        # squares of four pixels, along and across, in which houses are a town
# Grey levels that neighbouring pixels differ by of what is no town, and of what is one; above and below so many m/px.
COARSE_EDGES, FINE_EDGES, FINE = (8.0, 12.0), (4.5, 8.0), 9.0
FLAT = 2.0      # ... which is flat between its borders: so much stronger, before it is limited


def blur(x: torch.Tensor, width: float) -> torch.Tensor:
    """``(B, 1, H, W)`` smoothed by a Gaussian, mirrored beyond its edges."""
    reach = math.ceil(2.5 * width)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x.device) / width) ** 2)
    kernel = (kernel / kernel.sum())[None, None, None]
    x = F.pad(x, [reach] * 4, mode="reflect")
    return F.conv2d(F.conv2d(x, kernel), kernel.transpose(2, 3))


def sketch(pictures: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` -> ``(B, 2, H, W)``, each band in units of its own deviation about there."""
    grey = pictures.mean(1, keepdim=True)
    blurred = {width: blur(grey, width) for band in BANDS for width in band}
    bands = [blurred[narrow] - blurred[wide] for narrow, wide in BANDS]
    return torch.cat([limited(band / (blur(band.square(), AROUND).sqrt() + 1e-4)) for band in bands], 1)


def light_and_green(pictures: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` -> ``(B, 2, H, W)``: brightness, and how green it is; what `parcels.field` is of."""
    return torch.cat([pictures.mean(1, keepdim=True), pictures[:, 1:2] - pictures[:, :1]], 1)


def drawn(pictures: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """How much pictures ``(B, 3, H, W)`` draw what is shown, ``(B, 2, H, W)``, or ``(B, 1, H, W)`` if it has
    brightness alone: ``(B,)``, -1 to 1.

    The correlation of what a level is free to draw, all but the 4×4 means, of brightness and of greenness."""
    mine = light_and_green(pictures)[:, :shown.shape[1]]
    mine, told = (x - F.interpolate(F.avg_pool2d(x, 4), scale_factor=4) for x in (mine, shown))
    alike = (mine * told).sum((2, 3)) * (mine.square().sum((2, 3)) * told.square().sum((2, 3)) + 1e-6).rsqrt()
    return alike.mean(1)


def built_up(pictures: torch.Tensor, m_per_px: torch.Tensor) -> torch.Tensor:
    """How built-up ``(B, 3, H, W)`` is, ``(B, 1, H, W)`` in 0…1: where all is edges and little is green, water or dark.
    What `towns.field` is of."""
    def about(x):
        means = F.avg_pool2d(F.pad(F.avg_pool2d(x, 4), [TOWN // 2] * 4, mode="reflect"), TOWN, 1)
        return F.interpolate(means, scale_factor=4, mode="bilinear")
    red, green, blue = ((about(pictures) + 1) * 127.5).split(1, 1)
    grey = pictures.mean(1, keepdim=True)
    edges = 127.5 * about((grey - F.avg_pool2d(F.pad(grey, [2] * 4, mode="reflect"), 5, 1)).square()).sqrt()
    coarse = (m_per_px > FINE)[:, None, None, None]
    least, most = (torch.where(coarse, *of) for of in zip(COARSE_EDGES, FINE_EDGES, strict=True))
    dry = ((16 - (green - red)) / 8).clamp(0, 1) * ((torch.maximum(red, green) - blue + 6) / 8).clamp(0, 1)
    return ((edges - least) / (most - least)).clamp(0, 1) * dry * ((green - 60) / 15).clamp(0, 1)


def fields(pictures: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` -> ``(B, 2, H, W)``: a sketch of brightness and greenness, for parcels."""
    narrow, wide = FIELDS
    bands = [blur(x, narrow) - blur(x, wide) for x in light_and_green(pictures).split(1, 1)]
    return torch.cat([limited(FLAT * band / (blur(band.square(), FARTHER).sqrt() + 3e-3)) for band in bands], 1)
