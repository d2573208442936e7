"""Features that need no download: a second-order wavelet scattering transform (Bruna & Mallat 2013) of 64 px crops.

    S1(j, θ)           = mean |x ∗ ψ_{j,θ}|
    S2(j, θ, j', θ')   = mean ||x ∗ ψ_{j,θ}| ∗ ψ_{j',θ'}|,   j' > j

of luminance, in logarithms (S2 relative to its S1), with the mean colour and the deviation of both chroma axes. S1 is
the power of each octave and direction, S2 how it is bunched: edges and fields against grain.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from model.residual import AXES

CROP = 64  # pixels
PAD = 16  # of reflection on each side, so that no edge wraps around
SCALES = 4  # octaves: wavelengths of 2.7, 5.3, 10.7 and 21.3 px
ANGLES = 4
QUIET = 0.3  # grey levels: below this, differences are rounding


def groups() -> dict[str, list[int]]:
    """Features by what they tell: how strong the octave of a wavelength is, and how it is bunched over a longer one."""
    found, at = {}, 5
    for j in range(SCALES):
        found[f"{8 / 3 * 2**j:.1f} px"] = list(range(at, at + ANGLES))
        at += ANGLES
        longer = SCALES - 1 - j
        for k in range(longer):
            found[f"{8 / 3 * 2**j:.1f} over {8 / 3 * 2 ** (j + 1 + k):.1f} px"] = [
                at + (a * longer + k) * ANGLES + b for a in range(ANGLES) for b in range(ANGLES)]
        at += longer * ANGLES**2
    return found


def _morlet(size: int, scale: int, angle: float) -> torch.Tensor:
    """Fourier transform ``(size, size)`` of a Morlet wavelet, zero at frequency 0, greatest value 1."""
    frequency = 2 * math.pi * torch.fft.fftfreq(size, dtype=torch.float64)
    fy, fx = torch.meshgrid(frequency, frequency, indexing="ij")
    u = math.cos(angle) * fx + math.sin(angle) * fy
    v = (-math.sin(angle) * fx + math.cos(angle) * fy) / 0.5  # slant: half as selective across as along
    sigma, centre = 0.8 * 2**scale, 0.75 * math.pi / 2**scale

    def gauss(shift):
        return torch.exp(-0.5 * sigma**2 * ((u - shift) ** 2 + v**2))

    wave = gauss(centre) - gauss(0.0) * math.exp(-0.5 * (sigma * centre) ** 2)
    return (wave / wave.max()).float()


class Scattering(nn.Module):
    """uint8 ``(N, 3, 64, 64)`` -> float32 ``(N, num_features)``."""

    def __init__(self):
        super().__init__()
        size = CROP + 2 * PAD
        angles = [math.pi * i / ANGLES for i in range(ANGLES)]
        bank = torch.stack([torch.stack([_morlet(size, j, a) for a in angles]) for j in range(SCALES)])
        self.register_buffer("bank", bank)
        self.num_features = 5 + SCALES * ANGLES + SCALES * (SCALES - 1) // 2 * ANGLES**2

    @torch.inference_mode()
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        axes = torch.einsum("ac,nchw->nahw", AXES.to(self.bank.device), crops.to(self.bank.device).float())
        colour = axes.mean((2, 3)) / math.sqrt(3)
        chroma = torch.log(axes[:, 1:].std((2, 3)) + QUIET)
        grey = axes[:, :1] / math.sqrt(3)
        spectrum = torch.fft.fft2(F.pad(grey, [PAD] * 4, mode="reflect"))
        out = [colour / 16, chroma]
        for j in range(SCALES):
            modulus = _modulus(torch.fft.ifft2(spectrum * self.bank[j]))  # (N, angles, size, size)
            first = _inner_mean(modulus)
            out.append(torch.log(first + QUIET))
            if j + 1 < SCALES:
                # The next wavelets are slow: 2^j fewer samples carry all that they see.
                small = _fewer(torch.fft.fft2(modulus), 2**j)[:, :, None, None]
                bank = _fewer(self.bank[j + 1 :], 2**j)
                second = _modulus(torch.fft.ifft2(small * bank[None, None])) / 4**j
                second = _inner_mean(second, PAD // 2**j)  # (N, angles, scales, angles)
                out.append(torch.log((second + 0.1 * QUIET) / (first[:, :, None, None] + QUIET)).flatten(1))
        return torch.cat(out, dim=1)


def _modulus(x: torch.Tensor) -> torch.Tensor:
    """torch's own guards against overflow, which takes four times as long."""
    return x.real.square().addcmul_(x.imag, x.imag).sqrt_()


def _inner_mean(x: torch.Tensor, pad: int = PAD) -> torch.Tensor:
    return x[..., pad:-pad, pad:-pad].mean((-2, -1))


def _fewer(spectrum: torch.Tensor, factor: int) -> torch.Tensor:
    """Keep the lowest frequencies: the last two axes shrink by `factor`, the values stay (the caller divides)."""
    if factor == 1:
        return spectrum
    half = spectrum.shape[-1] // factor // 2
    rows = torch.cat([spectrum[..., :half, :], spectrum[..., -half:, :]], dim=-2)
    return torch.cat([rows[..., :half], rows[..., -half:]], dim=-1)


def crops_of(pixels) -> torch.Tensor:
    """uint8 picture ``(H, W, 3)`` -> its crops ``(n, 3, 64, 64)``, side by side."""
    image = torch.as_tensor(pixels).permute(2, 0, 1)
    h, w = image.shape[1] // CROP, image.shape[2] // CROP
    image = image[:, : h * CROP, : w * CROP].reshape(3, h, CROP, w, CROP)
    return image.permute(1, 3, 0, 2, 4).reshape(-1, 3, CROP, CROP)


class Reduction:
    """Principal components of real features, each scaled to unit variance: ``(n, D)`` -> ``(n, ≤ 32)`` float64."""

    def __init__(self, real: torch.Tensor, components: int = 32):
        real = real.double()
        self.mean, self.std = real.mean(0), real.std(0) + 1e-3
        values, vectors = torch.linalg.eigh(torch.cov(((real - self.mean) / self.std).T))
        keep = min(components, len(real) // 4)
        # The floor keeps a direction in which the reals hardly differ from deciding everything.
        self.matrix = vectors[:, -keep:] / values[-keep:].clamp(min=0.05 * float(values.mean())).sqrt()

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        return ((features.double() - self.mean) / self.std) @ self.matrix
