"""One canonical window: 256×256 pixels of a level from its condition, its noise and nothing else."""

import numpy as np
import torch

from model import noise
from model.checkpoint import Checkpoint
from model.grid import TILE, ground_resolution, pixel_latitude, tile_latitude, width
from model.network import SCALE, inner
from model.refine import refine


def condition_box(halo: int, x: int, y: int) -> tuple[int, int, int, int]:
    """The parent level's pixels (x0, y0, x1, y1) that window (x, y) is conditioned on."""
    margin, core = halo // SCALE, TILE // SCALE
    return x * core - margin, y * core - margin, (x + 1) * core + margin, (y + 1) * core + margin


def row_resolutions(level: int, y0: int, size: int, step: int) -> list[list[float]]:
    """m/px in the middle of every `step` pixel rows of a window that begins at row `y0`; at the poles, the last's."""
    middles = np.clip(np.arange(y0, y0 + size, step) + step / 2, 0.5, width(level) - 0.5)
    return [[ground_resolution(level, pixel_latitude(level, middle)) for middle in middles]]


@torch.inference_mode()
def generate(checkpoint: Checkpoint, condition: np.ndarray, seed: int, level: int, x: int, y: int,
             check=lambda: None) -> np.ndarray:
    """Window (x, y) of `level`: uint8 ``(256, 256, 3)``.

    `condition` is the uint8 region `condition_box` of the level above. The halo is computed and dropped, so that
    neighbours, each with its own, agree at their border. `check` is called between network calls and may raise.
    """
    return with_halo(checkpoint, condition, seed, level, x, y, check)


@torch.inference_mode()
def with_halo(checkpoint: Checkpoint, condition: np.ndarray, seed: int, level: int, x: int, y: int,
              check=lambda: None, keep: int = 0) -> np.ndarray:
    """The window and `keep` pixels of its halo, at most the last pass's: uint8 ``(256 + 2·keep, 256 + 2·keep, 3)``.

    Batch is always 1 and the layout always channels last: the bits do not depend on what else is being made.
    """
    sampler, network = checkpoint.sampler, checkpoint.network
    device = next(network.parameters()).device
    halo, size = sampler.halo, TILE + 2 * sampler.halo
    low = torch.from_numpy(condition).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
    x0, y0 = x * TILE - halo, y * TILE - halo

    def resolutions(coarser: int, dropped: int, drop: int):
        if not sampler.rows:
            middle = coarser * ground_resolution(level, tile_latitude(level, y))
            return torch.tensor([middle], device=device), [middle]
        top, rows, drop = y0 + dropped, size - 2 * dropped, coarser * drop
        of_patches = row_resolutions(level, top, rows, coarser * network.config.patch)
        of_pixels = row_resolutions(level, top + drop, rows - 2 * drop, coarser)
        of_patches, of_pixels = ([[coarser * r for r in of[0]]] for of in (of_patches, of_pixels))
        return torch.tensor(of_patches, device=device), of_pixels

    rim = network.config.rim
    known = noise.field(seed, level, x0 - rim, y0 - rim, x0 + size + rim, y0 + size + rim)
    known = torch.from_numpy(known).to(device)[None].contiguous(memory_format=torch.channels_last)
    last_halo = sampler.last_halo or halo  # what the last pass does without is dropped before it
    picture = refine(network, checkpoint.whitening, checkpoint.times, low, inner(known, rim), resolutions,
                     torch.tensor([sampler.told(level)], device=device), drops=(halo - last_halo, last_halo - keep),
                     extra=network.read(known) if rim else None, project=sampler.project, check=check)
    pixels = ((picture + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels[0].permute(1, 2, 0).contiguous().cpu().numpy()
