"""What each step of distillation is made of: places that a real picture shows, and places that only the cascade knows.

Half of the known places are conditioned on what the student itself made of pictures sixteen times coarser; deep ones
are come down to from the base (`descent`). Beside its noise each is shown a sketch: its own, or that of its noise.
"""

import math
import pickle
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from model import cover, parcels
from model.network import Network
from model.readings import inner
from model.training.adversary import COARSE
from model.training.degradation import haze
from model.training.descent import SHARES, WINDOW, Course, Descent
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
    ruled: torch.Tensor | None  # (2B, shown, crop, crop): what the map has there


class Plan(NamedTuple):
    """All of a batch that needs no network, and so can be drawn in another process while it learns."""

    pairs: list[Pair]         # K places that a real picture shows
    own: np.ndarray           # (K,): whether their condition is to be the cascade's own ...
    flat: np.ndarray          # (2, K): ... and by how much what that is made of, and it, are flattened
    sketched: list[Ground | None]  # whose sketch they are shown, if any
    corner: tuple[int, int]   # x, y of the crop
    shift: list[int]          # y, x of what is judged in it
    courses: list[Course]     # D ways to deep places
    ruled: np.ndarray | None  # (2K, shown, crop, crop): what the map has at the known places, in two worlds each,
    coarser: np.ndarray | None  # (2K, shown, OWN, OWN): at the level above of those that are own, ...
    steps: list[list[np.ndarray]]  # along the courses, (shown, 4·WINDOW, same) each, ...
    deep: np.ndarray | None   # (D, shown, crop, crop): ... and where they end


SHOWN = slice(0, 2), slice(2, 2 + parcels.CHANNELS), slice(2 + parcels.CHANNELS, 2 + parcels.CHANNELS + cover.CHANNELS)
OWN = 64 + 8 * AROUND  # pixels that are made for an own condition
SHEET = 3        # of what the map shows of a level: one picture so many crops wide, for many places
MENDED = 0.2     # of a deep place's weight, if its condition is to be mended, how much its means are kept
PARCELLED = 0.6  # of the known places with fields or streets show these for parcels, the others for cover
# ... of those of nature show themselves for cover, the others for relief: at the coarse levels hills are most of it.
COVERED = {"4892": 0.0, "1223": 0.0, "611x": 0.5, "305": 0.5}


