"""Ways to lay light and colours on a picture ``(B, 3, H, W)`` in -1…1."""

import torch

from model import ground

WARM = 1.05, 1.0, 0.9  # light is a little red, shade a little blue
LIGHTER = 0.7, 0.6, 0.45      # a light field is dry, ...
GREENER = -0.85, -0.12, -0.1  # ... a green one is less red: land differs more in that than in its green
MOST = 1.6                    # of either


def lit(picture: torch.Tensor, light: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` made lighter and darker by a `share` of `light`, both ``(B, 1, H, W)``."""
    return picture + (picture + 1) * (share * (light * ground.channels(WARM, light)))


def painted(picture: torch.Tensor, fields: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` made lighter or darker, and greener or browner, by as much as `fields`, pairs of channels
    ``(B, 2·n, H, W)``, say of each pixel, times `share`, ``(B, 1, H, W)``."""
    light, lush = fields.unflatten(1, (-1, 2)).sum(1).clamp(-MOST, MOST).split(1, 1)
    lighter, greener = (ground.channels(of, fields) for of in (LIGHTER, GREENER))
    return picture + (picture + 1) * share * (light * lighter + lush * greener)


def covered(picture: torch.Tensor, colour: tuple[float, ...], share: torch.Tensor) -> torch.Tensor:
    """``(B, 3, H, W)`` of which a `share`, ``(B, 1, H, W)``, is of a colour in grey levels."""
    return picture + share * (ground.coloured(colour, picture) - picture)
