"""Rivers and shores of a picture: what neither its condition nor the network tells well.

A condition shows the way from land to water as one haze, sixteen pixels wide and more, and the base has hardly any
river. Where both run say `rivers` and `shores`; here they are given colours, as of land and water beside them.
"""

from collections.abc import Callable

import torch

from model import ground, shores
from model.grid import SCALE
from model.painting import covered
from model.readings import bilinear, inner

RIVER = 48.0, 74.0, 82.0      # grey levels: the colour of rivers, ...
BED = 206.0, 180.0, 146.0     # ... of their beds, where these are dry, ...
STRAND = 196.0, 180.0, 150.0  # ... and of beaches
DRIED = 0.25                  # how much of a dry bed is seen, of a river's share
QUIET = 0.5                   # the share of what is drawn in the sea, near a shore, that is left out

# Of the way from land, 0, to water, 1:
COAST = 5           # pixels of a condition, along and across, over which it is spread, ...
RAGGED = 3.2        # ... by how much of that a shore is moved, ...
CRISP = 0.12        # ... how far from its middle all is land, or water, ...
BEACH = 0.4, 0.2    # ... and from where to where on its landward side beaches begin
SANDY = 0.6         # how much of a beach is sand
SEEN = 0.04         # of what is around a pixel the share of water that a river shown there has
APART = 0.05, 0.25  # what is between land and water that are hardly told apart, and are


def watered(picture: torch.Tensor, river: torch.Tensor, green: torch.Tensor, dry: torch.Tensor) -> torch.Tensor:
    """A picture ``(B, 3, H, W)`` with water's colour over as much of it as is `river` and `green`, and where it is dry
    with a pale bed; all ``(B, 1, H, W)`` in 0…1."""
    return covered(covered(picture, BED, DRIED * dry * river), RIVER, green * river)


def shore(picture: torch.Tensor, enlarged: torch.Tensor, condition: torch.Tensor, wet: torch.Tensor,
          laid: Callable[[Callable], torch.Tensor], drop: int, river: torch.Tensor | float = 0.0,
          banks: torch.Tensor | float = 0.0) -> torch.Tensor:
    """What a picture ``(B, 3, H, W)`` lacks of shores: ``(B, 3, H, W)``.

    A condition ``(B, 3, h, w)`` shows the way from land to water as one haze. On this side of its middle, moved to and
    fro, all becomes what land is around there, some of it a beach; on the other what water is, and that is calm.

    Near a river that is drawn already, by as much as is its `banks`, land is where is no `river`, and no beach, both
    ``(B, 1, H, W)``.

    `enlarged`: that condition; `wet`: how much of it is water, ``(B, 1, h, w)``; `laid`, `drop`: as in
    `underlay.finished`.
    """
    near, wet = ground.mean(wet, COAST), ground.mean(wet, ground.CLOSE)
    water, land = (ground.smoothed(condition * share) / ground.smoothed(share)
                   for share in (wet**3 + 1e-3, (1 - wet)**3 + 1e-3))
    water, land, near, wet = (inner(bilinear(of, SCALE), drop) for of in (water, land, near, wet))
    banks = banks * ground.rising(near, 0.0, SEEN)  # of a river that a condition does not show there is nothing to mend
    near = near * (1 - near)
    deep = wet - 0.5 + RAGGED * near * laid(shores.field)
    crisp = ground.rising(deep, -CRISP, CRISP)
    crisp = crisp + banks * (river - crisp)
    told = ground.rising((water - land).abs().mean(1, keepdim=True), *APART)
    change = (3 * (crisp - wet).abs()).clamp(max=1) * (land + crisp * (water - land) - enlarged)
    change = change * (1 - banks * river)
    beach = (1 - banks) * SANDY * told * laid(shores.beaches) * ground.rising(-deep, *BEACH) * (1 - crisp)
    change = change + beach * (ground.coloured(STRAND, picture) - enlarged - change)
    return change - QUIET * (4 * near * crisp) * (picture - enlarged)
