"""What a level's detail is added to, its condition enlarged; how far the sum may be from it; and what it lacks.

The network draws what is finer than its condition. Twenty things that it was not taught, or not well enough, are
ruled here, by level (`SamplerConfig`): of a level it may draw too little, and in great woods and on snow too much; z9
is softer than what z11 was taught by; calm ground shows the grid of what is enlarged; mountains are clouds, or mud;
what is drawn strays from its condition; of fields and woods it draws the borders, and hardly what is inside; of those
that its condition shows there is left a haze, and no hedge; the base knows of no towns, and in those that it is shown
it draws no houses; roads end at rivers, and to villages there are none; sand and woods are bare; bare mountains are
fur; snow is feathers, and no rock stands out of it; mountains have no valleys; there are hardly any rivers; and shores
are a haze.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn import functional as F

from model import country, courses, crags, crowns, dunes, faces, ground, houses, ridges, rivers, roads, rocks, waters
from model.grid import SCALE
from model.painting import covered, lit, painted
from model.readings import bilinear, inner
from model.residual import enlarge

LIGHT = -2.5, 0.8      # the most of shade and of light
TOWN = 124.0, 119.0, 106.0    # grey levels: the colour of towns, ...
ROAD = 168.0, 160.0, 146.0    # ... of roads between them, ...
ROCK = 82.0, 75.0, 71.0       # ... and of rock that stands out of snow
BUILT = 0.75, 0.2             # of how much of a town it is, where the last houses are, and over how much of it they end
PAVED = 1.0, 1.9              # how light the edge of a road is, and its middle
QUIET = 0.5                   # the share of what is drawn on sand that is left out: rubble

Number = float | torch.Tensor  # one for all, or one for each place, (B, 1, 1, 1)


class Dials(NamedTuple):
    """How far each of these goes at a level; of none of it, as if it were not there."""

    sharpening: Number = 0.0
    calming: Number = 0.0
    shade: Number = 0.0
    slope: Number = 0.0
    projection: Number = 0.0
    paint: Number = 0.0
    farmland: Number = 0.0
    town: Number = 0.0
    houses: Number = 0.0
    gain: Number = 0.0
    hush: Number = 0.0
    snow: Number = 0.0
    dunes: Number = 0.0
    crowns: Number = 0.0
    rocks: Number = 0.0
    faces: Number = 0.0
    crags: Number = 0.0
    still: Number = 0.0
    ridges: Number = 0.0
    rivers: Number = 0.0
    courses: Number = 0.0
    paved: Number = 0.0
    lanes: Number = 0.0
    woods: Number = 0.0
    shores: Number = 0.0


class Shown(NamedTuple):
    """What the network is shown at a window's pixels, and how plain it is there, ``(B, 1, 4h, 4w)`` or a number;
    who is asked for light to lay on it: `laid` of a field makes that of the pixels which are not dropped; and how hilly
    and how habitable it is there."""

    gullies: torch.Tensor  # (B, 2, 4h, 4w)
    fields: torch.Tensor   # (B, 2·n, 4h, 4w): parcels and cover
    town: torch.Tensor     # (B, 1, 4h, 4w)
    plain: Number
    laid: Callable[[Callable], torch.Tensor] | None = None
    hilly: Number = 0.0
    habitable: Number = 0.0


def finished(condition: torch.Tensor, detail: torch.Tensor, shown: Shown, dials: Dials, drop: int = 0,
             kept: int = 0) -> torch.Tensor:
    """The picture that a condition ``(B, 3, h, w)`` and detail make, less `drop` of its outermost pixels; of the detail
    all but `kept` of these have been dropped already."""
    around = ground.smoothed(condition)
    enlarged = enlarge(tempered(condition, around, dials.sharpening, dials.calming))
    rugged = 1 - shown.plain if shown else None  # the oldest networks are shown nothing
    on_snow = asked(dials.snow) or asked(dials.faces) or asked(dials.crags)
    beside_snow = dials.shade, dials.slope, dials.rocks, dials.rivers, dials.still, dials.ridges, dials.courses
    snow = ground.snowy(condition) if on_snow or any(map(asked, beside_snow)) else None
    if asked(dials.shade) or asked(dials.slope):
        enlarged = shaded(enlarged, condition, snow, shown.gullies, rugged, dials.shade, dials.slope)
    if asked(dials.gain):
        detail = detail * (1 + dials.gain * inner(bilinear(ground.lively(condition, around), SCALE), drop - kept))
    laid = shown.laid if shown else None
    sand = woods = bare = rock = white = None  # those that light is laid on
    snowfield = rugged * snow if on_snow else None
    if laid:
        sand = ground.found(shown.plain * ground.sandy(around)) if asked(dials.dunes) else None
        woods = ground.found(ground.wooded(condition)) if asked(dials.crowns) else None
        beside_bare = dials.rocks, dials.rivers, dials.courses
        bare = ground.bare(condition, snow) if any(map(asked, beside_bare)) else None
        rock = ground.found(rugged * bare) if asked(dials.rocks) else None
        white = ground.found(snowfield) if asked(dials.faces) or asked(dials.crags) else None
    of_land = dials.town, dials.paint, dials.farmland, dials.woods, dials.hush, dials.rivers, dials.courses
    land = ground.fertile(around) if any(map(asked, of_land)) else None
    if sand is not None and land is not None:
        land = land * (1 - sand)
    open_land = ground.settled(around) if asked(dials.town) or asked(dials.hush) else None
    if asked(dials.hush):  # in great woods
        detail = detail * (1 - dials.hush * inner(shown.plain * (land * (1 - open_land)), drop - kept))
    if asked(dials.still):  # on mountains
        detail = detail * (1 - dials.still * inner(rugged * (1 - snow), drop - kept))
    if asked(dials.snow):  # on theirs
        detail = detail * (1 - dials.snow * inner(snowfield, drop - kept))
    if sand is not None:
        detail = detail * (1 - QUIET * inner(sand, drop - kept))
    made = inner(enlarged, drop - kept) + detail
    if asked(dials.projection):
        made = inner(projected(made, inner(condition, (drop - kept) // SCALE), dials.projection), kept)
    fertile = farm = None
    if laid and torch.is_tensor(shown.plain) and (asked(dials.farmland) or asked(dials.woods)):
        fertile = ground.found(inner(shown.plain * land, drop))
    if fertile is not None:
        town = inner(shown.town, drop)
        made, farm = country.crisp(made, enlarged, fertile, town, laid, drop, dials.farmland, dials.woods)
    if asked(dials.town):
        share = dials.town * shown.plain * land * open_land * shown.town
        made = made + inner(share, drop) * (ground.coloured(TOWN, made) - inner(enlarged, drop))
    if asked(dials.paint):
        share = dials.paint * shown.plain * land
        made = painted(made, inner(shown.fields, drop), inner(share, drop))
    if farm is not None:
        made = country.farmed(made, inner(shown.fields, drop), laid, farm)
    lived = None  # how much it is where people live
    of_people = dials.houses, dials.paved, dials.lanes
    if any(map(asked, of_people)) and laid and torch.is_tensor(shown.habitable):
        lived = ground.found(shown.plain * shown.habitable)
    if lived is not None and asked(dials.houses):
        dry = 1 - bilinear(ground.mean(ground.watery(condition), ground.CLOSE), SCALE)
        fit = inner(lived * dry, drop)
        if farm is not None:  # at its end a town has fields; elsewhere farms lie in them
            fit = fit * (1 - farm * (town > 0))
        made = housed(made, laid(houses.spread if asked(dials.lanes) else houses.field), fit, dials.houses)
    for kind, dial, where in ((dunes, dials.dunes, sand), (crowns, dials.crowns, woods), (rocks, dials.rocks, rock),
                              (faces, dials.faces, white)):
        if where is not None and asked(dial):
            share = dial * inner(where, drop)
            if kind is crowns and farm is not None:
                share = share * (1 - farm)
            made = lit(made, laid(kind.field), share)
    if asked(dials.ridges) and laid:
        hills = shown.hilly * torch.maximum(ground.dry(condition), snow)
        if ground.found(hills) is not None:
            made = ridged(made, laid(ridges.field), inner(bilinear(ground.contrast(condition, around), SCALE), drop),
                          dials.ridges * inner(hills, drop), inner(snow, drop))
    if white is not None and asked(dials.crags):
        made = craggy(made, laid(crags.field), dials.crags * inner(white, drop))
    river = banks = 0.0
    for kind, dial in (rivers, dials.rivers), (courses, dials.courses):
        if asked(dial) and laid:
            among = shown.plain if kind is rivers else 1  # those that know of no valley
            green = land if lived is None else torch.maximum(land, lived)
            dry = (1 - green) * bare * (1 if sand is None else 1 - sand)
            where = [inner(among * of, drop) for of in (green, dry)]
            if ground.found(sum(where)) is not None:
                field = laid(kind.field)
                made = waters.watered(made, dial * field[:, :1], *where)
                if kind is courses:
                    river, banks = field[:, :1], (2 * where[0]).clamp(max=1) * field[:, 1:]
    if asked(dials.shores) and laid:
        wet = ground.watery(condition)
        if ground.found(wet) is not None and ground.found(1 - wet) is not None:
            shore = waters.shore(made, inner(enlarged, drop), condition, wet, laid, drop, river, banks)
            made = made + dials.shores * shore
    for kind, dial, edges in (roads.lanes, dials.lanes, (0.0, 1.0)), (roads.field, dials.paved, PAVED):
        if lived is not None and asked(dial):
            road = dial * ground.rising(inner(lived, drop) * laid(kind), *edges)
            made = covered(made, ROAD, road)
    return made


def asked(dial: Number) -> bool:
    """Whether anything is."""
    return isinstance(dial, torch.Tensor) or dial > 0


def tempered(condition: torch.Tensor, around: torch.Tensor, more: Number, less: Number) -> torch.Tensor:
    """``(B, 3, h, w)`` with `more` of what it has over what is around, but where it is calm `less` of what it has over
    its mean of `ground.CLOSE`² pixels: there it is noise, of a level or two, which enlarged shows the grid, for bicubic
    enlargement is steepest halfway between two pixels."""
    if not (asked(more) or asked(less)):
        return condition
    share = ground.lively(condition, around)
    off = condition - ground.mean(condition, ground.CLOSE)
    return condition + more * share * (condition - around) - less * (1 - share) * off


def shaded(enlarged: torch.Tensor, condition: torch.Tensor, snow: torch.Tensor, light: torch.Tensor,
           rugged: torch.Tensor, of_snow: Number, of_land: Number = 0.0) -> torch.Tensor:
    """A condition enlarged, ``(B, 3, 4h, 4w)``, made lighter and darker by a share of the light on gullies
    ``(B, C, 4h, 4w)``, one of `snow` and one of other land, as far as it is `rugged` there, both ``(B, 1, 4h, 4w)`` in
    0…1."""
    share = of_snow * rugged * snow
    if asked(of_land):
        land = bilinear(ground.mean(ground.land(*ground.levels(condition)), ground.CLOSE), SCALE)
        share = share + of_land * rugged * land * (1 - snow)
    return lit(enlarged, light.sum(1, keepdim=True).clamp(*LIGHT), share)


def projected(picture: torch.Tensor, condition: torch.Tensor, share: Number) -> torch.Tensor:
    """``(B, 3, 4h, 4w)`` without `share` of what its 4×4 means are off the condition ``(B, 3, h, w)``, enlarged
    bilinearly: a mean that jumped from one to the next would show the grid."""
    off = F.avg_pool2d(picture, SCALE) - condition
    return picture - share * bilinear(off, SCALE)


def craggy(picture: torch.Tensor, light: torch.Tensor, share: torch.Tensor, kind=crags,
           whole: torch.Tensor | None = None) -> torch.Tensor:
    """Snow ``(B, 3, H, W)`` lighter and darker by a `share` of `light`, both ``(B, 1, H, W)``, and rock where it is
    darkest: too steep for snow. `kind`: says how dark that is; `whole`: of what, if not of that light."""
    steep = (kind.ROCKY * share).clamp(max=1) * ground.rising(-(light if whole is None else whole), *kind.BARE)
    snow = lit(picture, light.clamp(*kind.STEEPEST) + kind.MEAN, share)
    return covered(snow, ROCK, steep)


def ridged(picture: torch.Tensor, light: torch.Tensor, contrast: torch.Tensor, share: torch.Tensor,
           snow: torch.Tensor) -> torch.Tensor:
    """Mountains ``(B, 3, H, W)`` lighter and darker by a `share`, ``(B, 1, H, W)``, of the light on ridges, ``(B, 2, H,
    W)``, and more like what is light around there, or dark, as its `contrast` ``(B, 3, H, W)`` says: woods lie in
    shade, and snow on what is lit. On `snow`, ``(B, 1, H, W)``, rock stands out."""
    light, whole = light.split(1, 1)
    clipped = light.clamp(*ridges.LIGHT)
    picture = picture + ridges.SORTED * share * clipped * contrast
    picture = lit(picture, clipped, share * (1 - snow))
    return craggy(picture, light, ridges.SNOWY * share * snow, ridges, whole)


def housed(picture: torch.Tensor, built: torch.Tensor, fit: torch.Tensor, most: Number) -> torch.Tensor:
    """``(B, 3, H, W)`` with what is `built` ``(B, 6, H, W)`` (`houses`) laid over, `most` of it, as far as ground is
    `fit` for a town, ``(B, 1, H, W)``."""
    hidden, colour, ends, town = built.split([1, 3, 1, 1], 1)
    share = most * ((fit * town - BUILT[0] * ends) / BUILT[1]).clamp(0, 1)
    return picture + share * (2 * colour - hidden * (1 + picture))
