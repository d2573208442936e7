"""How far two sets of pictures are apart: KID, its spread over scenes, FID.

KID (Bińkowski et al. 2018) is the squared maximum mean discrepancy under the kernel (x·y/d + 1)³. A picture and its
counterpart show one place and are not independent, so pairs of the same patch are left out of all three terms.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch

DRAWS = 200  # of the bootstrap


def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


@dataclass(frozen=True)
class Distance:
    """KID, and its bootstrap draws over scenes."""

    value: float
    draws: np.ndarray

    @property
    def spread(self) -> float:
        """Standard deviation over the draws."""
        return float(np.nanstd(self.draws))

    def as_dict(self) -> dict:
        return {"kid": self.value, "spread": self.spread}


def _blocks(x: list[torch.Tensor], y: list[torch.Tensor]) -> np.ndarray:
    """Mean kernel between the crops of patches: ``(len(x), len(y))``."""
    owner_x = torch.repeat_interleave(torch.arange(len(x)), torch.tensor([len(v) for v in x]))
    owner_y = torch.repeat_interleave(torch.arange(len(y)), torch.tensor([len(v) for v in y]))
    values = kernel(torch.cat(x), torch.cat(y))
    rows = torch.zeros(len(x), values.shape[1], dtype=values.dtype).index_add_(0, owner_x, values)
    sums = torch.zeros(len(x), len(y), dtype=values.dtype).index_add_(1, owner_y, rows)
    counts = torch.tensor([len(v) for v in x])[:, None] * torch.tensor([len(v) for v in y])[None]
    return (sums / counts).numpy()


def kid(real: list[torch.Tensor], made: list[torch.Tensor], scenes: list[str], seed: int = 0) -> Distance:
    """KID of counterparts: item i of both is patch i, its features ``(crops, d)``; `scenes[i]` is its scene.

    The same `seed` and scenes give the same draws, so that two distances can be compared draw by draw.
    """
    rr, mm, rm = _blocks(real, real), _blocks(made, made), _blocks(real, made)
    apart = 1.0 - np.eye(len(real))

    def value(weight):
        pairs = weight[:, None] * weight[None] * apart
        total = pairs.sum()
        return float(((rr + mm - rm - rm.T) * pairs).sum() / total) if total > 0 else float("nan")

    names = sorted(set(scenes))
    index = np.array([names.index(s) for s in scenes])
    rng = np.random.default_rng(seed)
    draws = [
        value(np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[index].astype(float))
        for _ in range(DRAWS)
    ]
    return Distance(value(np.ones(len(real))), np.array(draws))


def floor(real: list[torch.Tensor], seed: int = 0, splits: int = 50) -> Distance:
    """KID of real against real: random halves of the patches. The spread is over the splits."""
    rr = _blocks(real, real)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(splits):
        order = rng.permutation(len(real))
        a, b = order[: len(real) // 2], order[len(real) // 2 :]
        inside = [(rr[np.ix_(i, i)].sum() - np.trace(rr[np.ix_(i, i)])) / (len(i) * (len(i) - 1)) for i in (a, b)]
        values.append(inside[0] + inside[1] - 2 * rr[np.ix_(a, b)].mean())
    return Distance(float(np.mean(values)), np.array(values))


def difference(a: Distance, b: Distance) -> tuple[float, float]:
    """a - b and the spread of that, draw by draw."""
    return a.value - b.value, float(np.nanstd(a.draws - b.draws))


def _through(feature_dimension: int) -> torch.nn.Module:
    """Features are given ready to torchmetrics, whose `feature` may be any module."""
    module = torch.nn.Identity()
    module.num_features = feature_dimension
    return module


def fid(real: torch.Tensor, made: torch.Tensor) -> float:
    """Fréchet distance of features ``(n, d)``, by torchmetrics."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_through(real.shape[1]))
    metric.set_dtype(torch.float64)
    metric.update(real.float(), real=True)
    metric.update(made.float(), real=False)
    return float(metric.compute())


def plain_kid(real: torch.Tensor, made: torch.Tensor, subset: int, subsets: int = 1) -> float:
    """KID as torchmetrics has it: all pairs, without regard to places and scenes."""
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance`")
        metric = KernelInceptionDistance(feature=_through(real.shape[1]), subsets=subsets, subset_size=subset)
    metric.update(real, real=True)
    metric.update(made, real=False)
    return float(metric.compute()[0])
