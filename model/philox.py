"""Philox 4x64-10 (Salmon et al. 2011) on a device: the bits of NumPy's generator of that name, all numbers at once.

Tensors have no unsigned integers of 64 bits to reckon with: int64 has the same bits, and overflows alike.
"""

import torch

from model.arrays import shifted, signed

ROUNDS = 10
FACTORS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B  # by which the key grows from round to round
_LOW = 0xFFFFFFFF


def drawn(counter: torch.Tensor, key: tuple[int, int]) -> torch.Tensor:
    """Four numbers of each counter, as int64: ``(4, …)`` -> ``(4, …)``."""
    even, odd = counter[::2], counter[1::2]
    # Made there: to send them would wait for all that a GPU still has to do.
    factors = [torch.stack([torch.full_like(counter[0, ..., :1], signed(of)) for of in parts])
               for parts in (FACTORS, [f & _LOW for f in FACTORS], [f >> 32 for f in FACTORS])]
    for i in range(ROUNDS):
        keys = (signed((k + i * w) % 2**64) for k, w in zip(key, WEYL, strict=True))
        upper, lower = product(even, *factors)
        even = torch.stack([high ^ old ^ k for high, old, k in zip(upper.flip(0), odd, keys, strict=True)])
        odd = lower.flip(0)
    return torch.stack([even[0], odd[0], even[1], odd[1]])


def product(x: torch.Tensor, factor: torch.Tensor, lower: torch.Tensor,
            upper: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The upper and the lower 64 of a product's 128 bits; of the factor its lower and its upper 32 are given too."""
    low, high = x & _LOW, shifted(x, 32)
    across, along = low * upper, high * lower
    carry = shifted(low * lower, 32) + (across & _LOW) + (along & _LOW)
    return high * upper + shifted(across, 32) + shifted(along, 32) + shifted(carry, 32), x * factor
