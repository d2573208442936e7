"""What a checkpoint is and how far it sees: parameters, FLOPs, receptive field, the error at a core's edge."""

import copy
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.grid import TILE
from model.network import SCALE, NetworkConfig, parameter_count
from model.readings import Cells, Creases, Relief
from model.window import TILES, generate


@torch.inference_mode()
def gigaflops(checkpoint: Checkpoint) -> dict[str, float]:
    """GFLOP (a multiply and an add count as two) of one new tile, halo and encoder included, and of a bare 256²."""
    network, sampler = checkpoint.network, checkpoint.sampler
    device = next(network.parameters()).device

    def count(call):
        with FlopCounterMode(display=False) as counter:
            result = call()
        return counter.get_total_flops() / 1e9, result

    def of(size, drop=0):
        low = torch.zeros(1, 3, size // SCALE, size // SCALE, device=device)
        one = torch.ones(1, device=device)
        encode, features = count(lambda: network.encode(low))
        call, _ = count(lambda: network(torch.zeros(1, 3, size, size, device=device), one, features, one, one, drop))
        return encode, call

    encode, whole = of(TILE + 2 * sampler.halo)
    _, last = of(TILE + 2 * sampler.halo, sampler.halo if network.config.predicts == "x0" else 0)
    return {"tile": encode + (len(sampler.times) - 1) * whole + last, "call_256": of(TILE)[1]}


def theoretical_radius(config: NetworkConfig) -> int:
    """Pixels beyond which one network call cannot see: the sum over the U of each convolution's reach."""
    convs = 2 * config.blocks
    reach = config.patch  # first convolution
    deepest = len(config.multipliers) - 1
    for i in range(len(config.multipliers)):
        stride = config.patch * 2**i
        # The deepest level, too, is passed down and up.
        reach += 2 * convs * stride * (config.deepest // 2 if i == deepest else 1)
        if i < deepest:
            reach += stride + stride + 2 * stride * config.enlarging_reach  # shrink and grow
    reach += config.head_reach
    # What is read of the noise sees some, too.
    reach += max(Creases(config.creases).reach, Cells(config.cells).reach, Relief.reach * config.reads_relief)
    # The condition's encoder works at a quarter of the resolution: 15 convolutions an RRDB, first and last.
    return max(reach, SCALE * (15 * config.encoder_blocks + 2) + reach)


def _condition(rng, size: int) -> np.ndarray:
    """A condition with structure at every scale, uint8 ``(size, size, 3)``."""
    total = np.zeros((size, size, 3))
    for octave in range(6):
        n = -(-size // 2**octave)
        total += 2**octave * np.kron(rng.standard_normal((n, n, 3)), np.ones((2**octave, 2**octave, 1)))[:size, :size]
    return np.clip(100 + 6 * total / 3, 0, 255).astype(np.uint8)


def edge_error(checkpoint: Checkpoint, halos=(0, 16, 32, 48, 64), wide: int = 128, level: int = 13) -> dict[int, float]:
    """Largest error (grey levels) within 8 px of a core's edge, by halo, against a window with a halo of `wide` px."""
    rng = np.random.default_rng(5)
    x, y = 2051, 1771
    x0, y0, x1, y1 = TILES.condition_box(wide, x, y)
    whole = _condition(rng, x1 - x0)

    def window(halo):
        sampler = replace(checkpoint.sampler, halo=halo)
        cut = (wide - halo) // SCALE
        part = whole[cut:len(whole) - cut, cut:len(whole) - cut]
        return generate(replace(checkpoint, sampler=sampler), part, 3, level, x, y).astype(int)

    truth = window(wide)
    ring = np.ones((TILE, TILE), bool)
    ring[8:-8, 8:-8] = False
    return {halo: int(np.abs(window(halo) - truth)[ring].max()) for halo in halos}


@torch.inference_mode()
def impulse_radius(checkpoint: Checkpoint, threshold: float = 1e-3) -> int:
    """Pixels from a disturbed patch of noise at which one call's output still moves by `threshold` of its most."""
    network = copy.deepcopy(checkpoint.network).cpu()
    generator = torch.Generator().manual_seed(1)
    size = 512
    features = network.encode(torch.zeros(1, 3, size // SCALE, size // SCALE))
    told = (torch.tensor([float(checkpoint.sampler.times[-1])]), features, torch.tensor([19.0]), torch.tensor([0.0]))
    x = torch.randn(1, 3, size, size, generator=generator)
    moved = x.clone()
    moved[..., 256:260, 256:260] += 1.0
    difference = (network(moved, *told) - network(x, *told)).abs().amax((0, 1))
    rows, columns = torch.nonzero(difference > threshold * difference.max(), as_tuple=True)
    return int(max((rows - 258).abs().max(), (columns - 258).abs().max()))


def describe(folder: Path, measure: bool = True) -> dict:
    """Facts for `python -m model info`."""
    checkpoint = checkpoints.load(folder)
    flops = gigaflops(checkpoint)
    facts = {
        "digest": checkpoint.digest,
        "parameters": parameter_count(checkpoint.network),
        "network": checkpoint.network.config.as_dict(),
        "sampler": asdict(checkpoint.sampler),
        "GFLOP, one new 256×256 tile": round(flops["tile"], 2),
        "GFLOP, one bare 256×256 call": round(flops["call_256"], 2),
        "receptive radius of a call, computed, px": theoretical_radius(checkpoint.network.config),
    }
    if measure:
        facts["receptive radius of a call, measured, px"] = impulse_radius(checkpoint)
        facts["largest error at a core's edge by halo, grey levels"] = edge_error(checkpoint)
    return facts
