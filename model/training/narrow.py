"""A network that needs less around a window, taught by one that needs more: window by window, pixel by pixel.

A distilled network answers at once and always the same, so another can learn from its answers alone, without pictures,
scores or an adversary. Two pieces of a window are shown, that overlap and are each cut off elsewhere, as neighbours
are: where both are far enough from their cuts, each must be what the teacher made, and both must be the same.
"""

import copy
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from model.checkpoint import read_state
from model.errors import BadCheckpoint
from model.network import Network, NetworkConfig, grown
from model.residual import Whitening
from model.training.common import chance, follow, write
from model.training.journal import Journal, share_done
from model.training.processes import agreed, here, machine, share_gradients

PIECE, SHIFT = 144, 48  # pixels of a piece, and by how many, down and to the right, the other lies
BORDER = 8              # ... at both sides of a border where neighbours are compared
HELD_OUT = 20           # of so many places one is not learned from
NEAR = 16.0             # squares of half a grey level from where on a difference counts less than its fourth power


@dataclass
class NarrowConfig:
    """Everything that decides the narrower network, written into the recipe."""

    seed: int = 29
    places: int = 272            # of the map, whose windows of five levels are learned from, ...
    known: int = 240             # ... and real pictures, whose conditions are
    steps: int = 100_000
    minutes: float | None = None
    levels: int | None = None    # of its U-Net, if fewer than its teacher's
    deepest: int = 1             # kernel of its deepest level
    halo: int = 32               # pixels around a window that it is to need
    batch: int = 12              # pairs of pieces a step, of all processes
    lr: float = 8e-4
    warmup: int = 50
    ema: float = 0.998
    same: float = 0.3            # weight of what two pieces differ by, beside 1 of what each is off the teacher
    validate_every: int = 100
    save_every: int = 100


