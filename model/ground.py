"""What kinds of ground a condition shows: each ``(B, 1, 4h, 4w)`` in 0…1, of a condition ``(B, 3, h, w)`` in -1…1.
(Of `watery` and `lively` the condition's own pixels.)

Told by colour, in grey levels, for nothing else is known; what is chosen here was chosen after places of the base.
Whatever it is told by lies within 20 pixels.
"""

import torch
from torch.nn import functional as F

from model.grid import SCALE
from model.readings import bilinear, laid_as

AROUND = 9             # pixels of a condition, along and across, whose mean is what is around each ...
CLOSE = 3              # ... and close to it
EVEN = 2 / 127.5       # a deviation of grey that has no contrast to tell
CALM = 5 / 127.5       # the deviation from the first at which it is half calm, half lively

# Grey levels, of a kind of ground and of what is none, either way round.
WHITE, COLOURED = (110.0, 170.0), (40.0, 20.0)  # of snow: its darkest colour, and what is between its colours
LAND = -4.0, 8.0                      # by which the brighter of red and green is above blue
SANDY, SNOWY = (-32.0, -14.0), (150.0, 110.0)   # green above red, of sand and of what is tilled; its darkest colour
WOODED = 40.0, 60.0                   # the mean of what has no towns, and of what may have
WOODS = 80.0, 55.0                    # ... of what may be wooded, and of what is
SEA = 14.0, 4.0                       # by which the brighter of red and green is below blue, of water and of bare land
PALE = (178.0, 195.0), (9.0, 15.0)    # of red, and by which it is above green, of one kind of sand ...
RUDDY = (150.0, 165.0), (32.0, 44.0)  # ... and of the other
SHALLOW, DEEP = (0.1, 0.3), (0.3, 0.5)  # of the brightest colour: green and blue above red in water; blue above both


def smoothed(condition: torch.Tensor) -> torch.Tensor:
    """The means ``(B, 3, h, w)`` of `AROUND`² pixels of a condition: what is seen `around` each."""
    return mean(condition, AROUND)


def lively(condition: torch.Tensor, around: torch.Tensor) -> torch.Tensor:
    """How little a condition ``(B, 3, h, w)`` is calm: ``(B, 1, h, w)`` in 0…1."""
    power = mean((condition - around).square().mean(1, keepdim=True), AROUND).square()
    return power / (power + CALM**4)


def snowy(condition: torch.Tensor) -> torch.Tensor:
    """How much a condition ``(B, 3, h, w)`` is snow: ``(B, 1, 4h, 4w)`` in 0…1."""
    darkest, lightest = (of(condition, 1, keepdim=True) for of in (torch.amin, torch.amax))
    snow = rising((darkest + 1) * 127.5, *WHITE) * rising((lightest - darkest) * 127.5, *COLOURED)
    return bilinear(mean(snow, CLOSE), SCALE)


def fertile(around: torch.Tensor) -> torch.Tensor:
    """How much what is around a condition's pixels, ``(B, 3, h, w)``, is of the kinds of land that have fields or
    woods: ``(B, 1, 4h, 4w)`` in 0…1, within 20 pixels of where it is seen."""
    red, green, blue = levels(around)
    kind = land(red, green, blue) * rising(green - red, *SANDY) * rising(torch.minimum(red, blue), *SNOWY)
    return bilinear(kind, SCALE)


def settled(around: torch.Tensor) -> torch.Tensor:
    """Likewise whether it has towns: great woods, which are dark, have none."""
    return bilinear(rising((around.mean(1, keepdim=True) + 1) * 127.5, *WOODED), SCALE)


def sandy(around: torch.Tensor) -> torch.Tensor:
    """Likewise how much it is sand."""
    red, green, _ = levels(around)
    pale, ruddy = (rising(red, *bright) * rising(red - green, *warm) for bright, warm in (PALE, RUDDY))
    return bilinear(torch.maximum(pale, ruddy), SCALE)


def wooded(condition: torch.Tensor) -> torch.Tensor:
    """How much a condition ``(B, 3, h, w)`` is dark land: ``(B, 1, 4h, 4w)`` in 0…1."""
    red, green, blue = levels(condition)
    return bilinear(mean(land(red, green, blue) * rising((red + green + blue) / 3, *WOODS), CLOSE), SCALE)


def dry(condition: torch.Tensor) -> torch.Tensor:
    """Likewise how much it is not blue, as water is and snow's shade: of dark slopes nobody knows more."""
    red, green, blue = levels(condition)
    return bilinear(mean(rising(blue - torch.maximum(red, green), *SEA), CLOSE), SCALE)


def bare(condition: torch.Tensor, snow: torch.Tensor) -> torch.Tensor:
    """Likewise how much it is neither sea, nor `snow`, nor dark: what dark slopes are made of nobody sees."""
    red, green, blue = levels(condition)
    light = rising(blue - torch.maximum(red, green), *SEA) * rising((red + green + blue) / 3, *reversed(WOODS))
    return bilinear(mean(light, CLOSE), SCALE) * (1 - snow)


def contrast(condition: torch.Tensor, around: torch.Tensor) -> torch.Tensor:
    """By how much of each colour what is light around a condition's pixels, ``(B, 3, h, w)``, is off their mean: the
    deviation of their grey, along the line that fits their colours best."""
    off = condition - around
    grey = off.mean(1, keepdim=True)
    return mean(off * grey, AROUND) / (mean(grey.square(), AROUND).sqrt() + EVEN)


def watery(condition: torch.Tensor) -> torch.Tensor:
    """How much a condition's own pixels are water, ``(B, 1, h, w)``: snow's shade is blue, too, but hardly."""
    red, green, blue = levels(condition)
    brightest = torch.maximum(green, blue) + 8  # of black nobody knows
    shallow = rising((torch.minimum(green, blue) - red) / brightest, *SHALLOW)
    return torch.maximum(shallow, rising((blue - torch.maximum(red, green)) / brightest, *DEEP))


def land(red: torch.Tensor, green: torch.Tensor, blue: torch.Tensor) -> torch.Tensor:
    """How much what has such grey levels is land, in 0…1."""
    return rising(torch.maximum(red, green) - blue, *LAND)


def levels(condition: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Its red, green and blue in grey levels, ``(B, 1, h, w)`` each."""
    return ((condition + 1) * 127.5).split(1, 1)


def rising(x: torch.Tensor, none: float, full: float) -> torch.Tensor:
    """From 0 where x is `none` to 1 where it is `full`."""
    return ((x - none) / (full - none)).clamp(0, 1)


def mean(x: torch.Tensor, side: int) -> torch.Tensor:
    """Of the `side`² pixels around each; beyond the edge lies what lies at it."""
    apart = F.pad(x.contiguous(), [side // 2] * 4, mode="replicate")  # channels last, three of them take twice as long
    return laid_as(x, F.avg_pool2d(apart, side, 1))


def found(share: torch.Tensor) -> torch.Tensor | None:
    """None if there is none of it anywhere, so that nobody makes what it is a share of. A GPU is not asked: that would
    take as long."""
    return share if share.is_cuda or bool(share.any()) else None


def channels(numbers: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    """A number for each colour, ``(3, 1, 1)``, where another tensor is."""
    return torch.tensor(numbers).to(like.device, non_blocking=True)[:, None, None]


def coloured(levels: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    """A colour in grey levels, likewise, in -1…1."""
    return channels(levels, like) / 127.5 - 1
