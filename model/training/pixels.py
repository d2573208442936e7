"""Pictures as they are kept, uint8 ``(H, W, 3)``, and as networks take them, float32 ``(3, H, W)`` in [-1, 1]."""

import numpy as np
import torch


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """uint8 ``(H, W, 3)`` -> float32 ``(3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(pixels.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)


def as_pixels(image: torch.Tensor) -> np.ndarray:
    """float ``(3, H, W)`` in [-1, 1], on the CPU -> uint8 ``(H, W, 3)``."""
    return ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def mean_colour(pixels: np.ndarray) -> np.ndarray:
    """Of ``(H, W, 3)``: ``(3,)``, 8 times sooner than numpy's own mean over two axes."""
    return np.array([pixels[..., i].mean() for i in range(3)])


SAND, WARM = 150, 12  # grey levels of red, and over green, from which ground is sand: plains as bright are yellower
SNOW = 170            # ... of every colour
SEA, WATER = 10, 100  # ... of blue over both others, and of red at most: the sky's light on snow is as blue
STEEP = 5.0           # ... of contrast of what is white, from which it is mountains: ice has 2, they have 8


def sand(red: float, green: float) -> bool:
    """Whether that mean colour, in grey levels, is likely to be of sand."""
    return red > SAND and red > green + WARM


def white(colours: np.ndarray) -> np.ndarray:
    """Whether colours ``(…, 3)``, in grey levels, are of snow, and not of sand or of salt as bright."""
    red, green, blue = np.moveaxis(colours, -1, 0)  # numpy takes its time for axes of three
    least, most = (each(each(red, green), blue) for each in (np.minimum, np.maximum))
    return (least > SNOW) & (most - least < 2 * WARM)


def snowfield(colour: np.ndarray, contrast: float) -> bool:
    """Whether what has that mean colour ``(3,)`` and contrast, in grey levels, is likely to be mountains under snow."""
    return bool(white(colour)) and contrast > STEEP


def water(red, green, blue):
    """Which colours, in grey levels that do not overflow, are the sea's: arrays or tensors of one shape."""
    return (blue > red + SEA) & (blue > green + SEA) & (red < WATER)


def sea(pixels: np.ndarray) -> float:
    """The share of colours ``(…, 3)``, in grey levels, that are the sea's."""
    return float(water(*np.moveaxis(pixels.astype(np.float32), -1, 0)).mean())


def ashore(pictures: torch.Tensor) -> torch.Tensor:
    """Which pixels of ``(B, 3, H, W)`` in [-1, 1] are not sea, 0 or 1: ``(B, 1, H, W)``."""
    return 1 - water(*(127.5 * (pictures + 1)).split(1, 1)).float()


def bare(red: float, green: float, blue: float) -> bool:
    """Whether that mean colour, in grey levels, is likely to be of sand, snow or the sea."""
    return sand(red, green) or min(red, green, blue) > SNOW or blue > max(red, green) + SEA
