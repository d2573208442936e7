"""One canonical window: 256×256 pixels of a level from its condition, its noise and nothing else."""

import numpy as np
import torch

from model import land_use, noise
from model.base import Base
from model.checkpoint import Checkpoint
from model.grid import TILE, ground_resolution, pixel_latitude, tile_latitude, width
from model.network import SCALE
from model.readings import inner
from model.schedule import ddim
from model.underlay import finished


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
             check=lambda: None, base: Base | None = None) -> np.ndarray:
    """Window (x, y) of `level`: uint8 ``(256, 256, 3)``.

    `condition` is the uint8 region `condition_box` of the level above. The halo is computed and dropped, so that
    neighbours, each with its own, agree at their border. `check` is called between network calls and may raise.
    `base`: the world's, which knows where no land is tilled; None: a plain.
    """
    return with_halo(checkpoint, condition, seed, level, x, y, check, base, drop=checkpoint.sampler.halo)


@torch.inference_mode()
def with_halo(checkpoint: Checkpoint, condition: np.ndarray, seed: int, level: int, x: int, y: int,
              check=lambda: None, base: Base | None = None, drop: int = 0) -> np.ndarray:
    """The window and its halo less `drop`, uint8 ``(256 + 2·(halo - drop), 256 + 2·(halo - drop), 3)``.

    Batch is always 1 and the layout always channels last: the bits do not depend on what else is being made.
    """
    sampler, network = checkpoint.sampler, checkpoint.network
    device = next(network.parameters()).device
    halo, size = sampler.halo, TILE + 2 * sampler.halo
    low = torch.from_numpy(condition).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
    low = low.contiguous(memory_format=torch.channels_last)
    dials = sampler.dials(level) if base else sampler.dials(level)._replace(shade=0.0, slope=0.0)
    kept = SCALE if dials.projection and drop else 0  # around the window, for means that are enlarged
    x0, y0 = x * TILE - halo, y * TILE - halo
    if sampler.rows:
        of_patches = row_resolutions(level, y0, size, network.config.patch)
        of_pixels = row_resolutions(level, y0 + drop - kept, size - 2 * (drop - kept), 1)
    else:
        of_patches = of_pixels = [ground_resolution(level, tile_latitude(level, y))]
    rim = network.config.rim
    known = noise.field(seed, level, x0 - rim, y0 - rim, x0 + size + rim, y0 + size + rim)
    known = torch.from_numpy(known).to(device)[None].contiguous(memory_format=torch.channels_last)
    place = x0, y0, x0 + size, y0 + size
    plain = land_use.plains(base, level, *place) if base and network.config.plains else 1.0
    ruled = network.ruled(seed, level, *place, plain=plain, gentle=sampler.gentleness(level) if base else 0.0)
    if ruled is not None:
        ruled = torch.from_numpy(ruled).to(device)[None]
    if np.ndim(plain):
        plain = torch.from_numpy(plain).to(device)[None, None]
    start, extra = inner(known, rim), network.read(known, ruled) if rim else None
    features = network.encode(low)
    told = (torch.tensor(of_patches, device=device), torch.tensor([sampler.told(level)], device=device))

    # The last step's picture is wanted without its halo, which only the steps before and the U-Net's depth need.
    early = drop - kept if network.config.predicts == "x0" else 0

    def denoise(x_t, t):
        check()
        return network(x_t, torch.tensor([float(t)], device=device), features, *told,
                       drop=early if t == sampler.times[-1] else 0, extra=extra)

    clean = inner(ddim(denoise, start, list(sampler.times), network.config.predicts), drop - kept - early)
    made = finished(low, checkpoint.whitening.colour(clean, of_pixels), network.shown(ruled, plain), dials, drop, kept)
    pixels = ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels[0].permute(1, 2, 0).contiguous().cpu().numpy()
