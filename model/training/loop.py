"""The diffusion training loop: resumable to the step, the same on one process or many.

Item n of the data depends on (seed, n) alone, so `--resume` goes on with the very pairs that were next, and `torchrun`
with any number of processes sees the batches that one process would.
"""

import copy
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.nn import functional as F

from model.errors import BadCheckpoint
from model.network import Network, NetworkConfig
from model.residual import AXES, Whitening, enlarge
from model.schedule import STEPS, alpha_bars, clean, ddim, timesteps
from model.training.common import chance, follow, write
from model.training.imagery import LEVELS, Patch
from model.training.journal import Journal, share_done
from model.training.pairs import PairConfig, Pairs, stack
from model.training.pixels import as_tensor
from model.training.processes import agreed, here, share_gradients
from model.training.sheet import Sheet

SHEET_STEPS = 8  # of the sampler, for the eye only


@dataclass
class TrainConfig:
    """Everything that decides the weights, written into the recipe."""

    seed: int = 1
    steps: int = 20_000
    minutes: float | None = None     # stop then, whatever `steps` says
    batch: int = 8                   # pairs per optimiser step and process group
    accumulate: int = 1              # micro-batches per optimiser step
    lr: float = 4e-4
    warmup: int = 200
    decay_from: float = 0.7          # share of the run after which the rate falls linearly to a tenth
    weight_decay: float = 0.01
    ema: float = 0.999
    objective: str = "v"             # loss on "x0", "v" or "eps", the paper's, whatever the network predicts
    few: tuple[int, ...] = ()        # timesteps a few-step student will be asked at: half of all draws, shared evenly
    most: float = 1e4                # cap of the objective's weight (min-SNR, arXiv 2303.09556)
    p2_k: float = 1.0                # P2 weighting λ' = λ/(k + SNR)^γ (arXiv 2204.00227)
    p2_gamma: float = 0.0
    bfloat16: bool = False           # the arithmetic, as on a GPU in any case; weights and losses stay float32
    validate_every: int = 500
    sheet_every: int = 500           # 0: none
    save_every: int = 250
    pairs: PairConfig = field(default_factory=PairConfig)


