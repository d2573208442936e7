"""The arithmetic that fields are made of, for NumPy's arrays and, to the same bit, for tensors on any device.

On a processor NumPy is the faster (a hash takes torch twice as long); on a GPU there is torch alone. So `parcels`,
`cover`, `land_use`, `gullies`, `towns`, `roads`, and what is laid on pictures, as `houses` are, are written once, for
either: a `device` of None is NumPy. Their integers are uint64; of tensors they are int64 with the same bits, for GPUs
do not reckon with unsigned ones. Whatever is on a device is sent there without waiting for it.
"""

import numpy as np
import torch

FEW = 8192  # numbers that are made and sent to a GPU before it has begun with the thirty operations that make them

_GOLDEN, _FIRST, _SECOND = (np.uint64(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def of(device: torch.device) -> torch.device | None:
    """Where fields are made for a network on a device."""
    return None if device.type == "cpu" else device


def put(array: np.ndarray, device: torch.device | None):
    """An array, there; uint64 as int64 of the same bits."""
    if device is None:
        return array
    array = np.ascontiguousarray(array.view(np.int64) if array.dtype == np.uint64 else array)
    return torch.from_numpy(array).to(device, non_blocking=True)


def zeros(shape: tuple[int, ...], device: torch.device | None):
    """float32."""
    return np.zeros(shape, np.float32) if device is None else torch.zeros(shape, device=device)


def library(x):
    """The one of torch and NumPy whose functions are for x: those that have the same name and do the same."""
    return torch if torch.is_tensor(x) else np


def signed(number: int) -> int:
    """An integer of 64 bits as int64 has it."""
    return int(np.uint64(number).view(np.int64))


def shifted(bits: torch.Tensor, by: int) -> torch.Tensor:
    """To the right, as of unsigned numbers."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def hashed(key, *parts):
    """A key, uint64, of a key and integers, broadcast (splitmix64, Steele et al. 2014)."""
    if all(isinstance(x, (int, np.integer)) for x in (key, *parts)):
        return _hashed_number(int(key), parts)
    if any(torch.is_tensor(x) for x in (key, *parts)):
        return _hashed_tensors(key, parts)
    with np.errstate(over="ignore"):
        for part in parts:
            part = np.asarray(part)
            key = key ^ (part.view(np.uint64) if part.dtype == np.int64 else part.astype(np.uint64))
            key += _GOLDEN  # in place: most of the time goes into memory
            key ^= key >> np.uint64(30)
            key *= _FIRST
            key ^= key >> np.uint64(27)
            key *= _SECOND
            key ^= key >> np.uint64(31)
    return key


def _hashed_number(key: int, parts) -> np.uint64:
    for part in parts:
        key = ((key ^ int(part)) + int(_GOLDEN)) % 2**64
        key = (key ^ (key >> 30)) * int(_FIRST) % 2**64
        key = (key ^ (key >> 27)) * int(_SECOND) % 2**64
        key ^= key >> 31
    return np.uint64(key)


def _hashed_tensors(key, parts) -> torch.Tensor:
    key = key if torch.is_tensor(key) else signed(key)
    for part in parts:
        key = key ^ part
        key += signed(_GOLDEN)
        key ^= shifted(key, 30)
        key *= signed(_FIRST)
        key ^= shifted(key, 27)
        key *= signed(_SECOND)
        key ^= shifted(key, 31)
    return key


def scaled(bits, low: float, high: float):
    """The uppermost 24 bits, as a float32 in low…high."""
    share = shifted(bits, 40).float() if torch.is_tensor(bits) else (bits >> np.uint64(40)).astype(np.float32)
    share *= 2**-24
    share *= float(np.float32(high - low))
    share += float(np.float32(low))
    return share


def grid(key, columns: np.ndarray, rows: np.ndarray, low: float, high: float, device: torch.device | None):
    """A number in low…high of every column and row: float32 ``(rows, columns)``; of keys ``(n, 1, 1)`` of each."""
    few = device is None or len(columns) * len(rows) * np.size(key) <= FEW
    if not few:
        columns, rows = (put(of, device) for of in (columns, rows))
        key = put(key, device) if np.ndim(key) else key
    found = scaled(hashed(key, columns, rows[:, None]), low, high)
    return put(found, device) if few else found


def uniform(key, which: int, low: float = 0.0, high: float = 1.0):
    """Number `which` of a key, in low…high."""
    return scaled(hashed(key, which), low, high)


def whole(x):
    """int64."""
    return x.long() if torch.is_tensor(x) else x.astype(np.int64)


def single(x):
    """float32."""
    return x.float() if torch.is_tensor(x) else x.astype(np.float32)


def double(x):
    """float64."""
    return x.double() if torch.is_tensor(x) else x.astype(np.float64)


def odd(bits):
    """Whether numbers are."""
    return (bits & 1).bool() if torch.is_tensor(bits) else (bits & np.uint64(1)).astype(bool)


def quotient(x, by: float):
    """x / by: a GPU would multiply by the reciprocal of a number, and round twice."""
    return x / (torch.full((), float(by), device=x.device) if torch.is_tensor(x) else by)


def root(x):
    """The square root: torch's own of float32 is, on some processors, off by a last digit."""
    return x.double().sqrt().float() if torch.is_tensor(x) else np.sqrt(x)


def replaced(x, value, where):
    """x with `value` in place of it at some places; an array's own, written over."""
    if torch.is_tensor(x):
        return torch.where(where, value, x)
    np.copyto(x, value, where=where)
    return x


def nearest(kept, *found) -> None:
    """Write over the channels of what is `kept`, the last of which says how near it is, where what is `found` of each
    is nearer."""
    nearer = found[-1] > kept[-1]
    for channel, value in enumerate(found):
        kept[channel] = replaced(kept[channel], value, nearer)


def joined(parts: list):
    """One after another along their first axis."""
    return library(parts[0]).concatenate(parts)


def picked(x, index, axis: int):
    """Rows (axis 0) or columns (1) of x ``(h, w)`` by their numbers, all of which there are."""
    # That nothing is outside takes as long to find out as the rest.
    return x.index_select(axis, index) if torch.is_tensor(x) else x.take(index, axis, mode="clip")


def stretched(x, times: int, axis: int):
    """Every row or column so many times."""
    return x.repeat_interleave(times, axis) if torch.is_tensor(x) else x.repeat(times, axis)
