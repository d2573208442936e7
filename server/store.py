"""Made tiles, kept: on disk, with the most recent ones in memory in front.

A window of the cascade *is* the 256×256 tile of its odd zoom, so this is also the generator's ``WindowStore``: one
entry, a PNG, has two uses. Other formats and ``@2x`` pictures of the same tile lie beside it under keys of their own.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import numpy as np

from model.generator import Address
from model.recent import Recent
from server import encoding
from server.disk import DiskStore, StoreUnusable

log = logging.getLogger(__name__)

PIXELS_IN_MEMORY = 96 * 1000**2  # decoded windows, 197 kB each: parents are read again by every child
BYTES_IN_MEMORY = 64 * 1000**2  # encoded tiles, about 100 kB each: what people look at now


def key_of(address: Address, scale: int = 1, ext: str = "png") -> str:
    """The name of one picture: everything that its bytes depend on."""
    a = address
    size = "" if scale == 1 else f"@{scale}x"
    return f"{encoding.REVISION}/{a.world}/{a.version}/{a.seed}/{a.z}/{a.x}/{a.y}{size}.{ext}"


def address_of(key: str) -> Address | None:
    """The address of a plain PNG's key of this revision; None for other formats, sizes and revisions."""
    parts = key.split("/")
    if len(parts) != 7 or parts[0] != str(encoding.REVISION) or not parts[6].endswith(".png") or "@" in parts[6]:
        return None
    _, world, version, seed, z, x, y = parts
    return Address(world, version, int(seed), int(z), int(x), int(y.removesuffix(".png")))


class TileStore:
    """Encoded pictures by address, scale and format; decoded windows for the generator. Safe from many threads."""

    def __init__(self, folder: Path, limit: int):
        self.disk = DiskStore(Path(folder) / "tiles", limit)
        self._bytes: Recent[bytes] = Recent(BYTES_IN_MEMORY, size=len)
        self._pixels: Recent[np.ndarray] = Recent(PIXELS_IN_MEMORY, size=lambda pixels: pixels.nbytes)

    def picture(self, address: Address, scale: int = 1, ext: str = "png") -> bytes | None:
        """An encoded picture, or None."""
        key = key_of(address, scale, ext)
        data = self._bytes.get(key)
        if data is None:
            data = self.disk.get(key)
            if data is not None:
                self._bytes.put(key, data)
        return data

    def at_hand(self, key: str) -> bytes | None:
        """A picture by its :func:`key_of`, from memory or not at all: never waits for the disk."""
        return self._bytes.get(key)

    def keep(self, address: Address, scale: int, ext: str, data: bytes) -> None:
        """Keep an encoded picture; on a full disk in memory only."""
        key = key_of(address, scale, ext)
        self._bytes.put(key, data)
        self.disk.put(key, data, tag=address.world)

    def get(self, address: Address) -> np.ndarray | None:
        """Pixels of a kept tile, uint8 (256, 256, 3), read-only; or None (the generator's WindowStore)."""
        pixels = self._pixels.get(address)
        if pixels is not None:
            return pixels
        data = self.picture(address)
        if data is None:
            return None
        try:
            pixels = encoding.decode(data)
        except ValueError as error:
            log.warning("Tile %s is damaged in the store (%s); it will be made again.", key_of(address), error)
            self._bytes.forget(key_of(address))
            return None
        self._pixels.put(address, pixels)
        return pixels

    def put(self, address: Address, pixels: np.ndarray, generated: bool = True) -> None:
        """Keep a window of the cascade, or of its base (the generator's WindowStore)."""
        pixels = np.array(pixels, copy=True)
        pixels.setflags(write=False)
        self._pixels.put(address, pixels)
        self.keep(address, 1, "png", encoding.encode(pixels, "png", encoding.provenance(address, generated)))

    def addresses(self) -> Iterator[Address]:
        """Every tile of which the PNG is on disk, oldest first."""
        return filter(None, map(address_of, self.disk.keys()))

    def forget_world(self, world: str) -> int:
        """Remove every picture of a world; how many."""
        self._bytes.clear()
        self._pixels.clear()
        return self.disk.forget_tag(world)

    def close(self) -> None:
        self.disk.close()


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold a cache folder for one process. Raises StoreUnusable when another has it.

    Two servers on one folder would do no harm to it, only to each other: each would make what the other just made.
    """
    lock = filelock.FileLock(Path(folder) / "server.lock", timeout=0)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise StoreUnusable(
            f"Another Elsewhere is using the cache folder {folder}. Stop it, or give this one its own: --cache-dir …"
        ) from None
    except OSError as error:
        raise StoreUnusable(f"The cache {folder} cannot be used ({error}). Choose one with --cache-dir.") from error
    try:
        yield
    finally:
        lock.release()
