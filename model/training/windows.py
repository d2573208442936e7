"""Windows as a network is asked for them, and what it answers: what another one is to be taught by.

    windows/00012-13.pt   of the map, level 13 at the twelfth place
    windows/k00012.pt     of a known picture's condition

Each holds the condition, what is read of the noise and what is shown, m/px of the rows, what is told, and x_0 of the
middle, in half precision where that is finer than a hundredth of a grey level.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from model import checkpoint as checkpoints
from model import land_use, noise
from model.checkpoint import Checkpoint
from model.errors import BadCheckpoint
from model.generator import Address, Generator
from model.grid import TILE, lonlat_to_pixel
from model.network import Network, Use
from model.training.common import chance, write
from model.training.imagery import Patch
from model.training.pairs import Ground, Pair, PairConfig, Pairs
from model.training.pixels import SEA
from model.training.plans import level_of
from model.training.processes import here
from model.training.sketch import built_up
from model.window import row_resolutions
from model.worlds import Worlds

ZOOMS = range(7, 16, 2)
FARTHEST = 70.0   # degrees of latitude
AT_SEA = 0.05     # of the places in the sea, and ...
PLAIN = 0.6       # ... of those on plains, that are taken: what reaches far is seen best in mountains
KNOWN = 256       # pixels of a real picture
UNSURE = 56       # of them, at every side, that are not taught: what is made there has seen the edge
# Exact means as often as degraded and flattened ones; of z7 none is the base's, which the map's own windows have.
CONDITIONS = PairConfig(crop=KNOWN, clean=0.5, strength=0.4, haze=0.2, true_base=0.0)


def make(teacher: Path, folder: Path, places: int, patches: list[Patch], known: int, seed: int) -> None:
    """Windows of as many places of `earth`, five levels each, and of as many `known` conditions of patches, in
    `folder`; those that are there already are kept. Of several processes each makes its share.

    Raises `BadCheckpoint` if the teacher is asked more than once or sees x_t itself: then no window has one answer."""
    checkpoint, worlds = checkpoints.load(teacher), Worlds()
    if checkpoint.network.config.white or len(checkpoint.sampler.times) > 1:
        raise BadCheckpoint(f"{teacher} is asked more than once, or sees x_t itself: its answers alone do not teach it")
    folder.mkdir(parents=True, exist_ok=True)
    rank, processes = here()
    generator = Generator(worlds, weights=teacher, threads=torch.get_num_threads())
    pairs = Pairs(patches, seed, CONDITIONS) if known else None
    for i in tqdm(range(rank, places, processes), desc="windows of places", unit="place", disable=rank > 0):
        rng = chance(seed, i)
        world, lon, lat = place(rng, worlds)
        for zoom in ZOOMS:
            x, y = (int(v) // TILE for v in lonlat_to_pixel(zoom, lon, lat))
            address = generator.address("earth", world, zoom, x, y)
            _keep(folder / f"{i:05d}-{zoom}.pt", lambda address=address: on_the_map(generator, checkpoint, address))
    for i in tqdm(range(rank, known, processes), desc="... of pictures", unit="picture", disable=rank > 0):
        rng = chance(seed + 1, i)
        _keep(folder / f"k{i:05d}.pt", lambda i=i, rng=rng: of_a_picture(checkpoint, pairs.items(i, 1)[0], rng))


def _keep(path: Path, of: Callable[[], dict]) -> None:
    if not path.exists():
        write(of(), path)


def place(rng: np.random.Generator, worlds: Worlds) -> tuple[int, float, float]:
    """A seed, and a longitude and latitude of `earth` that are worth looking at."""
    base = worlds.get("earth").base(0)
    while True:
        seed, lon = int(rng.integers(1 << 32)), float(rng.uniform(-180, 180))
        lat = float(np.rad2deg(np.arcsin(rng.uniform(-1, 1) * np.sin(np.deg2rad(FARTHEST)))))
        x, y = (int(v) for v in lonlat_to_pixel(base.zoom, lon, lat))
        around = base.region(base.zoom, x - 8, y - 8, x + 8, y + 8)
        red, green, blue = around[8, 8].astype(int)
        if blue >= max(red, green) + SEA and min(red, green) < 128:
            if rng.random() < AT_SEA:
                return seed, lon, lat
        elif land_use.plain(around).mean() < 0.5 or rng.random() < PLAIN:
            return seed, lon, lat


@torch.inference_mode()
def on_the_map(generator: Generator, checkpoint: Checkpoint, address: Address) -> dict[str, torch.Tensor]:
    """What the network is asked for a tile of an odd zoom, and x_0 of the tile."""
    network, sampler = checkpoint.network, checkpoint.sampler
    halo, rim, level, seed = sampler.halo, network.config.rim, address.z, address.seed
    x0, y0, size = address.x * TILE - halo, address.y * TILE - halo, TILE + 2 * halo
    box = x0, y0, x0 + size, y0 + size
    low = torch.from_numpy(generator.condition(address)).permute(2, 0, 1)[None].float() / 127.5 - 1
    known = torch.as_tensor(noise.field(seed, level, x0 - rim, y0 - rim, x0 + size + rim, y0 + size + rim))[None]
    base = generator.worlds.get(address.world).base(seed)
    plain = land_use.plains(base, level, *box, cut=not network.config.towns) if network.config.plains else 1.0
    ruled = network.ruled(seed, level, *box, plain=plain, gentle=sampler.gentleness(level))
    rows = torch.tensor(row_resolutions(level, y0, size, network.config.patch))
    return answered(network, low, known, torch.from_numpy(ruled)[None], rows, sampler.told(level), halo)


@torch.inference_mode()
def of_a_picture(checkpoint: Checkpoint, pair: Pair, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """The same of the condition of a real picture, at a place that does not matter."""
    use = Use(int(rng.integers(3))) if pair.ground == Ground.BUILT else Use.WILD
    network, level = checkpoint.network, level_of(pair.m_per_px)
    rim = network.config.rim
    seed, x0, y0 = (int(v) for v in rng.integers(0, (1 << 32, 1 << 14, 1 << 14)))
    known = noise.field(seed, level, x0 - rim, y0 - rim, x0 + KNOWN + rim, y0 + KNOWN + rim)
    ruled = network.ruled(seed, level, x0, y0, x0 + KNOWN, y0 + KNOWN, use)
    ruled[-1] = built_up(pair.target[None], torch.tensor([pair.m_per_px]))[0].numpy() * (use != Use.WILD)
    rows = torch.full((1, KNOWN // network.config.patch), pair.m_per_px)
    return answered(network, pair.condition[None], torch.as_tensor(known)[None], torch.from_numpy(ruled)[None], rows,
                    pair.degradation, UNSURE)


def answered(network: Network, low, known, ruled, rows, told: float, drop: int) -> dict[str, torch.Tensor]:
    """What is asked, each without its batch, and the answer less `drop` pixels at every side, in half precision."""
    low, known, ruled = (of.contiguous(memory_format=torch.channels_last) for of in (low, known, ruled))
    extra = network.readings(known) + network.apart(ruled)
    x0 = network(known.new_zeros(1, 3, *ruled.shape[2:]), torch.full((1,), 999.0), network.encode(low), rows,
                 torch.full((1,), told), drop=drop, extra=extra)
    return {"low": low[0].contiguous(), "extra": torch.cat(extra, 1)[0].contiguous().half(), "rows": rows[0],
            "told": torch.tensor(told), "x0": x0[0].contiguous().half(), "drop": torch.tensor(drop)}
