"""What a level's detail is added to, its condition enlarged; how far the sum may be from it; and what it lacks.

The network draws what is finer than its condition. Eleven things that it was not taught, or not well enough, are ruled
here, by level (`SamplerConfig`): of a level it may draw too little, and in great woods and on snow too much; z9 is
softer than what z11 was taught by; calm ground shows the grid of what is enlarged; mountains are clouds, or mud; what
is drawn strays from its condition; of fields and woods it draws the borders, and hardly what is inside; the base
knows of no towns; sand and woods are bare; bare mountains are fur; and snow is feathers.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn import functional as F

from model import crowns, dunes, faces, rocks
from model.grid import SCALE
from model.readings import bilinear, inner, laid_as
from model.residual import enlarge

AROUND = 9             # pixels of a condition, along and across, whose mean it is sharpened against ...
CLOSE = 3              # ... and smoothed
CALM = 5 / 127.5       # the deviation from the first at which it is half of each
WHITE = 110.0, 170.0   # grey levels of the darkest colour from which it begins to be snow, and at which it is, ...
COLOURED = 40.0, 20.0  # ... and between the colours from which it is none, and at which it may be
LIGHT = -2.5, 0.8      # the most of shade and of light
WARM = 1.05, 1.0, 0.9  # light is a little red, shade a little blue

# What is painted is not sea, sand or snow. Grey levels by which the brighter of red and green is above blue on land; by
# which green is above red, of sand and of what is tilled; of the darkest colour, of snow and of what is none.
LAND, SANDY, SNOWY = (-4.0, 8.0), (-32.0, -14.0), (150.0, 110.0)
LIGHTER = 0.7, 0.6, 0.45      # a light field is dry, ...
GREENER = -0.85, -0.12, -0.1  # ... a green one is less red: land differs more in that than in its green
MOST = 1.6                    # of either
WOODED = 40.0, 60.0           # grey levels of what has no towns, and of what may have
TOWN = 124.0, 119.0, 106.0    # grey levels: the colour of towns
WOODS = 80.0, 55.0            # grey levels: from which land may be wooded, and at which it is
SEA = 14.0, 4.0               # grey levels by which the brighter of red and green is below blue in the sea, and on land
PALE = (178.0, 195.0), (9.0, 15.0)    # grey levels of red, and by which it is above green, of one kind of sand ...
RUDDY = (150.0, 165.0), (32.0, 44.0)  # ... and of the other; where sand has dunes, ...
QUIET = 0.5                   # ... the share of what the network draws that is left out: rubble

Number = float | torch.Tensor  # one for all, or one for each place, (B, 1, 1, 1)


class Dials(NamedTuple):
    """How far each of these goes at a level; of none of it, as if it were not there."""

    sharpening: Number = 0.0
    calming: Number = 0.0
    shade: Number = 0.0
    slope: Number = 0.0
    projection: Number = 0.0
    paint: Number = 0.0
    town: Number = 0.0
    gain: Number = 0.0
    hush: Number = 0.0
    snow: Number = 0.0
    dunes: Number = 0.0
    crowns: Number = 0.0
    rocks: Number = 0.0
    faces: Number = 0.0


class Shown(NamedTuple):
    """What the network is shown at a window's pixels, and how plain it is there, ``(B, 1, 4h, 4w)`` or a number; and
    who is asked for light to lay on it: `laid` of a field makes that of the pixels which are not dropped."""

    gullies: torch.Tensor  # (B, 2, 4h, 4w)
    fields: torch.Tensor   # (B, 2·n, 4h, 4w): parcels and cover
    town: torch.Tensor     # (B, 1, 4h, 4w)
    plain: Number
    laid: Callable[[Callable], torch.Tensor] | None = None


def finished(condition: torch.Tensor, detail: torch.Tensor, shown: Shown, dials: Dials, drop: int = 0,
             kept: int = 0) -> torch.Tensor:
    """The picture that a condition ``(B, 3, h, w)`` and detail make, less `drop` of its outermost pixels; of the detail
    all but `kept` of these have been dropped already."""
    around = smoothed(condition)
    enlarged = enlarge(tempered(condition, around, dials.sharpening, dials.calming))
    of_snow = dials.shade, dials.slope, dials.snow, dials.rocks, dials.faces
    snow = snowy(condition) if any(map(asked, of_snow)) else None
    if asked(dials.shade) or asked(dials.slope):
        enlarged = shaded(enlarged, condition, snow, shown.gullies, 1 - shown.plain, dials.shade, dials.slope)
    if asked(dials.gain):
        detail = detail * (1 + dials.gain * inner(bilinear(lively(condition, around), SCALE), drop - kept))
    sand = found(shown.plain * sandy(around)) if asked(dials.dunes) and shown.laid else None
    woods = found(wooded(condition)) if asked(dials.crowns) and shown.laid else None
    rock = found((1 - shown.plain) * bare(condition, snow)) if asked(dials.rocks) and shown.laid else None
    snowfield = (1 - shown.plain) * snow if asked(dials.snow) or asked(dials.faces) else None
    white = found(snowfield) if asked(dials.faces) and shown.laid else None
    land = fertile(around) if asked(dials.town) or asked(dials.paint) or asked(dials.hush) else None
    if sand is not None and land is not None:
        land = land * (1 - sand)
    open_land = settled(around) if asked(dials.town) or asked(dials.hush) else None
    if asked(dials.hush):  # in great woods
        detail = detail * (1 - dials.hush * inner(shown.plain * (land * (1 - open_land)), drop - kept))
    if asked(dials.snow):  # of mountains
        detail = detail * (1 - dials.snow * inner(snowfield, drop - kept))
    if sand is not None:
        detail = detail * (1 - QUIET * inner(sand, drop - kept))
    made = inner(enlarged, drop - kept) + detail
    if asked(dials.projection):
        made = inner(projected(made, inner(condition, (drop - kept) // SCALE), dials.projection), kept)
    if asked(dials.town):
        share = dials.town * shown.plain * land * open_land * shown.town
        colour = torch.tensor(TOWN).to(made.device, non_blocking=True)[:, None, None] / 127.5 - 1
        made = made + inner(share, drop) * (colour - inner(enlarged, drop))
    if asked(dials.paint):
        share = dials.paint * shown.plain * land
        made = painted(made, inner(shown.fields, drop), inner(share, drop))
    for kind, dial, ground in ((dunes, dials.dunes, sand), (crowns, dials.crowns, woods), (rocks, dials.rocks, rock),
                               (faces, dials.faces, white)):
        if ground is not None:
            made = lit(made, shown.laid(kind.field), dial * inner(ground, drop))
    return made


def asked(dial: Number) -> bool:
    """Whether anything is."""
    return isinstance(dial, torch.Tensor) or dial > 0


def found(share: torch.Tensor) -> torch.Tensor | None:
    """None if there is none of it anywhere, so that nobody makes what it is a share of. A GPU is not asked: that would
    take as long."""
    return share if share.is_cuda or bool(share.any()) else None


def smoothed(condition: torch.Tensor) -> torch.Tensor:
    """The means ``(B, 3, h, w)`` of `AROUND`² pixels of a condition: what is seen `around` each."""
    return _mean(condition, AROUND)


def tempered(condition: torch.Tensor, around: torch.Tensor, more: Number, less: Number) -> torch.Tensor:
    """``(B, 3, h, w)`` with `more` of what it has over what is around, but where it is calm `less` of what it has over
    its mean of `CLOSE`² pixels: there it is noise, of a level or two, which enlarged shows the grid, for bicubic
    enlargement is steepest halfway between two pixels."""
    if not (asked(more) or asked(less)):
        return condition
    share = lively(condition, around)
    return condition + more * share * (condition - around) - less * (1 - share) * (condition - _mean(condition, CLOSE))


def lively(condition: torch.Tensor, around: torch.Tensor) -> torch.Tensor:
    """How little a condition ``(B, 3, h, w)`` is calm: ``(B, 1, h, w)`` in 0…1."""
    power = _mean((condition - around).square().mean(1, keepdim=True), AROUND).square()
    return power / (power + CALM**4)


def snowy(condition: torch.Tensor) -> torch.Tensor:
    """How much a condition ``(B, 3, h, w)`` is snow: ``(B, 1, 4h, 4w)`` in 0…1."""
    darkest, lightest = (of(condition, 1, keepdim=True) for of in (torch.amin, torch.amax))
    snow = _rising((darkest + 1) * 127.5, *WHITE) * _rising((lightest - darkest) * 127.5, *COLOURED)
    return bilinear(_mean(snow, CLOSE), SCALE)


def shaded(enlarged: torch.Tensor, condition: torch.Tensor, snow: torch.Tensor, light: torch.Tensor,
           rugged: torch.Tensor, of_snow: Number, of_land: Number = 0.0) -> torch.Tensor:
    """A condition enlarged, ``(B, 3, 4h, 4w)``, made lighter and darker by a share of the light on gullies
    ``(B, C, 4h, 4w)``, one of `snow` and one of other land, as far as it is `rugged` there, both ``(B, 1, 4h, 4w)`` in
    0…1."""
    share = of_snow * rugged * snow
    if asked(of_land):
        land = bilinear(_mean(_land(*_levels(condition)), CLOSE), SCALE)
        share = share + of_land * rugged * land * (1 - snow)
    return lit(enlarged, light.sum(1, keepdim=True).clamp(*LIGHT), share)


def lit(picture: torch.Tensor, light: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` made lighter and darker by a `share` of `light`, both ``(B, 1, H, W)``."""
    colour = torch.tensor(WARM).to(light.device, non_blocking=True)[:, None, None]
    return picture + (picture + 1) * (share * (light * colour))


