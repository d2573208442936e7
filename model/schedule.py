"""The paper's noise schedule and the deterministic DDIM sampler. Functions of their arguments, nothing else.

x_t = sqrt(ᾱ_t)·x_0 + sqrt(1-ᾱ_t)·ε,   v = sqrt(ᾱ_t)·ε - sqrt(1-ᾱ_t)·x_0   (Salimans & Ho 2022)
"""

import numpy as np
import torch

STEPS = 1000  # T


def alpha_bars() -> torch.Tensor:
    """ᾱ_t of the linear schedule β from 0.0015 to 0.0155 over T = 1000 (the paper's §IV-A); float32 ``(1000,)``."""
    beta = np.linspace(0.0015, 0.0155, STEPS, dtype=np.float64)
    return torch.from_numpy(np.cumprod(1 - beta).astype(np.float32))


def timesteps(steps: int) -> list[int]:
    """`steps` timesteps from T-1 down, evenly spaced ("trailing": the first always sees pure noise)."""
    if not 1 <= steps <= STEPS:
        raise ValueError(f"steps must be 1…{STEPS}, not {steps}")
    return [round(STEPS * (steps - i) / steps) - 1 for i in range(steps)]


def from_v(x, v, alpha_bar):
    """(x_0, ε) from x_t and v; `alpha_bar` broadcasts."""
    a, s = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    return a * x - s * v, s * x + a * v


def ddim(denoise, noise: torch.Tensor, times: list[int]) -> torch.Tensor:
    """DDIM with η = 0 (Song et al. 2021, eq. 12): x_0 from `noise`.

    `denoise(x, t) -> v`; both ``(B, 3, H, W)``, t an int. The last step ends at ᾱ = 1, so x_0 is returned itself.
    """
    alphas = alpha_bars().to(noise.device)
    x = noise
    for t, following in zip(times, [*times[1:], None], strict=True):
        x0, eps = from_v(x, denoise(x, t), alphas[t])
        if following is None:
            return x0
        x = alphas[following].sqrt() * x0 + (1 - alphas[following]).sqrt() * eps
    raise ValueError("times must not be empty")
