"""A plain folder of georeferenced images -> patches: for people who have their own archive and no index.

Every file that GDAL can place is a scene. It is brought to Web Mercator and cut into 256×256 squares at its own ground
resolution and, where it is large enough, at resolutions 4, 16, … times coarser: an archive of one sensor feeds several
levels of the cascade. Which split a scene belongs to follows from its name (8:1:1) and never changes.
"""

import hashlib
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from tqdm import tqdm

from model.errors import BadImagery
from model.grid import EQUATOR_RESOLUTION, ground_resolution, pixel_to_lonlat
from model.training.imagery import LEVELS, Patch

SUFFIXES = (".tif", ".tiff", ".jp2", ".vrt", ".png", ".jpg", ".jpeg", ".webp")
SIZE = 256
ORIGIN = EQUATOR_RESOLUTION * 128  # metres of EPSG:3857 from its middle to its edge
WHOLE = 0.999  # of a square's pixels must be imagery


def read_archive(folder: Path, split: str, progress: bool = True, warn=print) -> list[Patch]:
    """Patches of the folder's scenes of one split, untoned. What cannot be used is named through `warn`.

    Raises `BadImagery` if there is nothing to read.
    """
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise BadImagery(f"no index.csv and no georeferenced image in {folder}: see docs/MODEL.md for both layouts")
    patches = []
    for path in tqdm(files, desc=f"archive, {split}", unit="image", disable=not progress):
        scene = path.relative_to(folder).with_suffix("").as_posix()
        if split_of(scene) != split:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 multiplies Affine the old way
                found = list(_cut(path, scene))
        except (RasterioError, ValueError) as error:
            warn(f"image {path} skipped: {error}")
            continue
        if not found:
            warn(f"image {path} skipped: no square of {SIZE}×{SIZE} pixels in it is whole")
        patches += found
    if not patches:
        raise BadImagery(f"none of the {len(files)} image(s) in {folder} gives a patch of split {split!r}: scenes fall "
                         "to train, val and test (8:1:1) by their names, so have ten or more")
    return patches


def split_of(scene: str) -> str:
    """"train", "val" or "test", 8:1:1, by a hash of the scene's name."""
    tenth = hashlib.sha256(scene.encode()).digest()[0] * 10 // 256
    return ("val", "test")[tenth] if tenth < 2 else "train"


def nearest_level(m_per_px: float) -> str:
    """The level whose nominal ground resolution is nearest in octaves; 611x is Blue Marble's own."""
    nominal = {level: float(level) for level in LEVELS if level != "611x"}
    return min(nominal, key=lambda level: abs(math.log2(nominal[level] / m_per_px)))


def _cut(path: Path, scene: str) -> Iterator[Patch]:
    with rasterio.open(path) as source:
        if source.crs is None or source.transform.is_identity:
            raise ValueError("it has no georeference")
        if source.count < 3 or source.dtypes[0] != "uint8":
            raise ValueError(f"it has {source.count} band(s) of {source.dtypes[0]}; three (R, G, B) of uint8 are used")
        masked = source.nodata is not None or ColorInterp.alpha in source.colorinterp
        with WarpedVRT(source, crs=CRS.from_epsg(3857), resampling=Resampling.bilinear, add_alpha=not masked) as warped:
            factor = 1
            while min(warped.width, warped.height) // factor >= SIZE:
                yield from _squares(warped, scene, factor)
                factor *= 4


def _squares(warped: WarpedVRT, scene: str, factor: int) -> Iterator[Patch]:
    span = SIZE * factor
    for top in range(0, warped.height - span + 1, span):
        for left in range(0, warped.width - span + 1, span):
            window = Window(left, top, span, span)
            if (warped.dataset_mask(window=window, out_shape=(SIZE, SIZE)) > 0).mean() < WHOLE:
                continue
            bands = warped.read([1, 2, 3], window=window, out_shape=(3, SIZE, SIZE), resampling=Resampling.average)
            x, y = warped.transform * (left + span / 2, top + span / 2)
            lon, lat = pixel_to_lonlat(0, (x + ORIGIN) / EQUATOR_RESOLUTION, (ORIGIN - y) / EQUATOR_RESOLUTION)
            scale = warped.transform.a * factor / EQUATOR_RESOLUTION  # of zoom 0's pixels
            m_per_px = scale * ground_resolution(0, lat)
            yield Patch(f"{scene}-{factor}-{top}-{left}", nearest_level(m_per_px), scene, "", lat, lon, m_per_px,
                        np.ascontiguousarray(bands.transpose(1, 2, 0)))