def projected(picture: torch.Tensor, condition: torch.Tensor, share: Number) -> torch.Tensor:
    """``(B, 3, 4h, 4w)`` without `share` of what its 4×4 means are off the condition ``(B, 3, h, w)``, enlarged
    bilinearly: a mean that jumped from one to the next would show the grid."""
    off = F.avg_pool2d(picture, SCALE) - condition
    return picture - share * bilinear(off, SCALE)


def fertile(around: torch.Tensor) -> torch.Tensor:
    """How much what is around a condition's pixels, ``(B, 3, h, w)``, is of the kinds of land that have fields or
    woods: ``(B, 1, 4h, 4w)`` in 0…1, within 20 pixels of where it is seen."""
    red, green, blue = _levels(around)
    kind = _land(red, green, blue) * _rising(green - red, *SANDY) * _rising(torch.minimum(red, blue), *SNOWY)
    return bilinear(kind, SCALE)


def settled(around: torch.Tensor) -> torch.Tensor:
    """Likewise whether it has towns: great woods, which are dark, have none."""
    return bilinear(_rising((around.mean(1, keepdim=True) + 1) * 127.5, *WOODED), SCALE)


def sandy(around: torch.Tensor) -> torch.Tensor:
    """Likewise how much it is sand."""
    red, green, _ = _levels(around)
    pale, ruddy = (_rising(red, *bright) * _rising(red - green, *warm) for bright, warm in (PALE, RUDDY))
    return bilinear(torch.maximum(pale, ruddy), SCALE)


