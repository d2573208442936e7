"""Section 4, apart: open sea, ice and sand stay calm at z11–15. They are most of the planet."""

from functools import partial

import numpy as np

from model.evaluation.context import Context
from model.evaluation.drawing import bicubic
from model.evaluation.statistics import contrast, grid_phase
from model.grid import TILE, lonlat_to_pixel

PLACES = {  # lon, lat
    "open sea": ((-150.0, 10.0), (-30.0, -20.0), (80.0, -30.0), (-40.0, 45.0)),
    "ice": ((90.0, -78.0), (-40.0, 73.0), (0.0, -80.0), (-60.0, -82.0)),
    "sand": ((25.3, 24.1), (50.5, 20.0), (-5.0, 26.0), (53.0, 21.5)),
}
ZOOMS = (11, 13, 15)
MEASURES = {"contrast": contrast, "grid 4": partial(grid_phase, period=4), "grid 16": partial(grid_phase, period=16)}
QUIET = 0.5  # grey levels: below this a contrast is rounding, and no ratio of it means anything


def run(context: Context) -> dict:
    """Contrast of tiles over that of their parents' region enlarged, both at least `QUIET`; grids in both.

    A lattice hides in texture: where there is none, the eye finds it. What is enlarged has the parent's own steps of
    one grey level, four pixels wide, and nothing else."""
    result = {}
    for ground, places in PLACES.items():
        for zoom in ZOOMS:
            found = []
            for lon, lat in context.bar(places[: context.budget.phases], f"{ground}, z{zoom}", unit="place"):
                px, py = lonlat_to_pixel(zoom, lon, lat)
                address = context.address(zoom)._replace(x=int(px) // TILE, y=int(py) // TILE)
                pictures = {"": context.generator.pixels(address), "parent's ": bicubic(context.parent(address))}
                found.append({f"{whose}{name}": measure(pixels) for whose, pixels in pictures.items()
                              for name, measure in MEASURES.items()})
            means = {name: float(np.nanmean([of[name] for of in found])) for name in found[0]}
            ratio = max(means["contrast"], QUIET) / max(means["parent's contrast"], QUIET)
            result.setdefault(ground, {})[f"z{zoom}"] = means | {"ratio": ratio, "places": len(found)}
    return result
