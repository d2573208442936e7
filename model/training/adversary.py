"""The discriminator of the distillation: is this a real picture of that ground resolution, given its 16×16 means?

It sees two octave pairs at once, so a level is judged together with the level that made its condition: what the
cascade's own output lacks is seen here, and nowhere else in training.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from model.network import Embedding

COARSE = 16  # two levels of the cascade


def coarse_mean(image: torch.Tensor) -> torch.Tensor:
    """16×16 means, enlarged back: what real and generated pictures have in common. ``(B, 3, H, W)``, H, W % 16 == 0."""
    return F.interpolate(F.avg_pool2d(image, COARSE), scale_factor=COARSE, mode="bilinear", align_corners=False)


class Discriminator(nn.Module):
    """Patch logits ``(B, 1, H/8, W/8)`` of picture, common means and ground resolution."""

    def __init__(self, width: int = 64, embedding: int = 64):
        super().__init__()
        shape = [(24, width, 1), (width, width, 1), (width, 3 * width // 2, 2), (3 * width // 2, 3 * width // 2, 1),
                 (3 * width // 2, 2 * width, 2), (2 * width, 2 * width, 1)]
        self.convs = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 3, stride=s, padding=1)) for a, b, s in shape)
        self.out = spectral_norm(nn.Conv2d(2 * width, 1, 1))
        self.resolution = Embedding(32, embedding)
        self.shift = nn.ModuleList(nn.Linear(embedding, b) for _, b, _ in shape)
        self.project = nn.Linear(embedding, 2 * width)

    def forward(self, detail, coarse, ground_resolution):
        """`detail`: whitened difference to `coarse`, unit variance; `coarse` in [-1, 1]; both ``(B, 3, H, W)``."""
        embedding = F.silu(self.resolution(4 * torch.log2(ground_resolution)))
        h = F.pixel_unshuffle(torch.cat([detail, coarse], 1), 2).contiguous(memory_format=torch.channels_last)
        for conv, shift in zip(self.convs, self.shift, strict=True):
            h = F.leaky_relu(conv(h) + shift(embedding)[:, :, None, None], 0.2)
        return self.out(h) + (h * self.project(embedding)[:, :, None, None]).mean(1, keepdim=True)
