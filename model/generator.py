"""The cascade: any tile of any world as a pure function of its address.

    base imagery ─► z7 ─► z9 ─► z11 ─► z13 ─► z15        one canonical window at a time
                     └─────┴─────┴──────┴─────┴──► tiles of odd zooms

What a level stands on are supports of the one above: windows half a tile wide, and what is around it, that nobody sees
and that are not rounded to grey levels. A tile that nothing stands above yet needs one at each level, where of tiles it
would need up to four. Older versions stand on tiles.

On a GPU, which takes hardly longer for sixteen windows than for one, it is a block of neighbours at a time. What has
been computed may be kept in a store, supports in memory, and may be thrown away: there is no other way to make a pixel.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch

from model import base as base_module
from model import checkpoint as checkpoints
from model import noise
from model.base import Base, halve
from model.errors import UnknownVersion
from model.grid import MAX_ZOOM, SCALE, TILE, check_tile, width
from model.overlaps import Overlaps
from model.recent import Recent
from model.seeds import parse_seed
from model.turns import Turns
from model.window import TILES, Cut, block, rounded, supports
from model.worlds import World, Worlds

REVISION = 1  # of the generator: bump by hand when the pixels change for the same weights; golden pixels guard it
BLOCK = 4  # windows, along and across, that a GPU makes at once
SUPPORTS_IN_MEMORY = 128 << 20  # bytes of them, 442 kB each


class Address(NamedTuple):
    """One tile, fully named."""

    world: str
    version: str
    seed: int
    z: int
    x: int
    y: int

    def __str__(self):
        return f"{self.world}/{self.seed}@{self.version}/{self.z}/{self.x}/{self.y}"


class Support(NamedTuple):
    """What the levels below stand on, by the tile of an even zoom that shows the same ground."""

    shown: Address

    @property
    def z(self) -> int:
        """The level whose pixels they are."""
        return self.shown.z - 1


Needed = Address | Support


class WindowStore(Protocol):
    """Where windows are kept, and the base's, which are not generated. Must be lossless; may forget."""

    def get(self, address: Address) -> np.ndarray | None: ...

    def put(self, address: Address, pixels: np.ndarray, generated: bool = True) -> None: ...


class MemoryStore:
    """The default store: the most recent windows, in memory."""

    def __init__(self, limit_bytes: int = 256 << 20):
        self._windows: Recent[np.ndarray] = Recent(limit_bytes, size=lambda pixels: pixels.nbytes)

    def get(self, address):
        return self._windows.get(address)

    def put(self, address, pixels, generated=True):
        self._windows.put(address, pixels)


