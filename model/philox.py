"""Philox 4x64-10 (Salmon et al. 2011) on a device: the bits of NumPy's generator of that name, all numbers at once.

Tensors have no unsigned integers of 64 bits to reckon with: int64 has the same bits, and overflows alike.
"""

import torch

from model.arrays import shifted, signed

ROUNDS = 10
FACTORS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B  # by which the key grows from round to round
_LOW = 0xFFFFFFFF


def product(x: torch.Tensor, factors: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of int64 ``(n, …)``, each times one factor, 128 bits: the upper and the lower 64."""
    shape = -1, *[1] * (x.ndim - 1)
    # Filled in on the device: to send numbers there waits for all that it still has to do.
    whole, lower, upper = (torch.stack([torch.full((), signed(of), device=x.device) for of in parts]).reshape(shape)
                           for parts in (factors, [f & _LOW for f in factors], [f >> 32 for f in factors]))
    low, high = x & _LOW, shifted(x, 32)
    across, along = low * upper, high * lower
    carry = shifted(low * lower, 32) + (across & _LOW) + (along & _LOW)
    return high * upper + shifted(across, 32) + shifted(along, 32) + shifted(carry, 32), x * whole


def drawn(counter: torch.Tensor, key: tuple[int, int]) -> torch.Tensor:
    """Four numbers of each counter, as int64: ``(4, …)`` -> ``(4, …)``."""
    even, odd = counter[::2], counter[1::2]
    for i in range(ROUNDS):
        keys = (signed((k + i * w) % 2**64) for k, w in zip(key, WEYL, strict=True))
        upper, lower = product(even, FACTORS)
        even = torch.stack([high ^ old ^ k for high, old, k in zip(upper.flip(0), odd, keys, strict=True)])
        odd = lower.flip(0)
    return torch.stack([even[0], odd[0], even[1], odd[1]])