def measure_whitening(patches: list[Patch]) -> list[list[float]]:
    """Rows (m/px, std of the residual along each axis) per level, from clean pairs."""
    table = []
    for level in LEVELS:
        members = [p for p in patches if p.level == level]
        if not members or level == "611x":
            continue  # 611x is softer than its pixels; its neighbours speak for it
        squares = []
        for patch in members[::max(1, len(members) // 150)]:
            image = as_tensor(patch.pixels)[None]
            residual = image - enlarge(F.avg_pool2d(image, 4))
            squares.append(torch.einsum("ac,bchw->bahw", AXES, residual).square().mean((0, 2, 3)))
        std = torch.stack(squares).mean(0).sqrt()
        table.append([float(np.median([p.m_per_px for p in members])), *(round(float(s), 4) for s in std)])
    return sorted(table)


def same_for_all(table: list[list[float]]) -> list[list[float]]:
    """One row in place of a whitening table's: the root mean square over its levels. For the network that is not told
    the ground resolution, which a picture that is scaled by it would tell."""
    return [[table[0][0], *np.sqrt(np.square(np.array(table)[:, 1:]).mean(0)).tolist()]]


def loss_weight(alpha_bar: torch.Tensor, config: TrainConfig) -> torch.Tensor:
    """Weight of ||x_0 error||²: the objective's (v: 1 + SNR, ε: SNR, x_0: 1), up to `most`, times P2's."""
    snr = alpha_bar / (1 - alpha_bar)
    weight = {"x0": torch.ones_like(snr), "v": 1 + snr, "eps": snr}[config.objective]
    return weight.clamp(max=config.most) * (config.p2_k + snr) ** -config.p2_gamma


def diffusion_loss(network, whitening: Whitening, batch, t: torch.Tensor, noise: torch.Tensor,
                   config: TrainConfig) -> torch.Tensor:
    """Loss of each item ``(B,)``: the network's x_0 against the true one at timesteps `t` with `noise` (B, 3, H, W)."""
    condition, target, resolution, strength = batch
    x0 = whitening.whiten(target - enlarge(condition), resolution)
    alpha_bar = alpha_bars().to(x0.device)[t][:, None, None, None]
    a, s = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    x = (a * x0 + s * noise).contiguous(memory_format=torch.channels_last)
    features = network.encode(condition.contiguous(memory_format=torch.channels_last))
    output = network(x, t.float(), features, resolution, strength)
    error = (clean(x, output, alpha_bar, network.config.predicts) - x0).square().mean((1, 2, 3))
    return loss_weight(alpha_bar.flatten(), config) * error


def draw_noise(seed: int, first: int, count: int, size: int, few: tuple[int, ...] = ()):
    """Timesteps and Gaussian noise of items first…first+count-1, a function of (seed, item)."""
    t, noise = [], []
    for n in range(first, first + count):
        rng = chance(seed + (1 << 32), n)
        t.append(int(few[rng.integers(len(few))]) if few and rng.random() < 0.5 else int(rng.integers(STEPS)))
        noise.append(torch.from_numpy(rng.standard_normal((3, size, size), dtype=np.float32)))
    return torch.tensor(t), torch.stack(noise)


class Trainer:
    """Holds network, average, optimiser and step; `run` goes on from wherever it is."""

    def __init__(self, network_config: NetworkConfig, config: TrainConfig, train: list[Patch], validation: list[Patch],
                 out: Path, device: str = "cpu"):
        self.config, self.device, self.out = config, torch.device(device), Path(out)
        self.rank, self.processes = here()
        if config.batch % (config.accumulate * self.processes):
            raise ValueError(f"batch {config.batch} cannot be shared by {self.processes} processes "
                             f"in {config.accumulate} micro-batches")
        torch.manual_seed(config.seed)
        self.network = Network(network_config).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.pairs = Pairs(train, config.seed, config.pairs)
        self.validation = validation
        table = measure_whitening(train)
        self.whitening = Whitening(table if network_config.resolution else same_for_all(table))
        self.journal = Journal(self.out, tells=self.rank == 0)
        self.sheet = Sheet(validation)
        self.step, self.seconds = 0, 0.0

    # --- state -------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the whole state atomically: a kill at any moment leaves the old file or the new one."""
        if self.rank:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "step": self.step, "seconds": self.seconds,
                 "config": asdict(self.config), "network_config": self.network.config.as_dict(),
                 "whitening": self.whitening.table, **self.journal.state()}
        write(state, self.out / "state.pt")

    def resume(self) -> None:
        """Go on from `out`/state.pt; raises `BadCheckpoint` if it is of another network or another data order."""
        path = self.out / "state.pt"
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except FileNotFoundError:
            raise BadCheckpoint(f"nothing to resume: there is no {path}") from None
        except Exception as error:  # torch raises a dozen kinds for a truncated file
            raise BadCheckpoint(f"{path} cannot be read: {error}") from error
        if NetworkConfig.from_dict(state["network_config"]) != self.network.config:
            raise BadCheckpoint(f"{path} is of another network: {state['network_config']}")
        if state["config"]["seed"] != self.config.seed or state["config"]["batch"] != self.config.batch:
            raise BadCheckpoint(f"{path} was begun with seed {state['config']['seed']} and batch "
                                f"{state['config']['batch']}: the data would come in another order")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.journal.load(state)
        self.whitening = Whitening(state["whitening"])

    def start_from(self, path: Path) -> None:
        """Begin a new run with the weights of another's state.pt."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])

    # --- training ----------------------------------------------------------------------------------------------------

    def rate(self) -> float:
        """Learning rate: linear warm-up, constant, linear fall to a tenth by the end of steps or minutes."""
        done = share_done(self.step, self.seconds, self.config.steps, self.config.minutes)
        fall = (done - self.config.decay_from) / (1 - self.config.decay_from)
        return self.config.lr * min(1, (self.step + 1) / self.config.warmup) * (1 - 0.9 * min(1, max(0, fall)))

    def gradients(self) -> dict[str, float]:
        """Accumulate this step's gradients, averaged over processes; the mean loss and, as "train/LEVEL", each level's.

        The losses are of all processes' pairs. A level that was not drawn in this step is left out.
        """
        c = self.config
        share = c.batch // (c.accumulate * self.processes)
        seen = torch.zeros(len(LEVELS), 2, dtype=torch.float64)  # sum of losses, number of pairs
        for micro in range(c.accumulate):
            first = self.step * c.batch + (micro * self.processes + self.rank) * share
            pairs = [self.pairs.item(n) for n in range(first, first + share)]
            batch = [v.to(self.device) for v in stack(pairs)]
            t, noise = (v.to(self.device) for v in draw_noise(c.seed, first, share, c.pairs.crop, c.few))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=c.bfloat16 or self.device.type == "cuda"):
                losses = diffusion_loss(self.network, self.whitening, batch, t, noise, c)
            (losses.mean() / c.accumulate).backward()
            for pair, loss in zip(pairs, losses.tolist(), strict=True):
                seen[list(LEVELS).index(pair.level)] += torch.tensor([loss, 1.0])
        if self.processes > 1:
            share_gradients(self.network.parameters())
            seen = seen.to(self.device)
            dist.all_reduce(seen)
        total, count = seen.sum(0).tolist()
        return {"loss": total / count} | {f"train/{level}": sums / drawn
                                          for level, (sums, drawn) in zip(LEVELS, seen.tolist(), strict=True) if drawn}

    def advance(self) -> dict[str, float]:
        """One optimiser step; returns what `gradients` does."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        losses = self.gradients()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        follow(self.average, self.network, self.step, self.config.ema)
        self.step += 1
        return losses

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean loss of the averaged network per level, on fixed validation pairs, timesteps and noise."""
        result = {}
        for number, level in enumerate(LEVELS):
            members = [p for p in self.validation if p.level == level]
            if not members:
                continue
            calm = PairConfig(crop=self.config.pairs.crop, calm=0, borrowed=0, clean=1, jitter=1, tone=0)
            batch = [v.to(self.device) for v in Pairs(members, 7, calm).batch(0, 16)]
            t, noise = (v.to(self.device) for v in draw_noise(7 + number, 0, 16, self.config.pairs.crop))
            result[level] = float(diffusion_loss(self.average, self.whitening, batch, t, noise, self.config).mean())
        return result

    def generate(self, condition: torch.Tensor, m_per_px: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The averaged network's pictures ``(B, 3, 4h, 4w)`` of conditions, in `SHEET_STEPS` DDIM steps; CPU to CPU."""
        low, resolution, x = (v.to(self.device) for v in (condition, m_per_px, noise))
        low, x = (v.contiguous(memory_format=torch.channels_last) for v in (low, x))
        features, one = self.average.encode(low), torch.ones(len(low), device=self.device)
        x0 = ddim(lambda x_t, t: self.average(x_t, t * one, features, resolution, 0 * one), x, timesteps(SHEET_STEPS),
                  self.average.config.predicts)
        return (enlarge(low) + self.whitening.colour(x0, resolution)).cpu()

    def done(self) -> bool:
        return share_done(self.step, self.seconds, self.config.steps, self.config.minutes) >= 1

    def run(self, progress: bool = True) -> None:
        """Train until steps or minutes are spent; what is seen of it meanwhile is the journal's."""
        c = self.config
        with self.journal.open(self.step, self.seconds, c.steps, c.minutes, progress):
            while not self.done():
                begin = time.monotonic()
                losses = self.advance()
                self.seconds = agreed(self.seconds + time.monotonic() - begin, self.device)
                self.journal.note(self.step, self.seconds, losses)
                if self.rank == 0:
                    if self.step % c.validate_every == 0 or self.done():
                        self.journal.enter(self.step, self.seconds, validation=self.validate())
                    if c.sheet_every and (self.step % c.sheet_every == 0 or self.done()):
                        self.journal.sheet(self.step, self.sheet.draw(self.generate))
                if self.step % c.save_every == 0 or self.done():
                    self.save()
