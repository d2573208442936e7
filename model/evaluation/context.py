"""What every section is given: the networks, the pictures, how much to do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.checkpoint import Checkpoint
from model.generator import Address, Generator
from model.grid import TILE
from model.network import SCALE
from model.training.imagery import Patch


@dataclass(frozen=True)
class Budget:
    """How much of each is done."""

    name: str
    single: int | None  # validation patches a level, single level; None: all
    teacher: int | None  # of these, how many the teacher (50 steps) draws
    cascade: int | None  # whole-cascade places a level
    agreement: int | None  # of these, how many a zoom are held against their parents; None: all
    borders: int  # window borders a setting, at the student's steps
    slow_borders: int  # at 50 steps; 0: left out
    seeds: int  # places at which two seeds are compared
    steps: int  # patches of the steps curve
    phases: int  # places of the calm and drift measurements, of each kind
    ablations: int | None = None  # patches a level, of those of `single`, of an ablation and its twin; None: all
    own_borders: int = 750  # of the canonical windows, whose target is closer to 1 than a few could tell


QUICK = Budget("quick", single=24, teacher=6, cascade=40, agreement=8, borders=72, slow_borders=0, seeds=3, steps=8,
               phases=2, ablations=12)
FULL = Budget("full", single=None, teacher=16, cascade=None, agreement=None, borders=750, slow_borders=100, seeds=12,
              steps=28, phases=4)
TINY = Budget("tiny", single=2, teacher=1, cascade=1, agreement=1, borders=4, slow_borders=4, seeds=1, steps=1,
              phases=1, own_borders=4)


@dataclass
class Context:
    """Sections read this and write nothing but their own files in `out`."""

    student: Checkpoint
    generator: Generator
    patches: list[Patch]  # validation, toned
    out: Path
    budget: Budget
    others: dict[str, Checkpoint] = field(default_factory=dict)  # "teacher", "without resolution" and such
    inception: Path | None = None
    train: list[Patch] = field(default_factory=list)  # only to be shown beside, never judged on
    progress: bool = True
    rows: dict = field(default_factory=dict)  # single-level pictures, drawn once: see fidelity.py

    def bar(self, items: Iterable, label: str, **more):
        return tqdm(items, desc=label, disable=not self.progress, leave=False, **more)

    def address(self, z: int, seed: int | str = 0):
        return self.generator.address("earth", seed, z, 0, 0)

    def parent(self, address: Address) -> np.ndarray:
        """What lies above a tile, two zooms coarser: ``(64, 64, 3)`` uint8."""
        x, y, core = address.x, address.y, TILE // SCALE
        return self.generator.region(address._replace(z=address.z - 2), x * core, y * core, (x + 1) * core,
                                     (y + 1) * core)
