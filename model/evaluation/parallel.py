"""Section 5. Parallel worlds: do two seeds differ in what is there, or only in grain?"""

import numpy as np

from model.evaluation.context import Context
from model.evaluation.drawing import bicubic, shrink
from model.evaluation.scenes import by_level
from model.evaluation.statistics import luminance
from model.grid import TILE, lonlat_to_pixel

PLACES = (
    (-9.05, 42.6),
    (-62.5, -5.2),
    (86.6, 27.9),
    (-98.5, 39.2),
    (139.7, 35.75),
    (25.3, 24.1),
    (10.5, 46.5),
    (30.9, 30.5),
    (-70.2, -33.4),
    (105.0, 20.5),
    (-120.5, 37.5),
    (36.8, -1.3),
)
LEVEL_OF = {7: "1223", 9: "305", 11: "76", 13: "19", 15: "4.8"}


def low_pass(grey: np.ndarray, size: int = 8) -> np.ndarray:
    """Moving mean of size×size px, only where it is whole."""
    sums = np.pad(grey, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return (sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]) / size**2


def run(context: Context) -> dict:
    """Per zoom: mean square of the low-passed difference of seeds 0 and 1, over the mean square of real residuals.

    The residual is what real imagery has beyond the bicubic enlargement of its 4×4 mean.
    """
    levels = by_level(context.patches)
    result = {}
    for zoom, level in LEVEL_OF.items():
        differences = []
        for lon, lat in context.bar(PLACES[: context.budget.seeds], f"two seeds, z{zoom}", unit="place"):
            px, py = lonlat_to_pixel(zoom, lon, lat)
            tiles = [
                context.generator.pixels(context.address(zoom, seed)._replace(x=int(px) // TILE, y=int(py) // TILE))
                for seed in (0, 1)
            ]
            a, b = (low_pass(luminance(tile)) for tile in tiles)
            differences.append(float(np.square(a - b).mean()))
        residuals = [
            float(np.square(luminance(p.pixels) - luminance(bicubic(shrink(p.pixels)))).mean())
            for p in levels.get(level, [])
        ]
        if residuals:
            result[f"z{zoom}"] = {
                "difference": float(np.mean(differences)),
                "residual": float(np.mean(residuals)),
                "ratio": float(np.mean(differences) / np.mean(residuals)),
                "places": len(differences),
                "spread": float(np.std(differences) / np.sqrt(len(differences)) / np.mean(residuals)),
            }
    return result
