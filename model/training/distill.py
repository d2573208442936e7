"""Distillation to few DDIM steps, on the cascade's own output.

The student is the teacher's network, unrolled over the few steps it will be asked for. Half of each batch is
conditioned on real coarser pictures, half on what the student itself made of pictures sixteen times coarser. Two
pictures are drawn of every place, with two noises. A discriminator compares them with the real picture that has the
same 16×16 means (relativistic pairing, Jolicoeur-Martineau 2018: a picture is judged against the real one of its own
place). A proper score draws the two pictures' distribution, not their mean, to the real one; where the condition is the
cascade's own, each picture has its own, to whose pixels its 4×4 means are held.
"""

import copy
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from model.checkpoint import read_state
from model.errors import BadCheckpoint
from model.network import Network, NetworkConfig, grown, inputs
from model.residual import Whitening, enlarge
from model.sampler import SamplerConfig
from model.schedule import ddim
from model.training.adversary import COARSE, Discriminator, coarse_mean
from model.training.batches import DRAWN, Batch, Batches
from model.training.calm import lively
from model.training.common import follow, write
from model.training.descent import SHARES, Descent
from model.training.imagery import Patch
from model.training.journal import Journal, share_done
from model.training.lattice import grid_phase, streaks
from model.training.pairs import Ground, PairConfig, Pairs
from model.training.patches import RIM, patch_distance
from model.training.pixels import ashore
from model.training.processes import agreed, here, machine, share_gradients
from model.training.rules import PARCELS, broken
from model.training.score import Score
from model.training.sheet import Sheet
from model.training.strength import BARE, PLAIN_LAND, Strength, kinds, traits
from model.underlay import Dials, finished


