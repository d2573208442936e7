"""Section 4, apart: open sea, ice and sand stay calm at z11–15. They are most of the planet."""

import numpy as np

from model.evaluation.context import Context
from model.evaluation.drawing import bicubic
from model.evaluation.statistics import contrast, grid_phase
from model.grid import TILE, lonlat_to_pixel
from model.network import SCALE

PLACES = {  # lon, lat
    "open sea": ((-150.0, 10.0), (-30.0, -20.0), (80.0, -30.0), (-40.0, 45.0)),
    "ice": ((90.0, -78.0), (-40.0, 73.0), (0.0, -80.0), (-60.0, -82.0)),
    "sand": ((25.3, 24.1), (50.5, 20.0), (-5.0, 26.0), (53.0, 21.5)),
}
ZOOMS = (11, 13, 15)
QUIET = 0.5  # grey levels: below this a contrast is rounding, and no ratio of it means anything


def run(context: Context) -> dict:
    """Contrast of tiles over that of their parents' region enlarged, both at least `QUIET`; grids in both.

    A lattice hides in texture: where there is none, the eye finds it. What is enlarged has the parent's own steps of
    one grey level, four pixels wide, and nothing else."""
    result = {}
    for ground, places in PLACES.items():
        for zoom in ZOOMS:
            own, enlarged, grids, steps = [], [], [], []
            for lon, lat in context.bar(places[: context.budget.phases], f"{ground}, z{zoom}", unit="place"):
                px, py = lonlat_to_pixel(zoom, lon, lat)
                address = context.address(zoom)._replace(x=int(px) // TILE, y=int(py) // TILE)
                core = TILE // SCALE
                parent = context.generator.region(
                    address._replace(z=zoom - 2),
                    address.x * core,
                    address.y * core,
                    (address.x + 1) * core,
                    (address.y + 1) * core,
                )
                tile = context.generator.pixels(address)
                own.append(contrast(tile))
                grids.append([grid_phase(tile, 4), grid_phase(tile, 16)])
                larger = bicubic(parent)
                enlarged.append(contrast(larger))
                steps.append([grid_phase(larger, 4), grid_phase(larger, 16)])
            a, b = float(np.mean(own)), float(np.mean(enlarged))
            four, sixteen = np.nanmean(grids, axis=0)
            four_enlarged, sixteen_enlarged = np.nanmean(steps, axis=0)
            result.setdefault(ground, {})[f"z{zoom}"] = {
                "contrast": a,
                "parent's": b,
                "ratio": max(a, QUIET) / max(b, QUIET),
                "grid 4": float(four),
                "grid 16": float(sixteen),
                "parent's grid 4": float(four_enlarged),
                "parent's grid 16": float(sixteen_enlarged),
                "places": len(own),
            }
    return result
