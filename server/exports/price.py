"""What an export costs, before it is made: windows of the cascade, seconds on this machine, megabytes."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import Checkpoint
from model.generator import Generator
from model.grid import SCALE, TILE
from model.turns import in_order
from model.window import TILES, supports
from server import encoding
from server.exports.job import Job

_PIXEL_BYTES = TILE * TILE * 3


@dataclass(frozen=True)
class Price:
    """Seconds and megabytes are estimates from one tile in the area's middle, made for the purpose."""

    tiles: int
    windows: int  # network runs, at most: what the store has is not made again
    seconds: float
    result_bytes: int
    needed_bytes: int  # free disk while it is made, the result included
    free_bytes: int
    window_seconds: float

    @property
    def fits(self) -> bool:
        return self.needed_bytes < self.free_bytes


Cover = tuple[int, int, int, int]  # first column, first row, last column, last row


def windows_needed(job: Job, base_zoom: int, checkpoint: Checkpoint) -> tuple[dict[int, int], dict[int, int]]:
    """Windows of each generated level under a job's box: its tiles, with older versions all that these stand on too;
    and its supports."""
    tiles: dict[int, Cover] = {}
    supported: dict[int, Cover] = {}
    for region in job.regions:
        z = region.z
        cover = region.columns[0], region.rows[0], region.columns[-1], region.rows[-1]
        if z > base_zoom and z % 2 == 0:  # the mean of the zoom below it on screen
            z, cover = z + 1, (2 * cover[0], 2 * cover[1], 2 * cover[2] + 1, 2 * cover[3] + 1)
        if z > base_zoom:
            _widen(tiles, z, cover)
        core = TILE
        while z - 2 > base_zoom:
            z -= 2
            if checkpoint.sampler.supports:
                wide = SCALE * supports(checkpoint).core // core
                cover, core = tuple(i // wide for i in cover), supports(checkpoint).core
                _widen(supported, z, cover)
                continue
            # A window needs the part of the level above that lies under it and its halo: the cover widens a little.
            halo, rows = checkpoint.sampler.halo, (1 << z) - 1
            first, last = TILES.condition_box(halo, *cover[:2]), TILES.condition_box(halo, *cover[2:])
            cover = first[0] // TILE, max(0, first[1] // TILE), (last[2] - 1) // TILE, min(rows, (last[3] - 1) // TILE)
            _widen(tiles, z, cover)
    return _counted(tiles, 1), _counted(supported, TILE // supports(checkpoint).core)


def _widen(covers: dict[int, Cover], z: int, cover: Cover) -> None:
    known = covers.get(z, cover)
    covers[z] = *map(min, known[:2], cover[:2]), *map(max, known[2:], cover[2:])


def _counted(covers: dict[int, Cover], each: int) -> dict[int, int]:
    """Windows by level, of which `each` lie beside each other in a tile."""
    return {z: min(right - left + 1, each << z) * (bottom - top + 1)
            for z, (left, top, right, bottom) in sorted(covers.items())}


def price(job: Job, generator: Generator, output: Path, form: str) -> Price:
    """Price a job. Makes one tile, in the middle of the area at its deepest zoom, to know what one costs here."""
    world = generator.worlds.get(job.world.world)
    region = job.regions[-1]
    x, y = (region.x0 + region.x1) // 2 // TILE % (1 << region.z), (region.y0 + region.y1) // 2 // TILE
    middle = job.world._replace(z=region.z, x=x, y=y)
    window_seconds, windows = 0.0, 0
    tiles = job.count()
    if not generator.is_base(middle):
        generator.warm()  # loading is not part of the price
        window_seconds = _seconds(lambda: _at_once(generator)) / generator.workers
        checkpoint = generator.checkpoint(middle)
        whole, half = (sum(of.values()) for of in windows_needed(job, world.base_zoom, checkpoint))
        # Polygons leave tiles of their box out; their windows in proportion. A support is less than a tile.
        share = tiles / sum(region.tile_count for region in job.regions)
        cut, halo = supports(checkpoint), checkpoint.sampler.halo
        half *= ((cut.core + 2 * (cut.rim + halo)) / (TILE + 2 * halo)) ** 2
        windows = max(1, round((whole + half) * share))
    pixels = generator.pixels(middle)
    about = encoding.provenance(middle, not generator.is_base(middle))
    sample = encoding.encode(pixels, job.ext, about)
    # Beside the network: base imagery, means, encoding, and the second pass into the output.
    tile_seconds = _seconds(lambda: encoding.encode(generator.pixels(middle), job.ext, about)) + 0.01
    spool = tiles * len(sample)
    if form in ("tif", "png"):
        pixel_share = region.width * region.height / (region.tile_count * TILE * TILE)
        result = round(spool * pixel_share * (4 / 3 if form == "tif" else 1))  # a third for the overviews
        needed = spool + round(tiles * _PIXEL_BYTES * pixel_share) + result
    else:
        result = spool
        needed = spool * (3 if form == "pmtiles" else 1)
    folder = output.absolute()
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    seconds = windows * window_seconds + tiles * tile_seconds
    return Price(tiles, windows, seconds, result, needed, free, window_seconds)


def _at_once(generator: Generator) -> None:
    """As many windows as an export makes at once."""
    list(in_order(lambda _, check: generator.blank(TILES), range(generator.workers), generator.workers))


def _seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