@dataclass
class DistillConfig:
    """Everything that decides the student, written into the recipe."""

    seed: int = 2
    steps: int = 10_000
    minutes: float | None = None
    times: tuple[int, ...] = (999,)       # the student's DDIM timesteps
    creases: tuple[float, ...] = ()       # given to a student whose teacher had none
    cells: int | None = None              # ... or another size of them; 0: none, whatever the teacher had
    relief: bool = False                  # True: to one whose teacher did not read it, likewise ...
    gullies: bool = False                 # ... or is to be shown what every level has on the slopes of the one above
    parcels: bool = False                 # True: to one whose teacher was not shown any, likewise ...
    nested: bool = False                  # ... or not in one another ...
    rows: float = 0.0                     # ... or in narrower rows, pixels
    cover: bool = False                   # True: to one whose teacher was not shown any, likewise
    land_use: bool = False                # ... or where both are shown everywhere ...
    plains: bool = False                  # ... or parcels on mountains
    towns: bool = False                   # True: to one that was not shown any, likewise
    asked: SamplerConfig = field(default_factory=SamplerConfig)  # deep places are finished as the map does, if so asked
    judge: tuple[int, ...] = ()           # widths of the discriminator, if other than usual; it begins anew then
    feeders: int = 0                      # processes that draw what a step needs of the CPU; 0: a thread does
    sketched: float = 0.0                 # of the known places: shown their own sketch for relief, or for parcels
    rim: int = 0
    padding: str = ""                     # other than the teacher's
    enlarging: str = ""                   # other than the teacher's
    fine: tuple[int, ...] = ()            # channels of the finishing head, if more than the teacher's
    white: bool = True                    # False: the student sees of the noise nothing but these
    batch: int = 4                        # conditions a step, of all processes, each drawn with two noises
    crop: int = 96                        # pixels that are made; all but 16 are judged
    own: float = 0.5                      # share of conditions that are the cascade's own output
    deep: int = 0                         # of each batch: places that the cascade itself came to, from the base down
    dial: tuple[float, ...] = ()          # ... and what the network is told there, at z7, z9 … z15
    deep_mean: float | tuple[float, ...] = 0.25  # ... and how much `mean` counts there, or at z9, z11, z13 and z15
    lr: float = 2e-4
    warmup: int = 0                       # steps over which the rate rises: optimisers that are new know no scale yet
    lr_discriminator: float = 4e-4
    ema: float = 0.998
    adversarial: float = 0.2              # weight of the discriminator's opinion; 0 trains without one
    score: float = 1.0                    # weight of the proper score of the two pictures
    texture: float = 2.0                  # ... and, within it, of the wavelets' moduli
    strength: float = 0.0                 # weight of how strong and how bunched detail is, in a level's mean, likewise
    patches: float = 0.0                  # weight of the distance between the patches' distributions, every second step
    kind: float = 0.0                     # weight of the score of what kind of ground all of them show, likewise
    calm: float = 0.0                     # weight of deep places' contrast where sea, ice and sand are to stay calm
    ruled: float = 0.0                    # weight of parcels that are not drawn where land is built, and are elsewhere
    mean: float = 2.0                     # weight of |4×4 mean - condition| where it is the cascade's own
    mended: float = 0.0                   # ... and how much |4×4 mean - real one| counts where it is the base's
    grid: float = 0.0                     # weight of what pictures share at the phases of the network's own 16 px grid
    streaks: float = 0.0                  # ... of more, or less, along rows and columns than real ones have, likewise
    local: float = 0.0                    # ... of the change REACH px from where all is cut off, in the steps between
    smoothness: float = 100.0             # weight of (logit - logit of the same with noise)²
    sigma: float = 0.1                    # ... of this standard deviation, in units of whitened detail
    alone: int = 300                      # steps before the discriminator is asked: blur is no match for it
    taught: int = 0                       # steps after these in which it alone learns: a beginner's opinion misleads
    bfloat16: bool = False                # the networks' arithmetic; weights and scores stay in float32
    validate_every: int = 200
    sheet_every: int = 500                # 0: none
    save_every: int = 200
    pairs: PairConfig = field(
        default_factory=lambda: PairConfig(crop=256, calm=0.06, strength=0.3, clean=0.8, haze=0.5))

    def __post_init__(self):
        if isinstance(self.asked, dict):
            self.asked = SamplerConfig(**self.asked)
        if not self.white and len(self.times) > 1:
            raise ValueError(f"a student that does not see x_t is asked once, not at {self.times}")
        # Less leaves the patches of three scales no room; more does not fit beside the rim of an own condition.
        if self.crop % COARSE or not 80 <= self.crop <= 192:
            raise ValueError(f"crop must be a multiple of {COARSE} in 80…192, not {self.crop}")
        if not 0 <= self.deep < self.batch:
            raise ValueError(f"of a batch of {self.batch}, 0 to {self.batch - 1} places can be deep, not {self.deep}")
        if isinstance(self.deep_mean, int | float):
            self.deep_mean = (self.deep_mean,) * len(SHARES)
        if len(self.deep_mean) != len(SHARES):
            raise ValueError(f"deep_mean has a number for z9, z11, z13 and z15, not {self.deep_mean}")
        if len(self.dial) > len(SHARES) + 1:
            raise ValueError(f"dial has a number for z7, z9 … z15, five at most, not {len(self.dial)}")
        if self.pairs.crop != 256:
            raise ValueError(f"the pairs' own crop must be 256, not {self.pairs.crop}: the student's is cut from it")


CUT, REACH = 16, 32  # pixels
ROUNDED = 1 / 255    # in [-1, 1]: what a condition is off by that is a real picture's own means in 256 grey levels


@torch.no_grad()
def heard(network: Network, before: NetworkConfig) -> None:
    """Let the brightness of parcels and of cover, where they are new, begin as the sum of relief's channels: a network
    that draws what a sketch says draws it, and learns where not to. From no weight at all it had not come to use
    parcels after 450 steps. The greenness of cover begins as that of parcels."""
    new = [name for name, now, was in (("parcel", network.config.parcels, before.parcels),
                                       ("cover", network.config.cover, before.cover)) if now and not was]
    for name, channels in inputs(network.config).items():
        weight = network.get_parameter(name)
        relief = [i for i, channel in enumerate(channels) if channel[0] == "relief"]
        for what in new if relief else []:
            weight[:, channels.index((what, 0))] = weight[:, relief].sum(1)
        if "cover" in new and before.parcels:
            weight[:, channels.index(("cover", 1))] = weight[:, channels.index(("parcel", 1))]


