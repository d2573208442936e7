"""Windows as MetaEarth lays them, beside ours: {no overlap, half overlap} × {independent, identical noise}, canonical.

The paper (§III-C) slides windows by half their size, keeps the middle of each, and gives every window the same noise,
equal in its overlapping halves: noise whose period is the stride. Ours is a field without a period.
"""

from dataclasses import dataclass

import numpy as np

from model import noise
from model.checkpoint import Checkpoint
from model.evaluation.drawing import draw
from model.network import SCALE

FIELD_LEVEL = 15  # any level that is wide enough: the field is only a source of numbers here


@dataclass(frozen=True)
class Layout:
    """Where windows lie: `core` pixels are kept of each, `halo` on each side are dropped."""

    name: str
    core: int
    halo: int
    noise: str  # "independent", "identical" (period = core) or "field"

    @property
    def window(self) -> int:
        return self.core + 2 * self.halo


PAPERS = (
    Layout("no overlap, independent noise", 256, 0, "independent"),
    Layout("no overlap, shared noise", 256, 0, "identical"),
    Layout("overlap, independent noise", 128, 64, "independent"),
    Layout("overlap, shared noise", 128, 64, "identical"),
)


def layouts(halo: int) -> tuple[Layout, ...]:
    """The paper's four, and ours with so wide a halo."""
    return *PAPERS, Layout("canonical: halo and noise field", 256, halo, "field")


def window_noise(layout: Layout, seed: int, i: int, j: int, field=noise.field) -> np.ndarray:
    """Noise of window (column i, row j): float32 ``(3, window, window)``; or its parcels, with their `field`."""
    size = layout.window
    x, y = i * layout.core - layout.halo, j * layout.core - layout.halo
    if layout.noise == "field":
        return field(seed, FIELD_LEVEL, x, y, x + size, y + size)
    if layout.noise == "identical":
        block = field(seed, FIELD_LEVEL, 0, 0, layout.core, layout.core)
        rows, columns = (np.arange(y, y + size) % layout.core, np.arange(x, x + size) % layout.core)
        return block[:, rows[:, None], columns[None]]
    far = 4096 * (1 + i + 64 * j)  # a part of the field that no other window looks at
    return field(seed + 1, FIELD_LEVEL, far, 0, far + size, size)


def mosaic(
    checkpoint: Checkpoint,
    layout: Layout,
    condition: np.ndarray,
    columns: int,
    rows: int,
    resolution: float,
    seed: int = 0,
    times: list[int] | None = None,
    tick=lambda: None,
) -> np.ndarray:
    """``columns × rows`` windows side by side: uint8 ``(rows·core, columns·core, 3)``.

    The condition is uint8 ``(h, w, 3)``; window (0, 0)'s core begins `halo` pixels inside it, so h must be at least
    ``(rows·core + 2·halo)/4``, and w alike. `tick` is called after each window.
    """
    need = [(n * layout.core + 2 * layout.halo) // SCALE for n in (rows, columns)]
    if condition.shape[0] < need[0] or condition.shape[1] < need[1]:
        raise ValueError(
            f"{columns}×{rows} windows of {layout.window} px need a condition of {need[1]}×{need[0]} px, "
            f"not {condition.shape[1]}×{condition.shape[0]}"
        )
    picture = np.empty((rows * layout.core, columns * layout.core, 3), np.uint8)
    network = checkpoint.network
    size, step, halo = layout.window // SCALE, layout.core // SCALE, layout.halo
    for j in range(rows):
        for i in range(columns):
            low = condition[j * step : j * step + size, i * step : i * step + size]
            given = window_noise(layout, seed, i, j)
            ruled = window_noise(layout, seed, i, j, network.ruled) if network.config.shown else None
            made = draw(checkpoint, low, resolution, given, times, ruled=ruled)
            picture[j * layout.core : (j + 1) * layout.core, i * layout.core : (i + 1) * layout.core] = made[
                halo : halo + layout.core, halo : halo + layout.core
            ]
            tick()
    return picture
