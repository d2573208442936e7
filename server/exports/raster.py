"""Tiles as one picture: a Cloud-Optimized GeoTIFF, or a PNG with its world file. GDAL streams; memory does not grow."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform
from rasterio.windows import Window

from model.grid import TILE
from model.region import HALF_WORLD, Region
from server.exports.job import ExportFailed, Workshop, put, writing

PNG_LIMIT = 1_000_000  # pixels a side, in the library that everybody reads PNG with
# Web Mercator with the antimeridian in its middle: there, a box that crosses it is in one piece for PROJ too. Without
# the null grid GDAL would take the sphere for an ellipsoid, and be 7 km off at 10 degrees.
_MERCATOR_180 = "+proj=merc +a=6378137 +b=6378137 +lon_0=180 +k=1 +units=m +nadgrids=@null +wktext +no_defs"
_CACHE_MEGABYTES = 128
_LAYOUT = {"driver": "GTiff", "dtype": "uint8", "tiled": True, "blockxsize": 256, "blockysize": 256,
           "interleave": "pixel", "bigtiff": "yes", "photometric": "rgb"}  # fmt: skip


def write_geotiff(workshop: Workshop, tags: dict[str, str], crs: str | None, step: Callable[[], None]) -> Path:
    """A COG of the area's pixels, in EPSG:3857 or another CRS, in the workshop; ``step()`` is called for each tile."""
    out = workshop.folder / "out.tif"
    with _gdal(workshop):
        picture = _mosaic(workshop, tags, crs is not None, step)
        if crs is not None:
            picture = _warped(workshop, picture, crs, tags)
        rasterio.shutil.copy(
            picture, out, driver="COG", compress="deflate", predictor="yes", blocksize=256, bigtiff="if_safer",
            overview_resampling="average", num_threads=1,
        )  # fmt: skip
        _check(out)
    return out


def write_png(workshop: Workshop, tags: dict[str, str], step: Callable[[], None]) -> tuple[Path, str]:
    """A PNG in the workshop, and the text of its world file (EPSG:3857)."""
    out = workshop.folder / "out.png"
    a, b, c, d, e, f = workshop.job.regions[0].transform
    # A world file names the centre of the first pixel.
    world_file = "".join(f"{value:.12f}\n" for value in (a, d, b, e, c + a / 2, f + e / 2))
    out.with_suffix(".pgw").write_text(world_file)
    with _gdal(workshop):
        picture = _mosaic(workshop, {}, False, step)
        with rasterio.open(picture, "r+") as mosaic:
            mosaic.update_tags(**tags)
        with rasterio.Env(GDAL_PAM_ENABLED=False):
            rasterio.shutil.copy(picture, out, driver="PNG", zlevel=4, write_metadata_as_text="yes")
        _check(out)
    return out, world_file


def deliver_png(workshop: Workshop, made: Path, world_file: str) -> None:
    """The world file first: nobody shall find the picture without it."""
    with writing(workshop.output):
        put(workshop.output.with_suffix(".pgw"), world_file.encode())
    workshop.deliver(made)


def _mosaic(workshop: Workshop, tags: dict[str, str], centred: bool, step: Callable[[], None]) -> Path:
    """The area's pixels as a plain GeoTIFF; uncompressed, so that GDAL may write a block twice and leave no hole."""
    job, (region,) = workshop.job, workshop.job.regions
    path = workshop.folder / "mosaic.tif"
    transform, crs = Affine(*region.transform), CRS.from_epsg(3857)
    if centred and job.area.box.east > 180:
        transform = Affine(*transform[:2], transform.c - HALF_WORLD, *transform[3:6])
        crs = CRS.from_user_input(_MERCATOR_180)
    bands = 4 if job.area.polygons else 3
    layout = {**_LAYOUT, **({"alpha": "yes"} if bands == 4 else {})}
    with rasterio.open(path, "w", width=region.width, height=region.height, count=bands, crs=crs, transform=transform,
                       **layout) as mosaic:  # fmt: skip
        mosaic.update_tags(**tags)
        mosaic.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha][:bands]
        for row in region.rows:
            for column in region.columns:
                address = job.world._replace(z=region.z, x=column % (1 << region.z), y=row)
                if workshop.path(address).exists():  # tiles that no polygon touches were not made
                    _paste(mosaic, region, column, row, workshop.pixels(address), job.area)
                    step()
    return path


