"""Places of the world as the cascade itself comes to them, from the base down, and real pictures that are like them.

What every level adds is the next one's condition, and what is slightly wrong with it grows: four levels down a student
taught on real conditions, or on its own of one level, is far from all it has seen. No real picture shows such a place.
But one of the same level, colour and contrast can be held against it by an opponent that is not told where things are.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from model import land_use, parcels, towns
from model.network import Use
from model.readings import inner
from model.training.imagery import LEVELS, Patch
from model.training.pairs import BUILT, FINE, SHORES, SNOWY, Ground, Pair, Pairs, ground, rotate, shore, turn, wild
from model.training.pixels import SEA, as_pixels, as_tensor, bare, sand, sea, snowfield, white
from model.training.sharpness import crisp, stand_in
from model.training.sketch import built_up
from model.training.snow import RELIEF, snowed

SHARES = {"305": 0.2, "76": 0.24, "19": 0.28, "4.8": 0.28}  # how often each level is drawn
WINDOW = 16      # pixels of a level that are carried on to the next; four times as many are made of them
LIKE = 8         # of the nearest real pictures one is drawn; where contrast says nothing, the most varied of some
COLOUR = 12.0    # grey levels of colour that count as much as ...
WET = 0.2        # ... this share of sea, or ...
SPREAD = 36.0    # ... these of contrast: a condition that is too flat is to be held against what it should have been
LIVELY = 1.6     # times its contrast is what sand is held against: what is held against its like fades
ALPINE = 0.04    # of a base that is white, to count as mountains under snow
MOUNTAINS = {"305": 0.5, "76": 0.25, "19": 0.25, "4.8": 0.2}  # of a level's places: come down to from such a base
ROOFS = 0.1      # of a place may be white, if it is to be built; of those come down to from such a base none is
GREY = 80.0, 12.0  # grey levels of brightness, and between colours, below which a place is a mountain's shady slope
# Of a level's places: come down to a town; and how much farther a likeness is that shows none there, or one elsewhere.
TOWNS, MISTAKEN, TOWNLIKE = {"305": 0.05, "76": 0.15, "19": 0.3, "4.8": 0.3}, 16.0, 0.6
MISUSED = 4.0    # how much farther a likeness is that is built on where land is wild, or wild where it is tilled
CALM = 3.0       # grey levels of contrast below which it is calm ground; there, and of sand, contrast counts as colour
# Levels at which it counts for nothing where it is not calm, and nothing calm stands in; of so many pictures as near
# the most varied is taken: of three they are a seventh stronger than is usual.
FREE = {"305": 1, "76": 3}
QUIET = 32       # pictures of calm ground beside the others of a level
TRIES = 3        # of so many windows of the base the most varied is begun from, ...
VARIED = 0.5     # ... for half of the places: crests, shores
NATURE = ("forest", "shrub", "grass", "desert", "alps", "mountain", "volcano", "tundra", "savanna", "steppe")
MIXED = (*BUILT, "coast")  # ... with something else beside it
DARK = ("boreal",)  # frozen lakes in black woods, under a low sun: beside snow they made black valleys
# Terrain is self-similar: another level's wild land stands in where there is hardly any. (Not for z11: the woods of
# 305 m, many and even, made it flat.)
WILD = {"305": ("76", RELIEF), "19": ("76", NATURE), "4.8": ("76", NATURE)}


class Step(NamedTuple):
    """One level of the way down."""

    where: tuple[int, int, int, int]  # world, level and pixel that its window begins at
    inside: list[int]                 # x, y in it of the window that is carried on


class Course(NamedTuple):
    """A way down from the base."""

    level: str                  # where it ends
    alpine: bool                # whether it begins on mountains under snow
    window: np.ndarray          # uint8 (WINDOW, WINDOW, 3): of the base
    m_per_px: float             # of what is made of that
    steps: list[Step]
    where: tuple[int, int, int, int]  # world, level and pixel that the place itself begins at
    plain: float                # how plain the base is there, in 0…1
    use: Use | None             # what is shown there; None: fields and woods
    seed: int                   # of the choice of a likeness


class Likeness(NamedTuple):
    """A real picture that a place is held against."""

    picture: torch.Tensor       # (3, h, w), which holds the crop however it is turned ...
    angle: float                # ... as it is to be, in radians
    ground: Ground              # what is to be drawn
    snow: bool                  # whether the place is a snowfield


class Descent:
    """Draws places. `dial` is what the network is told at each zoom, as the sampler will (``{7: 0.35, …}``); `rim` are
    the pixels of noise that it knows around a window; with `use` the map tells where land is tilled, with `plains` no
    mountains are, and with `towned` where towns are."""

    def __init__(self, patches: list[Patch], pairs: Pairs, crop: int, dial: dict[int, float], rim: int, seed: int,
                 use: bool = False, plains: bool = False, towned: bool = False):
        self.crop, self.dial, self.size, self.use, self.plains = crop, dial, 4 * WINDOW + 2 * rim, use, plains
        self.towned = towned
        around = min(256, 2 * math.ceil(crop / math.sqrt(2)))  # pixels that hold the crop however it is turned
        self.cut = (around - crop) // 2
        self.edge = (4 * WINDOW - crop // 4) // 2
        self.tops = [p for p in patches if p.base is not None and "ocean" not in p.landcover]
        if not self.tops:
            raise ValueError("no patch of this imagery lies under the world's base: nothing to come down from")
        self.alpine = [p for p in self.tops if "ice" not in p.landcover and white(p.base).mean() > ALPINE]
        rng = np.random.default_rng(seed)
        self.real = {}
        for level in SHARES:
            other, kinds = WILD.get(level, ("", ()))
            found = [(crisp(p.pixels) if level == "305" and p.blue_marble else p.pixels, ground(p))
                     for p in patches if p.level == level]
            found += [(stand_in(p.pixels, level), ground(p)) for p in patches
                      if p.level == other and nature(p.landcover, kinds)
                      or p.level == SHORES.get(level) and shore(sea(p.pixels))]
            if pairs.config.snowed:
                snow = ([p.pixels for p in pairs.snow if p.level != level] if level in SNOWY
                        else [snowed(stand_in(p.pixels, level), rng) for p in pairs.relief])
                found += [(pixels, Ground.SLOPE) for pixels in snow]
            quiet = [as_pixels(pairs.calm_target(rng)) for _ in range(QUIET) if pairs.calm]
            found += [(pixels, Ground.BARE) for pixels in quiet]
            if found:
                corners = [(y, x) for y in (0, 256 - around) for x in (0, 256 - around)]
                pictures = [(pixels[y:y + around, x:x + around], kind) for pixels, kind in found for y, x in corners]
                middle = slice(self.cut, self.cut + crop)
                built = [float(kind == Ground.BUILT and built_up(as_tensor(pixels[middle, middle])[None],
                                                                 torch.tensor([FINE[level]])).mean())
                         for pixels, kind in pictures]
                self.real[level] = (pictures, np.array([features(pixels[middle, middle]) for pixels, _ in pictures]),
                                    np.arange(len(pictures)) >= 4 * (len(found) - len(quiet)),
                                    np.array([kind for _, kind in pictures]), np.array(built))
        self.levels = list(self.real)
        shares = np.array([SHARES[level] for level in self.levels])
        self.shares = shares / shares.sum()

    def plan(self, rng: np.random.Generator) -> Course:
        """Where to come down to, and along which windows: all that needs no network."""
        level = self.levels[rng.choice(len(self.levels), p=self.shares)]
        alpine = bool(self.alpine) and rng.random() < MOUNTAINS[level]
        town = self.towned and not alpine and rng.random() < TOWNS[level]
        tries = [self.start(rng, alpine) for _ in range(TRIES if rng.random() < VARIED and not (alpine or town) else 1)]
        top, window = max(tries, key=lambda found: features(found[1], 1)[3])
        world, *corner = (int(v) for v in rng.integers(0, (1 << 32, 1 << 14, 1 << 14)))
        zooms = range(7, LEVELS[level], 2)
        ways = rng.integers(WINDOW, 2 * WINDOW + 1, (len(zooms), 2))
        if town:
            corner = self.above_town(world, level, ways, rng)
        steps = []
        for zoom, way in zip(zooms, ways, strict=True):
            inside = [int(v) for v in way]
            steps.append(Step((world, zoom, *corner), inside))
            last, corner = corner, [4 * (v + i) for v, i in zip(corner, inside, strict=True)]
        x, y = (4 * (v + self.edge) for v in last)
        # All of the way keeps to the middle of the window.
        middle = WINDOW // 2 + np.array([-1, 1]) * (land_use.AROUND + 1)
        plain = float(land_use.plain(window[slice(*middle), slice(*middle)]).mean()) if self.plains else 1.0
        use, place = None, (world, LEVELS[level], x, y, x + self.crop, y + self.crop)
        if self.use and LEVELS[level] >= parcels.FIRST:
            use = Use(int(land_use.field(*place).mean() * plain > 0.5))
            if self.towned and towns.field(*place).mean() * plain > 0.5:
                use = Use.TOWN
        return Course(level, alpine, window, top.m_per_px, steps, place[:4], plain, use, int(rng.integers(1 << 62)))

    def above_town(self, world: int, level: str, ways: np.ndarray, rng: np.random.Generator) -> list[int]:
        """The pixel of z7 from which such a way comes down to a town, one of a kind that has room for it."""
        found = None
        while found is None:
            found = towns.town(world, 0, *(int(v) for v in rng.integers(8, 1 << 11, 2)))
        around = rng.uniform(-0.7, 0.7, 2) * found.radius
        middle = (np.array([found.x, found.y]) + around) * 2.0 ** (LEVELS[level] - towns.SCALED) - self.crop / 2
        times = 4 ** np.arange(len(ways), 0, -1)  # pixels of the place that one of each step is
        passed = (times[:-1, None] * ways[:-1]).sum(0) + 4 * self.edge
        return [int(v) for v in np.rint((middle - passed) / times[0])]

    def follow(self, courses: list[Course], generate: Callable, device: torch.device | str = "cpu") -> list[Pair]:
        """Places, come down to all at once with `generate(conditions, m_per_px, told, those, n)`, which makes the
        pictures of step `n` of `those` courses: the cascade's own conditions, and real pictures like them."""
        pictures = torch.stack([as_tensor(course.window) for course in courses]).to(device)
        m_per_px = torch.tensor([course.m_per_px for course in courses], device=device)
        conditions = [None] * len(courses)
        for n, zoom in enumerate(range(7, max(LEVELS[course.level] for course in courses), 2)):
            those = [i for i, course in enumerate(courses) if n < len(course.steps)]
            told = torch.full((len(those),), self.dial.get(zoom, 0.0), device=device)
            made = generate(pictures[those], m_per_px[those] / 4**n, told, those, n)
            for i, picture in zip(those, made, strict=True):
                x, y = courses[i].steps[n].inside
                pictures[i] = picture[:, y:y + WINDOW, x:x + WINDOW]
                if n + 1 == len(courses[i].steps):
                    conditions[i] = inner(picture[None], self.edge)[0]
        conditions = torch.stack(conditions)
        chosen = [self.choose(course.level, condition, np.random.default_rng(course.seed), course.alpine,
                              course.use, course.plain < 0.5)
                  for course, condition in zip(courses, conditions.cpu(), strict=True)]
        likenesses = inner(rotate(torch.stack([like.picture for like in chosen]).to(device),
                                  torch.tensor([like.angle for like in chosen], device=device)), self.cut)
        # What is white is not to be kept so: a slope in the shade is darker than all that the base knows of it.
        return [Pair(condition, real, course.m_per_px / 4**len(course.steps),
                     self.dial.get(LEVELS[course.level], 0.0), course.level, ground=like.ground,
                     mend=like.snow and course.level in FREE)
                for course, condition, real, like in zip(courses, conditions, likenesses, chosen, strict=True)]

    def start(self, rng: np.random.Generator, alpine: bool = False) -> tuple[Patch, np.ndarray]:
        """Where to begin: a patch and a window of the base above it; on land, or on mountains' snow if it is to be
        `alpine`, if a few attempts find any."""
        tops = self.alpine if alpine else self.tops
        top = tops[rng.integers(len(tops))]
        for _ in range(32 if alpine else 8):
            x, y = (int(v) for v in rng.integers(0, len(top.base) - WINDOW + 1, 2))
            colour = top.base[y + WINDOW // 2, x + WINDOW // 2].astype(int)
            if white(colour) if alpine else colour[2] < colour[:2].max() + SEA:
                break
        return top, top.base[y:y + WINDOW, x:x + WINDOW]

    def choose(self, level: str, condition: torch.Tensor, rng: np.random.Generator, unbuilt: bool = False,
               use: Use | None = None, rugged: bool = False) -> Likeness:
        """A real picture of `level`, of colours and contrast as the condition has them; what is to be drawn there: what
        that shows, unless the place is bare, or `unbuilt`. If the land's `use` is known, of a picture that is of that
        too, if there is one; of a `rugged` place of mountains, likewise. It is to be turned by any angle: towns and
        fields lie along rows and columns, and what is drawn everywhere must not."""
        pictures, known, quiet, kinds, built = self.real[level]
        place = as_pixels(condition)
        mine = features(place, 1)
        away = np.square(known[:, :3] - mine[:3]).sum(1) / COLOUR**2 + np.square((known[:, 4] - mine[4]) / WET)
        empty, dunes = bare(*mine[:3]) and not shore(mine[4]), sand(*mine[:2])
        snow = snowfield(mine[:3], mine[3])
        calm = mine[3] < CALM or empty
        free = not calm and level in FREE
        if use == Use.TOWN and wild(Ground.BUILT, *mine[:3]) != Ground.BUILT:
            use = Use.WILD  # woods and sand have no towns
        if use is not None:
            away[(kinds == Ground.BUILT) != (use != Use.WILD)] += MISUSED
            if self.towned:
                away += MISTAKEN * (np.maximum(0, TOWNLIKE - built) if use == Use.TOWN else built)
        if rugged:
            away[kinds != Ground.SLOPE] += MISUSED
        if snow or not empty or dunes and mine[3] > CALM:
            away[quiet] += 1e3  # sea, ice and sand on a plain would be fog
        if free:
            away[known[:, 3] < CALM] += 1e3  # only if there is nothing else
        else:
            contrast = mine[3] * LIVELY + 1 if dunes else 2 * mine[3] + CALM if snow else mine[3]
            away += np.square((known[:, 3] - contrast) / (COLOUR if calm else SPREAD))
        nearest = np.argsort(away)[rng.integers(min(LIKE, len(away)), size=FREE[level] if free else 1)]
        pixels, kind = pictures[max(nearest, key=lambda i: known[i, 3])]
        kind = wild(kind, *mine[:3])
        grey = mine[:3].mean() < GREY[0] and np.ptp(mine[:3]) < GREY[1]
        if kind == Ground.BUILT and (unbuilt or grey or white(place).mean() > ROOFS):
            kind = Ground.SLOPE
        if kind == Ground.BUILT and use == Use.WILD:
            kind = Ground.LAND  # no fields are shown there
        if kind == Ground.LAND and rugged:
            kind = Ground.SLOPE
        kind = Ground.SLOPE if dunes or snow else Ground.BARE if empty else kind
        return Likeness(turn(as_tensor(pixels), int(rng.integers(8))), float(rng.uniform(0, math.pi / 2)), kind, snow)


def nature(landcover: str, kinds: tuple[str, ...]) -> bool:
    """Whether a patch shows nature of one of these kinds, and nothing else."""
    return any(n in landcover for n in kinds) and not any(n in landcover for n in (*MIXED, *DARK))


def features(pixels: np.ndarray, squares: int = 4) -> np.ndarray:
    """Mean colour, and standard deviation of the `squares`² means' brightness, of ``(H, W, 3)``, in grey levels; share
    of sea."""
    means = F.avg_pool2d(torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None], squares)[0]
    return np.array([*means.mean((1, 2)).tolist(), float(means.mean(0).std()), sea(means.permute(1, 2, 0).numpy())])
