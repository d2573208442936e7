"""Inception features for whoever has the weights: the TorchScript file that StyleGAN's metrics use.

The network takes uint8 pictures ``(N, 3, H, W)`` of any size (it resizes itself) and, with ``return_features=True``,
gives ``(N, 2048)``. The file cannot be had here, so the loader is tested with a random network of that interface.
"""

from pathlib import Path

import torch
from torch import nn

from model.errors import BadCheckpoint


class Inception(nn.Module):
    """uint8 ``(N, 3, H, W)`` -> float32 ``(N, num_features)``; raises `BadCheckpoint` if the file is another."""

    def __init__(self, path: Path):
        super().__init__()
        try:
            self.network = torch.jit.load(str(path), map_location="cpu").eval()
            probe = self(torch.zeros(1, 3, 299, 299, dtype=torch.uint8))
        except (RuntimeError, ValueError, OSError) as error:
            raise BadCheckpoint(f"{path} is not a TorchScript Inception network: {error}") from None
        if probe.ndim != 2 or len(probe) != 1:
            raise BadCheckpoint(f"{path} gives features of shape {tuple(probe.shape)}, not (N, d)")
        self.num_features = probe.shape[1]

    @torch.inference_mode()
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.network(pictures, return_features=True).float()
