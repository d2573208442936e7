"""Adversarial distillation to few DDIM steps, on the cascade's own output.

The student is the teacher's network, unrolled over the few steps it will be asked for. Half of each batch is
conditioned on real coarser pictures, half on what the student itself made of pictures sixteen times coarser. A
discriminator compares its output with real pictures that have the same 16×16 means; the 4×4 means are held to the
condition, and texture statistics in small windows to those of the real picture of that place. No term asks for the
true pixels of one picture (only the mean of two noises' pictures is drawn to them): what is below the condition is
free. Two terms keep it free: every
condition is drawn with two noises, whose pictures must differ as much as real detail does (otherwise the student
forgets its noise, and all worlds have one texture), and no phase of the 16 px grid may have a mean of its own
(otherwise it paints with the lattice of its own pixel-unshuffle).
"""

import copy
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from model.errors import BadCheckpoint
from model.network import Network, NetworkConfig
from model.residual import Whitening, enlarge
from model.schedule import ddim
from model.training.adversary import COARSE, Discriminator, coarse_mean
from model.training.imagery import Patch
from model.training.pairs import PairConfig, Pairs
from model.training.texture import Texture


@dataclass
class DistillConfig:
    """Everything that decides the student, written into the recipe."""

    seed: int = 2
    steps: int = 10_000
    minutes: float | None = None
    times: tuple[int, ...] = (999, 399)   # the student's DDIM timesteps
    batch: int = 4                        # conditions a step, each drawn with two noises
    crop: int = 96                        # pixels that are judged
    own: float = 0.5                      # share of conditions that are the cascade's own output
    lr: float = 3e-4
    lr_discriminator: float = 3e-4
    ema: float = 0.995
    adversarial: float = 0.0              # weight of the discriminator's opinion; 0 trains without one
    texture: float = 4.0                  # weight of the difference to the real picture's texture statistics
    window: int = 16                      # ... in windows of so many pixels
    orders: tuple[int, ...] = (2,)        # ... and norms of these orders
    anchor: float = 1.0                   # weight of |mean of the two pictures - real|, where the condition is real
    differ: float = 2.0                   # weight of the shortfall of |picture - picture of another noise|
    enough: float = 0.8                   # ... against this share of the real residual's mean size
    lattice: float = 10.0                 # weight of the squared means of the residual by phase of the 16 px grid
    weave: float = 0.3                    # ... and, within it, of unequal power by phase
    mean: float = 2.0                     # weight of |4×4 mean - condition|, in units of the residual's deviation
    warmup: int = 0                       # steps in which only the discriminator learns
    save_every: int = 200
    pairs: PairConfig = field(default_factory=lambda: PairConfig(crop=256, calm=0.08, strength=0.3, clean=0.85))


