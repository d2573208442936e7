"""The denoising network of MetaEarth (arXiv 2405.13570), one class for both presets.

    low-resolution condition ─► RRDB encoder ─┐ (once per window)
    noisy residual ─► pixel-unshuffle ────────┴─► U-Net ─► pixel-shuffle ─► x_0
    time, ground resolution, degradation ─► sin/cos ─► MLP, added ─► scale and shift of every ResBlock

`explorer` is local: per-pixel norm, no attention, everything at a quarter of the resolution.
`metaearth` is the paper's: group norm, attention at the 8× level, full resolution, about 600 M parameters.
"""

import math
import re
from dataclasses import asdict, dataclass, replace
from enum import IntEnum

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from model import arrays, cover, gullies, land_use, parcels, roads, towns
from model.grid import SCALE
from model.overlaps import Overlaps
from model.readings import Cells, Creases, Relief, inner
from model.underlay import Shown


class Use(IntEnum):
    """What land is used for, and so what the map shows there."""

    WILD = 0    # cover
    TILLED = 1  # parcels
    TOWN = 2    # streets for parcels


@dataclass(frozen=True)
class NetworkConfig:
    """What a network is; stored beside its weights as readable JSON."""

    patch: int = 4                           # pixel-unshuffle of the noisy input: 4 works at a quarter of its size
    width: int = 48                          # channels of the finest level
    multipliers: tuple[int, ...] = (1, 2, 3)  # channels of each level, in units of width
    blocks: int = 2                          # ResBlocks per level, on the way down and again on the way up
    attention: tuple[int, ...] = ()          # multipliers of the levels that carry self-attention
    norm: str = "pixel"                      # "pixel": RMS over channels, local; "group": GroupNorm over space
    embedding: int = 256                     # width of the conditional embedding c_{k,t}
    frequencies: int = 64                    # sin/cos pairs of each frequency encoding
    predicts: str = "x0"                     # what the output is: "x0", "v" or the paper's "eps"
    resolution: bool = True                  # ground-resolution branch (False: the paper's "w/o sr" ablation)
    encoder_blocks: int = 1                  # RRDBs of the condition encoder
    encoder_width: int = 32                  # its channels
    encoder_growth: int = 16                 # channels added by each dense convolution
    # Channels of the finishing head at twice, four times the U-Net's resolution.
    fine: tuple[int, ...] = ()
    creases: tuple[float, ...] = ()          # widths in pixels of the lines and edges that the noise is also read as
    cells: int = 0                           # pixels of Worley's cells that it is read as; 0: none
    relief: bool = False                     # read as eroded hills, too ...
    gullies: bool = False                    # ... or not read: is shown those that every level has on the one above's
    parcels: bool = False                    # True: is shown fields beside what is read of the noise ...
    nested: bool = False                     # ... each level's in those of the level above ...
    rows: float = 4.0                        # ... and in rows of so many pixels at least
    cover: bool = False                      # True: is shown woods, clearings and streams besides ...
    land_use: bool = False                   # ... or these where land is wild, and parcels where it is tilled, ...
    plains: bool = False                     # ... which it is nowhere but where the base is plain
    towns: bool = False                      # True: is shown where towns are, and their streets for parcels
    roads: bool = False                      # ... and roads from one to another, among the parcels
    rim: int = 0                             # pixels of noise around a window that are read as these, and no more
    padding: str = "zeros"                   # beyond a window, in the encoder and the deeper levels: or "replicate"
    deepest: int = 3                         # kernel of the deepest level: 1 sees of a window no farther than others do
    enlarging: str = "nearest"               # of features, with a pixel-shuffle in the head: or "bilinear", with none
    white: bool = True                       # False: the noise is seen as these alone, and x_t not at all

    def __post_init__(self):
        if not self.multipliers:
            raise ValueError("a network has one level at least")
        if self.fine and 2 ** len(self.fine) != self.patch:
            raise ValueError(f"a head of {len(self.fine)} doublings does not undo a patch of {self.patch}")
        if SCALE % self.patch:
            raise ValueError(f"patch must divide {SCALE}, not {self.patch}")
        if self.norm not in ("pixel", "group"):
            raise ValueError(f"norm must be 'pixel' or 'group', not {self.norm!r}")
        if self.padding not in ("zeros", "replicate"):
            raise ValueError(f"padding must be 'zeros' or 'replicate', not {self.padding!r}")
        if self.enlarging not in ("nearest", "bilinear"):
            raise ValueError(f"enlarging must be 'nearest' or 'bilinear', not {self.enlarging!r}")
        if self.deepest not in (1, 3):
            raise ValueError(f"the deepest level's kernel must be 1 or 3, not {self.deepest}")
        if self.predicts not in ("x0", "v", "eps"):
            raise ValueError(f"predicts must be 'x0', 'v' or 'eps', not {self.predicts!r}")
        if self.cells and (self.stride % self.cells or self.rim < self.cells) or self.rim % self.stride:
            raise ValueError(f"cells of {self.cells} px, a rim of {self.rim} px and a stride of {self.stride} px "
                             "do not fit into each other")
        if self.gullies and not self.relief:
            raise ValueError("gullies are shown in place of relief, and there is none")
        if self.reads_relief and self.rim < Relief.reach:
            raise ValueError(f"relief is read of a rim of at least {Relief.reach} px, not {self.rim}")
        if self.nested and not self.parcels:
            raise ValueError("parcels cannot be nested where none are shown")
        if self.land_use and not (self.parcels and self.cover):
            raise ValueError("land use decides between parcels and cover, and not both are shown")
        if self.towns and not self.land_use:
            raise ValueError("streets stand in the place of parcels, and there is no land use")
        if self.roads and not self.towns:
            raise ValueError("roads lead from town to town, and there are none")
        if self.plains and not self.land_use:
            raise ValueError("plains are where land may be tilled, and there is no land use")
        if not (self.white or self.predicts == "x0" and (self.creases or self.cells or self.relief)):
            raise ValueError("a network that does not see x_t itself needs readings of the noise, and predicts x0")

    @property
    def stride(self) -> int:
        """Pixels by which a window may be moved without shifting any of the network's grids."""
        return self.patch * 2 ** (len(self.multipliers) - 1)

    @property
    def reads_relief(self) -> bool:
        """Whether relief is read of the noise, and not shown."""
        return self.relief and not self.gullies

    @property
    def shown(self) -> int:
        """Channels of the gullies, the parcels, the cover and the towns that it is shown."""
        return (gullies.CHANNELS * self.gullies + parcels.CHANNELS * self.parcels + cover.CHANNELS * self.cover
                + towns.CHANNELS * self.towns)

    @property
    def enlarging_reach(self) -> int:
        """Coarser pixels, beside its own, of which an enlarged one is made."""
        return 1 if self.enlarging == "bilinear" else 0

    @property
    def head_reach(self) -> int:
        """Pixels that one of the result sees far from where the U-Net ends."""
        if not self.fine:
            return self.patch
        return sum((2 + self.enlarging_reach) * (self.patch >> i) for i in range(len(self.fine))) + 1

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "NetworkConfig":
        values = dict(values)
        for name in ("multipliers", "attention", "fine", "creases"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)