class Windows:
    """Windows that a teacher has answered (`windows.py`), cut into pairs of pieces, of which `edge` pixels beside a cut
    are not looked at."""

    def __init__(self, files: list[Path], edge: int):
        if not files:
            raise BadCheckpoint("there are no windows to learn from")
        self.files, self.edge = files, edge

    def pieces(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, ...]:
        """Of as many windows both pieces, first all first ones: condition, what is seen, m/px of rows, told, and x_0
        less the edge at every side."""
        found = [self._pieces(self.files[i], rng) for i in rng.integers(len(self.files), size=count)]
        return tuple(torch.stack([pair[i] for i in (0, 1) for pair in of]) for of in zip(*found, strict=True))

    def _pieces(self, file: Path, rng: np.random.Generator):
        of = torch.load(file, mmap=True, weights_only=True)
        drop, size, edge = int(of["drop"]), of["extra"].shape[-1], self.edge
        first, last = -((edge - drop) // 16), (size - drop - SHIFT - PIECE + edge) // 16  # on the network's grid
        y0, x0 = (16 * int(v) for v in rng.integers(first, last + 1, 2))
        made = []
        for y, x in ((y0, x0), (y0 + SHIFT, x0 + SHIFT)):
            low = of["low"][:, y // 4:(y + PIECE) // 4, x // 4:(x + PIECE) // 4]
            extra = of["extra"][:, y:y + PIECE, x:x + PIECE].float()
            inside = PIECE - 2 * edge
            y, x = y + edge - drop, x + edge - drop
            made.append((low, extra, of["rows"][(y + drop - edge) // 4:][:PIECE // 4], of["told"],
                         of["x0"][:, y:y + inside, x:x + inside].float()))
        return [tuple(of) for of in zip(*made, strict=True)]


class Narrower:
    """Holds teacher's answers, network, average, optimiser and step; `run` goes on from wherever it is."""

    def __init__(self, teacher: Path, config: NarrowConfig, windows: Path, out: Path):
        self.config, self.out = config, Path(out)
        self.rank, self.processes = here()
        self.edge = config.halo - BORDER
        if config.batch % self.processes:
            raise ValueError(f"a batch of {config.batch} cannot be shared by {self.processes} processes")
        state = read_state(Path(teacher))
        torch.manual_seed(config.seed)
        taught = NetworkConfig.from_dict(state["network_config"])
        self.network = Network(replace(taught, deepest=config.deepest, multipliers=taught.multipliers[:config.levels]))
        self.network.load_state_dict(grown(state["average"], taught, self.network.config))
        self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.whitening, self.discriminator = Whitening(state["whitening"]), state.get("discriminator")
        files = sorted(Path(windows).glob("*.pt"))
        held = [int(file.stem.split("-")[0].lstrip("k")) % HELD_OUT == 0 for file in files]
        self.train, self.held = (Windows([f for f, h in zip(files, held, strict=True) if h == which], self.edge)
                                 for which in (False, True))
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.lr, weight_decay=0.0,
                                           betas=(0.9, 0.99), fused=True)
        self.journal = Journal(self.out, tells=self.rank == 0)
        self.step, self.seconds, self.teacher_steps = 0, 0.0, state["step"]
        self.ahead, self.thread = {}, ThreadPoolExecutor(1)

    def batch(self, step: int):
        """What this step learns from, drawn while the one before is at work."""
        count = self.config.batch // self.processes
        for n in (step, step + 1):
            if n not in self.ahead:
                rng = chance(self.config.seed, n * self.processes + self.rank)
                self.ahead[n] = self.thread.submit(self.train.pieces, rng, count)
        return self.ahead.pop(step).result()

    def differences(self, network: Network, low, extra, rows, told, x0):
        """In grey levels, what pieces are off the teacher, and what both differ by where they overlap."""
        low, extra = (of.contiguous(memory_format=torch.channels_last) for of in (low, extra))
        read = [extra[:, :-network.config.shown], extra[:, -network.config.shown:]]
        seen = [read[0].contiguous(memory_format=torch.channels_last), *network.apart(read[1])]
        made = network(extra[:, :3], torch.full((1,), 999.0), network.encode(low), rows, told, drop=self.edge,
                       extra=seen)
        coloured = self.whitening.colour(torch.cat([made - x0, made]), rows.mean(1).repeat(2)) * 127.5
        off, made = coloured.chunk(2)
        one, other = made.chunk(2)
        return off, one[..., SHIFT:, SHIFT:] - other[..., :-SHIFT, :-SHIFT]

    def advance(self) -> dict[str, float]:
        """One step."""
        c = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        off, differ = self.differences(self.network, *self.batch(self.step))
        match = (off.square() + 0.25).sqrt().mean()
        square = (2 * differ).square()
        same = (square + square.square() / (1 + square / NEAR)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (match + c.same * same).backward()
        share_gradients(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        follow(self.average, self.network, self.step, c.ema)
        self.step += 1
        return {"loss": float(off.detach().abs().mean()), "same": float(same.detach()), "norm": float(norm),
                "apart": float((differ.detach().abs() > 1).float().mean())}

    def rate(self) -> float:
        """Learning rate: a linear warm-up, constant, falling linearly to a fiftieth over the last half."""
        done = share_done(self.step, self.seconds, self.config.steps, self.config.minutes)
        return self.config.lr * min(1, (self.step + 1) / self.config.warmup) * (1 - 0.98 * max(0, (done - 0.5) / 0.5))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Of the average at places that it has not seen, always the same."""
        rng = chance(self.config.seed, 1 << 40)
        found = [self.differences(self.average, *self.held.pieces(rng, 8)) for _ in range(6)]
        off, differ = (torch.cat(of).abs() for of in zip(*found, strict=True))
        return {"off": float(off.mean()), "apart": float(differ.mean()), "most": float(differ.max()),
                "by_more_than_1": float((differ > 1).float().mean())}

    def done(self) -> bool:
        return share_done(self.step, self.seconds, self.config.steps, self.config.minutes) >= 1

    def save(self) -> None:
        if self.rank:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "step": self.step, "seconds": self.seconds,
                 "machine": machine(), "torch": str(torch.__version__), "config": asdict(self.config),
                 "network_config": self.network.config.as_dict(), "whitening": self.whitening.table,
                 "teacher_steps": self.teacher_steps, **self.journal.state()}
        if self.discriminator:
            state["discriminator"] = self.discriminator
        write(state, self.out / "state.pt")

    def resume(self) -> None:
        """Go on from `out`/state.pt; raises `BadCheckpoint` if it cannot."""
        state = read_state(self.out / "state.pt")
        try:
            for name in ("network", "average", "optimiser"):
                getattr(self, name).load_state_dict(state[name])
        except (RuntimeError, KeyError, ValueError) as error:
            raise BadCheckpoint(f"{self.out / 'state.pt'} cannot be resumed: {error}") from None
        self.step, self.seconds = state["step"], state["seconds"]
        self.journal.load(state)

    def run(self, progress: bool = True) -> None:
        """Learn until steps or minutes are spent."""
        c = self.config
        with self.thread, self.journal.open(self.step, self.seconds, c.steps, c.minutes, progress):
            while not self.done():
                begin = time.monotonic()
                losses = self.advance()
                self.seconds = agreed(self.seconds + time.monotonic() - begin, torch.device("cpu"))
                self.journal.note(self.step, self.seconds, losses)
                if self.rank == 0 and (self.step % c.validate_every == 0 or self.step % 25 == 0 or self.done()):
                    judged = self.step % c.validate_every == 0 or self.done()
                    self.journal.enter(self.step, self.seconds, **({"validation": self.validate()} if judged else {}))
                if self.step % c.save_every == 0 or self.done():
                    self.save()
