"""Noise as a field: a Gaussian number for every (seed, level, channel, X, Y), the same for every window that sees it.

Bits come from Philox 4x64-10 (Salmon et al. 2011), whose stream NumPy keeps stable; a table of 65536 quantiles turns
16 of them into a Gaussian, so that no platform's libm decides a last digit. The field is drawn in blocks of 64×64
pixels: a block's counter is its own place, so any block is had without any other.
"""

from functools import lru_cache
from statistics import NormalDist

import numpy as np
import torch

from model import arrays, philox
from model.grid import width

REVISION = 1
BLOCK = 64
_DRAWN = 3 * BLOCK**2 // 4  # numbers of 64 bits in a block
_DOMAIN = 0x656C736577686572  # "elsewher": the second half of the Philox key
_UNIT = 4096                  # quantiles are multiples of 1/4096


@lru_cache(maxsize=1)
def quantiles() -> np.ndarray:
    """float32 ``(65536,)``: the standard normal's quantile of (k + ½)/65536, rounded to 1/4096."""
    normal = NormalDist()
    upper = np.array([round(normal.inv_cdf((k + 0.5) / 65536) * _UNIT) for k in range(32768, 65536)], dtype=np.int32)
    return (np.concatenate([-upper[::-1], upper]) / _UNIT).astype(np.float32)


def _block(seed: int, level: int, bx: int, by: int) -> np.ndarray:
    """One block ``(3, 64, 64)``. Rows beyond the poles have negative or large `by`: they have noise too."""
    counter = np.array([0, bx, by & 0xFFFFFFFFFFFFFFFF, level], dtype=np.uint64)
    key = np.array([seed, _DOMAIN], dtype=np.uint64)
    raw = np.random.Philox(counter=counter, key=key).random_raw(_DRAWN)
    words = raw.astype("<u8").view("<u2")  # of each number the lowest 16 bits first
    return quantiles().take(words.reshape(3, BLOCK, BLOCK))


@lru_cache(maxsize=4)
def _quantiles(device: torch.device) -> torch.Tensor:
    return arrays.put(quantiles(), device)


def _blocks(seed: int, level: int, columns: np.ndarray, rows: np.ndarray, device: torch.device) -> torch.Tensor:
    """All blocks of these columns and rows ``(3, 64·rows, 64·columns)``, at once and on a device."""
    # NumPy's generator counts before it draws.
    first, across, down = (arrays.put(of, device) for of in (np.arange(1, _DRAWN // 4 + 1), columns, rows))
    shape = len(rows), len(columns), len(first)
    counter = torch.stack([of.expand(shape) for of in (
        first, across[:, None], down[:, None, None], torch.full((), level, device=device))])
    raw = philox.drawn(counter, (seed, _DOMAIN))
    words = torch.stack([(raw >> 16 * i) & 0xFFFF for i in range(4)], -1)  # (4, rows, columns, _DRAWN / 4, 4)
    words = words.permute(1, 2, 3, 0, 4).reshape(*shape[:2], 3, BLOCK, BLOCK).permute(2, 0, 3, 1, 4)
    return _quantiles(device).take(words).reshape(3, len(rows) * BLOCK, len(columns) * BLOCK)


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device: torch.device | None = None):
    """Noise of the pixels x0…x1, y0…y1 of a level: float32 ``(3, y1-y0, x1-x0)``. x wraps at the level's width.
    `device`: None for an array."""
    around = width(level) // BLOCK
    left, top = x0 // BLOCK, y0 // BLOCK
    right, bottom = -(-x1 // BLOCK), -(-y1 // BLOCK)
    inside = np.s_[:, y0 - top * BLOCK:y1 - top * BLOCK, x0 - left * BLOCK:x1 - left * BLOCK]
    if device is not None:
        return _blocks(seed, level, np.arange(left, right) % around, np.arange(top, bottom), device)[inside]
    out = np.empty((3, (bottom - top) * BLOCK, (right - left) * BLOCK), np.float32)
    for by in range(top, bottom):
        for bx in range(left, right):
            out[:, (by - top) * BLOCK:(by - top + 1) * BLOCK,
                (bx - left) * BLOCK:(bx - left + 1) * BLOCK] = _block(seed, level, bx % around, by)
    return np.ascontiguousarray(out[inside])
