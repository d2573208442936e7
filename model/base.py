"""Base imagery: a picture of a whole planet, seen as Web Mercator at any zoom. No network here, only resampling."""

import numpy as np

from model.grid import width

REVISION = 1  # bump when the pixels change for the same picture


def tone_curve(power: float) -> np.ndarray:
    """Lookup table ``(256,)`` of the curve v -> 255·(v/255)^power: Blue Marble is darker than web maps' imagery."""
    return np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8)


def halve(pixels: np.ndarray) -> np.ndarray:
    """Exact 2×2 mean, rounded half up: uint8 ``(2h, 2w, C)`` -> ``(h, w, C)``. The rule of every even zoom."""
    q = pixels.astype(np.uint16)
    return ((q[0::2, 0::2] + q[1::2, 0::2] + q[0::2, 1::2] + q[1::2, 1::2] + 2) >> 2).astype(np.uint8)


def base_zoom(plate_width: int) -> int:
    """Odd zoom nearest log2(width/256) of a plate carrée picture, 1…13; halfway, the deeper one."""
    return int(np.clip(2 * np.floor(np.log2(plate_width / 256) / 2) + 1, 1, 13))


class Base:
    """What the cascade needs of a planet's picture."""

    zoom: int  # deepest zoom at which it is shown as it is

    def region(self, z: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """Pixels ``(y1-y0, x1-x0, 3)`` uint8 of zoom z ≤ `zoom`. x wraps around the world; rows beyond the poles repeat
        the last."""
        raise NotImplementedError


class PlateCarree(Base):
    """A 2:1 plate carrée picture, with a pyramid of its exact halvings so that coarse zooms do not alias.

    Parameters
    ----------
    pixels : uint8 ``(H, 2H, 3)``, an array or a memmap; row 0 is at the north pole, column 0 begins at 180° W.
    tone : lookup table ``(256,)`` applied to what is read, or None.
    """

    def __init__(self, pixels: np.ndarray, tone: np.ndarray | None = None):
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.shape[1] != 2 * pixels.shape[0]:
            raise ValueError(f"a plate carrée picture has shape (H, 2H, 3), not {pixels.shape}")
        self.tone = tone
        self.zoom = base_zoom(pixels.shape[1])
        self.pyramid = [pixels]
        while self.pyramid[-1].shape[0] % 2 == 0 and self.pyramid[-1].shape[0] > 128:
            self.pyramid.append(halve(self.pyramid[-1]))

    def region(self, z, x0, y0, x1, y1):
        if z > self.zoom:
            raise ValueError(f"the base is real down to zoom {self.zoom}, not {z}")
        size = width(z)
        if 2 * size <= self.pyramid[-1].shape[1]:  # coarser than the pyramid: the mean of the zoom below
            return halve(self.region(z + 1, 2 * x0, 2 * y0, 2 * x1, 2 * y1))
        # The coarsest level that still has at least the zoom's own detail.
        level = 0
        while level + 1 < len(self.pyramid) and self.pyramid[level + 1].shape[1] >= size:
            level += 1
        source = self.pyramid[level]
        rows = np.clip(np.arange(y0, y1), 0, size - 1) + 0.5
        columns = np.arange(x0, x1) % size + 0.5
        latitude = np.arctan(np.sinh(np.pi * (1 - 2 * rows / size)))
        pixels = sample(source, (0.5 - latitude / np.pi) * source.shape[0] - 0.5,
                        columns / size * source.shape[1] - 0.5)
        return pixels if self.tone is None else self.tone[pixels]


def _cubic(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices ``(n, 4)`` and Catmull-Rom weights ``(n, 4)`` of sample positions."""
    first = np.floor(position).astype(np.int64)
    t = (position - first)[:, None].astype(np.float32)
    weights = np.concatenate([((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1,
                              ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t], axis=1)
    return first[:, None] + np.arange(-1, 3), weights


def sample(source: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bicubic samples of `source` (uint8 ``(H, W, 3)``) on the grid rows × columns; columns wrap, rows do not."""
    height, across = source.shape[:2]
    ri, rw = _cubic(rows)
    ci, cw = _cubic(columns)
    ri, ci = np.clip(ri, 0, height - 1), ci % across
    # Read only the rows that are needed (the source may be a memmap of gigabytes), columns first.
    low, high = int(ri.min()), int(ri.max()) + 1
    strip = source[low:high]
    across_sum = np.zeros((high - low, len(columns), 3), np.float32)
    for k in range(4):
        across_sum += strip[:, ci[:, k]].astype(np.float32) * cw[None, :, k, None]
    out = np.zeros((len(rows), len(columns), 3), np.float32)
    for k in range(4):
        out += across_sum[ri[:, k] - low] * rw[:, k, None, None]
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)
