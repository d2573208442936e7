"""Training pairs: condition, target, ground resolution, degradation. Item `n` of a run is a function of (seed, n)."""

import math
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from model.training.common import chance
from model.training.degradation import degrade, haze
from model.training.imagery import LEVELS, Patch
from model.training.pixels import as_tensor, mean_colour, sand, sea
from model.training.sharpness import stand_in
from model.training.snow import RELIEF, snowed, snowy

# How often each level is drawn. z7…z15 are what `earth` generates; 4892 serves worlds with a coarse picture.
LEVEL_WEIGHTS = {"4892": 0.08, "1223": 0.22, "611x": 0.09, "305": 0.13, "76": 0.20, "19": 0.17, "4.8": 0.14}
FINE = {"305": 305.0, "76": 76.0, "19": 19.1, "4.8": 4.78}  # levels that lack calm nature
SNOWY = ("1223", "611x", "305")                       # levels that have real snow on mountains
SNOWED = ("1223", "1223", "305", "305", "76", "19", "4.8")  # ... that are shown it, and how often
SHORES = {"76": "305", "4.8": "19"}  # levels that have a dozen shores, if any, and the level whose shores stand in
LEVELS_M = {"1223": 1223.0, **FINE}
# Words of land covers that have straight lines; those of SpaceNet 7 and ShipsNet, towns and their land, have no name.
BUILT = ("farm", "crop", "city", "pivot", "port", "smallholdings", "irrigated")
SHADED, GREEN = 58.0, 4.0  # grey levels: what is darker is wood, if so much greener than red, or a slope: not built
# What stands in for it, and how many times enlarged: sand keeps a little of its relief.
ENLARGED = {"auto:ocean": 8, "auto:ice": 8, "auto:desert-bare": 4}


@dataclass(frozen=True)
class PairConfig:
    crop: int = 128                 # pixels of the target
    true_base: float = 0.6          # of z7's pairs have the world's own base as condition
    under_base: float = 0.0         # of the patches with the base above their condition come with it, for distillation
    softest: float = 2.0            # ... which is made softer by up to this factor, as the base is far from the equator
    calm: float = 0.05              # of all pairs: sea, ice and sand that stay calm at the fine levels
    borrowed: float = 0.12          # of the fine pairs: natural scenes of a coarser level (terrain is self-similar)
    snowed: float = 0.0             # of all pairs: mountains under snow, at one of the fine levels
    shores: float = 0.0             # of all pairs: shores under the base, z7 and, two levels below it, z9
    clean: float = 0.4              # of the conditions are the exact 4×4 mean
    strength: float = 0.7           # the strongest degradation
    haze: float = 0.0               # of the other conditions are flattened, ...
    flattest: float = 0.5           # ... at most by this
    jitter: float = 0.7             # smallest resampling factor
    turned: float = 0.0             # of the ordinary pairs are turned by any angle: nature's lines know no north
    tone: float = 0.06              # standard deviation of the tone jitter's logarithm
    degradation: bool = True        # False: the ablation without it


class Ground(IntEnum):
    """What a place shows, and so what of all that is shown is to be drawn there."""

    LAND = 0   # woods, grass, shores: cover
    BUILT = 1  # fields, streets: parcels
    SLOPE = 2  # mountains, and what nothing is known of: relief, and cover if it likes
    BARE = 3   # sea, ice and sand: neither


class Pair(NamedTuple):
    """One item: images in [-1, 1] float32, and the level it stands for, whatever patch it was made of."""

    condition: torch.Tensor     # (3, c/4, c/4)
    target: torch.Tensor        # (3, c, c)
    m_per_px: float
    degradation: float
    level: str
    above: torch.Tensor | None = None  # (3, c/16 + 2·AROUND, same): the world's base, to make the condition of
    mend: bool = False          # whether the condition is the base's, softer than what the target shrinks to
    ground: Ground = Ground.LAND


def stack(pairs: list[Pair]) -> tuple[torch.Tensor, ...]:
    """Conditions, targets, m/px, degradations."""
    return (torch.stack([p.condition for p in pairs]), torch.stack([p.target for p in pairs]),
            torch.tensor([p.m_per_px for p in pairs], dtype=torch.float32),
            torch.tensor([p.degradation for p in pairs], dtype=torch.float32))


