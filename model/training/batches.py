"""What each step of distillation is made of: places that a real picture shows, and places that only the cascade knows.

Half of the known places are conditioned on what the student itself made of pictures sixteen times coarser; deep ones
are come down to from the base (`descent`). Beside its noise each is shown a sketch: its own, or that of its noise.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from model import cover, parcels
from model.network import Network
from model.readings import inner
from model.training.adversary import COARSE
from model.training.degradation import haze
from model.training.descent import SHARES, Descent
from model.training.imagery import AROUND
from model.training.pairs import Ground, Pair, Pairs, stack
from model.training.processes import here
from model.training.sketch import fields, sketch
from model.training.strength import DEEPEST


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
    sketches: torch.Tensor    # (2B, 6, crop, crop): shown for relief, parcels and cover; NaN: what the map has there
    ground: torch.Tensor      # (B,): a `Ground` each
    where: list[tuple[int, int, int, int] | None]  # (2B): world, level and pixel that parcels begin at, if they matter


SHOWN = slice(0, 2), slice(2, 2 + parcels.CHANNELS), slice(2 + parcels.CHANNELS, 2 + parcels.CHANNELS + cover.CHANNELS)
MENDED = 0.2     # of a deep place's weight, if its condition is to be mended, how much its means are kept
PARCELLED = 0.6  # of the known places with fields or streets show these for parcels, the others for cover
# ... of those of nature show themselves for cover, the others for relief: at the coarse levels hills are most of it.
COVERED = {"4892": 0.0, "1223": 0.0, "611x": 0.5, "305": 0.5}


def stored(image: torch.Tensor) -> torch.Tensor:
    """As the cascade keeps it between levels: in 256 grey levels."""
    return ((image + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


class Batches:
    """Batch n, for this process: a function of the recipe's seed and, where conditions are the student's own, of what
    it has learned.

    `make(condition, resolution, told, noise, seen)` is the student's picture; `network` tells what it sees besides.
    """

    def __init__(self, config, pairs: Pairs, descent: Descent | None, network: Network, make: Callable,
                 device: torch.device):
        self.config, self.pairs, self.descent, self.network, self.make = config, pairs, descent, network, make
        self.device = device
        self.rank, self.processes = here()
        self.places, self.deep = config.batch // self.processes, config.deep // self.processes
        self.helper, self.ahead = ThreadPoolExecutor(1), {}

    def batch(self, n: int) -> Batch:
        """All that step n needs."""
        c = self.config
        n = n * self.processes + self.rank
        rng = np.random.Generator(np.random.Philox(key=np.array([c.seed + (2 << 32), n], dtype=np.uint64)))
        target, condition, resolution, strength, kept, means, sketches, ground = self.known(n, rng)
        where = [None] * len(target)
        if self.deep:
            places = [self.descent.draw(self.descend, rng) for _ in range(self.deep)]
            there, like, at, told = (v.to(self.device) for v in stack(places))
            target, resolution, strength = (torch.cat(v) for v in ((like, target), (at, resolution), (told, strength)))
            condition, means = (torch.cat([there, one, there, other]) for one, other in
                                (condition.chunk(2), means.chunk(2)))
            deep_mean = dict(zip(SHARES, c.deep_mean, strict=True))
            kept = torch.cat([kept.new_tensor([deep_mean[place.level] * (MENDED if place.mend else 1.0)
                                               for place in places]), kept])
            sketches = torch.cat([sketches.new_full((self.deep, *sketches.shape[1:]), torch.nan), sketches])
            ground = torch.cat([ground.new_tensor([place.ground for place in places]), ground])
            where = [place.where for place in places] + where
        noise = torch.from_numpy(rng.standard_normal((2 * self.places, *target.shape[1:]), dtype=np.float32))
        # The discriminator's own grids fall elsewhere each time, or they would be drawn into the pictures.
        shift = [int(v) for v in rng.integers(0, COARSE + 1, 2)]
        return Batch(target, condition, resolution, strength, noise.to(self.device), kept, means, shift,
                     sketches.repeat(2, 1, 1, 1), ground, 2 * where)

    def known(self, n: int, rng):
        """Of batch n the places that a real picture shows: it, two conditions each, m/px, told degradation, where the
        condition is to be kept, what the 4×4 means should be there, the sketches shown, or NaN, the ground."""
        c = self.config
        pairs = self.draw(n)
        condition, target, resolution, strength = (v.to(self.device) for v in stack(pairs))
        condition = stored(condition).repeat(2, 1, 1, 1)
        under = torch.tensor([pair.above is not None for pair in pairs], device=self.device)
        own = torch.from_numpy(rng.random(len(pairs)) < c.own).to(self.device) & (resolution < 700) | under
        if own.any():
            # Each of the two pictures has a condition of its own: together they are draws of both levels, given the
            # coarser one, and the score stays proper.
            flat = self.flatness(rng, int(own.sum()))
            # With some of what lies around, mirrored or the base's, so that little of the condition has seen an edge.
            coarser = F.pad(haze(F.avg_pool2d(target[own], 16), flat), [AROUND] * 4, mode="reflect")
            if under.any():  # the base itself, soft and flat as it is, whatever is told
                coarser[under[own]] = torch.stack([p.above for p in pairs if p.above is not None]).to(self.device)
            coarser = stored(coarser).repeat(2, 1, 1, 1)
            size = 4 * coarser.shape[-1]
            noise = torch.from_numpy(rng.standard_normal((len(coarser), 3, size, size), dtype=np.float32))
            noise = noise.to(self.device)
            with torch.no_grad():
                there = 4 * resolution[own].repeat(2)
                made = self.make(coarser, there, flat.repeat(2), noise, self.seen(noise, there))
            condition[own.repeat(2)] = stored(made[..., 4 * AROUND:-4 * AROUND, 4 * AROUND:-4 * AROUND])
        # The base itself is to be mended. What was made of it is not to be kept, and what the real picture shrinks to
        # says nothing of it: what z7 has invented would be smoothed away.
        mend = torch.tensor([pair.mend for pair in pairs], device=self.device) & ~own
        kept = torch.where(mend, c.mended, (own & ~under).float())
        means = torch.where(mend.repeat(2)[:, None, None, None], F.avg_pool2d(target, 4).repeat(2, 1, 1, 1), condition)
        flat = self.flatness(rng, len(pairs))
        strength = torch.where(own, flat, strength)
        condition = stored(haze(condition, (flat * own).repeat(2)))
        # One crop for all that is computed, on the 16 px grid of the coarse means.
        # Not from the rim: what is made there, the condition too, has seen zeros for neighbours.
        x, y = (16 * int(rng.integers(2, (256 - c.crop) // 16 - 1)) for _ in range(2))
        sketches, ground = self.sketches(pairs, target, rng)
        target, sketches = (v[..., y:y + c.crop, x:x + c.crop] for v in (target, sketches))
        condition, means = (v[..., y // 4:(y + c.crop) // 4, x // 4:(x + c.crop) // 4] for v in (condition, means))
        return target, condition, resolution, strength, kept, means, sketches, ground

    def sketches(self, pairs: list[Pair], target: torch.Tensor, rng) -> tuple[torch.Tensor, torch.Tensor]:
        """What is shown of known places, ``(B, 6, H, W)``, and what of it is to be drawn, a `Ground` each ``(B,)``."""
        config = self.network.config
        found = target.new_full((len(pairs), SHOWN[-1].stop, *target.shape[2:]), torch.nan)
        ground = []
        for picture, pair, into in zip(target, pairs, found, strict=True):
            sketched, way = rng.random(2)
            # Of the sea, of ice and of sand nothing that the map has is to be drawn, of others what is theirs, though
            # it lies elsewhere than in the real picture: what is made without a sketch is what people see.
            if pair.ground == Ground.BARE or sketched >= self.config.sketched:
                ground.append(pair.ground)
                continue
            into[SHOWN[0].stop:] = 0
            kind = Ground.SLOPE
            if pair.ground == Ground.BUILT and config.parcels and way < PARCELLED:
                kind = Ground.BUILT
            elif pair.ground != Ground.SLOPE and config.cover and way < COVERED.get(pair.level, 1.0):
                kind = Ground.LAND
            relief, parcelled, covered = SHOWN
            channels = {Ground.SLOPE: relief, Ground.BUILT: parcelled, Ground.LAND: covered}[kind]
            into[channels] = (sketch if kind == Ground.SLOPE else fields)(picture[None])[0]
            ground.append(kind)
        return found, torch.tensor(ground, device=self.device)

    def seen(self, noise: torch.Tensor, resolution: torch.Tensor, around: bool = False,
             where: Sequence[tuple[int, int, int, int] | None] = ()) -> list[torch.Tensor] | None:
        """What the network is given beside x_t at ``(B,)`` resolutions: what the noise is read as (with its rim, if it
        comes with what is `around`), and parcels and cover at `where`, or of worlds that the noise numbers."""
        config = self.network.config
        if not config.rim:
            return None
        ruled = None
        if config.shown:
            height, width = (size - 2 * config.rim * around for size in noise.shape[-2:])
            worlds = noise[:, 0, 0, 0].contiguous().cpu().numpy().view(np.uint32).tolist()
            levels = [15 - 2 * round(math.log(m / DEEPEST, 4)) for m in resolution.tolist()]
            places = [there or (world, level, 0, 0) for world, level, there in
                      zip(worlds, levels, where or [None] * len(worlds), strict=True)]
            ruled = torch.from_numpy(np.stack([self.network.ruled(world, level, x, y, x + width, y + height)
                                               for world, level, x, y in places])).to(self.device)
        return self.network.read(noise if around else F.pad(noise, [config.rim] * 4), ruled)

    def read(self, batch: Batch) -> list[torch.Tensor] | None:
        """What is seen of the noise, and for relief, parcels and cover the sketches that are shown."""
        extra = self.seen(batch.noise, batch.resolution.repeat(2), where=batch.where)
        c, (relief, *ruled) = self.network.config, (batch.sketches[:, channels] for channels in SHOWN)
        ruled = [s for s, shown in zip(ruled, (c.parcels, c.cover), strict=True) if shown]
        last = [relief] * c.relief + ([torch.cat(ruled, 1)] if ruled else [])  # of what is seen, in this order
        for i, s in enumerate(last, -len(last)):
            extra[i] = torch.where(s.isnan(), extra[i], s)
        return extra

    @torch.no_grad()
    def descend(self, condition, m_per_px: float, told: float, noise, where: tuple[int, int, int, int]):
        """The average's picture of one condition, as the cascade would keep it; `noise` with its rim."""
        resolution, told = (torch.tensor([v], device=self.device) for v in (m_per_px, told))
        noise = noise.to(self.device)
        start, extra = inner(noise, self.network.config.rim), self.seen(noise, resolution, True, [where])
        return stored(self.make(condition.to(self.device), resolution, told, start, extra))

    def flatness(self, rng, count: int) -> torch.Tensor:
        """By how much `count` own conditions are flattened ``(count,)``, as `Pairs` does to real ones."""
        return torch.tensor([self.pairs.flatness(rng) for _ in range(count)], device=self.device)

    def draw(self, n: int) -> list[Pair]:
        """Pairs of this process's batch n; those of its next are made meanwhile, beside the convolutions."""
        size, then = self.places - self.deep, n + self.processes
        now = self.ahead.pop(n, None) or self.helper.submit(self.pairs.items, n * size, size)
        self.ahead[then] = self.helper.submit(self.pairs.items, then * size, size)
        return now.result()
