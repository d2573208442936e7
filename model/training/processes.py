"""Several processes that train one network: `torchrun`'s, on several GPUs, or on the cores of one machine.

On two cores, two processes of one thread each take twice the pairs in the time: a step is thousands of small
operations, which two threads do not finish sooner than one.
"""

import os
import platform
from collections.abc import Iterable

import torch
from torch import distributed as dist


def here() -> tuple[int, int]:
    """This process's number, and how many there are, as `torchrun` says; (0, 1) without it."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def machine() -> str:
    """What this is, for a recipe: where there is a GPU, that."""
    gpu = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    return f"{gpu}{os.cpu_count()} cores, {platform.machine()}"


def join(device: str) -> str:
    """Meet the other processes, if there are any; the device that is this one's."""
    if here()[1] == 1:
        return device
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device


def share_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Every process gets the mean of all processes' gradients; a parameter without one has none anywhere."""
    _, processes = here()
    if processes == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    together = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(together)
    together /= processes
    for gradient, mean in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def await_others() -> None:
    """Go on when all processes have come here."""
    if here()[1] > 1:
        dist.barrier()


def agreed(seconds: float, device: torch.device) -> float:
    """The first process's clock: all must leave the loop at the same step, or the others wait for ever."""
    if here()[1] == 1:
        return seconds
    shared = torch.tensor([seconds], dtype=torch.float64, device=device)
    dist.broadcast(shared, 0)
    return float(shared)
