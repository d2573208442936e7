"""How sharp pictures of one level are: as much as if all came from instruments as sharp as their pixels, or as soft.

Blue Marble's own detail is 500 m, also where its pixels are 305 m. 4×4 means of 76 m pictures have 2.2, 1.7, 1.5 times
its brightness in the octaves of 2, 4, 8 px, 2.6, 2.5, 1.7 times its red-blue and 2.0, 1.7, 1.2 its green-magenta: what
z9 lacks no deeper level can add. Pictures of 4.8 m are softer than their pixels, and what stands in for them is not.
"""

import numpy as np

from model.training.pixels import as_pixels, as_tensor
from model.training.sketch import blur

# Brightness between blurs so wide, pixels, counts so much more: less than it could, for z9 is judged by Blue Marble ...
BAND, BRIGHT = (0.8, 4.0), 0.25
FINE, COLOURED = 2.0, 1.0  # ... and colour finer than this
SOFT = {"4.8": 0.65}       # pixels: by how much another level's picture is softer where it stands in


def crisp(pixels: np.ndarray) -> np.ndarray:
    """A picture of Blue Marble at 305 m as a sharper instrument might show it: uint8 ``(H, W, 3)``."""
    image = as_tensor(pixels)
    grey = image.mean(0, keepdim=True)
    colour = image - grey
    narrow, wide = (blur(grey[None], width)[0] for width in BAND)
    grey = grey + BRIGHT * (narrow - wide)
    colour = colour + COLOURED * (colour - blur(colour[:, None], FINE)[:, 0])
    return as_pixels(grey + colour)


def stand_in(pixels: np.ndarray, level: str) -> np.ndarray:
    """Another level's picture, no sharper than those of `level`: uint8 ``(H, W, 3)``."""
    return as_pixels(blur(as_tensor(pixels)[:, None], SOFT[level])[:, 0]) if level in SOFT else pixels
