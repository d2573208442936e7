"""What every training does alike: chance that is a function of a seed and a number, an average of the weights, and a
file that is the old one or the new one."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn


def chance(seed: int, number: int) -> np.random.Generator:
    """Item `number` of a run draws from this, whoever draws it, and when."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, number], dtype=np.uint64)))


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, most: float) -> None:
    """The average's parameters after a step, in place: at first of a few steps, by `most` in the end."""
    decay = min(most, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)


def write(value, path: Path) -> None:
    """As torch saves it; a kill at any moment leaves the old file or the new one."""
    torch.save(value, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)