def mosaic(z: int, x0: int, y0: int, x1: int, y1: int, tile: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """Pixels ``(y1-y0, x1-x0, 3)`` of zoom z, from its tiles. x wraps; rows beyond the poles repeat the last."""
    rows = np.clip(np.arange(y0, y1), 0, width(z) - 1)
    top, bottom = int(rows[0]) // TILE, int(rows[-1]) // TILE
    left, right = x0 // TILE, (x1 - 1) // TILE
    whole = np.concatenate([np.concatenate([tile(x % (1 << z), y) for x in range(left, right + 1)], axis=1)
                            for y in range(top, bottom + 1)], axis=0)
    return whole[rows - top * TILE, x0 - left * TILE:x1 - left * TILE]


class KeptBase(Base):
    """A world's base in windows that are kept in a store, as land use asks for it beside every other window: a planet
    that is not in memory takes seconds to draw."""

    def __init__(self, world: World, address: Address, store: WindowStore):
        self._world, self._address, self._store = world, address, store
        self.zoom = world.base_zoom

    def region(self, z, x0, y0, x1, y1):
        return mosaic(z, x0, y0, x1, y1, lambda x, y: self._tile(self._address._replace(z=z, x=x, y=y)))

    def _tile(self, address: Address) -> np.ndarray:
        pixels = self._store.get(address)
        if pixels is None:
            x, y = address.x * TILE, address.y * TILE
            pixels = self._world.base(address.seed).region(address.z, x, y, x + TILE, y + TILE)
            self._store.put(address, pixels, generated=False)
        return pixels


class Generator:
    """Tiles of all worlds and versions.

    Parameters
    ----------
    worlds : the register of worlds.
    store : where windows are kept; `MemoryStore` if None.
    device : of the networks, "cpu" or a torch device.
    threads : of the processor, which windows that are made at once share; changes no byte (tested).
    weights : folder of one checkpoint to use instead of the published versions, or None (then the environment
        variable ELSEWHERE_WEIGHTS, if set, names it).
    block : how many windows, along and across, are made and kept at once, a power of two; `BLOCK` on a GPU and 1 on a
        processor if None. Blocks lie side by side from the world's corner on, so that a window's bytes do not depend on
        which of its neighbours was asked for first. They do, by a grey level here and there, on `block`.

    Safe from many threads. `workers` of them keep the processor or the GPU busy; what two ask for is made once.
    """

    def __init__(self, worlds: Worlds, store: WindowStore | None = None, device: str = "cpu", threads: int = 2,
                 weights: Path | None = None, block: int | None = None):
        self.worlds, self.device = worlds, device
        on_gpu = torch.device(device).type == "cuda"
        self.workers = 1 if on_gpu else threads
        self.block = block or (BLOCK if on_gpu else 1)
        if self.block & (self.block - 1):
            raise ValueError(f"blocks are a power of two of windows wide, not {self.block}: else none fits the world")
        if on_gpu:  # all digits of float32, and the same sums in every run
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        self.store = MemoryStore() if store is None else store
        self._supports: Recent[np.ndarray] = Recent(SUPPORTS_IN_MEMORY, size=lambda pixels: pixels.nbytes)
        weights = weights or os.environ.get("ELSEWHERE_WEIGHTS") or None
        folders = [Path(weights)] if weights else checkpoints.published()
        self._folders = {checkpoints.digest(folder): folder for folder in folders}
        self._overlaps = Overlaps() if self.block == 1 else None
        self._turns, self._beside = Turns(threads), ThreadPoolExecutor(threads, "beside")
        self._loaded: dict[str, checkpoints.Checkpoint] = {}
        self._loading = threading.Lock()
        self._versions: dict[str, tuple[str, dict[str, str]]] = {}

    # --- names -------------------------------------------------------------------------------------------------------

    def versions(self, world: str) -> list[str]:
        """Versions of a world, newest first; raises `UnknownWorld`."""
        return list(self._networks(self.worlds.get(world)))

    def _networks(self, world: World) -> dict[str, str]:
        """Version of the world -> digest of its network."""
        known = self._versions.get(world.name)
        if known is None or known[0] != world.base_digest:
            known = world.base_digest, {version(world, digest): digest for digest in self._folders}
            self._versions[world.name] = known
        return known[1]

    def address(self, world: str, seed: str | int, z: int, x: int, y: int, version: str | None = None) -> Address:
        """A validated address; raises `BadSeed`, `BadTile`, `TileOutside`, `UnknownWorld`, `UnknownVersion`."""
        number = parse_seed(seed)
        check_tile(z, x, y)
        versions = self.versions(world)
        if version is not None and version not in versions:
            raise UnknownVersion(f"world {world!r} has no version {version!r}; the newest is {versions[0]}")
        return Address(world, version or versions[0], number, int(z), int(x), int(y))

    # --- pixels ------------------------------------------------------------------------------------------------------

    def is_base(self, address: Address) -> bool:
        """Whether the tile is shown as it is in the base imagery, without a network."""
        return address.z <= self.worlds.get(address.world).base_zoom

    def pixels(self, address: Address, check=None) -> np.ndarray:
        """The tile ``(256, 256, 3)`` uint8. `check()` is called between network calls and may raise."""
        check = check or (lambda: None)
        world = self.worlds.get(address.world)
        if address.z <= world.base_zoom:
            x, y = address.x * TILE, address.y * TILE
            return world.base(address.seed).region(address.z, x, y, x + TILE, y + TILE)
        with self._turns.at_work():
            if address.z % 2 == 1:
                return self._window(world, address, check)
            return halve(self.region(address._replace(z=address.z + 1), 2 * address.x * TILE, 2 * address.y * TILE,
                                     2 * (address.x + 1) * TILE, 2 * (address.y + 1) * TILE, check))

    def make(self, needed: Needed, check=None) -> np.ndarray:
        """What `needs` names: a tile's pixels, or a support, which is kept in memory."""
        if isinstance(needed, Address):
            return self.pixels(needed, check)
        with self._turns.at_work():
            return self._support(self.worlds.get(needed.shown.world), needed.shown, check or (lambda: None))

    def region(self, address: Address, x0: int, y0: int, x1: int, y1: int, check=None) -> np.ndarray:
        """Pixels ``(y1-y0, x1-x0, 3)`` uint8 of the level `address.z` (its x and y are not looked at).

        x wraps around the world; rows beyond the poles repeat the last one.
        """
        z = address.z
        world = self.worlds.get(address.world)
        if z <= world.base_zoom:
            return world.base(address.seed).region(z, x0, y0, x1, y1)
        return mosaic(z, x0, y0, x1, y1, lambda x, y: self.pixels(address._replace(x=x, y=y), check))

    def _window(self, world: World, address: Address, check) -> np.ndarray:
        return self._once(self.store, world, address, check, rounded)

    def condition(self, address: Address, check=None) -> np.ndarray:
        """What the window of an odd zoom below the base is conditioned on, with what its halo sees: ``(h, w, 3)``, grey
        levels, uint8 if they are the base's or an older version's, else float32."""
        world = self.worlds.get(address.world)
        return self._condition(world, self._checkpoint(world, address.version), address, check or (lambda: None))

    # A support goes by the tile of an even zoom that shows the same ground: that of 13 under 14/x/y by 14/x/y.

    def _support(self, world: World, address: Address, check) -> np.ndarray:
        return self._once(self._supports, world, address, check)

    def _once(self, kept, world: World, address: Address, check, finished=lambda pixels: pixels) -> np.ndarray:
        """What is kept of what goes by the address, made now if nothing is, `finished`, as is all that is made at once
        with it."""
        with self._turn(address):
            known = kept.get(address)
            if known is None:
                made = {each: finished(pixels) for each, pixels in self._made(world, address, check).items()}
                for each, pixels in made.items():
                    kept.put(each, pixels)
                known = made[address]
        return known

    def _cut(self, checkpoint: checkpoints.Checkpoint, address: Address) -> tuple[Cut, int]:
        """How the level is cut into what goes by such an address, and which level it is."""
        return (TILES, address.z) if address.z % 2 else (supports(checkpoint), address.z - 1)

    def _condition(self, world: World, checkpoint: checkpoints.Checkpoint, address: Address, check) -> np.ndarray:
        cut, level = self._cut(checkpoint, address)
        x0, y0, x1, y1 = cut.condition_box(checkpoint.sampler.halo, address.x, address.y)
        above = self._stands_on(world, checkpoint, address)
        if above is None:
            return self.region(address._replace(z=level - 2), x0, y0, x1, y1, check)
        core, rim = supports(checkpoint)
        left, top = above.x * core - rim, above.y * core - rim
        return self._support(world, above, check)[y0 - top:y1 - top, x0 - left:x1 - left]

    def _stands_on(self, world: World, checkpoint: checkpoints.Checkpoint, address: Address) -> Address | None:
        """The support that what goes by the address is conditioned on; None if it is the base or older versions'
        tiles."""
        cut, level = self._cut(checkpoint, address)
        if not checkpoint.sampler.supports or level - 2 <= world.base_zoom:
            return None
        x, y = (i * cut.core // SCALE // supports(checkpoint).core for i in (address.x, address.y))
        return address._replace(z=level - 1, x=x, y=y)

    def _made(self, world: World, address: Address, check) -> dict[Address, np.ndarray]:
        """What goes by the address, in grey levels that are not rounded, and all that is made at once with it."""
        checkpoint = self._checkpoint(world, address.version)
        cut, level = self._cut(checkpoint, address)
        all_of_them, side = self._together(address)
        conditions = np.stack([self._condition(world, checkpoint, each, check) for each in all_of_them])
        check()
        beside = self._beside if self._share() > 1 and self.block == 1 else None
        made = block(checkpoint, conditions, address.seed, level, *all_of_them[0][-2:], side, check,
                     KeptBase(world, address, self.store), cut, checkpoint.sampler.halo, self._overlaps, beside)
        return dict(zip(all_of_them, made, strict=True))

    def _together(self, address: Address) -> tuple[list[Address], int]:
        """What is made at once with what goes by the address, row by row, and how many they are along and across."""
        side = min(self.block, 1 << address.z)
        x, y = address.x // side * side, address.y // side * side
        return [address._replace(x=x + i, y=y + j) for j in range(side) for i in range(side)], side

    def _turn(self, address: Address):
        """To make what goes by the address: one thread at a time. Whoever makes a window waits for none but those above
        it, so nobody waits in a circle."""
        return self._turns.of(self._together(address)[0][0])

    def _share(self) -> int:
        """Take this thread's share of the processor, for a window."""
        threads = self._turns.share()
        if self.device == "cpu" and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)  # holds for the thread that says it
        return threads

    def _checkpoint(self, world: World, name: str) -> checkpoints.Checkpoint:
        digest = self._networks(world)[name]
        with self._loading:
            if digest not in self._loaded:
                self._loaded[digest] = checkpoints.load(self._folders[digest], self.device)
        return self._loaded[digest]

    @property
    def _newest(self) -> checkpoints.Checkpoint:
        return self._checkpoint(self.worlds.get("earth"), self.versions("earth")[0])

    def warm(self) -> None:
        """Load the newest weights and run one window or block of each kind, so that the first visitor does not wait."""
        self.blank(TILES)
        if self._newest.sampler.supports:
            self.blank(supports(self._newest))

    def blank(self, cut: Cut) -> None:
        """One window or block of the newest weights, of nothing, for nobody."""
        halo = self._newest.sampler.halo
        x0, _, x1, _ = cut.condition_box(halo, 0, 0)
        conditions = np.zeros((self.block**2, x1 - x0, x1 - x0, 3), np.uint8)
        with self._turns.at_work():
            self._share()
            block(self._newest, conditions, 0, MAX_ZOOM, 0, 0, self.block, cut=cut, drop=halo)

    # --- what stands above -------------------------------------------------------------------------------------------

    def needs(self, address: Address) -> list[Needed]:
        """What is missing and the tile would have to make: windows in the store, and the supports they stand on in
        memory; coarsest first. Of blocks, neighbours that nobody needs are not named."""
        missing: dict[Needed, None] = {}
        self._need(address, missing)
        return sorted(missing, key=lambda each: each.z)

    def _need(self, address: Address, missing: dict) -> None:
        if self.is_base(address) or address in missing:
            return
        if address.z % 2 == 0:
            children = [address._replace(z=address.z + 1, x=2 * address.x + i, y=2 * address.y + j)
                        for j in (0, 1) for i in (0, 1)]
            for child in children:
                self._need(child, missing)
            return
        if self.store.get(address) is not None:
            return
        missing[address] = None
        world = self.worlds.get(address.world)
        checkpoint = self._checkpoint(world, address.version)
        together, _ = self._together(address)
        if checkpoint.sampler.supports:
            for each in together:
                self._need_above(world, checkpoint, each, missing)
            return
        x0, y0, _, _ = TILES.condition_box(checkpoint.sampler.halo, *together[0][-2:])
        _, _, x1, y1 = TILES.condition_box(checkpoint.sampler.halo, *together[-1][-2:])
        z = address.z - 2
        for y in range(max(0, y0 // TILE), min((1 << z) - 1, (y1 - 1) // TILE) + 1):
            for x in range(x0 // TILE, (x1 - 1) // TILE + 1):
                self._need(address._replace(z=z, x=x % (1 << z), y=y), missing)

    def _need_above(self, world: World, checkpoint: checkpoints.Checkpoint, address: Address, missing: dict) -> None:
        above = self._stands_on(world, checkpoint, address)
        if above is None or Support(above) in missing or self._supports.get(above) is not None:
            return
        missing[Support(above)] = None
        for each in self._together(above)[0]:
            self._need_above(world, checkpoint, each, missing)

    def at_hand(self, address: Address) -> np.ndarray | None:
        """Pixels of zoom z - 1 under a tile of an even zoom z, uint8 ``(128, 128, 3)``, if their support is in memory.

        From any thread."""
        support = self._supports.get(address)
        if support is None:
            return None
        rim = (len(support) - TILE // 2) // 2
        return rounded(support[rim:-rim, rim:-rim])

    def checkpoint(self, address: Address) -> checkpoints.Checkpoint:
        """The network of the address's version, and how it is asked."""
        return self._checkpoint(self.worlds.get(address.world), address.version)

    def ancestors(self, address: Address) -> list[Address]:
        """Tiles above it whose pixels stand by themselves (odd zooms and the base), deepest first."""
        above = [address._replace(z=z, x=address.x >> (address.z - z), y=address.y >> (address.z - z))
                 for z in range(address.z - 1, -1, -1)]
        return [a for a in above if a.z % 2 == 1 or self.is_base(a)]


def version(world: World, network_digest: str) -> str:
    """12 hex digits over all that decides a world's pixels: network and sampler, base imagery, generator, noise."""
    parts = (network_digest, world.base_digest, REVISION, noise.REVISION, base_module.REVISION)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
