"""Section 2. Does the border between two windows show? The gradient across it over that inside."""

from dataclasses import replace

import numpy as np

from model.checkpoint import Checkpoint
from model.evaluation.context import Context
from model.evaluation.paper_windows import Layout, layouts, mosaic
from model.evaluation.scenes import spread
from model.evaluation.statistics import luminance
from model.network import SCALE
from model.schedule import timesteps

SIDE = 3  # windows of a mosaic along each side
FLAT = 4.0  # grey levels: below, there is nothing for a border to cut
PHASE = 16  # px: columns are compared with columns of the same place in the networks' grid
FINER = {
    "1223": 305.0,
    "611x": 150.0,
    "305": 76.0,
    "76": 19.1,
    "19": 4.78,
}  # m/px that each level's patches are turned into


def across_and_beside(picture: np.ndarray, core: int) -> tuple[list[float], list[float]]:
    """Mean |gradient| across each window border, and across the lines of the same phase within half a window of it."""
    borders, beside = [], []
    grey = luminance(picture)
    for image in (grey, grey.T):
        gradient = np.abs(np.diff(image, axis=1))  # column c: between pixels c and c+1
        for segment in range(0, image.shape[0], core):
            means = gradient[segment : segment + core].mean(axis=0)
            for column in range(core - 1, len(means), core):
                near = [means[c] for c in range(column - core // 2, column + core // 2 + 1, PHASE) if c != column]
                borders.append(float(means[column]))
                beside.append(float(np.mean(near)))
    return borders, beside


def _plan(borders: int) -> tuple[int, int]:
    """Windows along a side and mosaics that give so many borders: n×n windows have 2·n·(n-1)."""
    side = next((n for n in range(2, SIDE) if 2 * n * (n - 1) >= borders), SIDE)
    return side, max(1, -(-borders // (2 * side * (side - 1))))


def _conditions(context: Context, count: int, need: int):
    """Conditions of need×need px, and the resolution of what is made of them: real patches, one level finer."""
    usable = [p for p in context.patches if p.level in FINER and luminance(p.pixels).std() > FLAT]
    chosen = spread(usable, count)
    for n in range(count):
        patch = chosen[n % len(chosen)]
        # A layout with a halo looks a little beyond the patch: mirrored there, which no border sees.
        missing = max(0, need - 256)
        pixels = np.pad(patch.pixels, ((0, missing), (0, missing), (0, 0)), mode="reflect")
        yield pixels[:need, :need], FINER[patch.level]


def gradients(context: Context, checkpoint: Checkpoint, layout: Layout, borders: int, times=None, whole=False):
    """Gradients across so many borders, and those beside them; `whole`: of the same pictures, each made in one window,
    across the same lines, where no border is."""
    side, mosaics = _plan(borders)
    core, windows = layout.core, side
    if whole:
        layout, windows = replace(layout, core=side * core), 1
    need = (side * core + 2 * layout.halo) // SCALE
    at, beside = [], []
    bar = context.bar(range(mosaics), f"seams, {layout.name}", unit="mosaic")
    for n, (condition, resolution) in zip(bar, _conditions(context, mosaics, need), strict=True):
        picture = mosaic(checkpoint, layout, condition, windows, windows, resolution, n, times)
        a, b = across_and_beside(picture, core)
        at, beside = at + a, beside + b
    return np.array(at), np.array(beside)


def compared(at: np.ndarray, others: np.ndarray) -> dict:
    """The ratio of two means of pairs, with its standard error."""
    inside = float(others.mean())
    ratio = float(at.mean()) / inside
    return {
        "borders": len(at),
        "across": float(at.mean()),
        "inside": inside,
        "ratio": ratio,
        # Land is rough or calm on both sides of a border: that much of the variation is not the border's.
        "spread": float(np.std(at - ratio * others) / np.sqrt(len(at))) / inside,
    }


def run(context: Context) -> dict:
    checkpoint, budget = context.student, context.budget
    *papers, own = layouts(checkpoint.sampler.halo)
    result = {
        "steps": len(checkpoint.sampler.times),
        "student": {
            layout.name: compared(*gradients(context, checkpoint, layout, budget.borders)) for layout in papers
        },
    }
    at, beside = gradients(context, checkpoint, own, budget.own_borders)
    there, around = gradients(context, checkpoint, own, budget.own_borders, whole=True)
    result["student"][own.name] = compared(at, beside)
    result["no border"] = compared(there, around)
    result["against no border"] = compared(at, there)
    if budget.slow_borders:
        slow = context.others.get("teacher", checkpoint)
        result["50 steps"] = {
            layout.name: compared(*gradients(context, slow, layout, budget.slow_borders, timesteps(50)))
            for layout in (*papers, own)
        }
        result["50 steps by"] = "teacher" if "teacher" in context.others else "student"
    return result
