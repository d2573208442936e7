"""Snow, laid over pictures of mountains: of real snow with light and shadow the imagery has two dozen patches.

Without them all that is white was held against sea ice and calm snow, and the high mountains of every world were
clouds. What snow on a mountain looks like is mostly the mountain: its relief, lit, in white and the blue of the sky's
light in the shadows, and the bare rock of the steepest slopes. Blue Marble has it at 305 m and coarser (`snowy`); at
the finer levels it is laid over mountains that have none (`snowed`).
"""

import numpy as np
import torch
from torch.nn import functional as F

from model.training.pixels import as_pixels, as_tensor
from model.training.sketch import blur

RELIEF = ("mountain", "volcano", "alps", "ridges")  # words of land covers whose light and shadow is relief
LIT, SHADED = (248.0, 249.0, 251.0), (118.0, 138.0, 172.0)  # of snow in the sun, and in the sky's light alone
WIDE = 24         # pixels about which a slope is light or dark
SNOWLINES = (16.0, 60.0)  # pixels: how wide the patches are that are free of snow
LEAST, MOST = -0.6, 2.4   # how much of a picture is covered: about a third, and all but the rock


# Shares of a picture: white, bare and dark, of its squares of 16 px with both.
WHITE, BARE, BOTH = (0.1, 0.85), 0.08, 0.3
COARSE = 4  # pixels of the grid on which all that is wide is computed


def wide(x: torch.Tensor, width: float) -> torch.Tensor:
    """``(1, 1, h, w)`` on the coarse grid, smoothed by a Gaussian of so many pixels and enlarged to pixels."""
    return F.interpolate(blur(x, width / COARSE), scale_factor=COARSE, mode="bilinear")


def snowy(pixels: np.ndarray) -> bool:
    """Whether a picture, uint8 ``(256, 256, 3)``, shows mountains or hills partly under snow."""
    red, green, blue = (pixels[..., i].astype(np.int16) for i in range(3))
    red_green = np.maximum(red, green)
    white = np.minimum(np.minimum(red, green), blue) > 190
    bare = ~white & (blue < red_green + 6) & (red + green + blue < 3 * 130)
    part = white.reshape(16, 16, 16, 16).mean((1, 3))
    return (WHITE[0] < white.mean() < WHITE[1] and bare.mean() > BARE
            and ((part > 0.1) & (part < 0.9)).mean() > BOTH)


def snowed(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture of mountains, uint8 ``(H, W, 3)``, H and W multiples of 4, under snow, more or less of it."""
    picture = (as_tensor(pixels)[None] + 1) * 127.5
    grey = picture.mean(1, keepdim=True)
    light = grey - wide(F.avg_pool2d(grey, COARSE), WIDE)
    light = light / (light.square().mean().sqrt() + 1.0)
    snow = torch.lerp(torch.tensor(SHADED)[:, None, None], torch.tensor(LIT)[:, None, None],
                      torch.sigmoid(1.6 * light + 1.1))
    coarse = (1, 1, *(n // COARSE for n in grey.shape[2:]))
    ground = wide(torch.from_numpy(rng.standard_normal(coarse, dtype=np.float32)), rng.uniform(*SNOWLINES))
    ground = ground / ground.std() + float(rng.uniform(LEAST, MOST))
    cover = torch.sigmoid(7.0 * (ground + 0.35 * light)) * torch.sigmoid(5.0 * (light + 1.9))
    return as_pixels((torch.lerp(picture, snow, cover) / 127.5 - 1)[0])
