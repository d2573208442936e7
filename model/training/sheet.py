"""Sample sheets: for the eye, the same few validation places through the whole of a run.

    rows     levels, coarse to fine, two places each
    columns  condition, enlarged  |  generated  |  real
"""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from model.residual import enlarge
from model.training.imagery import LEVELS, Patch
from model.training.pixels import as_pixels, as_tensor

SIDE = 128        # pixels of a picture: a multiple of every preset's stride, a few seconds for two cores
PLACES = 2        # a level
MARGIN = 56       # to the left, for the level's name
GAP = 4


class Row(NamedTuple):
    """The places of one level: condition ``(B, 3, SIDE/4, SIDE/4)``, real ``(B, 3, SIDE, SIDE)`` in [-1, 1], m/px."""

    level: str
    condition: torch.Tensor
    real: torch.Tensor
    m_per_px: torch.Tensor
    noise: torch.Tensor


class Sheet:
    """Fixed places and fixed noise, so that two sheets differ by what was learned between them."""

    def __init__(self, validation: list[Patch], seed: int = 7):
        self.rows = []
        for number, level in enumerate(LEVELS):
            places = choose([p for p in validation if p.level == level])
            if places:
                rng = np.random.default_rng([seed, number])
                noise = rng.standard_normal((len(places), 3, SIDE, SIDE), dtype=np.float32)
                pairs = [_centre(p) for p in places]
                self.rows.append(Row(level, torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs]),
                                     torch.tensor([p.m_per_px for p in places]), torch.from_numpy(noise)))

    @torch.no_grad()
    def draw(self, generate) -> Image.Image | None:
        """The sheet of ``generate(condition, m_per_px, noise) -> (B, 3, SIDE, SIDE)``; None without validation patches.

        Everything is handed over and taken back on the CPU.
        """
        if not self.rows:
            return None
        step = SIDE + GAP
        sheet = Image.new("RGB", (MARGIN + 3 * PLACES * step, len(self.rows) * step), "white")
        pen = ImageDraw.Draw(sheet)
        for y, row in enumerate(self.rows):
            pen.text((4, y * step + SIDE // 2 - 12), f"{row.level} m\n({row.m_per_px[0]:.3g})", fill="black")
            columns = enlarge(row.condition), generate(row.condition, row.m_per_px, row.noise).float(), row.real
            for place in range(len(row.real)):
                for x, pictures in enumerate(columns):
                    sheet.paste(_image(pictures[place]), (MARGIN + (3 * place + x) * step, y * step))
        return sheet


def choose(patches: list[Patch]) -> list[Patch]:
    """`PLACES` of them, of different scenes where there are that many; the same whatever their order."""
    patches = sorted(patches, key=lambda p: p.id)
    scenes = list({p.scene: p for p in patches}.values())
    pool = scenes if len(scenes) >= PLACES else patches
    return pool[::max(1, len(pool) // PLACES)][:PLACES]


def _centre(patch: Patch) -> tuple[torch.Tensor, torch.Tensor]:
    """The middle of a patch and its condition: what the level above would hand down."""
    start = (256 - SIDE) // 2
    real = as_tensor(patch.pixels)[:, start:start + SIDE, start:start + SIDE]
    if patch.base is None:
        return F.avg_pool2d(real[None], 4)[0], real
    start, side = start // 4, SIDE // 4
    return as_tensor(patch.base)[:, start:start + side, start:start + side], real


def _image(picture: torch.Tensor) -> Image.Image:
    return Image.fromarray(as_pixels(picture))
