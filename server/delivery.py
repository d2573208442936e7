"""From an address to a picture: out of the store, out of the base imagery, or out of the render queue.

The one path by which tiles, previews, exports and the command line's ``verify`` get pixels while a server runs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from model.generator import Address, Generator
from model.grid import MAX_ZOOM, TILE
from server import encoding
from server.queue import RenderQueue
from server.store import TileStore


class Delivered(NamedTuple):
    """An encoded picture and how it came: ``hit`` (nothing was rendered for it), ``miss`` or ``join``."""

    data: bytes
    how: str


class Preview(NamedTuple):
    """An encoded stand-in, and the zoom of the ancestor it was enlarged from (the tile's own zoom if it is final)."""

    data: bytes
    level: int


class Delivery:
    """Safe from many threads: the network is the render threads', everything else happens in the caller's."""

    def __init__(self, generator: Generator, store: TileStore, queue: RenderQueue):
        self.generator = generator
        self.store = store
        self.queue = queue

    def picture(self, address: Address, scale: int, ext: str, gone: Callable[[], bool] = lambda: False) -> Delivered:
        """One tile, 256·scale pixels wide, encoded. Waits for renders. Raises Busy, or what went wrong."""
        data = self.store.picture(address, scale, ext)
        if data is not None:
            return Delivered(data, "hit")
        pixels, how = self._enlarged(address, gone) if scale == 2 else self._plain([address], gone)
        # A render thread has kept a window's PNG already.
        data = self.store.picture(address, scale, ext) if how != "hit" else None
        if data is None:
            generated = not self.generator.is_base(address)
            data = encoding.encode(pixels, ext, encoding.provenance(address, generated))
            self.store.keep(address, scale, ext, data)
        return Delivered(data, how)

    def pixels(self, address: Address, gone: Callable[[], bool] = lambda: False) -> np.ndarray:
        """The pixels of one tile, uint8 (256, 256, 3)."""
        return self._plain([address], gone)[0]

    def preview(self, address: Address, ext: str) -> Preview:
        """The deepest kept ancestor, enlarged to the tile; never waits for the network."""
        pixels, level = self.store.get(address), address.z
        if pixels is None:
            for ancestor in [address] if self.generator.is_base(address) else self.generator.ancestors(address):
                is_base = self.generator.is_base(ancestor)
                source, around = (self.generator.pixels if is_base else self.store.get)(ancestor), ancestor
                if source is None:  # what others stand on shows half as much
                    half = address.z - ancestor.z - 1
                    around = address._replace(z=ancestor.z + 1, x=address.x >> half, y=address.y >> half)
                    source = self.generator.at_hand(around)
                if source is not None:
                    pixels, level = enlarge(source, around, address), ancestor.z
                    break
        generated = not self.generator.is_base(address)
        data = encoding.encode(pixels, ext, encoding.provenance(address, generated), fast=True)
        return Preview(data, level)

    def _plain(self, addresses: list[Address], gone: Callable[[], bool]) -> tuple[np.ndarray, str]:
        """One tile, or four as one picture of twice the size (in reading order)."""
        found = {address: self.store.get(address) for address in addresses}
        how = "hit" if all(pixels is not None for pixels in found.values()) else "miss"
        for address, pixels in found.items():
            if pixels is None and self.generator.is_base(address):
                found[address] = self.generator.pixels(address)  # resampled in milliseconds: any thread may
        missing = [address for address in addresses if found[address] is None]
        if missing:
            tickets = self.queue.submit(missing, gone)
            how = "miss" if any(ticket.how == "miss" for ticket in tickets) else "join"
            found |= {ticket.address: ticket.result() for ticket in tickets}
        if len(addresses) == 1:
            return found[addresses[0]], how
        rows = [np.hstack([found[left], found[right]]) for left, right in (addresses[:2], addresses[2:])]
        return np.vstack(rows), how

    def _enlarged(self, address: Address, gone: Callable[[], bool]) -> tuple[np.ndarray, str]:
        """A tile at 512 pixels: its four children, or at the deepest zoom a Lanczos enlargement of itself."""
        if address.z < MAX_ZOOM:
            return self._plain(children(address), gone)
        pixels, how = self._plain([address], gone)
        return np.asarray(Image.fromarray(pixels).resize((2 * TILE, 2 * TILE), Image.Resampling.LANCZOS)), how


def children(address: Address) -> list[Address]:
    """The four tiles of the next zoom, in reading order."""
    corner = address._replace(z=address.z + 1, x=2 * address.x, y=2 * address.y)
    return [corner._replace(x=corner.x + i, y=corner.y + j) for j in (0, 1) for i in (0, 1)]


def enlarge(source: np.ndarray, ancestor: Address, address: Address) -> np.ndarray:
    """The part of an ancestor's pixels that lies under a tile, at the tile's size, uint8 (256, 256, 3)."""
    if ancestor == address and len(source) == TILE:
        return source
    factor = 1 << (address.z - ancestor.z)
    size = len(source) / factor  # may be less than a pixel, far down
    left, top = (address.x % factor) * size, (address.y % factor) * size
    box = (left, top, left + size, top + size)
    return np.asarray(Image.fromarray(source).resize((TILE, TILE), Image.Resampling.BICUBIC, box=box))
