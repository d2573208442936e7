"""Section 4. The whole cascade: `earth`, from its base down, at the places and resolutions of the validation patches.

This is what people see. A patch is held against the odd zoom nearest to its own resolution; whichever of the two is
finer is shrunk to the other, so that both are as sharp as they can be. Where the base shows snow and the picture none,
or another tide, no cascade could come to that picture: such places are counted apart.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from model.evaluation.context import Context
from model.evaluation.fidelity import drawn
from model.evaluation.scenes import by_level, spread
from model.evaluation.statistics import SQUARE, describe, grid_phase, parent_psnr, summary
from model.grid import MAX_ZOOM, TILE, ground_resolution, lonlat_to_pixel
from model.training.imagery import Patch

DRAWS = 200
# Grey levels of mean colour by which base and picture differ if they are of another season. At z7 and z9 most differ by
# 0 to 2, whose tone is the base's, and the others by 11 to 144.
ANOTHER = 25.0


@dataclass(frozen=True)
class Pair:
    """A validation patch and the same window of the made world, uint8 of one size."""

    patch: Patch
    zoom: int
    real: np.ndarray
    made: np.ndarray
    alike: bool  # whether the base shows there what the picture does


def nearest_zoom(resolution: float, latitude: float) -> int:
    """Odd zoom whose resolution there is nearest by ratio."""
    exact = math.log2(ground_resolution(0, latitude) / resolution)
    return min(MAX_ZOOM, max(1, 2 * round((exact - 1) / 2) + 1))


def resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Square picture -> size×size, antialiased."""
    if len(pixels) == size:
        return pixels
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    image = F.interpolate(image, size=(size, size), mode="bicubic", antialias=True, align_corners=False)
    return image[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def pair(context: Context, patch: Patch, seed: int = 0) -> Pair | None:
    """Render the patch's own place; None where the base is real down to that zoom."""
    zoom, base_zoom = nearest_zoom(patch.m_per_px, patch.lat), context.generator.worlds.get("earth").base_zoom
    if zoom <= base_zoom:
        return None
    ratio = patch.m_per_px / ground_resolution(zoom, patch.lat)  # made pixels per real pixel
    span = round(256 * ratio)
    cx, cy = lonlat_to_pixel(zoom, patch.lon, patch.lat)
    x, y = round(cx - span / 2), round(cy - span / 2)
    made = context.generator.region(context.address(zoom, seed), x, y, x + span, y + span)
    times = 1 << zoom - base_zoom
    base = context.generator.region(context.address(base_zoom, seed), x // times, y // times,
                                    -(-(x + span) // times), -(-(y + span) // times))
    off = np.abs(base.mean((0, 1)) - patch.pixels.mean((0, 1))).max()
    size = min(256, span)
    keep = size // SQUARE * SQUARE
    cut = (size - keep) // 2
    window = slice(cut, cut + keep)
    real, made = (resize(pixels, size)[window, window] for pixels in (patch.pixels, made))
    return Pair(patch, zoom, real, made, bool(off < ANOTHER))


def agreement(context: Context, patch: Patch, zoom: int) -> dict:
    """Of the tile that holds the patch's centre, and those above it: PSNR against the parent, colour drift, grid."""
    px, py = lonlat_to_pixel(zoom, patch.lon, patch.lat)
    x, y = int(px) // TILE, int(py) // TILE
    tile, drift, found = None, np.zeros(3), {}
    base = context.generator.worlds.get("earth").base_zoom
    for z in range(zoom, base, -2):
        address = context.address(z)._replace(x=x >> (zoom - z), y=y >> (zoom - z))
        pixels, parent = context.generator.pixels(address), context.parent(address)
        drift += pixels.mean((0, 1)) - parent.mean((0, 1))
        if tile is None:
            tile = pixels
            found["psnr"] = parent_psnr(pixels, parent)
    return found | {"drift": drift.tolist(), "grid 4": grid_phase(tile, 4), "grid 16": grid_phase(tile, 16)}


def _ratios(real: list[dict], made: list[dict], scenes: list[str]) -> dict[str, dict]:
    """Made over real of each statistic, with its standard deviation over bootstrap draws of scenes."""
    names = sorted(set(scenes))
    members = [[i for i, s in enumerate(scenes) if s == name] for name in names]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        chosen = [i for k in rng.integers(len(names), size=len(names)) for i in members[k]]
        a, b = summary([real[i] for i in chosen]), summary([made[i] for i in chosen])
        draws.append({k: b[k] / a[k] if a[k] else float("nan") for k in a})
    a, b = summary(real), summary(made)
    return {
        k: {
            "real": a[k],
            "made": b[k],
            "ratio": b[k] / a[k] if a[k] else float("nan"),
            "spread": float(np.nanstd([d[k] for d in draws])),
        }
        for k in a
    }


def _against_real(described: list[tuple[dict, dict, str]]) -> dict:
    """Of places: what `describe` says of the real and of the made picture, and the scene."""
    real, made, scenes = map(list, zip(*described, strict=True))
    return {"places": len(scenes), "scenes": len(set(scenes)), "statistics": _ratios(real, made, scenes)}


def run(context: Context) -> dict:
    """JSON: by zoom, cascade and single level against real; agreement with the parent; colour drift; grid phase."""
    result: dict = {"cascade": {}, "all places": {}, "single": {}}
    pairs: list[Pair] = []
    for level, members in by_level(context.patches, context.budget.cascade).items():
        bar = context.bar(members, f"whole cascade, {level} m", unit="place")
        pairs += [found for patch in bar if (found := pair(context, patch)) is not None]
    for zoom in sorted({p.zoom for p in pairs}):
        mine = [p for p in pairs if p.zoom == zoom]
        described = [(describe(p.real), describe(p.made), p.patch.scene) for p in mine]
        alike = [d for d, p in zip(described, mine, strict=True) if p.alike] or described
        result["all places"][f"z{zoom}"] = _against_real(described)
        some = spread([p.patch for p in mine], context.budget.agreement)
        close = [agreement(context, patch, zoom) for patch in context.bar(some, f"agreement, z{zoom}", unit="place")]
        drift = np.array([c["drift"] for c in close])
        result["cascade"][f"z{zoom}"] = _against_real(alike) | {
            "psnr": float(np.mean([c["psnr"] for c in close])),
            "drift": {"mean": drift.mean(0).tolist(), "typical": float(np.abs(drift).mean())},
            "grid 4": float(np.nanmean([c["grid 4"] for c in close])),
            "grid 16": float(np.nanmean([c["grid 16"] for c in close])),
        }
    for level, members in by_level(context.patches, context.budget.single).items():
        pictures = drawn(context, "student", context.student, members)
        made = [pictures[p.id] for p in members]
        result["single"][level] = {
            "patches": len(members),
            "statistics": _ratios(
                [describe(p.pixels) for p in members], [describe(m) for m in made], [p.scene for p in members]
            ),
            "grid 4": float(np.nanmean([grid_phase(m, 4) for m in made])),
            "grid 16": float(np.nanmean([grid_phase(m, 16) for m in made])),
        }
    return result
