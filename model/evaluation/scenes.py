"""The validation pictures: by level, spread over their scenes; and who lives where."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.evaluation.drawing import shrink
from model.training.imagery import LEVELS, Patch, read_patches

NAMES = {"4892": "z5", "1223": "z7", "611x": "z8–9", "305": "z9", "76": "z11", "19": "z13", "4.8": "z15"}
OWN = ", own condition"  # after a row's name: of pictures two levels below the real one, as the cascade makes them
TOLD = ", told as the map tells"  # ... whose network is told of real conditions what the sampler tells, and not 0


@dataclass(frozen=True)
class Case:
    """A validation patch with its condition, as the cascade would store it."""

    patch: Patch
    condition: np.ndarray  # uint8 (64, 64, 3)


def read(folder: Path, split: str = "val", progress: bool = True) -> list[Patch]:
    """Patches in the tone of docs/MODEL.md."""
    from model.worlds import Worlds

    return read_patches(folder, split, base=Worlds().get("earth").base(0), progress=progress)


def spread(patches: list[Patch], count: int | None) -> list[Patch]:
    """At most `count` patches, turn by turn from each scene, evenly through it; always the same ones."""
    scenes: dict[str, list[Patch]] = {}
    for patch in patches:
        scenes.setdefault(patch.scene, []).append(patch)
    turns = []
    for number, (_, members) in enumerate(sorted(scenes.items())):
        order = np.random.default_rng(number).permutation(len(members))
        turns += [(turn, number, members[i]) for turn, i in enumerate(order)]
    chosen = [patch for _, _, patch in sorted(turns, key=lambda t: t[:2])]
    return chosen if count is None else chosen[:count]


def by_level(patches: list[Patch], count: int | None = None) -> dict[str, list[Patch]]:
    """Level -> patches, in the order of LEVELS, empty levels left out."""
    found = {level: spread([p for p in patches if p.level == level], count) for level in LEVELS}
    return {level: members for level, members in found.items() if members}


def case(patch: Patch) -> Case:
    """The exact 4×4 mean as condition: every level alike, z7 too (its own base is the cascade's matter)."""
    return Case(patch, shrink(patch.pixels))


def region(patch: Patch) -> tuple[str, str]:
    """Longitude band and hemisphere."""
    west = int((patch.lon + 180) // 90 % 4)
    return ("180–90° W", "90° W–0°", "0–90° E", "90–180° E")[west], "north" if patch.lat >= 0 else "south"
