"""Canonical windows of a level, each from its condition, its noise and nothing else: 256×256 pixels, which are a tile;
or a support, 128×128 and what is around them, which the level below stands on.

On a processor one is made at a time. A GPU makes a square block of neighbours at once: what every pixel has by its
address alone (noise, fields) in one piece, and what the network draws in batches.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from model import arrays, land_use, noise
from model.base import Base
from model.checkpoint import Checkpoint
from model.grid import TILE, ground_resolution, pixel_latitude, width
from model.network import SCALE, Network
from model.overlaps import Overlaps
from model.readings import inner
from model.schedule import ddim
from model.underlay import finished

BATCH = 16  # windows that the network is asked for at once, if a block has as many


class Cut(NamedTuple):
    """How a level is cut into windows: `core` pixels of each, along and across, are nobody else's; it makes `rim` more
    on every side, and computes a halo beyond that, which is dropped."""

    core: int = TILE
    rim: int = 0

    def condition_box(self, halo: int, x: int, y: int) -> tuple[int, int, int, int]:
        """The parent level's pixels (x0, y0, x1, y1) that window (x, y) is conditioned on."""
        margin, core = (self.rim + halo) // SCALE, self.core // SCALE
        return x * core - margin, y * core - margin, (x + 1) * core + margin, (y + 1) * core + margin


TILES = Cut()


