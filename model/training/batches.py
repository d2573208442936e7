"""What each step of distillation is made of: places that a real picture shows, and places that only the cascade knows.

Half of the known places are conditioned on what the student itself made of pictures sixteen times coarser; deep ones
are come down to from the base (`descent`). Beside its noise each is shown a sketch: its own, or that of its noise.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from model import cover, parcels, towns
from model.network import Network
from model.readings import inner
from model.training.degradation import haze
from model.training.descent import SHARES, Descent
from model.training.imagery import AROUND, LEVELS
from model.training.pairs import Ground, Pair, Pairs, stack
from model.training.plans import OWN, Plan, Planner, Plans
from model.training.sketch import built_up, fields, sketch


class Batch(NamedTuple):
    """What one step is made of: B places, deep ones first, of each of which two pictures are drawn."""

    target: torch.Tensor      # (B, 3, crop, crop): the real pictures
    condition: torch.Tensor   # (2B, 3, crop/4, crop/4), the first pictures' and then the second ones'
    resolution: torch.Tensor  # (B,): m/px
    strength: torch.Tensor    # (B,): the degradation that is told
    noise: torch.Tensor       # (2B, 3, crop, crop)
    kept: torch.Tensor        # (B,): how much the 4×4 means are to be kept ...
    means: torch.Tensor       # (2B, 3, crop/4, crop/4): ... and what they should be
    shift: list[int]          # y, x of what is judged
    sketches: torch.Tensor    # (2B, 7, crop, crop): of relief, parcels, cover, towns; NaN: what the map has
    ground: torch.Tensor      # (B,): a `Ground` each
    ruled: torch.Tensor | None  # (2B, shown, crop, crop): what the map has there
    zooms: list[int]          # of deep places, and of the others 0
    plain: torch.Tensor       # (B,): how plain the base is there


_ENDS = np.cumsum([0, 2, parcels.CHANNELS, cover.CHANNELS, towns.CHANNELS])
SHOWN = tuple(slice(int(a), int(b)) for a, b in pairwise(_ENDS))
DRAWN = slice(0, SHOWN[2].stop)  # of a sketch that is one: what is built up is told of every known place
MENDED = 0.2     # of a deep place's weight, if its condition is to be mended, how much its means are kept


def stored(image: torch.Tensor) -> torch.Tensor:
    """As the cascade keeps it between levels: in 256 grey levels."""
    return ((image + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


class Batches:
    """Batch n, for this process: a function of the recipe's seed and, where conditions are the student's own, of what
    it has learned.

    `make(condition, resolution, told, noise, seen, zooms, plain)` is the student's picture, of deep places at these
    zooms as the map finishes it; `network` tells what it sees besides.
    """

    def __init__(self, config, pairs: Pairs, descent: Descent | None, network: Network, make: Callable,
                 device: torch.device):
        self.config, self.descent, self.network, self.make = config, descent, network, make
        self.device = device
        self.plans = Plans(Planner(config, pairs, descent, network), config.feeders)

    def close(self) -> None:
        """No more batches are wanted."""
        self.plans.close()

    def batch(self, n: int) -> Batch:
        """All that step n needs."""
        c, plan = self.config, self.plans.plan(n)
        chance = torch.Generator(self.device).manual_seed((c.seed << 40) + plan.number)
        target, condition, resolution, strength, kept, means, sketches, ground = self.known(plan, chance)
        ruled = self.there(plan.ruled)
        if plan.courses:
            places = self.descend(plan, chance)
            there, like, at, told = (v.to(self.device) for v in stack(places))
            target, resolution, strength = (torch.cat(v) for v in ((like, target), (at, resolution), (told, strength)))
            condition, means = (torch.cat([there, one, there, other]) for one, other in
                                (condition.chunk(2), means.chunk(2)))
            deep_mean = dict(zip(SHARES, c.deep_mean, strict=True))
            kept = torch.cat([kept.new_tensor([deep_mean[place.level] * (MENDED if place.mend else 1.0)
                                               for place in places]), kept])
            sketches = torch.cat([sketches.new_full((len(places), *sketches.shape[1:]), torch.nan), sketches])
            ground = torch.cat([ground.new_tensor([place.ground for place in places]), ground])
            if ruled is not None:
                deep, (one, other) = self.there(plan.deep), ruled.chunk(2)
                ruled = torch.cat([deep, one, deep, other])
        noise = self.noise(2 * len(target), c.crop, chance)
        zooms = [LEVELS[course.level] for course in plan.courses]
        plain = torch.tensor([course.plain for course in plan.courses], device=self.device)
        zooms, plain = zooms + [0] * len(plan.pairs), F.pad(plain, [0, len(plan.pairs)], value=1.0)
        return Batch(target, condition, resolution, strength, noise, kept, means, plan.shift,
                     sketches.repeat(2, 1, 1, 1), ground, ruled, zooms, plain)

    def there(self, ruled: np.ndarray | None) -> torch.Tensor | None:
        """What a plan has of the map, on the device."""
        return None if ruled is None else torch.from_numpy(ruled).to(self.device).float()

    def noise(self, count: int, size: int, chance: torch.Generator) -> torch.Tensor:
        """White noise, ``(count, 3, size, size)``."""
        return torch.randn(count, 3, size, size, generator=chance, device=self.device)

    def known(self, plan: Plan, chance: torch.Generator):
        """Of a batch the places that a real picture shows: it, two conditions each, m/px, told degradation, where the
        condition is to be kept, what the 4×4 means should be there, the sketches shown, or NaN, the ground."""
        c, pairs = self.config, plan.pairs
        condition, target, resolution, strength = (v.to(self.device) for v in stack(pairs))
        condition = stored(condition).repeat(2, 1, 1, 1)
        under = torch.tensor([pair.above is not None for pair in pairs], device=self.device)
        own = torch.from_numpy(plan.own).to(self.device)
        flat, flatter = torch.from_numpy(plan.flat).to(self.device)
        if plan.own.any():
            # Each of the two pictures has a condition of its own: together they are draws of both levels, given the
            # coarser one, and the score stays proper.
            # With some of what lies around, mirrored or the base's, so that little of the condition has seen an edge.
            coarser = F.pad(haze(F.avg_pool2d(target[own], 16), flat[own]), [AROUND] * 4, mode="reflect")
            if under.any():  # the base itself, soft and flat as it is, whatever is told
                coarser[under[own]] = torch.stack([p.above for p in pairs if p.above is not None]).to(self.device)
            coarser = stored(coarser).repeat(2, 1, 1, 1)
            noise = self.noise(len(coarser), OWN, chance)
            with torch.no_grad():
                made = self.make(coarser, 4 * resolution[own].repeat(2), flat[own].repeat(2), noise,
                                 self.seen(noise, self.there(plan.coarser)))
            condition[own.repeat(2)] = stored(inner(made, 4 * AROUND))
        # The base itself is to be mended. What was made of it is not to be kept, and what the real picture shrinks to
        # says nothing of it: what z7 has invented would be smoothed away.
        mend = torch.tensor([pair.mend for pair in pairs], device=self.device) & ~own
        kept = torch.where(mend, c.mended, (own & ~under).float())
        means = torch.where(mend.repeat(2)[:, None, None, None], F.avg_pool2d(target, 4).repeat(2, 1, 1, 1), condition)
        strength = torch.where(own, flatter, strength)
        condition = stored(haze(condition, (flatter * own).repeat(2)))
        sketches, ground = self.sketches(plan, target, resolution)
        x, y = plan.corner
        target, sketches = (v[..., y:y + c.crop, x:x + c.crop] for v in (target, sketches))
        condition, means = (v[..., y // 4:(y + c.crop) // 4, x // 4:(x + c.crop) // 4] for v in (condition, means))
        return target, condition, resolution, strength, kept, means, sketches, ground

    def sketches(self, plan: Plan, target: torch.Tensor, resolution: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is shown of known places, ``(B, 7, H, W)``, and what of it is to be drawn, a `Ground` each ``(B,)``."""
        found = target.new_full((len(target), SHOWN[-1].stop, *target.shape[2:]), torch.nan)
        for kind, read, channels in ((Ground.SLOPE, sketch, SHOWN[0]), (Ground.BUILT, fields, SHOWN[1]),
                                     (Ground.LAND, fields, SHOWN[2])):
            those = [i for i, mine in enumerate(plan.sketched) if mine == kind]
            if those:
                found[those, SHOWN[0].stop:DRAWN.stop] = 0
                found[those, channels] = read(target[those])
        built = torch.tensor([pair.ground == Ground.BUILT for pair in plan.pairs], device=self.device)
        found[:, SHOWN[-1]] = built_up(target, resolution) * built[:, None, None, None]
        ground = [pair.ground if mine is None else mine for pair, mine in zip(plan.pairs, plan.sketched, strict=True)]
        return found, torch.tensor(ground, device=self.device)

    def seen(self, noise: torch.Tensor, ruled: torch.Tensor | None = None,
             around: bool = False) -> list[torch.Tensor] | None:
        """What the network is given beside x_t: what the noise is read as (with its rim, if it comes with what is
        `around`), and what the map has there."""
        config = self.network.config
        if not config.rim:
            return None
        return self.network.read(noise if around else F.pad(noise, [config.rim] * 4), ruled)

    def read(self, batch: Batch) -> list[torch.Tensor] | None:
        """What is seen of the noise, and for relief, parcels and cover the sketches that are shown."""
        extra = self.seen(batch.noise, batch.ruled)
        c, (relief, *ruled) = self.network.config, (batch.sketches[:, channels] for channels in SHOWN)
        ruled = [s for s, shown in zip(ruled, (c.parcels, c.cover, c.towns), strict=True) if shown]
        last = [relief] * c.relief + ([torch.cat(ruled, 1)] if ruled else [])  # of what is seen, in this order
        for i, s in enumerate(last, -len(last)):
            extra[i] = torch.where(s.isnan(), extra[i], s)
        return extra

    @torch.no_grad()
    def descend(self, plan: Plan, chance: torch.Generator) -> list[Pair]:
        """Deep places: the average's pictures, as the cascade would keep them, level by level."""
        def generate(condition, resolution, told, those, n):
            noise = self.noise(len(those), self.descent.size, chance)
            ruled = self.there(np.stack([plan.steps[i][n] for i in those])) if self.network.config.shown else None
            start, extra = inner(noise, self.network.config.rim), self.seen(noise, ruled, True)
            plain = torch.tensor([plan.courses[i].plain for i in those], device=self.device)
            return stored(self.make(condition, resolution, told, start, extra, [7 + 2 * n] * len(those), plain))
        return self.descent.follow(plan.courses, generate, self.device)