class Pairs:
    """Draws pairs from patches, balanced over levels and, within a level, over scenes (square root of their size)."""

    def __init__(self, patches: list[Patch], seed: int, config: PairConfig = PairConfig()):
        self.seed, self.config = seed, config
        self.scenes: dict[str, list[list[Patch]]] = {}
        for level in LEVELS:
            by_scene: dict[str, list[Patch]] = {}
            for patch in patches:
                if patch.level == level:
                    by_scene.setdefault(patch.scene, []).append(patch)
            if by_scene:
                self.scenes[level] = list(by_scene.values())
        self.levels = list(self.scenes)
        weights = np.array([LEVEL_WEIGHTS[level] for level in self.levels])
        self.level_weights = weights / weights.sum()
        self.scene_weights = {}
        for level, scenes in self.scenes.items():
            w = np.sqrt([len(s) for s in scenes])
            self.scene_weights[level] = w / w.sum()
        coarse = [p for p in patches if p.blue_marble and p.level in ("4892", "1223")]
        self.calm = [(found, times) for kind, times in ENLARGED.items()
                     if (found := [p for p in coarse if p.landcover.startswith(kind)])]
        nature = ("forest", "desert", "mountain", "volcano", "tundra", "savanna")
        self.relief = [p for p in patches if p.level == "76" and any(n in p.landcover for n in RELIEF)]
        self.snow = [p for p in patches if config.snowed and p.blue_marble and p.level in SNOWY and snowy(p.pixels)]
        self.shores = [p for p in patches
                       if config.shores and (p.base is not None or p.above is not None) and shore(sea(p.pixels))]
        self.borrow = {"305": self.relief,
                       "19": [p for p in patches if p.level == "76" and any(n in p.landcover for n in nature)]}
        self.borrow["4.8"] = self.borrow["19"] + [p for p in patches if p.level == "19" and "forest" in p.landcover]
        self.borrow["76"] = [p for p in patches if p.level in ("305", "611x") and p.landcover.startswith("auto:desert")]
        for level, other in SHORES.items():
            self.borrow[level] = self.borrow[level] + [p for p in patches if p.level == other and shore(sea(p.pixels))]
        self.borrow = {level: [replace(p, pixels=stand_in(p.pixels, level)) for p in found]
                       for level, found in self.borrow.items()}

    def item(self, n: int) -> Pair:
        """Pair number n, a function of (seed, n)."""
        rng = chance(self.seed, n)
        c = self.config
        if self.calm and rng.random() < c.calm:
            return self._calm(rng)
        if self.snow and self.relief and c.snowed and rng.random() < c.snowed:
            return self._snow(rng)
        if self.shores and rng.random() < c.shores:
            patch = self.shores[rng.integers(len(self.shores))]
            return (self._true_base if patch.above is None else self._under_base)(patch, rng)
        level = self.levels[rng.choice(len(self.levels), p=self.level_weights)]
        if self.borrow.get(level) and rng.random() < c.borrowed:
            patch = self.borrow[level][rng.integers(len(self.borrow[level]))]
            return self._ordinary(patch, FINE[level] * float(rng.uniform(0.7, 1.3)), level, rng)
        scenes = self.scenes[level]
        scene = scenes[rng.choice(len(scenes), p=self.scene_weights[level])]
        patch = scene[rng.integers(len(scene))]
        if patch.base is not None and rng.random() < c.true_base:
            return self._true_base(patch, rng)
        if patch.above is not None and c.under_base and rng.random() < c.under_base:
            return self._under_base(patch, rng)
        return self._ordinary(patch, patch.m_per_px, level, rng)

    def items(self, first: int, count: int) -> list[Pair]:
        """Pairs first…first+count-1."""
        return [self.item(n) for n in range(first, first + count)]

    def batch(self, first: int, count: int):
        """Pairs first…first+count-1, stacked: conditions, targets, m/px, degradations."""
        return stack(self.items(first, count))

    def _ordinary(self, patch, m_per_px, level, rng):
        c = self.config
        image = as_tensor(patch.pixels)
        if c.turned and rng.random() < c.turned:
            image = rotate(image[None], torch.tensor([rng.uniform(0, math.pi / 2)], dtype=torch.float32))[0]
        factor = float(np.exp(rng.uniform(math.log(c.jitter), 0))) if rng.random() < 0.5 else 1.0
        span = min(256, 4 * math.ceil(c.crop / factor / 4))  # source pixels that become the crop
        x, y = (int(rng.integers(0, 256 - span + 1)) for _ in range(2))
        target = image[:, y:y + span, x:x + span]
        if span != c.crop:
            target = F.interpolate(target[None], size=(c.crop, c.crop), mode="bicubic", antialias=True)[0]
            m_per_px = m_per_px * span / c.crop
        target = _tone(turn(target, int(rng.integers(8))), c.tone, rng).clamp(-1, 1)
        strength = 0.0
        if c.degradation and rng.random() > c.clean:
            strength = c.strength * float(rng.random()) ** 1.5
        condition = degrade(target, strength, rng)
        if not strength:
            strength = self.flatness(rng)
            condition = haze(condition[None], torch.tensor([strength]))[0]
        return Pair(condition, target.contiguous(), m_per_px, strength, level, ground=ground(patch))

    def flatness(self, rng) -> float:
        """By how much a condition is flattened: mostly not at all."""
        c = self.config
        return c.flattest * float(rng.random()) if c.haze and rng.random() < c.haze else 0.0

    def _true_base(self, patch, rng):
        """z7 from the world's own, softer, base: the same window of both."""
        n = self.config.crop // 4
        x, y = (int(rng.integers(0, 64 - n + 1)) for _ in range(2))
        k = int(rng.integers(8))
        target = turn(as_tensor(patch.pixels)[:, 4 * y:4 * (y + n), 4 * x:4 * (x + n)], k).contiguous()
        condition = turn(as_tensor(patch.base)[:, y:y + n, x:x + n], k).contiguous()
        # The base is softer and flatter than its finer self, whatever is told.
        return Pair(condition, target, patch.m_per_px, self.flatness(rng), patch.level, mend=True,
                    ground=ground(patch))

    def _under_base(self, patch, rng):
        """What z9 has to mend: z7 made of the world's own base, whose shores are several pixels wide."""
        k, above = int(rng.integers(8)), as_tensor(patch.above)
        size = above.shape[-1]
        small = round(size / math.exp(rng.uniform(0, math.log(self.config.softest))))
        above = F.interpolate(above[None], size=(small, small), mode="bilinear", antialias=True)
        above = F.interpolate(above, size=(size, size), mode="bicubic", align_corners=False)[0].clamp(-1, 1)
        target = turn(as_tensor(patch.pixels), k).contiguous()
        return Pair(F.avg_pool2d(target[None], 4)[0], target, patch.m_per_px, self.flatness(rng), patch.level,
                    turn(above, k).contiguous(), ground=ground(patch))

    def _snow(self, rng):
        """Mountains under snow: real ones at z7, at z9 and in part at z11; laid over others at the finer levels."""
        level = SNOWED[rng.integers(len(SNOWED))]
        patch = self.snow[rng.integers(len(self.snow))]
        if level == "1223" and patch.base is not None:
            return self._true_base(patch, rng)
        if level not in SNOWY and (level != "76" or rng.random() < 0.5):
            patch = self.relief[rng.integers(len(self.relief))]
            patch = replace(patch, pixels=snowed(stand_in(patch.pixels, level), rng))
        pair = self._ordinary(patch, LEVELS_M[level] * float(rng.uniform(0.7, 1.3)), level, rng)
        return pair._replace(ground=Ground.SLOPE)

    def _calm(self, rng):
        target = self.calm_target(rng)
        level = list(FINE)[rng.integers(len(FINE))]
        m_per_px = float(FINE[level] * rng.uniform(0.5, 1.4))
        # Calm is calm, whatever is told.
        return Pair(F.avg_pool2d(target[None], 4)[0], target.contiguous(), m_per_px, self.flatness(rng), level,
                    ground=Ground.BARE)

    def calm_target(self, rng) -> torch.Tensor:
        """Sea, ice and sand of a coarse level, enlarged: at the fine levels there is little more to see."""
        patches, times = self.calm[rng.integers(len(self.calm))]
        patch = patches[rng.integers(len(patches))]
        n = self.config.crop
        small = n // times
        x, y = (int(rng.integers(0, 256 - small + 1)) for _ in range(2))
        crop = turn(as_tensor(patch.pixels)[:, y:y + small, x:x + small], int(rng.integers(8)))
        target = F.interpolate(crop[None], size=(n, n), mode="bicubic", align_corners=False)[0]
        target = target + 0.006 * torch.from_numpy(rng.standard_normal((1, n, n), dtype=np.float32))
        return _tone(target, self.config.tone, rng).clamp(-1, 1)