def supports(checkpoint: Checkpoint) -> Cut:
    """Of what the level below is conditioned on: a window whose core lies in a support's finds all of its condition in
    it, and so does a support. So a rim of r px must hold a support's halo and rim of the level below, at a quarter of
    their size: r ≥ (r + halo)/4. By whole strides of the network, for its grids must lie as they do in a tile.

    A support is half a tile wide: that of z13 lies under one tile of z14, and under four of z15."""
    stride = checkpoint.network.config.stride
    return Cut(TILE // 2, -(-checkpoint.sampler.halo // ((SCALE - 1) * stride)) * stride)


def row_resolutions(level: int, y0: int, size: int, step: int) -> list[list[float]]:
    """m/px in the middle of every `step` pixel rows of a window that begins at row `y0`; at the poles, the last's."""
    middles = np.clip(np.arange(y0, y0 + size, step) + step / 2, 0.5, width(level) - 0.5)
    return [[ground_resolution(level, pixel_latitude(level, middle)) for middle in middles.tolist()]]


@torch.inference_mode()
def generate(checkpoint: Checkpoint, condition: np.ndarray, seed: int, level: int, x: int, y: int,
             check=lambda: None, base: Base | None = None) -> np.ndarray:
    """Window (x, y) of `level`: uint8 ``(256, 256, 3)``.

    `condition` is the region `condition_box` of the level above, in grey levels, whole ones or not. The halo is
    computed and dropped, so that neighbours, each with its own, agree at their border. `check` is called between
    network calls and may raise. `base`: the world's, which knows where no land is tilled; None: a plain.
    """
    return with_halo(checkpoint, condition, seed, level, x, y, check, base, drop=checkpoint.sampler.halo)


def with_halo(checkpoint: Checkpoint, condition: np.ndarray, seed: int, level: int, x: int, y: int,
              check=lambda: None, base: Base | None = None, drop: int = 0) -> np.ndarray:
    """The window and its halo less `drop`, uint8 ``(256 + 2·(halo - drop), 256 + 2·(halo - drop), 3)``.

    Batch is always 1 and the layout always channels last: the bits do not depend on what else is being made.
    """
    return rounded(block(checkpoint, condition[None], seed, level, x, y, 1, check, base, drop=drop))[0]


def rounded(made: np.ndarray) -> np.ndarray:
    """Grey levels as a tile has them, uint8."""
    return np.rint(made).astype(np.uint8)


@torch.inference_mode()
def block(checkpoint: Checkpoint, conditions: np.ndarray, seed: int, level: int, x: int, y: int, side: int,
          check=lambda: None, base: Base | None = None, cut: Cut = TILES, drop: int = 0,
          overlaps: Overlaps | None = None, beside: Executor | None = None) -> np.ndarray:
    """`side`² windows, row by row from (x, y) on, less `drop` of their outermost pixels: ``(side², …, …, 3)`` float32,
    grey levels in 0…255 that are not rounded.

    `conditions`: of each the region `cut.condition_box`, uint8 or float32 ``(side², h, w, 3)``. Batches are of whole
    rows, so that with the same `side` the bits of a window are always the same. `overlaps`: what single tiles, made on
    a processor, have in common with those made before; changes no bit. `beside`: a thread that encodes the condition of
    a single window, and reads its noise, while fields are made, which one core does; else that is done afterwards.
    """
    sampler, network = checkpoint.sampler, checkpoint.network
    device = next(network.parameters()).device
    where, around, rim = arrays.of(device), sampler.halo + cut.rim, network.config.rim
    low = torch.from_numpy(conditions).to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 127.5 - 1
    x0, y0, size = x * cut.core - around, y * cut.core - around, side * cut.core + 2 * around
    seen = seed, level, x0 - rim, y0 - rim, x0 + size + rim, y0 + size + rim
    if where is not None or cut != TILES or not 0 < around + rim < TILE // 2:
        overlaps = None
    known = torch.as_tensor(overlaps.field(noise.field, *seen) if overlaps else noise.field(*seen, where))[None]
    known = known.contiguous(memory_format=torch.channels_last)
    begun = beside.submit(_begun, network, low, known, torch.get_num_threads() - 1) if beside else None
    place = x0, y0, x0 + size, y0 + size
    plain, hilly, habitable = 1.0, 0.0, 0.0
    if base and network.config.plains:
        plain, hilly, habitable = land_use.known(base, level, *place, land_use.ALL, where, cut=not network.config.towns)
    ruled = network.ruled(seed, level, *place, plain=plain, gentle=sampler.gentleness(level) if base else 0.0,
                          device=where, overlaps=overlaps)
    ruled = None if ruled is None else torch.as_tensor(ruled)[None]
    plain, hilly, habitable = (torch.as_tensor(of)[None, None] if np.ndim(of) else of
                               for of in (plain, hilly, habitable))

    @cache
    def whole(field: Callable) -> torch.Tensor:
        """Of all windows, without what is dropped around them."""
        kept = x0 + drop, y0 + drop, x0 + size - drop, y0 + size - drop
        made = torch.as_tensor(field(seed, level, *kept, where))[None]
        return made if made.ndim == 4 else made[None]

    made = []
    for first in range(0, side, max(1, BATCH // side)):
        rows = range(first, min(first + max(1, BATCH // side), side))
        parts = [windows(of, rows, side, by, cut.core) if torch.is_tensor(of) else of
                 for of, by in ((known, around + rim), *((of, around) for of in (ruled, plain, hilly, habitable)))]
        parts.append(lambda field, rows=rows: windows(whole(field), rows, side, around - drop, cut.core))
        tops = [(y + row) * cut.core - around for row in rows]
        below = low[rows[0] * side:(rows[-1] + 1) * side]
        made.append(_drawn(checkpoint, level, tops, cut.core + 2 * around, below, *parts, check, bool(base), drop,
                           begun))
    return torch.cat(made).permute(0, 2, 3, 1).contiguous().cpu().numpy()


@torch.inference_mode()
def _begun(network: Network, low: torch.Tensor, known: torch.Tensor, threads: int | None = None
           ) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Of windows what needs no fields: their conditions' features, and their noise's readings. `threads`: of the
    processor, if another thread does it than has been told."""
    if threads and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return network.encode(low), network.readings(known) if network.config.rim else []


def windows(whole: torch.Tensor, rows: range, side: int, around: int, step: int) -> torch.Tensor:
    """Some rows of a block's windows: ``(1, C, H, W)`` -> ``(rows·side, C, step + 2·around, step + 2·around)``."""
    size = step + 2 * around
    if whole.shape[-1] == size:
        return whole  # it is the only one
    cut = whole[..., rows[0] * step:(rows[-1] + 1) * step + 2 * around, :].unfold(2, size, step).unfold(3, size, step)
    return cut[0].permute(1, 2, 0, 3, 4).flatten(0, 1)


def _drawn(checkpoint: Checkpoint, level: int, tops: list[int], size: int, low: torch.Tensor, known: torch.Tensor,
           ruled: torch.Tensor | None, plain: torch.Tensor | float, hilly: torch.Tensor | float,
           habitable: torch.Tensor | float, laid: Callable[[Callable], torch.Tensor], check, based: bool,
           drop: int, begun: Future | None) -> torch.Tensor:
    """Windows of some rows of a level, as many of each, in one batch: grey levels ``(B, 3, …, …)``. Of each row its
    first pixel's; of each window, of `size` pixels, its condition, its noise, what the network is shown, how plain, how
    hilly and how habitable the base is, if it is `based` on one, and light to be `laid` on it (`Shown`). `begun`: what
    `_begun` makes, if somebody is at it."""
    sampler, network, device = checkpoint.sampler, checkpoint.network, low.device
    rim = network.config.rim
    low, known = (of.contiguous(memory_format=torch.channels_last) for of in (low, known))
    dials = sampler.dials(level) if based else sampler.dials(level)._replace(shade=0.0, slope=0.0)
    kept = SCALE if dials.projection and drop else 0  # around the window, for means that are enlarged
    of_patches, of_pixels = [], []  # of each row of windows
    for y0 in tops:
        if sampler.rows:
            of_patches += row_resolutions(level, y0, size, network.config.patch)
            of_pixels += row_resolutions(level, y0 + drop - kept, size - 2 * (drop - kept), 1)
        else:
            of_patches.append(ground_resolution(level, pixel_latitude(level, y0 + size / 2)))
            of_pixels = of_patches
    start = inner(known, rim)
    features, readings = begun.result() if begun else _begun(network, low, known)
    extra = readings + network.apart(ruled) if rim else None
    resolutions = torch.tensor(of_patches).to(device, non_blocking=True).repeat_interleave(len(low) // len(tops), 0)
    told = resolutions, torch.full((1,), sampler.told(level), device=device)

    # The last step's picture is wanted without its halo, which only the steps before and the U-Net's depth need.
    early = drop - kept if network.config.predicts == "x0" else 0

    def denoise(x_t, t):
        check()
        return network(x_t, torch.full((1,), float(t), device=device), features, *told,
                       drop=early if t == sampler.times[-1] else 0, extra=extra)

    clean = inner(ddim(denoise, start, list(sampler.times), network.config.predicts), drop - kept - early)
    shown = network.shown(ruled, plain, laid, hilly, habitable)
    made = finished(low, checkpoint.whitening.colour(clean, of_pixels), shown, dials, drop, kept)
    return ((made + 1) * 127.5).clamp(0, 255)
