"""What of all that is shown is to be drawn where: fields where land is built, relief on mountains, in the sea nothing.

The map shows gullies, parcels and cover everywhere, for it knows no more of a place than its colour.
"""

import torch

from model import cover, parcels
from model.network import NetworkConfig
from model.training.pairs import Ground
from model.training.sketch import drawn
from model.training.strength import DEEPEST

COVERS = 0.45        # correlation with its cover that is asked of land: relief is to be drawn there as well
# ... and with its relief of mountains, at z15 and how much more a level above: real ones have 0.75 with a sketch of
# themselves, but what is a ridge at 300 m is a plain slope at 5 m, and was leather.
RELIEFS = 0.15, 0.13
PLAINS = 0.1         # ... and at most of plains, which were all spurs and gullies
# ... and with its parcels of built land: real ones have 0.8 with a sketch of themselves; less of known places that are
# not shown theirs, for their conditions have streets already.
PARCELS = 0.9, 0.5


def broken(config: NetworkConfig, fake: torch.Tensor, extra: list[torch.Tensor], ground: torch.Tensor,
           resolution: torch.Tensor, parcelled: torch.Tensor, land: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
    """How much of the relief, the parcels and the cover that are shown, the last of `extra`, pictures
    ``(B, 3, H, W)`` lack where they are to be drawn, and how much is drawn where they are not to be, nor are they in
    the sea: a scalar, the mean. `ground` are the places' kinds, `parcelled` what is asked of parcels and `plain` which
    have no mountains if they are land, ``(B,)``; `land` which pixels are land, ``(B, 1, H, W)``."""
    total, shown = fake.new_zeros(()), extra[-1]

    def alike(what):
        return drawn(fake, what * land), drawn(fake, what * (1 - land)).clamp(min=0).mean()

    flat, plain = (ground == Ground.BUILT) | (ground == Ground.BARE), plain & (ground == Ground.LAND)
    if config.relief:
        lit, at_sea = alike(extra[-2].sum(1, keepdim=True))
        asked = RELIEFS[0] + RELIEFS[1] * torch.log2(resolution / DEEPEST) / 2
        total = total + at_sea + (torch.where(ground == Ground.SLOPE, (asked - lit).clamp(min=0), 0.0)
                                  + torch.where(flat, lit.clamp(min=0), 0.0)
                                  + torch.where(plain, (lit - PLAINS).clamp(min=0), 0.0)).mean()
    if config.parcels:
        divided, at_sea = alike(shown[:, :parcels.CHANNELS])
        missing = torch.where(ground == Ground.BUILT, parcelled - divided, divided).clamp(min=0)
        total = total + at_sea + missing.mean()
    if config.cover:
        first = parcels.CHANNELS * config.parcels
        grown, at_sea = alike(shown[:, first:first + cover.CHANNELS])
        total = total + at_sea + (torch.where(ground == Ground.LAND, (COVERS - grown).clamp(min=0), 0.0)
                                  + torch.where(ground == Ground.BARE, grown.clamp(min=0), 0.0)).mean()
    return total
