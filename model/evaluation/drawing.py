"""One call of a checkpoint on any condition, noise and number of steps: what window.py does, without its grid."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.errors import BadCheckpoint
from model.network import SCALE, Network, NetworkConfig
from model.residual import Whitening, enlarge
from model.sampler import SamplerConfig
from model.schedule import ddim, timesteps
from model.training.pixels import as_pixels, as_tensor
from model.underlay import Dials, finished


def load(path: Path) -> Checkpoint:
    """A checkpoint's folder, or a training's `state.pt` (asked at 50 steps)."""
    path = Path(path)
    if path.is_dir():
        return checkpoints.load(path)
    state = checkpoints.read_state(path)
    try:
        network = Network(NetworkConfig.from_dict(state["network_config"]))
        network.load_state_dict(state["average"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadCheckpoint(f"{path} is neither a checkpoint's folder nor a training's state: {error}") from error
    network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Checkpoint(
        network, Whitening(state["whitening"]), SamplerConfig(tuple(timesteps(50))), "state", {"step": state["step"]}
    )


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """uint8 ``(H, W, 3)`` -> float32 ``(1, 3, H, W)`` in [-1, 1], channels last."""
    return as_tensor(pixels)[None].contiguous(memory_format=torch.channels_last)


def to_pixels(image: torch.Tensor) -> np.ndarray:
    """float ``(1, 3, H, W)`` in [-1, 1] -> uint8 ``(H, W, 3)``."""
    return as_pixels(image[0])


@torch.inference_mode()
def draw(
    checkpoint: Checkpoint,
    condition: np.ndarray,
    resolution: float,
    noise: np.ndarray,
    times: list[int] | None = None,
    level: int | None = None,
    ruled: np.ndarray | None = None,
) -> np.ndarray:
    """Picture uint8 ``(4h, 4w, 3)`` of a condition uint8 ``(h, w, 3)``.

    `resolution` is that of the picture, m/px; `noise` float32 ``(3, 4h, 4w)``; `times` are DDIM timesteps, the
    checkpoint's own if None; `level` that at which the condition is the cascade's own output, and is treated as the
    sampler does there (what it tells of it, sharpens and takes out is for what is flatter than an exact 4×4 mean), or
    None; `ruled` are parcels and cover, ``(C, 4h, 4w)``, for a network that is shown them: none anywhere if None.
    """
    network, sampler = checkpoint.network, checkpoint.sampler
    low = to_tensor(condition)
    features = network.encode(low)
    told = 0.0 if level is None else sampler.told(level)
    known = torch.tensor([float(resolution)]), torch.tensor([float(told)])
    start = torch.from_numpy(np.ascontiguousarray(noise))[None].contiguous(memory_format=torch.channels_last)
    extra = None  # what is seen of the noise is read of x_t at every step, as in training
    if network.config.shown and ruled is not None:
        ruled = torch.from_numpy(np.ascontiguousarray(ruled))[None]
        extra = network.read(F.pad(start, [network.config.rim] * 4), ruled)
    x0 = ddim(
        lambda x, t: network(x, torch.tensor([float(t)]), features, *known, extra=extra),
        start,
        list(times or sampler.times),
        network.config.predicts,
    )
    dials = Dials() if level is None else sampler.dials(level)._replace(shade=0.0, slope=0.0)  # all is plain here
    if ruled is None:
        dials = dials._replace(paint=0.0, town=0.0)
    detail = checkpoint.whitening.colour(x0, [resolution])
    return to_pixels(finished(low, detail, network.shown(ruled, 1.0), dials))


def bicubic(condition: np.ndarray) -> np.ndarray:
    """The condition enlarged: what there is without a network."""
    return to_pixels(enlarge(to_tensor(condition)))


def shrink(pixels: np.ndarray) -> np.ndarray:
    """4×4 means rounded to uint8, as one level of the cascade would hand to the next."""
    h, w = pixels.shape[0] // SCALE, pixels.shape[1] // SCALE
    blocks = pixels[: h * SCALE, : w * SCALE].reshape(h, SCALE, w, SCALE, 3).astype(np.float64).mean((1, 3))
    return np.rint(blocks).astype(np.uint8)
