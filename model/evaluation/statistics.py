"""What is measured of one picture: sharpness, edges, contrast, power per octave, grid phase, agreement with the parent.

Pictures are uint8 ``(H, W, 3)``; values are in grey levels 0–255. Pure functions.
"""

import numpy as np

SQUARE = 64  # pixels: contrast and spectra are taken in squares of this size
OCTAVES = ((2, 4), (4, 8), (8, 16), (16, 32))  # wavelengths in pixels, finest first


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Plain mean of the channels, float64 ``(H, W)``."""
    return pixels.astype(np.float64).mean(axis=2)


def squares(grey: np.ndarray, size: int = SQUARE) -> np.ndarray:
    """``(H, W)`` -> ``(n, size, size)``: the whole squares that fit."""
    h, w = grey.shape[0] // size, grey.shape[1] // size
    return grey[: h * size, : w * size].reshape(h, size, w, size).swapaxes(1, 2).reshape(-1, size, size)


def laplacian(grey: np.ndarray) -> np.ndarray:
    """Five-point Laplacian of the inner pixels ``(H-2, W-2)``."""
    return grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]


def sharpness(pixels: np.ndarray) -> float:
    """Mean |Laplacian|."""
    return float(np.abs(laplacian(luminance(pixels))).mean())


def kurtosis(pixels: np.ndarray) -> float:
    """Kurtosis of the Laplacian: 3 for noise, large where there are edges. NaN for a picture without any detail."""
    values = laplacian(luminance(pixels))
    values = values - values.mean()
    variance = np.square(values).mean()
    return float((values**4).mean() / variance**2) if variance > 1e-6 else float("nan")


def contrast(pixels: np.ndarray) -> float:
    """Mean standard deviation in 64 px squares."""
    return float(squares(luminance(pixels)).std(axis=(1, 2)).mean())


def colours(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Red less blue, and green less the mean of both, float64 ``(H, W)``."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    return {"red-blue": red - blue, "green-magenta": green - (red + blue) / 2}


def octaves(values: np.ndarray) -> list[float]:
    """Power of ``(H, W)`` in each of `OCTAVES`: mean over 64 px squares under a Hann window, grey levels²."""
    window = np.hanning(SQUARE + 2)[1:-1]
    window = np.outer(window, window)
    tiles = squares(values)
    tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * window / np.sqrt(np.square(window).mean())
    power = np.square(np.abs(np.fft.fft2(tiles))).mean(axis=0) / SQUARE**4
    frequency = np.hypot(np.fft.fftfreq(SQUARE)[:, None], np.fft.fftfreq(SQUARE)[None])
    return [float(power[(frequency > 1 / long) & (frequency <= 1 / short)].sum()) for short, long in OCTAVES]


def grid_phase(pixels: np.ndarray, period: int) -> float:
    """Mean gradient across the lines of a grid over that off it; 1 where no grid shows. Pixel 0 is on the grid."""
    grey = luminance(pixels)
    on, off = [], []
    for axis in (0, 1):
        gradient = np.abs(np.diff(grey, axis=axis)).mean(axis=1 - axis)
        at = (np.arange(1, len(gradient) + 1) % period) == 0
        on.append(gradient[at])
        off.append(gradient[~at])
    below = float(np.concatenate(off).mean())
    return float(np.concatenate(on).mean()) / below if below > 0 else float("nan")


def block_mean(pixels: np.ndarray, size: int = 4) -> np.ndarray:
    """Means of size×size blocks, float64 ``(H/size, W/size, 3)``."""
    h, w = pixels.shape[0] // size, pixels.shape[1] // size
    return pixels[: h * size, : w * size].astype(np.float64).reshape(h, size, w, size, -1).mean(axis=(1, 3))


def parent_psnr(pixels: np.ndarray, parent: np.ndarray) -> float:
    """PSNR in dB of the 4×4 mean against the parent ``(H/4, W/4, 3)``; 99 where they are equal."""
    error = np.square(block_mean(pixels) - parent).mean()
    return float(min(99.0, 10 * np.log10(255**2 / error))) if error > 0 else 99.0


def describe(pixels: np.ndarray) -> dict[str, float]:
    """All that is said of one picture by itself."""
    found = {"sharpness": sharpness(pixels), "kurtosis": kurtosis(pixels), "contrast": contrast(pixels)}
    for name, values in {"octave": luminance(pixels), **colours(pixels)}.items():
        found |= {f"{name} {a}–{b} px": value for (a, b), value in zip(OCTAVES, octaves(values), strict=True)}
    return found


def of_colour(statistic: str) -> bool:
    """Whether one of `describe` is of colour, of which no target says anything."""
    return statistic.startswith(("red-blue", "green-magenta"))


def summary(described: list[dict[str, float]]) -> dict[str, float]:
    """Over many pictures: the mean of each, the median of the kurtosis (its tail is long)."""
    if not described:
        return {}
    return {
        name: float((np.nanmedian if name == "kurtosis" else np.nanmean)([d[name] for d in described]))
        for name in described[0]
    }