def wooded(condition: torch.Tensor) -> torch.Tensor:
    """How much a condition ``(B, 3, h, w)`` is dark land: ``(B, 1, 4h, 4w)`` in 0…1."""
    red, green, blue = _levels(condition)
    return bilinear(_mean(_land(red, green, blue) * _rising((red + green + blue) / 3, *WOODS), CLOSE), SCALE)


def bare(condition: torch.Tensor, snow: torch.Tensor) -> torch.Tensor:
    """Likewise how much it is neither sea, nor `snow`, nor dark: what dark slopes are made of nobody sees."""
    red, green, blue = _levels(condition)
    dry = _rising(blue - torch.maximum(red, green), *SEA) * _rising((red + green + blue) / 3, *reversed(WOODS))
    return bilinear(_mean(dry, CLOSE), SCALE) * (1 - snow)


def painted(picture: torch.Tensor, fields: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` made lighter or darker, and greener or browner, by as much as `fields`, pairs of channels
    ``(B, 2·n, H, W)``, say of each pixel, times `share`, ``(B, 1, H, W)``."""
    light, lush = fields.unflatten(1, (-1, 2)).sum(1).clamp(-MOST, MOST).split(1, 1)
    lighter, greener = (torch.tensor(of).to(fields.device, non_blocking=True)[:, None, None]
                        for of in (LIGHTER, GREENER))
    return picture + (picture + 1) * share * (light * lighter + lush * greener)


def _levels(condition: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Its red, green and blue in grey levels, ``(B, 1, h, w)`` each."""
    return ((condition + 1) * 127.5).split(1, 1)


def _land(red: torch.Tensor, green: torch.Tensor, blue: torch.Tensor) -> torch.Tensor:
    """How much what has such grey levels is land, in 0…1."""
    return _rising(torch.maximum(red, green) - blue, *LAND)


def _rising(x: torch.Tensor, none: float, full: float) -> torch.Tensor:
    return ((x - none) / (full - none)).clamp(0, 1)


def _mean(x: torch.Tensor, side: int) -> torch.Tensor:
    apart = F.pad(x.contiguous(), [side // 2] * 4, mode="replicate")  # channels last, three of them take twice as long
    return laid_as(x, F.avg_pool2d(apart, side, 1))
