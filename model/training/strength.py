"""How strong detail is, and how it is bunched: held, in the mean of each level, to that of the real pictures like it.

An opponent that judges picture by picture leaves the weak ones weak, for a weak picture of one place may be a good one,
and what one level lacks all deeper ones lack. That all of a level are too weak only a mean can tell; so the mean over
the last dozens of places is kept, of plain and of varied ground, built or not, and what it is off by decides how hard,
and which way, each picture is pulled. Bunched is what lies along edges and in woods and towns, with little between
them; what is as strong everywhere looks like grain, and no opponent of ours has minded.
"""

import torch
from torch import nn
from torch.nn import functional as F

from model.training.pixels import bare, snowfield
from model.training.score import GROUPS

BANDS = 2       # octaves of wavelengths, from 2 px: those that a level adds to its condition ...
AMPLITUDES = 3 * BANDS  # ... of brightness, and of both colours
FAINT = 0.1     # of whitened detail, below which amplitudes are all alike: calm ground decides nothing
MEMORY = 0.95   # of the mean of a level, from one of its places to the next
PLAIN = 10      # grey levels of contrast below which a condition is plain: there all may be too weak ...
KINDS = 5       # ... while varied ones are too strong, and sand and ice are to stay as they are: the last kind
PLAIN_LAND, BARE = 1, KINDS - 1
DEEPEST, LEVELS = 4.78, 6  # m/px, and how many levels there are from there, each of two octaves


def amplitudes(detail: torch.Tensor) -> torch.Tensor:
    """Root mean square of each band, of brightness and of both colours: whitened ``(B, 3, H, W)`` ->
    ``(B, AMPLITUDES)``, in logarithms, whose mean a few crests and shores do not decide."""
    found, x = [], detail
    for _ in range(BANDS):
        coarser = F.avg_pool2d(x, 2)
        found.append((x - F.interpolate(coarser, scale_factor=2)).square().mean((2, 3)))
        x = coarser
    return ((torch.stack(found, 2).flatten(1) + 1e-6).sqrt() + FAINT).log()


def traits(detail: torch.Tensor, scattered: torch.Tensor) -> torch.Tensor:
    """Of whitened ``(B, 3, H, W)`` and its `Score.scattered`: amplitudes, and means over all directions and quarters
    of how strong its wavelets are and how they are bunched, ``(B, AMPLITUDES + len(GROUPS))``."""
    return torch.cat([amplitudes(detail)] + [group.mean((1, 2, 3), keepdim=True).flatten(1)
                                             for group in scattered.split(GROUPS, 1)], 1)


def kinds(condition: torch.Tensor, built: torch.Tensor | None = None) -> torch.Tensor:
    """Of conditions ``(B, 3, h, w)`` and whether they are of built land ``(B,)``, or none is: int64 ``(B,)``, 0…4."""
    varied = 127.5 * condition.mean(1).std((1, 2))
    colours = (127.5 * (condition.mean((2, 3)) + 1)).cpu().numpy()
    empty = torch.tensor([bare(*colour) and not snowfield(colour, float(c))
                          for colour, c in zip(colours, varied, strict=True)], device=condition.device)
    plain = (varied < PLAIN).long()
    return torch.where(empty, BARE, plain if built is None else plain + 2 * (built > 0).long())


class Strength(nn.Module):
    """Traits of two pictures each of B places, ``(2B, T)``, and of real ones, ``(B, T)``, of B resolutions and kinds: a
    loss whose gradient is that of Σ (mean trait made - real)² / 2 over all seen lately."""

    def __init__(self, count: int = AMPLITUDES + len(GROUPS)):
        super().__init__()
        self.register_buffer("made", torch.zeros(KINDS * LEVELS, count))
        self.register_buffer("real", torch.zeros(KINDS * LEVELS, count))
        self.register_buffer("count", torch.zeros(KINDS * LEVELS, 1))

    @torch.no_grad()
    def remember(self, groups: torch.Tensor, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """How far the means of these places' groups ``(B,)`` are off after them, ``(B, T)``, 0 where they are right."""
        mine = F.one_hot(groups, len(self.count)).to(made.dtype)  # (B, KINDS·LEVELS)
        new = mine.sum(0)[:, None]
        self.count += new
        share = torch.maximum(new / self.count.clamp(min=1), 1 - MEMORY**new)
        for held, found in ((self.made, made), (self.real, real)):
            held.lerp_(mine.T @ found / new.clamp(min=1), share)
        return (self.made - self.real)[groups].clamp(-1, 1)

    def forward(self, made, real, resolution, kind):
        made = made.unflatten(0, (2, -1)).mean(0)
        levels = (torch.log2(resolution / DEEPEST) / 2).round().long().clamp(0, LEVELS - 1)
        off = self.remember(KINDS * levels + kind, made.detach(), real)
        return (off * made).sum() / len(made)
