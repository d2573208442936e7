"""One level: the picture four times finer than its condition, as a network draws it.

A network whose scale is 4 draws it at once. One whose scale is 2 is asked twice, for the zoom between the two levels and
then for the level, each time with its own DDIM: an octave is far easier to learn than two, and the coarser, on a quarter
of the pixels, decides most of what there is to see.
"""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from model.network import SCALE, Network, NetworkConfig, inner
from model.residual import Whitening, enlarge
from model.schedule import ddim


def passes(config: NetworkConfig) -> list[int]:
    """How many times coarser than the level the picture of each pass is: ``[1]``, or ``[2, 1]``."""
    return [1] if config.scale == SCALE else [2, 1]


def coarser_noise(noise: torch.Tensor, coarser: int) -> torch.Tensor:
    """The same field on a coarser grid: means of its squares, of variance one again. ``(B, 3, H, W)``."""
    return noise if coarser == 1 else coarser * F.avg_pool2d(noise, coarser)


def everywhere(resolution: torch.Tensor) -> Callable:
    """For `refine`: one ground resolution a picture ``(B,)``, m/px of the level."""
    return lambda coarser, dropped, drop: (coarser * resolution, coarser * resolution)


def refine(network: Network, whitening: Whitening, times: Sequence[Sequence[int]], low: torch.Tensor,
           noise: torch.Tensor, resolutions: Callable, told: torch.Tensor, drops: Sequence[int] = (0, 0), extra=None,
           project: bool = False, check=lambda: None) -> torch.Tensor:
    """``(B, 3, 4h - 2·dropped, 4w - 2·dropped)``, about [-1, 1], of conditions ``(B, 3, h, w)`` in [-1, 1].

    Parameters
    ----------
    times : DDIM timesteps of each of the `passes`.
    noise : ``(B, 3, 4h, 4w)``, of variance one.
    resolutions : ``(coarser, dropped, drop)`` -> m/px as `Network.forward` and as `Whitening.colour` take it: of a pass's
        picture, which begins `dropped` pixels of the level inside the whole, and of that picture less `drop` of its own.
    told : ``(B,)`` degradation of the conditions, as the network is told.
    drops : pixels of the level on every side that are not wanted of each pass's picture; the last call of each does not
        compute what only they would need.
    extra : what `Network.read` made of the noise, if it knows more of it.
    project : take out of each residual its own means over the condition's pixels.
    check : called before each network call; may raise.
    """
    config, dropped = network.config, 0
    for coarser, asked, unwanted in zip(passes(config), times, drops[-len(passes(config)):], strict=True):
        drop = unwanted // coarser
        low = low.contiguous(memory_format=torch.channels_last)
        features = network.encode(low)
        start = coarser_noise(inner(noise, dropped), coarser).contiguous(memory_format=torch.channels_last)
        of_patches, of_pixels = resolutions(coarser, dropped, drop)

        def denoise(x, t, features=features, of_patches=of_patches, last=asked[-1], drop=drop):
            check()
            cut = drop if t == last else 0
            return network(x, torch.full((len(x),), float(t), device=x.device), features, of_patches, told, drop=cut,
                           extra=extra).float()

        residual = whitening.colour(ddim(denoise, start, list(asked), config.predicts), of_pixels)
        if project:
            size = config.scale
            residual = residual - F.interpolate(F.avg_pool2d(residual, size), scale_factor=size, mode="nearest")
        low = inner(enlarge(low, config.scale), drop) + residual
        dropped += unwanted
    return low
