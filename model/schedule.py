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


def clean(x, output, alpha_bar, predicts: str):
    """x_0 from x_t and the network's output, which is x_0 itself, v or ε; `alpha_bar` broadcasts."""
    if predicts == "x0":
        return output
    a, s = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    return a * x - s * output if predicts == "v" else (x - s * output) / a


def ddim(denoise, noise: torch.Tensor, times: list[int], predicts: str) -> torch.Tensor:
    """DDIM with η = 0 (Song et al. 2021, eq. 12): x_0 from `noise`.

    `denoise(x, t)` is the network, its output being what it `predicts`; both ``(B, 3, H, W)``, t an int. The last step
    ends at ᾱ = 1, so x_0 is returned itself.
    """
    alphas = alpha_bars().to(noise.device, non_blocking=True)
    x, x0 = noise, None
    for i, t in enumerate(times):
        if i:
            eps = (x - alphas[times[i - 1]].sqrt() * x0) / (1 - alphas[times[i - 1]]).sqrt()
            x = alphas[t].sqrt() * x0 + (1 - alphas[t]).sqrt() * eps
        x0 = clean(x, denoise(x, t), alphas[t], predicts)
    return x0