class Distiller:
    """Holds student, average, discriminator, optimisers and step; `run` goes on from wherever it is."""

    def __init__(self, teacher: Path, config: DistillConfig, train: list[Patch], out: Path, device: str = "cpu",
                 validation: list[Patch] = ()):
        self.config, self.out, self.device = config, Path(out), torch.device(device)
        if self.device.type == "cuda":  # weights and scores need no more digits than these
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        self.finishes = any(config.asked.dials(zoom) != Dials() for zoom in range(7, 16, 2))
        self.rank, self.processes = here()
        if config.batch % self.processes or config.deep % self.processes:
            raise ValueError(f"a batch of {config.batch}, {config.deep} of them deep, cannot be shared by "
                             f"{self.processes} processes")
        self.places, self.deep = config.batch // self.processes, config.deep // self.processes  # of this process
        state = read_state(Path(teacher))
        torch.manual_seed(config.seed)
        taught = NetworkConfig.from_dict(state["network_config"])
        self.network = Network(replace(taught, creases=tuple(config.creases) or taught.creases,
                                       cells=taught.cells if config.cells is None else config.cells,
                                       relief=config.relief or taught.relief,
                                       gullies=config.gullies or taught.gullies,
                                       parcels=config.parcels or taught.parcels,
                                       nested=config.nested or taught.nested,
                                       rows=config.rows or taught.rows,
                                       cover=config.cover or taught.cover,
                                       land_use=config.land_use or taught.land_use,
                                       plains=config.plains or taught.plains,
                                       towns=config.towns or taught.towns,
                                       rim=config.rim or taught.rim,
                                       padding=config.padding or taught.padding,
                                       enlarging=config.enlarging or taught.enlarging,
                                       fine=tuple(config.fine) or taught.fine,
                                       white=config.white and taught.white))
        self.network.load_state_dict(grown(state["average"], taught, self.network.config,
                                           fresh=self.network.state_dict()))
        heard(self.network, taught)
        self.whitening = Whitening(state["whitening"])
        pairs = Pairs(train, config.seed, config.pairs)
        shown = self.network.config
        descent = Descent(train, pairs, config.crop, dict(zip(range(7, 16, 2), config.dial, strict=False)), shown.rim,
                          config.seed, shown.land_use, shown.plains, shown.towns) if config.deep else None
        # Before anything is on the device: its feeding processes are copies of this one.
        self.batches = Batches(config, pairs, descent, self.network, lambda *given: self.generate(self.brief, *given),
                               self.device)
        self.network.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.brief = self.average
        if config.bfloat16:  # or every convolution of every condition would convert its weights
            self.brief = copy.deepcopy(self.average)
            for parameter in self.brief.parameters():
                parameter.data = parameter.data.bfloat16()
        self.discriminator = Discriminator(*[tuple(config.judge)] * bool(config.judge)).to(
            self.device, memory_format=torch.channels_last)
        known = state.get("discriminator", {})
        if known and not (config.judge and known["enter.weight"].shape != self.discriminator.enter.weight.shape):
            try:
                self.discriminator.load_state_dict(known)
            except RuntimeError as error:
                raise BadCheckpoint(f"the discriminator beside {teacher} is of another shape: {error}") from None
        self.score = Score().to(self.device)
        # Of deep places, of known ones that are shown their sketch, which says where detail is, and of the others,
        # whose condition is exact or is not: what is made of what is soft may not be mended at the cost of the rest.
        self.strengths = nn.ModuleList([Strength() for _ in range(4)]).to(self.device)
        # Against an adversary momentum circles; without one it averages the noise of small batches.
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.lr, weight_decay=0.0,
                                           betas=(0.0 if config.adversarial else 0.9, 0.99), fused=True)
        self.optimiser_d = torch.optim.AdamW(self.discriminator.parameters(), lr=config.lr_discriminator,
                                             betas=(0.0, 0.99), weight_decay=0.0, fused=True)
        self.journal, self.sheet = Journal(self.out, tells=self.rank == 0), Sheet(validation)
        self.step, self.seconds = 0, 0.0
        self.teacher_steps = state["step"]

    # --- state -------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        if self.rank:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(),
                 "discriminator": self.discriminator.state_dict(), "optimiser": self.optimiser.state_dict(),
                 "optimiser_d": self.optimiser_d.state_dict(), "step": self.step, "seconds": self.seconds,
                 "strengths": self.strengths.state_dict(), "machine": machine(), "torch": str(torch.__version__),
                 "network_config": self.network.config.as_dict(), "whitening": self.whitening.table,
                 "config": asdict(self.config), "teacher_steps": self.teacher_steps, **self.journal.state()}
        write(state, self.out / "state.pt")

    def resume(self) -> None:
        """Go on from `out`/state.pt, with more readings of the noise if asked; raises `BadCheckpoint` if it cannot."""
        state = read_state(self.out / "state.pt")
        try:
            old = NetworkConfig.from_dict(state["network_config"])
            for name in ("network", "average"):
                getattr(self, name).load_state_dict(grown(state[name], old, self.network.config))
                heard(getattr(self, name), old)
            if old != self.network.config:
                self.grow(state["optimiser"], old)
            for name in ("discriminator", "optimiser", "optimiser_d"):
                getattr(self, name).load_state_dict(state[name])
            if "strengths" in state:  # since explorer-20
                self.strengths.load_state_dict(state["strengths"])
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise BadCheckpoint(f"{self.out / 'state.pt'} cannot be resumed: {error}") from None
        self.step, self.seconds = state["step"], state["seconds"]
        self.journal.load(state)
        self.follow()

    def follow(self) -> None:
        """What conditions are made with becomes the average, rounded."""
        if self.brief is not self.average:
            torch._foreach_copy_(list(self.brief.parameters()), list(self.average.parameters()))

    def grow(self, optimiser: dict, old: NetworkConfig) -> None:
        """The optimiser's means for weights that are new: no momentum, and the mean square of those beside them, for
        with none at all the first step would be the largest of all."""
        names = [name for name, _ in self.network.named_parameters()]
        for kind, fill in (("exp_avg", lambda was: 0.0), ("exp_avg_sq", torch.mean)):
            means = {names[i]: of[kind] for i, of in optimiser["state"].items()}
            means = grown(means, old, self.network.config, fill)
            for i, of in optimiser["state"].items():
                of[kind] = means[names[i]]

    # --- one step ----------------------------------------------------------------------------------------------------

    def generate(self, network, condition, resolution, strength, noise, extra=None, zooms=(), plain=None):
        """The student's picture ``(B, 3, 4h, 4w)`` of a condition, differentiable; `extra` as the network has it. What
        has a zoom is finished as the map does, as far as it is plain there."""
        low = condition.contiguous(memory_format=torch.channels_last)
        batch = len(low)
        x = noise.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            features = network.encode(low)
            x0 = ddim(lambda x_t, t: network(x_t, torch.full((batch,), float(t), device=self.device), features,
                                             resolution, strength, extra=extra).float(),
                      x, list(self.config.times), network.config.predicts)
        detail = self.whitening.colour(x0, resolution)
        if not (self.finishes and any(zooms)):
            return enlarge(low) + detail
        dials = [self.config.asked.dials(zoom) if zoom else Dials() for zoom in zooms]
        dials = Dials(*torch.tensor(dials, device=self.device).T[..., None, None, None])
        shown = network.shown(torch.cat(extra[-2:], 1), plain[:, None, None, None])
        return finished(low, detail, shown, dials)

    def coarse(self, target, means):
        """The 16×16 means that the detail of the real and of both made pictures is taken from, and which of them the
        opponent is shown: of places that only the cascade has come to the mean colour alone, for both."""
        real, deep = coarse_mean(target), self.deep
        made, shown = real.clone(), real.clone()
        if deep:  # both pictures of such a place have the same condition
            made[:deep] = coarse_mean(F.interpolate(means[:deep], scale_factor=4))
            shown[:deep] = made[:deep].mean((2, 3), keepdim=True)
        return real, made.repeat(2, 1, 1, 1), shown, shown.repeat(2, 1, 1, 1)

    def judged(self, image, coarse, shown, resolution, shift):
        """What the discriminator is shown: whitened detail, the coarse means it may know, m/px."""
        y, x = (RIM + v for v in shift)
        size = self.config.crop - COARSE - 2 * RIM
        detail = self.whitening.whiten(image - coarse, resolution) / 1.5
        return detail[..., y:y + size, x:x + size], shown[..., y:y + size, x:x + size], resolution

    def advance(self) -> dict[str, float]:
        c = self.config
        batch = self.batches.batch(self.step)
        target, condition, resolution, strength, noise, kept, means, shift, _, ground, *_ = batch
        finish = 2 * batch.zooms, batch.plain.repeat(2)
        twice = resolution.repeat(2)
        coarse, made_coarse, shown, shown_made = self.coarse(target, means)
        adversarial = c.adversarial if self.step >= c.alone else 0.0
        teaching = bool(adversarial) and self.step < c.alone + c.taught
        extra = self.batches.read(batch)
        with torch.set_grad_enabled(not teaching):
            fake = self.generate(self.network, condition, twice, strength.repeat(2), noise, extra, *finish)
        losses = {}
        real_view = self.judged(target, coarse, shown, resolution, shift)
        fake_view = self.judged(fake, made_coarse, shown_made, twice, shift)
        if adversarial:
            losses.update(self.teach_discriminator(real_view, fake_view))
        if teaching:
            self.step += 1
            return losses
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        opinion = torch.zeros((), device=self.device)
        if adversarial:
            self.discriminator.requires_grad_(False)
            with torch.no_grad():
                logit = self.opinion(*real_view)
            opinion = F.softplus(logit.repeat(2, 1) - self.opinion(*fake_view)).mean()
            self.discriminator.requires_grad_(True)
        one, other = self.whitening.whiten(fake - made_coarse, twice).chunk(2)
        real = self.whitening.whiten(target - coarse, resolution)
        score = self.score(one[self.deep:], other[self.deep:], real[self.deep:], c.texture).mean()
        kind = torch.zeros((), device=self.device)
        strong = torch.zeros((), device=self.device)
        if (c.kind or c.strength) and self.step % 2 == 0:
            scattered = [self.score.scattered(v) for v in (one, other, real)]
            kind = self.score.kind(*scattered).mean()
            strong = self.strong(batch, *(traits(*v) for v in zip((one, other, real), scattered, strict=True)))
        patches = torch.zeros((), device=self.device)
        if c.patches and self.step % 2 == 0:
            chance = torch.Generator().manual_seed((c.seed << 32) + self.step)
            patches = patch_distance(one, other, real, chance).mean()
        away = F.avg_pool2d(fake, 4) - means
        mean = (self.whitening.whiten(away, twice).abs().mean((1, 2, 3)) * kept.repeat(2)).sum() / (2 * self.places)
        ruled = torch.zeros((), device=self.device)
        if c.ruled and self.network.config.shown:
            deep, sketched = self.deep_and_sketched(batch)
            parcelled = torch.where(deep | sketched, *PARCELS).repeat(2)
            land = F.interpolate(ashore(condition), scale_factor=4)
            land[sketched.repeat(2)] = 1.0  # what is sketched of a shore is to be drawn, waves too
            plain = kinds(condition[:self.places]) == PLAIN_LAND
            ruled = broken(self.network.config, fake, extra, ground.repeat(2), twice, parcelled, land, plain.repeat(2))
        calm = torch.zeros((), device=self.device)
        if c.calm and self.deep:
            both = [*range(self.deep), *range(self.places, self.places + self.deep)]
            calm = lively(fake[both], condition[:self.deep], resolution[:self.deep])
        grid = sum(grid_phase(made[:, :1]) for made in (one, other)) / 2
        weave = torch.zeros((), device=self.device)
        if c.streaks and self.step % 2 == 0:
            woven, found = streaks(torch.cat([one, other])[:, :1]), streaks(real[:, :1])
            weave = (woven.log() - found.log()).square().mean()
        local = torch.zeros((), device=self.device)
        if c.local and self.step % 2:
            n = self.places  # the first picture of each
            local = self.change_by_cut(fake[:n], condition[:n], resolution, strength, noise[:n],
                                       extra and [e[:n] for e in extra], *(of[:n] for of in finish))
        (adversarial * opinion + c.score * score + c.kind * kind + c.strength * strong + c.patches * patches
         + c.ruled * ruled + c.calm * calm + c.mean * mean + c.grid * grid + c.local * local
         + c.streaks * weave).backward()
        share_gradients(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        follow(self.average, self.network, self.step, c.ema)
        with torch.no_grad():
            self.follow()
        losses.update(g=float(opinion.detach()), score=float(score.detach()), mean=float(mean.detach()),
                      grid=float(grid.detach()), local=float(local.detach()), weave=float(weave.detach()),
                      patches=float(patches.detach()), kind=float(kind.detach()), strong=float(strong.detach()),
                      ruled=float(ruled.detach()), calm=float(calm.detach()),
                      differ=float((one - other).detach().abs().mean()), norm=float(norm))
        self.step += 1
        return losses

    def strong(self, batch: Batch, one, other, real) -> torch.Tensor:
        """What is too strong or too weak in the mean, of the traits of two pictures and of the real ones. Known places
        are fewer, and of one kind, but for calm ones: these are shown no sketch, and would be most of the others."""
        deep, sketched = self.deep_and_sketched(batch)
        condition = batch.condition[:self.places]
        kind = torch.where(deep, kinds(condition, batch.ground == Ground.BUILT), BARE * (batch.ground == Ground.BARE))
        exact = (F.avg_pool2d(batch.target, 4) - condition).abs().amax((1, 2, 3)) < ROUNDED
        known = ~(deep | sketched)
        total = torch.zeros((), device=self.device)
        for held, those in zip(self.strengths, (deep, sketched, known & exact, known & ~exact), strict=True):
            if those.any():
                total = total + held(torch.cat([one[those], other[those]]), real[those], batch.resolution[those],
                                     kind[those])
        return total

    def deep_and_sketched(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Which places only the cascade has come to, and which are shown their own sketch, both ``(B,)``."""
        deep = torch.arange(self.places, device=self.device) < self.deep
        return deep, batch.sketches[:self.places, DRAWN].nan_to_num().flatten(1).any(1)

    def opinion(self, *view) -> torch.Tensor:
        """The discriminator's logits."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            return self.discriminator(*view).float()

    def change_by_cut(self, fake, condition, resolution, strength, noise, extra, zooms, plain):
        """What changes where the network knows nothing from REACH px off on two sides, as beyond a window's halo.

        The law of borders is that no pixel changes by a grey level: half levels, squared, and squared again for the
        few that stand out."""
        # Windows know a rim of the noise around them, so what is read of it is cut, not read of what is cut.
        extra = extra and [e[..., CUT:, CUT:] for e in extra]
        cut = self.generate(self.network, condition[..., CUT // 4:, CUT // 4:], resolution, strength,
                            noise[..., CUT:, CUT:], extra, zooms, plain)
        change = (cut - fake[..., CUT:, CUT:])[..., REACH:, REACH:]
        square = (2 * 127.5 * change).square()
        return (square + square.square()).mean()

    def teach_discriminator(self, real_view, fake_view) -> dict[str, float]:
        """Its turn: relativistic pairs, and smoothness around real and generated pictures in turn."""
        c = self.config
        self.optimiser_d.zero_grad(set_to_none=True)
        fake_view = tuple(v.detach() for v in fake_view)
        near = real_view if self.step % 2 else tuple(v[:self.places] for v in fake_view)
        # Of this step alone, so that a resumed run draws the same.
        chance = torch.Generator(self.device).manual_seed((c.seed << 32) + self.step)
        shake = torch.randn(near[0].shape, generator=chance, device=self.device)
        moved = (near[0] + c.sigma * shake, *near[1:])
        views = [torch.cat(v) for v in zip(real_view, fake_view, moved, strict=True)]
        real, fake, moved = self.opinion(*views).split([self.places, 2 * self.places, self.places])
        still = real if self.step % 2 else fake[:self.places]
        loss = F.softplus(fake - real.repeat(2, 1)).mean()
        rough = (still - moved).square().mean()
        (loss + c.smoothness * rough).backward()
        share_gradients(self.discriminator.parameters())
        self.optimiser_d.step()
        return {"d": float(loss.detach()), "gap": float((real.mean() - fake.mean()).detach()),
                "rough": float(rough.detach())}

    def rate(self) -> float:
        """Learning rate: a linear warm-up, constant, falling linearly to a tenth over the last 40 % of steps or
        minutes."""
        done = share_done(self.step, self.seconds, self.config.steps, self.config.minutes)
        asked = self.step - (self.config.taught if self.config.adversarial else 0)
        warm = min(1, (asked + 1) / max(1, self.config.warmup))
        return self.config.lr * warm * (1 - 0.9 * min(1, max(0, (done - 0.6) / 0.4)))

    def done(self) -> bool:
        return share_done(self.step, self.seconds, self.config.steps, self.config.minutes) >= 1

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Score of the averaged network per level: two pictures of each of the sheet's places."""
        result = {}
        for row in self.sheet.rows:
            condition, real, resolution, noise = (v.to(self.device) for v in row[1:])
            told, base = torch.zeros_like(resolution), enlarge(condition)
            one, other, truth = (self.whitening.whiten(picture - base, resolution) for picture in (
                self.generate(self.average, condition, resolution, told, noise),
                self.generate(self.average, condition, resolution, told, noise.flip(2)), real))
            result[row.level] = float(self.score(one, other, truth, self.config.texture).mean())
        return result

    def sample(self, condition: torch.Tensor, resolution: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The averaged student's pictures for a sheet, CPU to CPU."""
        condition, resolution, noise = (v.to(self.device) for v in (condition, resolution, noise))
        return self.generate(self.average, condition, resolution, torch.zeros_like(resolution), noise).cpu()

    def run(self, progress: bool = True) -> None:
        """Distil until steps or minutes are spent; what is seen of it meanwhile is the journal's."""
        c = self.config
        with closing(self.batches), self.journal.open(self.step, self.seconds, c.steps, c.minutes, progress):
            while not self.done():
                begin = time.monotonic()
                losses = self.advance()
                self.seconds = agreed(self.seconds + time.monotonic() - begin, self.device)
                self.journal.note(self.step, self.seconds, losses)
                if self.rank == 0:
                    judged = self.step % c.validate_every == 0 or self.done()
                    if judged or self.step % 50 == 0:
                        validation = {"validation": self.validate()} if judged else {}
                        self.journal.enter(self.step, self.seconds, **validation)
                    if c.sheet_every and (self.step % c.sheet_every == 0 or self.done()):
                        self.journal.sheet(self.step, self.sheet.draw(self.sample))
                if self.step % c.save_every == 0 or self.done():
                    self.save()