def _paste(mosaic, region: Region, column: int, row: int, pixels: np.ndarray, area) -> None:
    """Write the part of a tile that lies in the region; outside the polygons it is transparent and black."""
    x0, y0 = max(column * TILE, region.x0), max(row * TILE, region.y0)
    x1, y1 = min((column + 1) * TILE, region.x1), min((row + 1) * TILE, region.y1)
    part = pixels[y0 - row * TILE : y1 - row * TILE, x0 - column * TILE : x1 - column * TILE].transpose(2, 0, 1)
    if area.polygons:
        seen = ~area.outside(region.z, x0, y0, x1 - x0, y1 - y0)
        part = np.concatenate([part * seen, (seen * np.uint8(255))[None]])
    mosaic.write(part, window=Window(x0 - region.x0, y0 - region.y0, x1 - x0, y1 - y0))


def _warped(workshop: Workshop, picture: Path, crs: str, tags: dict[str, str]) -> Path:
    """The picture in another CRS, block by block, transparent where there is nothing."""
    path = workshop.folder / "warped.tif"
    try:
        target = CRS.from_user_input(crs)
    except RasterioError as error:
        raise ExportFailed(f"{crs!r} is not a coordinate system: write it like EPSG:32632. ({error})") from None
    with rasterio.open(picture) as source:
        try:
            transform, width, height = _frame(source, target, workshop)
        except RasterioError as error:
            raise ExportFailed(f"This box cannot be shown in {crs}: {error}") from None
        options = {"crs": target, "transform": transform, "width": width, "height": height}
        alpha = {} if source.count == 4 else {"add_alpha": True}
        with (
            WarpedVRT(source, resampling=Resampling.cubic, **options, **alpha) as warped,
            rasterio.open(path, "w", count=4, alpha="yes", **options, **_LAYOUT) as out,
        ):
            out.update_tags(**tags)
            out.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
            for _, window in out.block_windows(1):
                out.write(warped.read(window=window), window=window)
    picture.unlink()
    return path


def _frame(source, target: CRS, workshop: Workshop) -> tuple[Affine, int, int]:
    """Transform, width and height of the picture in the target CRS, at about its own resolution."""
    if not target.is_geographic:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 multiplies affines the old way
            return calculate_default_transform(source.crs, target, source.width, source.height, *source.bounds)
    # In degrees the box is known, and may run past 180, which GDAL would wrap round the world.
    box = workshop.job.regions[0].lonlat
    step = (box.east - box.west) / source.width
    height = max(1, round((box.north - box.south) / step))
    return Affine(step, 0, box.west, 0, -step, box.north), source.width, height


def _check(path: Path) -> None:
    """Read all of it: GDAL reports a disk that fills while a file is closed on the terminal only."""
    with rasterio.open(path) as made:
        for _, window in made.block_windows(1):
            made.read(window=window)


class _gdal:
    """GDAL with a bounded cache, its errors in our words."""

    def __init__(self, workshop: Workshop):
        self.workshop = workshop
        self.env = rasterio.Env(GDAL_CACHEMAX=_CACHE_MEGABYTES, CPL_TMPDIR=str(workshop.folder))

    def __enter__(self):
        self.env.__enter__()

    def __exit__(self, kind, error, trace):
        self.env.__exit__(kind, error, trace)
        if isinstance(error, (RasterioError, OSError)) and not isinstance(error, ExportFailed):
            free = os.statvfs(self.workshop.folder)
            full = free.f_bavail * free.f_frsize < 4_000_000 or "No space" in str(error)
            why = "the disk is full" if full else str(error)
            raise ExportFailed(
                f"{self.workshop.output} cannot be written: {why}. The tiles are kept in {self.workshop.folder.name}: "
                "the same command continues."
            ) from error
