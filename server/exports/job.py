"""The tiles of an area, made into a folder beside the output; killed and started again it goes on.

A tile's file appears whole or not at all, so what is there is right, and nothing else needs remembering.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np

from model.errors import ElsewhereError
from model.generator import Address, Generator
from model.region import Region, hilbert_tiles
from model.turns import in_order
from server import encoding
from server.exports.area import Area


class ExportFailed(ElsewhereError):
    """An output that cannot be written; the message says why and what helps."""

    code = "export_failed"


@dataclass(frozen=True)
class Job:
    """What is to be made: one world's tiles of an area at some zooms (z, x and y of ``world`` mean nothing)."""

    world: Address
    area: Area
    zooms: tuple[int, ...]  # rising
    ext: str = "png"

    @property
    def regions(self) -> list[Region]:
        return [Region.covering(self.area.box, z) for z in self.zooms]

    def tiles(self) -> Iterator[Address]:
        """Every tile, zoom by zoom along the Hilbert curve: the order of PMTiles, and kind to the cascade."""
        for region in self.regions:

            def touches(z, x, y, region=region):
                return self.area.touches(z, x, y, region)

            for x, y in hilbert_tiles(region.z, touches):
                yield self.world._replace(z=region.z, x=x, y=y)

    def count(self) -> int:
        if not self.area.polygons:
            return sum(region.tile_count for region in self.regions)
        return sum(1 for _ in self.tiles())

    @property
    def source(self) -> str:
        """The job in one line, for provenance: anybody can make the same again."""
        a, zooms = self.world, f"{self.zooms[0]}-{self.zooms[-1]}" if len(self.zooms) > 1 else str(self.zooms[0])
        return f"{a.world}/{a.seed}@{a.version} zoom {zooms} box {','.join(f'{v:.7g}' for v in self.area.box)}"

    def as_dict(self) -> dict:
        """What must be the same for two runs to be one job."""
        polygons = json.loads(json.dumps(self.area.polygons))  # tuples become lists, as a file gives them back
        return {
            "world": self.world.world, "seed": self.world.seed, "version": self.world.version,
            "box": list(self.area.box), "polygons": polygons, "zooms": list(self.zooms), "ext": self.ext,
            "encoding": encoding.REVISION,
        }  # fmt: skip


class Workshop:
    """The folder ``<output>.part`` in which an output is made."""

    def __init__(self, output: Path, job: Job):
        self.output, self.job = output, job
        self.folder = output.with_name(output.name + ".part")
        self.tiles = self.folder / "tiles"

    @contextmanager
    def opened(self) -> Iterator["Workshop"]:
        """Hold the folder for this process. Raises ExportFailed when another job or another process has it."""
        note = self.folder / "job.json"
        with writing(self.output):
            self.output.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(exist_ok=True)
            lock = filelock.FileLock(self.folder / "lock", timeout=0)
            try:
                lock.acquire()
            except filelock.Timeout:
                raise ExportFailed(f"Another process is making {self.output}.") from None
        try:
            if note.exists() and json.loads(note.read_text()) != self.job.as_dict():
                raise ExportFailed(
                    f"{self.folder} holds the beginning of something else. Remove it, or choose another output."
                )
            with writing(self.output):
                put(note, json.dumps(self.job.as_dict()).encode())
            yield self
        finally:
            lock.release()
            # Not before something is worth going on with does a folder stay behind.
            if self.folder.is_dir() and not self.tiles.is_dir():
                shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, address: Address) -> Path:
        return self.tiles / str(address.z) / str(address.x) / f"{address.y}.{self.job.ext}"

    def make(self, generator: Generator) -> Iterator[bool]:
        """Make what is missing, some tiles at once; yields for each, once it is there, whether it had to be made."""

        def picture(address: Address, check: Callable[[], None]) -> tuple[Address, bytes | None]:
            if self.path(address).exists():
                return address, None
            about = encoding.provenance(address, not generator.is_base(address))
            return address, encoding.encode(generator.pixels(address, check), self.job.ext, about)

        for address, data in in_order(picture, self.job.tiles(), generator.workers):
            if data is not None:
                path = self.path(address)
                with writing(self.output):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    put(path, data)
            yield data is not None

    def pixels(self, address: Address) -> np.ndarray:
        """A tile that has been made, uint8 (256, 256, 3)."""
        return encoding.decode(self.path(address).read_bytes())

    def deliver(self, made: Path) -> None:
        """Move what was made into its place, and clear up."""
        with writing(self.output):
            os.replace(made, self.output)
            shutil.rmtree(self.folder, ignore_errors=True)


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(data)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Turn what a disk may answer into words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ExportFailed(
                f"The disk that should hold {output} is full. Make room and give the same command again: it continues "
                f"from {output.name}.part."
            ) from error
        raise ExportFailed(f"{output} cannot be written: {error.strerror or error}.") from error
