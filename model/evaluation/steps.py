"""Section 6. Quality against DDIM steps, and what each costs."""

import time

import numpy as np

from model.evaluation.context import Context
from model.evaluation.drawing import draw
from model.evaluation.fidelity import Judge, noise_of, ruled_of
from model.evaluation.scattering import Scattering
from model.evaluation.scenes import case, spread
from model.evaluation.statistics import kurtosis, sharpness
from model.grid import TILE
from model.schedule import timesteps
from model.training.imagery import LEVELS as ZOOMS

STEPS = (1, 2, 4, 8, 16, 50)
LEVELS = ("1223", "305", "76", "19", "4.8")


def run(context: Context) -> dict:
    """By network: for each number of steps, KID, sharpness over real, seconds of one tile (all of its calls)."""
    patches = spread([p for p in context.patches if p.level in LEVELS], None)
    chosen = [
        p for level in LEVELS for p in [q for q in patches if q.level == level][: max(1, context.budget.steps // 4)]
    ]
    judge = Judge(context, chosen, Scattering(), "steps")
    real = float(np.mean([sharpness(p.pixels) for p in chosen]))
    result: dict = {"patches": len(chosen), "real kurtosis": float(np.nanmedian([kurtosis(p.pixels) for p in chosen]))}
    for name in ("student", "teacher"):
        checkpoint = context.student if name == "student" else context.others.get(name)
        if checkpoint is None:
            continue
        curve = result.setdefault("networks", {}).setdefault(name, {})
        # Who does not see x_t draws the same however often it is asked.
        asked = [(str(n), timesteps(n)) for n in STEPS if checkpoint.network.config.white]
        if name == "student":
            asked.insert(
                0, ("as published: " + ", ".join(map(str, checkpoint.sampler.times)), checkpoint.sampler.times)
            )
        for label, times in asked:
            made = {}
            for n, patch in enumerate(context.bar(chosen, f"steps, {name}, {label}", unit="patch")):
                made[patch.id] = draw(checkpoint, case(patch).condition, patch.m_per_px, noise_of(n), list(times),
                                      ruled=ruled_of(checkpoint, n, ZOOMS[patch.level]))
            distance = judge.distance(judge.features(made))
            curve[label] = {
                "kid": distance.as_dict() if distance else None,
                "sharpness over real": float(np.mean([sharpness(m) for m in made.values()])) / real,
                "kurtosis": float(np.nanmedian([kurtosis(m) for m in made.values()])),
                "seconds": seconds(checkpoint, list(times)),
            }
    return result


def seconds(checkpoint, times: list[int], repeats: int = 2) -> float:
    """Least wall time of one whole window, halo and encoder included."""
    size = TILE + 2 * checkpoint.sampler.halo
    condition = np.full((size // 4, size // 4, 3), 90, np.uint8)
    taken = []
    for _ in range(1 if len(times) > 16 else repeats):
        begin = time.perf_counter()
        draw(checkpoint, condition, 19.0, noise_of(0, size), times, ruled=ruled_of(checkpoint, 0, 15, size))
        taken.append(time.perf_counter() - begin)
    return min(taken)