def shore(share: float) -> bool:
    """Whether what has that share of sea is a shore."""
    return 0.1 < share < 0.9


def ground(patch: Patch) -> Ground:
    """What a picture is likely to show."""
    if patch.level in ("76", "19", "4.8") and (not patch.landcover or any(n in patch.landcover for n in BUILT)):
        return wild(Ground.BUILT, *mean_colour(patch.pixels))
    if any(n in patch.landcover for n in ("auto:ocean", "auto:ice", "ice sheet")):
        return Ground.BARE
    return Ground.SLOPE if any(n in patch.landcover for n in RELIEF) or snowy(patch.pixels) else Ground.LAND


def wild(kind: Ground, red: float, green: float, blue: float) -> Ground:
    """What a place is that is said to be of that kind and has that mean colour, in grey levels. The network is told no
    more than the colour: were a desert town built land, deserts had streets, and rain forests had the fields of dark
    farmland."""
    if kind != Ground.BUILT or (red + green + blue) / 3 >= SHADED and not sand(red, green):
        return kind
    return Ground.LAND if green > red + GREEN else Ground.SLOPE


def turn(image: torch.Tensor, k: int) -> torch.Tensor:
    """One of the eight symmetries of the square, k in 0…7."""
    image = torch.rot90(image, k % 4, (1, 2))
    return image.flip(2) if k >= 4 else image


def rotate(images: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Each of ``(B, 3, H, W)`` turned about its centre by its angle ``(B,)``, radians, its corners mirrored in from
    inside; same size."""
    cos, sin, none = angles.cos(), angles.sin(), torch.zeros_like(angles)
    turned = torch.stack([cos, -sin, none, sin, cos, none], 1).unflatten(1, (2, 3))
    grid = F.affine_grid(turned, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="reflection", align_corners=False).clamp(-1, 1)


def _tone(image, sigma, rng):
    """Jitter of brightness and colour, the same for target and condition."""
    gain = np.exp(sigma * (rng.standard_normal() + 0.4 * rng.standard_normal(3))).astype(np.float32)
    return (image + 1) * torch.from_numpy(gain)[:, None, None] - 1