def stored(image: torch.Tensor) -> torch.Tensor:
    """As the cascade keeps it between levels: in 256 grey levels."""
    return ((image + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


def level_of(m_per_px: float) -> int:
    """The zoom whose pixels are about so large."""
    return 15 - 2 * round(math.log(m_per_px / DEEPEST, 4))


class Planner:
    """Plan n of this process: a function of the recipe's seed and of n."""

    def __init__(self, config, pairs: Pairs, descent: Descent | None, network: Network):
        self.config, self.pairs, self.descent = config, pairs, descent
        self.shown, self.field = network.config, network.ruled
        self.rank, self.processes = here()
        self.places, self.deep = config.batch // self.processes, config.deep // self.processes

    def plan(self, step: int) -> Plan:
        """All that this step needs of this process."""
        c, count = self.config, self.places - self.deep
        n = step * self.processes + self.rank
        rng = np.random.Generator(np.random.Philox(key=np.array([c.seed + (2 << 32), n], dtype=np.uint64)))
        pairs = self.pairs.items(n * count, count)
        own = (rng.random(count) < c.own) & np.array([pair.m_per_px < 700 for pair in pairs])
        own |= np.array([pair.above is not None for pair in pairs])
        flat = np.array([[self.pairs.flatness(rng) for _ in pairs] for _ in range(2)], dtype=np.float32)
        sketched = [self.sketched(pair, rng) for pair in pairs]
        # One crop for all that is computed, on the 16 px grid of the coarse means.
        # Not from the rim: what is made there, the condition too, has seen zeros for neighbours.
        corner = tuple(16 * int(rng.integers(2, (256 - c.crop) // 16 - 1)) for _ in range(2))
        # The discriminator's own grids fall elsewhere each time, or they would be drawn into the pictures.
        shift = [int(v) for v in rng.integers(0, COARSE + 1, 2)]
        courses = [self.descent.plan(rng) for _ in range(self.deep)]
        ruled = coarser = deep = None
        steps = [[] for _ in courses]
        if self.shown.shown:
            # Of what is bare neither fields nor woods are to be drawn, whichever are shown.
            tilled = [bool(rng.random() < 0.5) if pair.ground == Ground.BARE else pair.ground == Ground.BUILT
                      for pair in pairs]
            levels = [(level_of(pair.m_per_px), use) for pair, use in zip(pairs, tilled, strict=True)]
            ruled = self.somewhere(levels * 2, c.crop, rng)
            above = [(level - 2, use) for (level, use), mine in zip(levels, own, strict=True) if mine]
            coarser = self.somewhere(above * 2, OWN, rng)
            steps = [[self.window(step.where, 4 * WINDOW) for step in course.steps] for course in courses]
            deep = np.stack([self.window(course.where, c.crop) for course in courses]) if courses else None
        return Plan(pairs, own, flat, sketched, corner, shift, courses, ruled, coarser, steps, deep)

    def window(self, where: tuple[int, int, int, int], size: int) -> np.ndarray:
        """What the map has there."""
        world, level, x, y = where
        return self.field(world, level, x, y, x + size, y + size).astype(np.float16)

    def somewhere(self, wanted: list[tuple[int, bool]], size: int, rng) -> np.ndarray | None:
        """What the map has of levels, where land is tilled or is not, at places that do not matter. They are cut from
        one larger place of each: that takes less time, and few share a pixel."""
        found = np.empty((len(wanted), self.shown.shown, size, size), np.float16)
        for level, tilled in sorted(set(wanted)):
            those = [i for i, mine in enumerate(wanted) if mine == (level, tilled)]
            side = size * min(SHEET, math.ceil(math.sqrt(len(those))))
            world, x0, y0 = (int(v) for v in rng.integers(0, (1 << 32, 1 << 14, 1 << 14)))
            sheet = self.field(world, level, x0, y0, x0 + side, y0 + side, tilled if self.shown.land_use else None)
            for i in those:
                x, y = (int(v) for v in rng.integers(0, side - size + 1, 2))
                found[i] = sheet[:, y:y + size, x:x + size]
        return found

    def sketched(self, pair: Pair, rng) -> Ground | None:
        """Whose sketch a known place is shown: that of its slopes, of its fields or of its woods; or none."""
        sketched, way = rng.random(2)
        # Of the sea, of ice and of sand nothing that the map has is to be drawn, of others what is theirs, though
        # it lies elsewhere than in the real picture: what is made without a sketch is what people see.
        if pair.ground == Ground.BARE or sketched >= self.config.sketched:
            return None
        if pair.ground == Ground.BUILT and self.shown.parcels and way < PARCELLED:
            return Ground.BUILT
        if pair.ground != Ground.SLOPE and self.shown.cover and way < COVERED.get(pair.level, 1.0):
            return Ground.LAND
        return Ground.SLOPE


_planner = None  # in a feeding process, which is a copy of this one: its own


def _remember(planner: Planner) -> None:
    global _planner
    _planner = planner
    torch.set_num_threads(1)


def _written(step: int, folder: str) -> tuple[Path, bytes, list[int]]:
    """A plan in a file, in memory if there is such a folder: through a pipe a step would be a thousand pieces."""
    plan = _planner.plan(step)
    plan = plan._replace(pairs=[_each(pair, lambda tensor: tensor.numpy(), torch.Tensor) for pair in plan.pairs])
    large = []
    small = pickle.dumps(plan, protocol=5, buffer_callback=large.append)
    path, sizes = Path(folder) / f"{step}.plan", []
    with path.open("wb") as file:
        for buffer in large:
            sizes.append(file.write(buffer.raw()))
    return path, small, sizes


def _read(made: Future) -> Plan:
    path, small, sizes = made.result()
    large = memoryview(bytearray(path.stat().st_size))
    with path.open("rb") as file:
        file.readinto(large)
    path.unlink()
    ends = np.cumsum(sizes)
    plan = pickle.loads(small, buffers=[large[end - size:end] for end, size in zip(ends, sizes, strict=True)])
    return plan._replace(pairs=[_each(pair, torch.from_numpy, np.ndarray) for pair in plan.pairs])


def _each(pair: Pair, change: Callable, of: type) -> Pair:
    """A pair of which everything of a type is changed."""
    return Pair(*(change(value) if isinstance(value, of) else value for value in pair))


class Batches:
    """Batch n, for this process: a function of the recipe's seed and, where conditions are the student's own, of what
    it has learned.

    `make(condition, resolution, told, noise, seen)` is the student's picture; `network` tells what it sees besides.
    """

    def __init__(self, config, pairs: Pairs, descent: Descent | None, network: Network, make: Callable,
                 device: torch.device):
        self.config, self.descent, self.network, self.make = config, descent, network, make
        self.device = device
        self.planner, self.ahead = Planner(config, pairs, descent, network), {}
        # A thread makes one plan beside the convolutions, or processes make many, and threads read them.
        self.helper, self.feeders = ThreadPoolExecutor(2), None
        if config.feeders:
            self.folder = TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
            self.feeders = ProcessPoolExecutor(config.feeders, get_context("fork"), _remember, (self.planner,))
            self.feeders.submit(int).result()  # all of them begin now, before there is anything on the device

    def close(self) -> None:
        """No more plans are wanted."""
        self.ahead.clear()
        self.helper.shutdown(cancel_futures=True)
        if self.feeders:
            self.feeders.shutdown(cancel_futures=True)
            self.folder.cleanup()

    def plan(self, step: int) -> Plan:
        """What that step needs; what the next ones do is made meanwhile."""
        for then in range(step, step + 2 + 2 * self.config.feeders):
            if then not in self.ahead:
                self.ahead[then] = (
                    self.helper.submit(_read, self.feeders.submit(_written, then, self.folder.name))
                    if self.feeders else self.helper.submit(self.planner.plan, then))
        return self.ahead.pop(step).result()

    def batch(self, n: int) -> Batch:
        """All that step n needs."""
        c, plan, planner = self.config, self.plan(n), self.planner
        chance = torch.Generator(self.device).manual_seed(
            (c.seed << 40) + n * planner.processes + planner.rank)
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
        return Batch(target, condition, resolution, strength, noise, kept, means, plan.shift,
                     sketches.repeat(2, 1, 1, 1), ground, ruled)

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
        sketches, ground = self.sketches(plan, target)
        x, y = plan.corner
        target, sketches = (v[..., y:y + c.crop, x:x + c.crop] for v in (target, sketches))
        condition, means = (v[..., y // 4:(y + c.crop) // 4, x // 4:(x + c.crop) // 4] for v in (condition, means))
        return target, condition, resolution, strength, kept, means, sketches, ground

    def sketches(self, plan: Plan, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is shown of known places, ``(B, 6, H, W)``, and what of it is to be drawn, a `Ground` each ``(B,)``."""
        found = target.new_full((len(target), SHOWN[-1].stop, *target.shape[2:]), torch.nan)
        for kind, read, channels in ((Ground.SLOPE, sketch, SHOWN[0]), (Ground.BUILT, fields, SHOWN[1]),
                                     (Ground.LAND, fields, SHOWN[2])):
            those = [i for i, mine in enumerate(plan.sketched) if mine == kind]
            if those:
                found[those, SHOWN[0].stop:] = 0
                found[those, channels] = read(target[those])
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
        ruled = [s for s, shown in zip(ruled, (c.parcels, c.cover), strict=True) if shown]
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
            return stored(self.make(condition, resolution, told, start, extra))
        return self.descent.follow(plan.courses, generate, self.device)