def weave(detail: torch.Tensor, period: int = 8) -> torch.Tensor:
    """How unequal the power of `detail` (B, 3, H, W), and of its steps along x and y, is over the phases of a grid."""
    total = 0.0
    for moved in (detail, detail - detail.roll(1, 3), detail - detail.roll(1, 2)):
        b, c, h, w = moved.shape
        power = moved[..., period:, period:].square().reshape(b, c, h // period - 1, period, w // period - 1, period)
        power = power.mean((0, 2, 4))
        total = total + (power / (power.mean((1, 2), keepdim=True) + 1e-4) - 1).square().mean()
    return total


class Distiller:
    """Holds student, average, discriminator, optimisers and step; `run` goes on from wherever it is."""

    def __init__(self, teacher: Path, config: DistillConfig, train: list[Patch], out: Path):
        self.config, self.out = config, Path(out)
        try:
            state = torch.load(teacher, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError) as error:
            raise BadCheckpoint(f"teacher {teacher} cannot be read: {error}") from None
        self.network = Network(NetworkConfig.from_dict(state["network_config"])).to(memory_format=torch.channels_last)
        self.network.load_state_dict(state["average"])
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.whitening = Whitening(state["whitening"])
        torch.manual_seed(config.seed)
        self.discriminator = Discriminator().to(memory_format=torch.channels_last)
        self.texture = Texture(config.window, config.orders)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.lr, betas=(0.0, 0.99), weight_decay=0.0)
        self.optimiser_d = torch.optim.AdamW(self.discriminator.parameters(), lr=config.lr_discriminator,
                                             betas=(0.0, 0.99), weight_decay=0.0)
        self.pairs = Pairs(train, config.seed, config.pairs)
        self.step, self.seconds, self.log = 0, 0.0, []
        self.teacher_steps = state["step"]

    # --- state -------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(),
                 "discriminator": self.discriminator.state_dict(), "optimiser": self.optimiser.state_dict(),
                 "optimiser_d": self.optimiser_d.state_dict(), "step": self.step, "seconds": self.seconds,
                 "network_config": self.network.config.as_dict(), "whitening": self.whitening.table,
                 "config": asdict(self.config), "log": self.log, "teacher_steps": self.teacher_steps}
        torch.save(state, self.out / "state.pt.new")
        os.replace(self.out / "state.pt.new", self.out / "state.pt")
        (self.out / "log.json").write_text(json.dumps(self.log, indent=1))

    def resume(self) -> None:
        """Go on from `out`/state.pt; raises `BadCheckpoint` if it cannot."""
        try:
            state = torch.load(self.out / "state.pt", map_location="cpu", weights_only=True)
            for name in ("network", "average", "discriminator", "optimiser", "optimiser_d"):
                getattr(self, name).load_state_dict(state[name])
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise BadCheckpoint(f"{self.out / 'state.pt'} cannot be resumed: {error}") from None
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    # --- one step ----------------------------------------------------------------------------------------------------

    def generate(self, network, condition, resolution, strength, noise):
        """The student's picture ``(B, 3, 4h, 4w)`` of a condition, differentiable."""
        low = condition.contiguous(memory_format=torch.channels_last)
        features = network.encode(low)
        batch = len(low)
        x = noise.contiguous(memory_format=torch.channels_last)
        x0 = ddim(lambda x_t, t: network(x_t, torch.full((batch,), float(t)), features, resolution, strength),
                  x, list(self.config.times), network.config.predicts)
        return enlarge(low) + self.whitening.colour(x0, resolution)

    def batch(self, n: int):
        """Batch n: real pictures, conditions, m/px, told degradation, two noises each, where the condition is own."""
        c = self.config
        rng = np.random.Generator(np.random.Philox(key=np.array([c.seed + (2 << 32), n], dtype=np.uint64)))
        condition, target, resolution, strength = self.pairs.batch(n * c.batch, c.batch)
        condition = (((condition + 1) * 127.5).round().clamp(0, 255) / 127.5) - 1  # as the cascade stores it
        own = torch.from_numpy(rng.random(c.batch) < c.own) & (resolution < 700)
        if own.any():
            coarser = F.avg_pool2d(target[own], 16)
            noise = torch.from_numpy(rng.standard_normal((int(own.sum()), 3, 64, 64), dtype=np.float32))
            with torch.no_grad():
                made = self.generate(self.average, coarser, 4 * resolution[own], torch.zeros(int(own.sum())), noise)
            condition[own] = (((made + 1) * 127.5).round().clamp(0, 255) / 127.5) - 1
            strength[own] = 0.0
        # One crop for all that is computed, on the 16 px grid of the coarse means.
        x, y = (16 * int(rng.integers(0, (256 - c.crop) // 16 + 1)) for _ in range(2))
        target = target[..., y:y + c.crop, x:x + c.crop]
        condition = condition[..., y // 4:(y + c.crop) // 4, x // 4:(x + c.crop) // 4]
        noise = torch.from_numpy(rng.standard_normal((2 * c.batch, *target.shape[1:]), dtype=np.float32))
        return target, condition, resolution, strength, noise, own

    def judge(self, image, coarse, resolution):
        return self.discriminator(self.whitening.whiten(image - coarse, resolution) / 1.5, coarse, resolution)

    def advance(self) -> dict[str, float]:
        c = self.config
        target, condition, resolution, strength, noise, own = self.batch(self.step)
        coarse, real_detail = coarse_mean(target), target - enlarge(F.avg_pool2d(target, 4))
        condition, twice, strength = (torch.cat([v, v]) for v in (condition, resolution, strength))
        coarse_twice = torch.cat([coarse, coarse])
        learn = self.step >= c.warmup
        with torch.set_grad_enabled(learn):
            fake = self.generate(self.network, condition, twice, strength, noise)
        losses = {}
        if c.adversarial:  # the discriminator's turn: hinge loss (Miyato et al. 2018)
            self.optimiser_d.zero_grad(set_to_none=True)
            real_logit = self.judge(target, coarse, resolution)
            fake_logit = self.judge(fake.detach(), coarse_twice, twice)
            loss_d = F.relu(1 - real_logit).mean() + F.relu(1 + fake_logit).mean()
            loss_d.backward()
            self.optimiser_d.step()
            losses.update(d=float(loss_d.detach()), real=float(real_logit.detach().mean()),
                          fake=float(fake_logit.detach().mean()))
        if learn:
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate()
            self.optimiser.zero_grad(set_to_none=True)
            self.discriminator.requires_grad_(False)
            adversarial = -self.judge(fake, coarse_twice, twice).mean() if c.adversarial else torch.zeros(())
            self.discriminator.requires_grad_(True)
            mean = self.whitening.whiten(F.avg_pool2d(fake, 4) - condition, twice).abs().mean()
            detail = self.whitening.whiten(fake - enlarge(condition), twice)
            one, other = detail.chunk(2)
            real_size = self.whitening.whiten(real_detail, resolution).abs().mean((1, 2, 3))
            short = F.relu(c.enough * real_size - (one - other).abs().mean((1, 2, 3))).mean()
            middle = (fake[:c.batch] + fake[c.batch:]) / 2
            away = self.whitening.whiten(middle - target, resolution).abs().mean((1, 2, 3))
            away = (away * ~own).mean()
            n = c.crop // COARSE
            phases = detail.reshape(len(detail), 3, n, COARSE, n, COARSE).mean((2, 4))
            lattice = phases.mean(0).square().mean() + 0.2 * phases.square().mean() + c.weave * weave(detail)
            with torch.no_grad():
                wanted = self.texture(self.whitening.whiten(target - coarse, resolution))
            found = self.texture(self.whitening.whiten(fake - coarse_twice, twice))
            texture = (found - torch.cat([wanted, wanted])).abs().mean()
            (c.texture * texture + c.adversarial * adversarial + c.mean * mean + c.anchor * away
             + c.differ * short + c.lattice * lattice).backward()
            norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - c.ema)
            losses.update(g=float(adversarial.detach()), mean=float(mean.detach()), short=float(short.detach()), texture=float(texture.detach()),
                          lattice=float(lattice.detach()), norm=float(norm))
        self.step += 1
        return losses

    def rate(self) -> float:
        """Learning rate: constant, then falling linearly to a tenth over the last 40 % of steps or minutes."""
        done = self.step / self.config.steps
        if self.config.minutes:
            done = max(done, self.seconds / 60 / self.config.minutes)
        return self.config.lr * (1 - 0.9 * min(1, max(0, (done - 0.6) / 0.4)))

    def done(self) -> bool:
        return self.step >= self.config.steps or (
            self.config.minutes is not None and self.seconds >= 60 * self.config.minutes)

    def run(self, progress: bool = True) -> None:
        recent: list[dict] = []
        bar = tqdm(total=self.config.steps, initial=self.step, unit="step", disable=not progress, mininterval=2)
        while not self.done():
            begin = time.monotonic()
            recent.append(self.advance())
            self.seconds += time.monotonic() - begin
            bar.update()
            if self.step % 50 == 0 or self.done():
                means = {k: round(float(np.mean([r[k] for r in recent if k in r])), 4)
                         for k in sorted({k for r in recent for k in r})}
                self.log.append({"step": self.step, "minutes": round(self.seconds / 60, 2), **means})
                tqdm.write(f"step {self.step}  {self.seconds / 60:.1f} min  "
                           + "  ".join(f"{k} {v}" for k, v in means.items()))
                recent = []
            if self.step % self.config.save_every == 0 or self.done():
                self.save()
        bar.close()
