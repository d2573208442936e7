"""What the noise is read as: lines, parcels, relief. Nothing of this is learned; its use is.

A small local network that is asked once does not find a river, a field or a ridge in white noise by itself within the
minutes of training we have. Each reading is a local and stationary function of the noise, so windows that share a pixel
share what is read there.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def inner(x: torch.Tensor, cut: int) -> torch.Tensor:
    """An image ``(B, C, H, W)`` without its `cut` outermost pixels; of rows ``(B, R, C)``, without the outermost."""
    return x[..., cut:x.shape[-2] - cut, cut:x.shape[-1] - cut] if x.ndim == 4 else x[:, cut:x.shape[1] - cut]


def laid_as(x: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """`made`, channels last if x is."""
    last = x.is_contiguous(memory_format=torch.channels_last)
    return made.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def bilinear(x: torch.Tensor, scale: int) -> torch.Tensor:
    """Bilinear enlargement: ``(B, C, H, W)`` -> ``(B, C, scale·H, scale·W)``, in the layout of x.

    Of three channels, and of no other number, torch takes other sums on one thread than on more: each by itself is
    the same on any, and what more would make.
    """
    if x.shape[1] != 3 or x.is_cuda or torch.is_grad_enabled():
        return F.interpolate(x, scale_factor=scale, mode="bilinear")
    apart = [F.interpolate(x[:, i:i + 1], scale_factor=scale, mode="bilinear") for i in range(3)]
    return laid_as(x, torch.cat(apart, 1))


class Creases(nn.Module):
    """The noise, read as lines and edges: ``(B, 3, H, W)`` -> ``(B, 2·(widths + 1), H - 2·rim, W - 2·rim)``.

    Where smoothed noise changes sign there are curves without end. Its modulus has valleys along them (the ridged noise
    of Musgrave 1994), its sign makes patches with sharp borders: rivers, crests, shores and fields are of that kind,
    and a small local network does not find them in white noise by itself. Nothing here is learned; its use is.
    """

    def __init__(self, widths: tuple[float, ...]):
        super().__init__()
        self.widths = widths
        self.channels, self.reach = 2 * (len(widths) + 1), 0
        for i, width in enumerate(widths):
            coarser = self.coarser(i)
            width = width / coarser
            reach = math.ceil(2.5 * width)
            self.reach = max(self.reach, coarser * (reach + 2 * (coarser > 1)))  # pooling and enlarging see one each
            at = torch.arange(-reach, reach + 1, dtype=torch.float32)
            kernel = torch.exp(-0.5 * (at / width) ** 2)
            kernel = kernel / kernel.square().sum().sqrt()  # white noise keeps its variance
            self.register_buffer(f"kernel{i}", kernel.expand(3, 1, 1, -1).contiguous(), persistent=False)

    def coarser(self, i: int) -> int:
        """By how much the grid is coarser on which that width is smoothed."""
        return 4 if self.widths[i] > 4 else 1

    def smooth(self, x, i: int, rim: int = 0):
        """The noise, on that width's grid and with `rim` of its pixels around the window, smoothed; of variance one."""
        kernel, coarser = getattr(self, f"kernel{i}"), self.coarser(i)
        around = kernel.shape[-1] // 2 + (coarser > 1)
        x = F.pad(x, [around - rim] * 4)  # less than nothing: cropped
        if x.is_cuda:  # three channels in groups of one take a GPU longer than three times as many pictures
            x = F.conv2d(F.conv2d(x.flatten(0, 1)[:, None], kernel[:1]), kernel[:1].transpose(2, 3))
            x = x[:, 0].unflatten(0, (-1, 3))
        else:
            x = x.contiguous(memory_format=torch.channels_last)
            x = F.conv2d(F.conv2d(x, kernel, groups=3), kernel.transpose(2, 3), groups=3)
        return inner(bilinear(x, coarser), coarser) if coarser > 1 else x

    def forward(self, x, rim: int = 0):
        total, found = 0.0, []
        grids = {n: n * F.avg_pool2d(x, n) if n > 1 else x for n in {self.coarser(i) for i in range(len(self.widths))}}
        for i in range(len(self.widths)):
            coarser = self.coarser(i)
            smooth = self.smooth(grids[coarser], i, rim // coarser)
            found += [smooth[:, 0:1].abs() - 0.8, torch.tanh(4 * smooth[:, 1:2])]
            total = total + smooth[:, 2:3] * (0.5 ** (len(self.widths) - 1 - i))  # the widest is the strongest
        return torch.cat([*found, total.abs() - 0.8, torch.tanh(4 * total)], dim=1)


class Cells(nn.Module):
    """The noise, read as parcels: ``(B, 3, H, W)``, multiples of `size`, -> ``(B, 3, H - 2·rim, W - 2·rim)``.

    A point in every square of `size` pixels, and around it all that is nearer to it than to another (Worley 1996): two
    numbers, the same over a whole cell, and where two cells meet. Fields, blocks of houses and floes are of that kind.
    """

    channels = 3

    def __init__(self, size: int):
        super().__init__()
        self.size, self.reach = size, 2 * size  # pixels

    def forward(self, x, rim: int):
        size, (height, width) = self.size, inner(x, rim).shape[-2:]
        x = inner(x, rim - size)  # no other square's point can be nearer than those of the nine around
        # One pixel of a square says where its point is, another what its cell's two numbers are.
        point = 0.5 + 0.42 * torch.erf(x[:, :2, ::size, ::size] * math.sqrt(0.5))
        known = torch.cat([point, x[:, :2, size // 2::size, size // 2::size]], 1)
        within = (torch.arange(size, device=x.device, dtype=torch.float32) + 0.5) / size
        nearness, values = [], []
        for dy in range(3):
            for dx in range(3):
                there = known[..., dy:dy + height // size, dx:dx + width // size].repeat_interleave(size, 3)
                across = there[:, 0] + (dx - 1) - within.repeat(width // size)
                along = there[:, 1, :, None] + (dy - 1) - within[:, None]
                squared = (across * across)[:, :, None] + along * along
                nearness.append(-2 * size * squared)  # so steep that cells pass into each other within two pixels
                values.append(there[:, 2:, :, None])
        share = torch.stack(nearness).softmax(0)
        flat = sum(s[:, None] * v for s, v in zip(share, values, strict=True))
        made = torch.cat([flat, 2 - 4 * (share * share).sum(0)[:, None]], 1)
        return made.reshape(len(x), 3, height, width)


MOST = 1.5  # times the usual that a form can be light or dark, of relief and of sketches


def limited(x: torch.Tensor) -> torch.Tensor:
    return MOST * torch.tanh(x / MOST)


class Relief(nn.Module):
    """The noise, read as light on eroded hills: ``(B, 3, H, W)`` -> ``(B, 2, H - 2·rim, W - 2·rim)``.

    Smooth hills, and on their slopes, in two sizes, stripes that run downhill: those of the smaller run down the
    slopes of the larger, and so branch off, as gullies do. A stripe is what a bank of complex Gabor filters finds in
    the noise across the slope, made even in strength. (The idea is that of Johansen's "phacelle" noise, which sums
    waves over cells; a bank of filters is stationary.) The channels are the light on hills and larger stripes, and on
    the smaller ones, each of variance one or so: `model/training/sketch.py` reads the same of a real picture.
    """

    channels, reach = 2, 32  # pixels
    GRIDS = (4, 2)           # pixels of the grids on which hills and first stripes, then the second, are computed
    WAYS, WAVE, RADIUS, BELL = 8, 4.5, 7, 3.2  # directions; the stripes', kernels' and windows' sizes on those grids
    STEEP = 1.8              # slope of the larger stripes, in units of the hills'
    HILLS, STRIPES = 0.7, 2.0  # how much light and dark each gives
    DARK = 0.5               # ... of the stripes' hollows, whatever the light
    FLAT, FAINT = 0.5, 0.4   # slopes below which, and strengths up to which, a stripe fades
    LIGHT = (-0.7, -0.7)     # from the north-west, as on maps

    def __init__(self):
        super().__init__()
        at = torch.arange(-self.RADIUS, self.RADIUS + 1, dtype=torch.float64)
        y, x = torch.meshgrid(at, at, indexing="ij")
        bell = torch.exp(-0.5 * (x * x + y * y) / self.BELL**2)
        angle = torch.arange(self.WAYS, dtype=torch.float64)[:, None, None] * math.pi / self.WAYS
        phase = 2 * math.pi / self.WAVE * (x * angle.cos() + y * angle.sin())
        even, odd = bell * phase.cos(), bell * phase.sin()
        even = even - bell * even.sum((1, 2), keepdim=True) / bell.sum()
        # Of white noise all have variance one; the two parts of the hills' slope together.
        slope = -torch.stack([x, y]) * bell / (x * bell).norm() / math.sqrt(2)
        stripes = torch.cat([part / part.flatten(1).norm(dim=1)[:, None, None] for part in (even, odd)])
        for name, value in (("hills", slope[:, None]), ("stripes", stripes[:, None]),
                            ("ways", torch.stack([angle.cos(), angle.sin()])), ("light", torch.tensor(self.LIGHT))):
            self.register_buffer(name, value.float(), persistent=False)

    def forward(self, x, rim: int):
        coarse, fine = (n * F.avg_pool2d(x, n) for n in self.GRIDS)
        # One pixel more than is wanted at either grid, for the enlarging.
        coarse = inner(coarse, rim // self.GRIDS[0] - self.RADIUS - 1)
        fine = inner(fine, rim // self.GRIDS[1] - self.RADIUS - 1)
        hills = F.conv2d(coarse[:, :1], self.hills)
        large, form = self.gullies(coarse[:, 1:2], hills)
        form = self.HILLS * self.lit(hills) + self.STRIPES * form
        slope, form = self.enlarge(torch.cat([hills + self.STEEP * large, form], 1)).split([2, 1], 1)
        _, small = self.gullies(fine[:, 2:3], slope)
        return limited(inner(self.enlarge(torch.cat([form, self.STRIPES * small], 1)), 1))

    def gullies(self, noise, slope):
        """Of stripes down `slope`: their own slope ``(B, 2, H, W)``, of one or so, and the light and dark of them."""
        even, odd = F.conv2d(noise, self.stripes).split(self.WAYS, 1)
        squared = slope.square().sum(1, keepdim=True)
        # cos² of the angle between each way and across the slope, to the 8th power: shares of all ways.
        share = (slope[:, :1] * self.ways[1] - slope[:, 1:] * self.ways[0]).square() / (squared + 1e-9)
        share = share.square().square().square()
        share = share / share.sum(1, keepdim=True).clamp(min=1e-9)
        crest = (share * even).sum(1, keepdim=True)
        side = torch.cat([(share * odd * way).sum(1, keepdim=True) for way in self.ways], 1)
        strength = (crest.square() + side.square().sum(1, keepdim=True)).sqrt() + 1e-6
        evened = torch.tanh(strength / self.FAINT) / strength * torch.tanh(squared.sqrt() / self.FLAT)
        return evened * side, self.lit(evened * side) + self.DARK * evened * crest

    def lit(self, slope):
        """How much more light than level ground a slope gets: ``(B, 1, H, W)``."""
        return (slope * self.light[:, None, None]).sum(1, keepdim=True)

    @staticmethod
    def enlarge(found):
        """To twice the grid, less the outermost pixel, about which bilinear enlarging is wrong."""
        return inner(bilinear(found, 2), 1)
