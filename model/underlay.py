"""What a level's detail is added to: its condition enlarged; and how far the sum may be from it.

The network draws what is finer than its condition. Four things that it was not taught, or not well enough, are ruled
here, by level (`SamplerConfig`): z9 is softer than what z11 was taught by; calm ground shows the grid of what is
enlarged; mountains under snow are clouds; and what is drawn strays from its condition.
"""

import torch
from torch.nn import functional as F

from model.network import SCALE

AROUND = 9             # pixels of a condition, along and across, whose mean it is sharpened against ...
CLOSE = 3              # ... and smoothed
CALM = 5 / 127.5       # the deviation from the first at which it is half of each
WHITE = 110.0, 170.0   # grey levels of the darkest colour from which it begins to be snow, and at which it is, ...
COLOURED = 40.0, 20.0  # ... and between the colours from which it is none, and at which it may be
LIGHT = -2.5, 0.8      # the most of shade and of light
WARM = 1.05, 1.0, 0.9  # light is a little red, shade a little blue


def tempered(condition: torch.Tensor, more: float, less: float) -> torch.Tensor:
    """``(B, 3, h, w)`` with `more` of what it has over its mean of `AROUND`² pixels, but where it is calm `less` of
    what it has over that of `CLOSE`²: there it is noise, of a level or two, which enlarged shows the grid, for bicubic
    enlargement is steepest halfway between two pixels."""
    if not (more or less):
        return condition
    detail = condition - _mean(condition, AROUND)
    power = _mean(detail.square().mean(1, keepdim=True), AROUND).square()
    lively = power / (power + CALM**4)
    return condition + more * lively * detail - less * (1 - lively) * (condition - _mean(condition, CLOSE))


def shaded(enlarged: torch.Tensor, condition: torch.Tensor, light: torch.Tensor, rugged: torch.Tensor,
           share: float) -> torch.Tensor:
    """A condition enlarged, ``(B, 3, 4h, 4w)``, made lighter and darker by `share` of the light on gullies
    ``(B, C, 4h, 4w)`` where it is snow, and as far as it is `rugged` there, ``(B, 1, 4h, 4w)`` in 0…1. (On other land
    too it made mountains, and each level stray too far from its condition.)"""
    darkest, lightest = (of(condition, 1, keepdim=True) for of in (torch.amin, torch.amax))
    snow = _rising((darkest + 1) * 127.5, *WHITE) * _rising((lightest - darkest) * 127.5, *COLOURED)
    snow = F.interpolate(_mean(snow, CLOSE), scale_factor=SCALE, mode="bilinear")
    colour = torch.tensor(WARM, device=light.device)[:, None, None]
    light = light.sum(1, keepdim=True).clamp(*LIGHT) * colour
    return enlarged + (enlarged + 1) * (share * rugged * snow * light)


def projected(picture: torch.Tensor, condition: torch.Tensor, share: float) -> torch.Tensor:
    """``(B, 3, 4h, 4w)`` without `share` of what its 4×4 means are off the condition ``(B, 3, h, w)``, enlarged
    bilinearly: a mean that jumped from one to the next would show the grid."""
    off = F.avg_pool2d(picture, SCALE) - condition
    return picture - share * F.interpolate(off, scale_factor=SCALE, mode="bilinear")


def _rising(x: torch.Tensor, none: float, full: float) -> torch.Tensor:
    return ((x - none) / (full - none)).clamp(0, 1)


def _mean(x: torch.Tensor, side: int) -> torch.Tensor:
    return F.avg_pool2d(F.pad(x, [side // 2] * 4, mode="replicate"), side, 1)
