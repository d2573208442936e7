"""Section 3. Does calm ground repeat itself? Correlation of the made detail with itself, one window's stride away."""

import numpy as np

from model.evaluation.context import Context
from model.evaluation.drawing import bicubic
from model.evaluation.paper_windows import layouts, mosaic
from model.evaluation.statistics import luminance
from model.network import SCALE

GROUNDS = {"sea": ("ocean",), "desert": ("desert",), "forest": ("auto:forest", "forest")}
RESOLUTION = 19.1  # m/px of what is drawn: z13, where a viewer meets these grounds enlarged
SMALL = 64  # px of a coarse patch that become the ground of a whole mosaic


def _ground(context: Context, words: tuple[str, ...], size: int) -> np.ndarray | None:
    """The calmest piece of a patch of that land cover, enlarged to a condition of size×size px."""
    candidates = [p for p in context.patches if any(w in p.landcover for w in words) and "coast" not in p.landcover]
    if not candidates:
        return None
    calmest = min(candidates, key=lambda p: (p.landcover not in words, luminance(p.pixels)[:SMALL, :SMALL].std()))
    enlarged = bicubic(calmest.pixels[:SMALL, :SMALL])
    return np.pad(enlarged, ((0, max(0, size - 256)), (0, max(0, size - 256)), (0, 0)), mode="reflect")[:size, :size]


def self_correlation(detail: np.ndarray, stride: int) -> float:
    """Correlation of ``(H, W)`` with itself moved by `stride`, mean of both directions."""

    def correlate(a, b):
        a, b = a - a.mean(), b - b.mean()
        norm = np.sqrt(np.square(a).mean() * np.square(b).mean())
        return float((a * b).mean() / norm) if norm > 0 else 0.0

    return 0.5 * (correlate(detail[stride:], detail[:-stride]) + correlate(detail[:, stride:], detail[:, :-stride]))


def run(context: Context) -> dict:
    shown = [layout for layout in layouts(context.student.sampler.halo) if layout.noise != "independent"]
    result: dict = {"resolution": RESOLUTION, "grounds": {}}
    for ground, words in GROUNDS.items():
        for layout in context.bar(shown, f"repetition, {ground}", unit="setting"):
            side = 512 // layout.core
            need = (side * layout.core + 2 * layout.halo) // SCALE
            condition = _ground(context, words, need)
            if condition is None:
                continue
            made = mosaic(context.student, layout, condition, side, side, RESOLUTION, seed=3)
            inner = slice(layout.halo, layout.halo + made.shape[0])
            detail = luminance(made) - luminance(bicubic(condition))[inner, inner]
            result["grounds"].setdefault(ground, {})[layout.name] = self_correlation(detail, layout.core)
    return result
