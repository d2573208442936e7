"""All of a step that needs no network, drawn ahead: by a thread beside the convolutions or, for a GPU, by processes."""

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

from model.network import Network, Use
from model.training.adversary import COARSE
from model.training.common import chance
from model.training.descent import WINDOW, Course, Descent
from model.training.imagery import AROUND
from model.training.pairs import Ground, Pair, Pairs
from model.training.processes import here
from model.training.sketch import built_up
from model.training.strength import DEEPEST

OWN = 64 + 8 * AROUND  # pixels that are made for an own condition
MOSTLY = 0.4     # of a known place is built up, if it is a town
SHEET = 3        # of what the map shows of a level: one picture so many crops wide, for many places
PARCELLED = 0.6  # of the known places with fields or streets show these for parcels, the others for cover
# ... of those of nature show themselves for cover, the others for relief: at the coarse levels hills are most of it.
COVERED = {"4892": 0.0, "1223": 0.0, "611x": 0.5, "305": 0.5}


class Plan(NamedTuple):
    """One step's."""

    number: int               # of it, among those of all processes
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


def level_of(m_per_px: float) -> int:
    """The zoom whose pixels are about so large."""
    return 15 - 2 * round(math.log(m_per_px / DEEPEST, 4))


class Planner:
    """Plan n of this process: a function of the recipe's seed and of n."""

    def __init__(self, config, pairs: Pairs, descent: Descent | None, network: Network):
        self.config, self.pairs, self.descent, self.network = config, pairs, descent, network
        self.rank, self.processes = here()
        self.places, self.deep = config.batch // self.processes, config.deep // self.processes

    def plan(self, step: int) -> Plan:
        """All that this step needs of this process."""
        c, count = self.config, self.places - self.deep
        n = step * self.processes + self.rank
        rng = chance(c.seed + (2 << 32), n)
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
        if self.network.config.shown:
            # Of what is bare neither fields nor woods are to be drawn, whichever are shown.
            levels = [(level_of(pair.m_per_px), self.use(pair, rng)) for pair in pairs]
            ruled = self.somewhere(levels * 2, c.crop, rng)
            above = [(level - 2, use) for (level, use), mine in zip(levels, own, strict=True) if mine]
            coarser = self.somewhere(above * 2, OWN, rng)
            steps = [[self.window(step.where, 4 * WINDOW, course.plain) for step in course.steps]
                     for course in courses]
            if courses:
                deep = np.stack([self.window(course.where, c.crop, course.plain) for course in courses])
        return Plan(n, pairs, own, flat, sketched, corner, shift, courses, ruled, coarser, steps, deep)

    def window(self, where: tuple[int, int, int, int], size: int, plain: float) -> np.ndarray:
        """What the map has there."""
        world, level, x, y = where
        gentle = self.config.asked.gentleness(level)
        return self.network.ruled(world, level, x, y, x + size, y + size, plain=plain, gentle=gentle).astype(np.float16)

    def use(self, pair: Pair, rng) -> Use:
        """What the map is to show at a known place."""
        if pair.ground == Ground.BARE:
            return Use(int(rng.random() < 0.5))
        if pair.ground == Ground.BUILT and self.network.config.towns:
            built = built_up(pair.target[None], torch.tensor([pair.m_per_px])).mean()
            return Use.TOWN if built > MOSTLY else Use.TILLED
        return Use.TILLED if pair.ground == Ground.BUILT else Use.WILD

    def somewhere(self, wanted: list[tuple[int, Use]], size: int, rng) -> np.ndarray | None:
        """What the map has of levels, where land is of some use, at places that do not matter. They are cut from one
        larger place of each: that takes less time, and few share a pixel."""
        found = np.empty((len(wanted), self.network.config.shown, size, size), np.float16)
        for level, use in sorted(set(wanted)):
            those = [i for i, mine in enumerate(wanted) if mine == (level, use)]
            side = size * min(SHEET, math.ceil(math.sqrt(len(those))))
            world, x0, y0 = (int(v) for v in rng.integers(0, (1 << 32, 1 << 14, 1 << 14)))
            sheet = self.network.ruled(world, level, x0, y0, x0 + side, y0 + side, use)
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
        if pair.ground == Ground.BUILT and self.network.config.parcels and way < PARCELLED:
            return Ground.BUILT
        if pair.ground != Ground.SLOPE and self.network.config.cover and way < COVERED.get(pair.level, 1.0):
            return Ground.LAND
        return Ground.SLOPE


class Plans:
    """One plan after another, the next ones made while one is used: by two threads, or by `feeders` processes."""

    def __init__(self, planner: Planner, feeders: int):
        self.planner, self.ahead, self.most = planner, {}, 2 + 2 * feeders
        self.threads, self.processes = ThreadPoolExecutor(2), None
        if feeders:
            self.folder = TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
            self.processes = ProcessPoolExecutor(feeders, get_context("fork"), _remember, (planner,))
            self.processes.submit(int).result()  # all of them begin now, before there is anything on the device

    def close(self) -> None:
        """No more plans are wanted."""
        self.ahead.clear()
        self.threads.shutdown(cancel_futures=True)
        if self.processes:
            self.processes.shutdown(cancel_futures=True)
            self.folder.cleanup()

    def plan(self, step: int) -> Plan:
        """What that step needs."""
        for then in range(step, step + self.most):
            if then not in self.ahead:
                self.ahead[then] = (
                    self.threads.submit(_read, self.processes.submit(_written, then, self.folder.name))
                    if self.processes else self.threads.submit(self.planner.plan, then))
        return self.ahead.pop(step).result()


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
