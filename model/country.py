"""Woods, fields and roads of plains as they are seen from near: crisp, where a condition shows their borders as a haze.

Who knows where a border is knows which side of it a pixel is on, and takes its colour from farther on that side.
"""

from collections.abc import Callable

import torch

from model import cover, farmland, ground, land_use, parcels, roads
from model.painting import covered, lit, painted
from model.readings import inner

HEDGE, TRACK = (50.0, 62.0, 40.0), (176.0, 162.0, 134.0)  # grey levels: the colours of hedges and tracks
TILLED = 0.3, 0.7          # how plain, fertile and tilled land is that has no fields, and that has nothing else
TOWN = 0.0, 0.05           # by how much more of a town it is than a field that is kept would be, where fields end
ROAD = 0.8, 1.4            # ... and how light the edge of a road is
NEAR = 0.0, 0.3            # how near a border is beside which colours are taken from farther away, and wholly so
FAR = 24                   # pixels: as far as any is taken from
SMOOTH, MORE = 0.6, 0.05   # the share of what is drawn there that is left out; how light, and green, fields are besides
FURROW, HEDGED, TRACKED = 0.1, 0.9, 0.6  # how light furrows are; of the colours of hedges and tracks


def crisp(picture: torch.Tensor, enlarged: torch.Tensor, fertile: torch.Tensor, town: torch.Tensor,
          laid: Callable[[Callable], torch.Tensor], drop: int, fields: float | torch.Tensor,
          woods: float | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture ``(B, 3, H, W)`` with crisp `fields`, `woods`, as far as is asked for either, and roads; and how much
    of it is fields, ``(B, 1, H, W)``. `enlarged`: its condition, `drop` pixels more on every side; `fertile`: how plain
    and fertile land is; `town`: of how much of one it is shown; `laid`: as in `underlay.finished`."""
    fertile, tilled = ground.rising(fertile, *TILLED), laid(land_use.field)
    wild, farm = woods * (1 - tilled) * fertile, fields * ground.rising(fertile * tilled, *TILLED)
    if ground.found(wild) is not None:
        edges = laid(cover.beside)
        picture = taken(picture, enlarged, edges, wild * ground.rising(edges[:, 2:], *NEAR), drop)
    if ground.found(farm) is not None:
        divided = laid(farmland.field)
        farm = farm * (1 - ground.rising(town - divided[:, 5:], *TOWN)) * (1 - ground.rising(laid(roads.field), *ROAD))
        picture = taken(picture, enlarged, divided, farm, drop)
    beside = laid(roads.beside)
    return taken(picture, enlarged, beside, fertile * ground.rising(beside[:, 2:], *NEAR), drop), farm


def taken(picture: torch.Tensor, enlarged: torch.Tensor, away: torch.Tensor, share: torch.Tensor,
          drop: int) -> torch.Tensor:
    """``(B, 3, H, W)`` with the colours that the condition `enlarged`, `drop` pixels more on every side, has so many
    pixels `away`, right and down, ``(B, 2…, H, W)``; less of what is drawn; as far as is its `share`, ``(B, 1, H, W)``.
    Nothing is taken from farther than `FAR`."""
    high, wide = enlarged.shape[-2:]
    rows, columns = (torch.arange(drop, of - drop, device=picture.device) for of in (high, wide))
    right, down = (away[:, axis].round().clamp(-FAR, FAR).long() for axis in (0, 1))
    at = (rows[:, None] + down).clamp(0, high - 1) * wide + (columns + right).clamp(0, wide - 1)
    flat = enlarged.contiguous().flatten(2).gather(2, at.flatten(1)[:, None].expand(-1, 3, -1))
    there = inner(enlarged, drop)
    return picture + share * (flat.unflatten(2, at.shape[1:]) - there - SMOOTH * (picture - there))


def farmed(picture: torch.Tensor, fields: torch.Tensor, laid: Callable[[Callable], torch.Tensor],
           farm: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` with the colours of `fields` that the network is shown, ``(B, 2…, H, W)``, furrows, hedges and
    tracks, as much as it is a `farm`, ``(B, 1, H, W)``."""
    if ground.found(farm) is None:
        return picture
    light, hedge, track = laid(farmland.field)[:, 2:5].split(1, 1)
    picture = painted(picture, fields[:, :parcels.CHANNELS], MORE * farm)
    picture = lit(picture, light, FURROW * farm)
    return covered(covered(picture, HEDGE, HEDGED * farm * hedge), TRACK, TRACKED * farm * track)
