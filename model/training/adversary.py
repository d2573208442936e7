"""The discriminator of the distillation: is this a real picture of that ground resolution, given its 16×16 means?

It sees two octave pairs at once, so a level is judged together with the level that made its condition: what the
cascade's own output lacks is seen here, and nowhere else in training.
"""

import torch
from torch import nn
from torch.nn import functional as F

from model.network import Embedding

COARSE = 16  # two levels of the cascade


def coarse_mean(image: torch.Tensor) -> torch.Tensor:
    """16×16 means, enlarged back: what real and generated pictures have in common. ``(B, 3, H, W)``, H, W % 16 == 0."""
    return F.interpolate(F.avg_pool2d(image, COARSE), scale_factor=COARSE, mode="bilinear", align_corners=False)


class Discriminator(nn.Module):
    """Patch logits, one row a picture, of two fields of view (about 40 and 90 px): ``(B, N)``.

    No norm: the gradient is kept small where it matters by `smoothness` (Lin et al. 2025, arXiv 2501.08316, an
    approximation of R1 that needs no second derivative).
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 160, 192), embedding: int = 64):
        super().__init__()
        self.enter = nn.Conv2d(24, widths[0], 3, padding=1)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1)
                                    for a, b in zip(widths, widths[1:], strict=False))
        self.same = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths)
        self.resolution = Embedding(32, embedding)
        self.shift = nn.ModuleList(nn.Linear(embedding, w) for w in widths)
        self.out = nn.ModuleList(nn.Conv2d(w, 1, 1) for w in widths[-2:])
        self.project = nn.ModuleList(nn.Linear(embedding, w) for w in widths[-2:])

    def forward(self, detail, coarse, ground_resolution):
        """`detail`: whitened difference to `coarse`; `coarse` in [-1, 1]; both ``(B, 3, H, W)``, H, W % 16 == 0."""
        embedding = F.silu(self.resolution(4 * torch.log2(ground_resolution)))
        h = F.pixel_unshuffle(torch.cat([detail, coarse], 1), 2).contiguous(memory_format=torch.channels_last)
        h = self.enter(h)
        logits = []
        for i, same in enumerate(self.same):
            if i:
                h = self.shrink[i - 1](h)
            h = F.leaky_relu(h + self.shift[i](embedding)[:, :, None, None], 0.2)
            h = h + F.leaky_relu(same(h), 0.2)
            k = i - len(self.same) + len(self.out)
            if k >= 0:
                weight = self.project[k](embedding)[:, :, None, None]
                logits.append((self.out[k](h) + (h * weight).mean(1, keepdim=True)).flatten(1))
        return torch.cat([f.repeat_interleave(logits[0].shape[1] // f.shape[1], 1) for f in logits], 1)