PRESETS = {
    "explorer": NetworkConfig(fine=(48, 24), creases=(0.8, 1.6, 3.2, 6.4, 12.8), cells=16, relief=True, rim=32,
                              padding="replicate", enlarging="bilinear"),
    "tiny": NetworkConfig(width=8, multipliers=(1, 2), blocks=1, embedding=16, frequencies=8,
                          encoder_width=8, encoder_growth=4),
    # 5 levels with multipliers 1, 2, 4, 8, 8, three ResBlocks each, attention at 8×.
    "metaearth": NetworkConfig(patch=1, width=160, multipliers=(1, 2, 4, 8, 8), blocks=3, attention=(8,), norm="group",
                               predicts="eps", embedding=1280, frequencies=80,
                               encoder_blocks=23, encoder_width=64, encoder_growth=32),
}


def frequency_encoding(value: torch.Tensor, pairs: int, base: float = 10000.0) -> torch.Tensor:
    """γ(r) of the paper: sin(ω_i r), cos(ω_i r) with ω_i = base^(-i/pairs). ``(B,)`` -> ``(B, 2·pairs)``."""
    omega = torch.exp(torch.arange(pairs, device=value.device, dtype=torch.float32) * (-math.log(base) / pairs))
    angle = value.float()[:, None] * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Embedding(nn.Module):
    """Frequency encoding and MLP: ``(B,)`` -> ``(B, width)``."""

    def __init__(self, pairs: int, width: int):
        super().__init__()
        self.pairs = pairs
        self.mlp = nn.Sequential(nn.Linear(2 * pairs, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, value):
        return self.mlp(frequency_encoding(value, self.pairs))


class PixelNorm(nn.Module):
    """RMS over the channels of one pixel. Unlike GroupNorm it takes no statistics over space, so windows agree."""

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        # Channels last: the last axis of the permuted view is contiguous, the fused kernel's layout.
        return F.rms_norm(x.permute(0, 2, 3, 1), self.gain.shape, self.gain.to(x.dtype), eps=1e-5).permute(0, 3, 1, 2)


def make_norm(kind: str, channels: int) -> nn.Module:
    return PixelNorm(channels) if kind == "pixel" else nn.GroupNorm(math.gcd(32, channels), channels)


def conv3x3(inputs: int, outputs: int, padding: str = "zeros", stride: int = 1) -> nn.Conv2d:
    """Of the same size. Zeros beyond the edge are unlike any picture, and what they change reaches far into a window;
    its own outermost pixels, repeated, are of its kind."""
    kind = RepeatingConv if padding == "replicate" else nn.Conv2d
    return kind(inputs, outputs, 3, stride=stride, padding=1, padding_mode=padding)


class RepeatingConv(nn.Conv2d):
    """A convolution that repeats the outermost pixels; on a GPU the gradient of that is a sum of slices, for torch adds
    it up pixel by pixel, in any order, and what is repeated keeps its layout, which torch turns twice."""

    def _conv_forward(self, x, weight, bias):
        if not x.is_cuda:
            return super()._conv_forward(x, weight, bias)
        around = Repeated.apply(x) if torch.is_grad_enabled() else repeated(x)
        return F.conv2d(around, weight, bias, self.stride)


class Pointwise(nn.Conv2d):
    """A convolution of one pixel. At some sizes oneDNN's adds up otherwise on one thread than on more; a matrix product
    does not."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 1)

    def _conv_forward(self, x, weight, bias):
        if x.is_cuda or torch.is_grad_enabled():
            return super()._conv_forward(x, weight, bias)
        return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0], bias).permute(0, 3, 1, 2)


def repeated(x: torch.Tensor) -> torch.Tensor:
    """``(B, C, H, W)`` with its outermost pixels repeated once, channels last: ``(B, C, H + 2, W + 2)``."""
    batch, channels, height, width = x.shape
    made = x.new_empty(batch, height + 2, width + 2, channels).permute(0, 3, 1, 2)
    made[:, :, 1:-1, 1:-1] = x
    for dim, size in ((3, width), (2, height)):  # the corners last
        for outer, edge in ((0, 1), (size + 1, size)):
            made.select(dim, outer).copy_(made.select(dim, edge))
    return made


class Repeated(torch.autograd.Function):
    """``(B, C, H, W)`` with its outermost pixels repeated once: ``(B, C, H + 2, W + 2)``."""

    @staticmethod
    def forward(_, x):
        return repeated(x)

    @staticmethod
    def backward(_, gradient):
        for dim in (2, 3):
            size = gradient.shape[dim] - 2
            inside = gradient.narrow(dim, 1, size).clone()
            inside.narrow(dim, 0, 1).add_(gradient.narrow(dim, 0, 1))
            inside.narrow(dim, size - 1, 1).add_(gradient.narrow(dim, size + 1, 1))
            gradient = inside
        return gradient


def spread(values: torch.Tensor) -> torch.Tensor:
    """To broadcast over an image: ``(B, C)`` -> ``(B, C, 1, 1)``; of rows, ``(B, R, C)`` -> ``(B, C, R, 1)``."""
    return values[:, :, None, None] if values.ndim == 2 else values.transpose(1, 2)[..., None]


class ResBlock(nn.Module):
    """Two convolutions; the embedding, chunked in two, scales and shifts the normed input (the paper's chunk rule)."""

    def __init__(self, inputs: int, outputs: int, embedding: int, norm: str, padding: str, kernel: int = 3):
        super().__init__()
        self.norm = make_norm(norm, inputs)
        self.scale_shift = nn.Linear(embedding, 2 * inputs)
        self.conv1, self.conv2 = (conv3x3(channels, outputs, padding) if kernel == 3 else Pointwise(channels, outputs)
                                  for channels in (inputs, outputs))
        self.skip = Pointwise(inputs, outputs) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x, embedding):
        scale, shift = spread(self.scale_shift(embedding)).chunk(2, dim=1)
        h = self.conv1(F.silu(torch.addcmul(shift, self.norm(x), 1 + scale)))
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Self-attention over all positions. Global, hence not for `explorer`."""

    def __init__(self, channels: int, norm: str):
        super().__init__()
        self.heads = max(1, channels // 64)
        self.norm = make_norm(norm, channels)
        self.qkv = Pointwise(channels, 3 * channels)
        self.out = Pointwise(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w).transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(attended.transpose(-1, -2).reshape(b, c, h, w))


class DenseBlock(nn.Module):
    """Residual dense block of ESRGAN: five convolutions, each seeing all before it, the sum damped by 0.2."""

    def __init__(self, width: int, growth: int, padding: str):
        super().__init__()
        self.convs = nn.ModuleList(conv3x3(width + i * growth, growth if i < 4 else width, padding) for i in range(5))

    def forward(self, x):
        seen = x
        for conv in self.convs[:-1]:
            seen = torch.cat([seen, F.leaky_relu(conv(seen), 0.2, inplace=True)], dim=1)
        return x + 0.2 * self.convs[-1](seen)


class Encoder(nn.Module):
    """RRDBNet: condition ``(B, 3, h, w)`` -> features ``(B, F, h·4/patch, w·4/patch)``."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        width, growth = config.encoder_width, config.encoder_growth
        self.first = conv3x3(3, width, config.padding)
        self.blocks = nn.ModuleList(nn.Sequential(*(DenseBlock(width, growth, config.padding) for _ in range(3)))
                                    for _ in range(config.encoder_blocks))
        self.last = conv3x3(width, width, config.padding)
        self.up = nn.ModuleList(conv3x3(width, width, config.padding)
                                for _ in range(int(math.log2(SCALE // config.patch))))

    def forward(self, condition):
        first = x = self.first(condition)
        for block in self.blocks:
            x = x + 0.2 * (block(x) - x)  # residual in residual
        x = first + self.last(x)
        for conv in self.up:
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2, inplace=True)
        return x


class Stage(nn.Module):
    """The ResBlocks (and attention, if any) of one level on one way of the U."""

    def __init__(self, inputs: int, outputs: int, config: NetworkConfig, attention: bool, padding: str, kernel: int):
        super().__init__()
        self.blocks = nn.ModuleList(
            ResBlock(inputs if i == 0 else outputs, outputs, config.embedding, config.norm, padding, kernel)
            for i in range(config.blocks))
        self.attention = Attention(outputs, config.norm) if attention else nn.Identity()

    def forward(self, x, embedding):
        for block in self.blocks:
            x = block(x, embedding)
        return self.attention(x)


class Head(nn.Module):
    """From the U-Net's resolution to pixels in doublings, each of which sees the input again at its own resolution.

    One convolution and a pixel-shuffle must draw every 4×4 block from a dictionary of 48 atoms, which the eye finds as
    a weave, and pass the noise through as many channels. Narrow layers at the finer grids do neither. A pixel-shuffle
    at each of them still has a convolution of its own for every phase of the grid, and draws a lattice on a ground
    that has nothing in it; features that are enlarged bilinearly are the same at all phases wherever they are smooth.
    """

    def __init__(self, inputs: int, config: NetworkConfig, joined: list[int]):
        super().__init__()
        self.patch, self.white, self.bilinear = config.patch, config.white, config.enlarging == "bilinear"
        self.expand, self.join, self.refine = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for width, seen in zip(config.fine, joined, strict=True):
            self.expand.append(conv3x3(inputs, width if self.bilinear else 4 * width))
            self.join.append(conv3x3(seen, width))
            self.refine.append(conv3x3(width, width))
            inputs = width
        self.last = conv3x3(inputs, 3)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, h, x, extra=(), drop=0):
        """Pixels, less `drop` at every side: what only those would need is left out as soon as it is."""
        patch, cut = self.patch, 0  # `cut`: pixels at every side that are gone
        for expand, join, refine in zip(self.expand, self.join, self.refine, strict=True):
            patch //= 2
            h = expand(h)
            h = F.interpolate(h, scale_factor=2, mode="bilinear") if self.bilinear else F.pixel_shuffle(h, 2)
            spare = max(0, drop - cut - self.reach(patch)) // patch
            h, cut = inner(h, spare), cut + spare * patch
            seen = [F.pixel_unshuffle(inner(x, cut), patch)] if self.white else []
            seen += [F.avg_pool2d(inner(e, cut), patch) if patch > 1 else inner(e, cut) for e in extra]
            h = F.leaky_relu(join(torch.cat([h, *seen], dim=1)), 0.2, inplace=True)
            h = h + F.leaky_relu(refine(h), 0.2, inplace=True)
        return inner(self.last(h), drop - cut)

    def reach(self, patch: int) -> int:
        """Pixels that one of the result sees far from where features of `patch` pixels are joined with what is seen."""
        return 2 * patch + (6 if self.bilinear else 4) * (patch - 1) + 1


class Network(nn.Module):
    """x_0 (or v, or ε: `config.predicts`) from x_t, t, condition, ground resolution, degradation."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        channels = [config.width * m for m in config.multipliers]
        self.encoder = Encoder(config)
        self.time = Embedding(config.frequencies, config.embedding)
        self.resolution = Embedding(config.frequencies, config.embedding) if config.resolution else None
        self.degradation = Embedding(config.frequencies, config.embedding)
        self.creases = Creases(config.creases) if config.creases else None
        self.cells = Cells(config.cells) if config.cells else None
        self.relief = Relief() if config.reads_relief else None
        first, *joined = (len(seen) for seen in inputs(config).values())
        self.first = conv3x3(first, channels[0])
        of_level = [(c, config, m in config.attention, config.padding if i else "zeros",
                     config.deepest if i + 1 == len(channels) else 3)
                    for i, (c, m) in enumerate(zip(channels, config.multipliers, strict=True))]
        steps = list(zip(channels, channels[1:], strict=False))
        self.down = nn.ModuleList(Stage(how[0], *how) for how in of_level)
        self.shrink = nn.ModuleList(conv3x3(a, b, config.padding, stride=2) for a, b in steps)
        self.grow = nn.ModuleList(conv3x3(b, a, config.padding) for a, b in steps)
        self.up = nn.ModuleList(Stage(how[0] if i == len(steps) else 2 * how[0], *how)
                                for i, how in enumerate(of_level))
        self.norm = make_norm(config.norm, channels[0])
        if config.fine:
            self.head = Head(channels[0], config, joined)
        else:
            self.last = conv3x3(channels[0], 3 * config.patch**2)
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

    def encode(self, condition: torch.Tensor) -> torch.Tensor:
        """Features of the condition ``(B, 3, h, w)`` in [-1, 1]: once per window, not once per step."""
        return self.encoder(condition)

    def read(self, noise: torch.Tensor, ruled: torch.Tensor | None = None) -> list[torch.Tensor]:
        """What the network sees beside x_t, each ``(B, C, H - 2·rim, W - 2·rim)``: the readings of the noise
        ``(B, 3, H, W)``, and, if it is shown any, what is `ruled`, of that size; or none anywhere."""
        if ruled is None and self.config.shown:
            ruled = torch.zeros_like(inner(noise[:, :1], self.config.rim)).repeat(1, self.config.shown, 1, 1)
        return self.readings(noise) + self.apart(ruled)

    def readings(self, noise: torch.Tensor) -> list[torch.Tensor]:
        """What the noise ``(B, 3, H, W)`` is also read as, each ``(B, C, H - 2·rim, W - 2·rim)``."""
        with torch.autocast(noise.device.type, enabled=False):  # CPUs take seconds for grouped ones in bfloat16
            found = [reading(noise.float(), self.config.rim)
                     for reading in (self.creases, self.cells, self.relief) if reading]
        return [x.contiguous(memory_format=torch.channels_last) for x in found]

    def apart(self, ruled: torch.Tensor | None) -> list[torch.Tensor]:
        """What is ruled, ``(B, shown, H, W)``, gullies apart; nothing if the network is shown nothing."""
        if not self.config.shown:
            return []
        first = gullies.CHANNELS * self.config.gullies
        parts = ruled.split([first, self.config.shown - first], 1)
        return [part.contiguous(memory_format=torch.channels_last) for part in parts if part.shape[1]]

    def ruled(self, seed: int, level: int, x0: int, y0: int, x1: int, y1: int,
              use: Use | None = None, plain: np.ndarray | torch.Tensor | float = 1.0, gentle: float = 0.0,
              device: torch.device | None = None, overlaps: Overlaps | None = None
              ) -> np.ndarray | torch.Tensor | None:
        """The gullies, the parcels, the cover and the towns that it is shown at these pixels of a level, float32
        ``(shown, y1-y0, x1-x0)``; None if it is shown none. `use`: as if all land were of that. `plain`: how plain the
        base is there, in 0…1; not looked at unless `config.plains`. `gentle`: by how much gullies are fainter where it
        is plain. `device`: None for an array. `overlaps`: of tiles, which know what their neighbours were shown."""
        c, place = self.config, (seed, level, x0, y0, x1, y1)
        shares, town = (np.float32(1), np.float32(1)), np.float32(0)  # of the parcels and of the cover
        if c.land_use:
            share = land_use.field(*place, device) if use is None else np.float32(use != Use.WILD)
            share = share * plain if c.plains else share
            if c.towns:
                town = towns.field(*place, device) * plain if use is None else np.float32(use == Use.TOWN)
                share, wild = share * (1 - town), (1 - share) * (1 - town)
            else:
                wild = 1 - share
            shares = share, wild
        found = [gullies.field(*place, device)] if c.gullies else []
        if gentle and found:
            found[0] *= 1 - plain * np.float32(gentle)
        fields = c.nested, parcels.Ruling((c.rows, parcels.ROWS[1]))
        for shown, kind, how, share in ((c.parcels, parcels, fields, shares[0]), (c.cover, cover, (), shares[1])):
            # What is nowhere to be seen need not be computed; to ask a GPU whether it is would take as long.
            if shown and (torch.is_tensor(share) or np.any(share)):
                made = overlaps.field(kind.field, *place, *how) if overlaps else kind.field(*place, *how, device=device)
                found.append(made * share)
            elif shown:
                found.append(arrays.zeros((kind.CHANNELS, y1 - y0, x1 - x0), device))
        if c.towns:
            if towns.near(*place) if torch.is_tensor(town) else np.any(town):
                found[-2] += towns.streets(*place, device) * town
            if c.roads and use is None:
                found[-2][0] += roads.field(*place, device) * plain
            found.append(arrays.zeros((1, y1 - y0, x1 - x0), device) + town)
        return arrays.joined(found) if found else None

    def shown(self, ruled: torch.Tensor | None, plain, laid=None, hilly=0.0, habitable=0.0) -> Shown | None:
        """What is `ruled`, ``(B, shown, H, W)``, by its kinds, and who is asked for what is `laid` on it."""
        if ruled is None:
            return None
        c = self.config
        town = towns.CHANNELS * c.towns
        first = gullies.CHANNELS * c.gullies
        return Shown(*ruled.split([first, c.shown - first - town, town], 1), plain, laid, hilly, habitable)

    def embed(self, t, ground_resolution, degradation) -> torch.Tensor:
        """c_{k,t}: the sum of the embeddings ``(B, E)``; of rows ``(B, R, E)`` if the ground resolution is ``(B, R)``.

        ``t`` in 0…999 and degradation in 0…1 are ``(B,)``; ground resolution in m/px.
        """
        total = self.time(t) + self.degradation(100 * degradation)
        if self.resolution is not None:
            # In octaves: a level is two apart, and latitude moves it smoothly.
            octaves = 4 * torch.log2(ground_resolution)
            branch = self.resolution(octaves.flatten())
            total = total + branch if octaves.ndim == 1 else total[:, None] + branch.unflatten(0, octaves.shape)
        return F.silu(total)

    def spare(self, drop: int) -> tuple[int, int]:
        """Of `drop` outermost pixels that nobody wants, how many need not enter the U-Net's last stage, and its head.

        What stays holds all that a wanted pixel sees from there: a 3×3 convolution sees one pixel of its level far.
        """
        c = self.config
        if c.attention or c.norm == "group":
            return 0, 0  # every pixel sees all
        head = c.head_reach
        stage = head + c.patch * (2 * c.blocks + 1 + 2 * c.enlarging_reach)
        coarser = 2 * c.patch
        return (max(0, drop - stage) // coarser * coarser if len(c.multipliers) > 1 else 0,
                max(0, drop - head) // c.patch * c.patch)

    def forward(self, x, t, features, ground_resolution, degradation, drop: int = 0, extra=None):
        """``x`` (B, 3, H, W), H and W multiples of `config.stride`; -> what `config.predicts`, same shape.

        Ground resolution ``(B,)``, or of every row of patches ``(B, H/patch)``: then a picture that spans latitudes is,
        like all else here, a local function of where it lies. `drop`, a multiple of the patch: so many pixels on every
        side are not wanted and left out of the result, and the last stages do not compute what only they would need.
        `extra`: what `read` made of the noise, if it knows more of it than x; else x is read, and zeros around it.
        """
        if extra is None:
            extra = self.read(F.pad(x, [self.config.rim] * 4))
        cuts = self.spare(drop)
        h = self.trunk(x, features, self.embed(t, ground_resolution, degradation), extra, cuts)
        if self.config.fine:
            return self.head(h, inner(x, cuts[1]), [inner(e, cuts[1]) for e in extra], drop - cuts[1])
        return inner(F.pixel_shuffle(self.last(h), self.config.patch), drop - cuts[1])

    def trunk(self, x, features, embedding, extra=(), cuts=(0, 0)):
        """The U-Net: ``(B, width, H/patch, W/patch)``, H and W less twice the second of `cuts`."""
        patch = self.config.patch
        seen = [F.pixel_unshuffle(x, patch)] if self.config.white else []
        seen += [features, *(F.avg_pool2d(e, patch) if patch > 1 else e for e in extra)]
        h = self.first(torch.cat(seen, dim=1))
        skips = []
        of_level = [embedding if embedding.ndim == 2 else F.avg_pool1d(embedding.transpose(1, 2), 2**i).transpose(1, 2)
                    for i in range(len(self.down))]
        for i, stage in enumerate(self.down):
            h = stage(h, of_level[i])
            if i < len(self.shrink):
                skips.append(h)
                h = self.shrink[i](h)
        for i in reversed(range(len(self.up))):
            if not i and len(self.grow):
                early = cuts[0] // patch
                h, skips[0], of_level[0] = inner(h, early // 2), inner(skips[0], early), (
                    of_level[0] if embedding.ndim == 2 else inner(of_level[0], early))
            if i < len(self.grow):
                h = self.grow[i](F.interpolate(h, scale_factor=2, mode=self.config.enlarging))
                h = torch.cat([h, skips[i]], dim=1)
            h = self.up[i](h, of_level[i])
        return F.silu(self.norm(inner(h, (cuts[1] - cuts[0]) // patch)))


def inputs(config: NetworkConfig) -> dict[str, list[tuple]]:
    """A name for every channel that enters the convolutions which see the noise, by the name of their weight."""
    widths = (*config.creases, "all") if config.creases else ()
    read = [("crease", width, part) for width in widths for part in range(2)]
    read += [("cell", part) for part in range(Cells.channels if config.cells else 0)]
    read += [("relief", part) for part in range(Relief.channels if config.relief else 0)]
    read += [("parcel", part) for part in range(parcels.CHANNELS if config.parcels else 0)]
    read += [("cover", part) for part in range(cover.CHANNELS if config.cover else 0)]
    read += [("town", part) for part in range(towns.CHANNELS if config.towns else 0)]

    def numbered(what, count):
        return [(what, i) for i in range(count)]

    def noise(patch):
        return numbered("noise", 3 * patch**2) if config.white else []
    found = {"first.weight": noise(config.patch) + numbered("condition", config.encoder_width) + read}
    for i, width in enumerate(config.fine):
        found[f"head.join.{i}.weight"] = numbered("coarser", width) + noise(config.patch >> (i + 1)) + read
    return found


def grown(state: dict[str, torch.Tensor], old: NetworkConfig, new: NetworkConfig,
          fill=lambda was: 0.0, fresh: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
    """Weights of a network, for one that sees the noise otherwise: what is new is `fill` of the old, no weight at all.
    Of a head that enlarges bilinearly, what begins as the mean over the phases that a pixel-shuffle had. Where the new
    one has more channels they begin as in `fresh`, its weights before any training, and nobody listens to them yet.

    Where it has fewer levels or its deepest sees no neighbours, what it begins as is near the old, and not the same.

    Any tensors named and shaped as the weights will do, an optimiser's means too."""
    result, before = dict(state), inputs(old)
    if old.enlarging != new.enlarging:
        if old.enlarging == "bilinear":
            raise ValueError("a head that enlarges bilinearly cannot be given a pixel-shuffle")
        for name in [n for n in result if n.startswith("head.expand.")]:
            result[name] = result[name].unflatten(0, (-1, 4)).mean(1)
    if len(old.multipliers) > len(new.multipliers):
        result = shortened(result, old, new)
        old = replace(old, multipliers=new.multipliers, deepest=3)
    if old.deepest < new.deepest:
        raise ValueError("a network whose deepest level sees no neighbours cannot be shown any")
    if old.deepest > new.deepest:
        last = len(new.multipliers) - 1
        for name in [n for n in result if re.match(rf"(down|up)\.{last}\.blocks\.\d+\.conv[12]\.weight", n)]:
            result[name] = result[name].sum((2, 3), keepdim=True)
    for name, now in inputs(new).items():
        if name in state and before[name] != now:
            was = state[name]
            result[name] = was.new_full((len(was), len(now), *was.shape[2:]), float(fill(was)))
            kept = [channel for channel in now if channel in before[name]]
            result[name][:, [now.index(c) for c in kept]] = was[:, [before[name].index(c) for c in kept]]
    for name, begins in (fresh or {}).items():
        was = result[name]
        if was.shape != begins.shape:
            result[name] = begins.clone()
            if was.ndim > 1:
                result[name][:len(was), was.shape[1]:] = 0.0
            result[name][tuple(slice(size) for size in was.shape)] = was
    return result


def shortened(state: dict[str, torch.Tensor], old: NetworkConfig, new: NetworkConfig) -> dict[str, torch.Tensor]:
    """Weights less those of the levels that a network has no more: the stage that had what came up from there beside
    its own has its own alone, and no convolution to make one of both."""
    levels = len(new.multipliers)
    if old.multipliers[:levels] != new.multipliers:
        raise ValueError(f"levels of {new.multipliers} are not the first of {old.multipliers}")
    first, own = f"up.{levels - 1}.blocks.0.", old.width * old.multipliers[levels - 1]
    begins = {"down": levels, "up": levels, "shrink": levels - 1, "grow": levels - 1}  # of what is gone
    result = {}
    for name, value in state.items():
        part, number = name.split(".")[:2]
        if not (part in begins and int(number) >= begins[part] or name.startswith(first + "skip.")):
            result[name] = value
    result[first + "conv1.weight"] = result[first + "conv1.weight"][:, own:]
    for name in [n for n in result if n.startswith(first + "scale_shift.")]:
        result[name] = result[name].unflatten(0, (2, 2 * own))[:, own:].flatten(0, 1)
    for name in [n for n in result if n.startswith(first + "norm.")]:
        result[name] = result[name][own:]
    return result


def parameter_count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
