"""The folder of imagery: `index.csv` and tar shards, or plain georeferenced images -> patches, all in one tone."""

import csv
import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from model.base import Base, tone_curve
from model.errors import BadImagery
from model.grid import lonlat_to_pixel, width
from model.training.pixels import mean_colour
from model.worlds import EARTH_POWER

COLUMNS = ("id", "shard", "size_px", "m_per_px", "lat", "lon", "scene", "source", "landcover", "split")
# Nominal ground resolution of each level and the zoom it stands for (metres per pixel at 33° N/S).
LEVELS = {"4892": 5, "1223": 7, "611x": 8, "305": 9, "76": 11, "19": 13, "4.8": 15}
# How much of its contrast a fine source keeps: of octaves that both show, Blue Marble has less (docs/MODEL.md, "Tone").
CONTRAST = {"76": 0.85, "19": 0.7, "4.8": 0.85}
SOFT = 0.7  # pixels of z5: by how much the base is softer there than the means of finer pictures
AROUND = 4  # pixels of the base on every side of what lies above a patch
IMAGERY = Path(__file__).resolve().parents[3] / "shared" / "imagery"  # where the commands look unless told otherwise


@dataclass
class Patch:
    """One 256×256 picture with what is known of it."""

    id: str
    level: str                # key of LEVELS
    scene: str
    landcover: str
    lat: float
    lon: float
    m_per_px: float
    pixels: np.ndarray        # uint8 (256, 256, 3), toned
    base: np.ndarray | None = None  # uint8 (64, 64, 3): the world's own base there, where that is the condition
    above: np.ndarray | None = None  # uint8 (16 + 2·AROUND, same, 3): the base, where that is the condition's condition

    @property
    def blue_marble(self) -> bool:
        return self.scene.startswith("bm")


def read_index(folder: Path) -> list[dict]:
    """Rows of index.csv; raises `BadImagery` naming what is missing."""
    path = Path(folder) / "index.csv"
    if not path.is_file():
        raise BadImagery(f"no index.csv in {folder}: see docs/MODEL.md for the layout of an imagery folder")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or [])]
        if missing:
            raise BadImagery(f"{path} lacks the column(s) {', '.join(missing)}")
        return list(reader)


def read_patches(folder: Path, split: str, base: Base | None = None, progress=True, warn=print) -> list[Patch]:
    """All patches of a split, toned. Bad ones are named through `warn` and left out.

    A folder without `index.csv` is read as an archive of georeferenced images (`archive`).

    `base` (the world `earth`) gives the tone of the fine sources at their own place and the conditions of z7.
    """
    folder = Path(folder)
    if folder.is_dir() and not (folder / "index.csv").is_file():
        from model.training.archive import read_archive  # which needs GDAL, and this module's own names
        patches = read_archive(folder, split, progress, warn)
    else:
        patches = _read_shards(folder, split, progress, warn)
    if not patches:
        raise BadImagery(f"no usable patch of split {split!r} in {folder}")
    match_tone(patches, base)
    return patches


def _read_shards(folder: Path, split: str, progress: bool, warn) -> list[Patch]:
    wanted: dict[str, list[dict]] = {}
    for row in read_index(folder):
        if row["split"] == split:
            wanted.setdefault(row["shard"], []).append(row)
    patches = []
    for shard, rows in tqdm(sorted(wanted.items()), desc=f"imagery, {split}", unit="shard", disable=not progress):
        try:
            contents = _read_shard(folder / shard)
        except (OSError, tarfile.TarError) as error:
            warn(f"shard {shard} skipped: {error}")
            continue
        def read(row, shard=shard, contents=contents):
            try:
                return _patch(row, contents)
            except (KeyError, ValueError, UnidentifiedImageError, OSError) as error:
                warn(f"patch {row['id']} of {shard} skipped: {type(error).__name__} {error}")
        with ThreadPoolExecutor() as pool:
            patches += [patch for patch in pool.map(read, rows) if patch]
    return patches


def _read_shard(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {Path(m.name).stem: tar.extractfile(m).read() for m in tar if m.isfile()}


def _patch(row: dict, contents: dict[str, bytes]) -> Patch:
    image = Image.open(io.BytesIO(contents[row["id"]])).convert("RGB")
    if image.size != (256, 256):
        raise ValueError(f"is {image.size[0]}×{image.size[1]}, not 256×256")
    level = row["shard"].split("-")[1]
    if level not in LEVELS:
        raise ValueError(f"unknown level {level!r}")
    lat, lon, m_per_px = (float(row[name]) for name in ("lat", "lon", "m_per_px"))
    if not (abs(lat) <= 90 and abs(lon) <= 180 and 0 < m_per_px < float("inf")):
        raise ValueError(f"lies at {lat}, {lon} with {m_per_px} m/px, which cannot be")
    return Patch(row["id"], level, row["scene"], row["landcover"], lat, lon, m_per_px, np.asarray(image))


def match_tone(patches: list[Patch], base: Base | None) -> None:
    """Bring every source to one look (docs/MODEL.md, "Tone"), in place.

    Blue Marble goes through the world's own curve. Every other scene is multiplied, per channel, so that its mean comes
    80 % of the way (in logarithms) to the base's mean at that scene's places, and keeps `CONTRAST` about it. Where a z7
    patch covers a tile of the base, its low frequencies become the base's, and the base itself is kept as the true
    condition.
    """
    curve = tone_curve(EARTH_POWER)
    scenes: dict[str, list[Patch]] = {}
    for patch in patches:
        if not patch.blue_marble:
            scenes.setdefault(patch.scene, []).append(patch)

    def of_blue_marble(patch: Patch) -> None:
        patch.pixels = curve[patch.pixels]
        if base is not None and patch.level == "1223":
            _pair_with_base(patch, base)
        if base is not None and patch.level in ("305", "611x"):
            _place_under_base(patch, base)
    with ThreadPoolExecutor() as pool:  # numpy and Pillow let go of the interpreter most of the time
        list(pool.map(of_blue_marble, (patch for patch in patches if patch.blue_marble)))
    if base is None:
        return
    for members in scenes.values():
        mean = np.mean([mean_colour(p.pixels) for p in members], axis=0)
        there = np.mean([_base_colour(base, p) for p in members], axis=0)
        gain = np.clip((there + 4) / (mean + 4), 0.5, 1.6) ** 0.8
        for patch in members:
            keeps = CONTRAST.get(patch.level, 1.0)
            toned = (keeps * patch.pixels + (1 - keeps) * mean) * gain
            patch.pixels = np.clip(np.rint(toned), 0, 255).astype(np.uint8)


def _base_colour(base: Base, patch: Patch) -> np.ndarray:
    """Mean colour of the base around a patch (at least 8 px: the base is soft)."""
    px, py = (int(v) for v in lonlat_to_pixel(base.zoom, patch.lon, patch.lat))
    return base.region(base.zoom, px - 4, py - 4, px + 4, py + 4).mean((0, 1))


def _pair_with_base(patch: Patch, base: Base) -> None:
    """A patch of Blue Marble at z7, and the 64 px of z5 which are the condition of that tile."""
    above = _over(patch, base, LEVELS[patch.level], 4) if base.zoom == LEVELS[patch.level] - 2 else None
    if above is not None:
        # Of another month, one with snow and one without, they are no pair: mixed they were a haze over all mountains.
        if not _recolour(patch, above, 6, another=40):
            above = np.clip(np.rint(_blur(_means(patch.pixels, 64), SOFT)), 0, 255).astype(np.uint8)
        patch.base = above


def _place_under_base(patch: Patch, base: Base) -> None:
    """A patch of Blue Marble at z8, under the base of z4: as far below it as a tile of z9 is below z5's, and at higher
    latitudes of the same ground resolution."""
    above = _over(patch, base, 8, 16, AROUND)
    if above is not None and _recolour(patch, above[AROUND:-AROUND, AROUND:-AROUND], 3, another=40):
        patch.above = above


def _over(patch: Patch, base: Base, zoom: int, times: int, around: int = 0) -> np.ndarray | None:
    """The base, `times` coarser, over a patch that is a tile of `zoom`, and `around` pixels more on every side.

    None if the patch does not lie on that grid, or so much of the base is not there."""
    x, y = (v - 128 for v in lonlat_to_pixel(zoom, patch.lon, patch.lat))
    x0, y0, level, size = round(x / times), round(y / times), zoom - times.bit_length() + 1, 256 // times
    if max(abs(x - times * x0), abs(y - times * y0)) > 1 or not around <= y0 <= width(level) - size - around:
        return None
    return base.region(level, x0 - around, y0 - around, x0 + size + around, y0 + size + around)


def _means(pixels: np.ndarray, n: int) -> np.ndarray:
    """Of n × n squares: ``(n, n, 3)``."""
    steps = range(0, 256, 256 // n)
    return np.add.reduceat(np.add.reduceat(pixels.astype(np.float32), steps, 0), steps, 1) * (n / 256) ** 2


def _recolour(patch: Patch, base: np.ndarray, sigma: float, another: float = 256) -> bool:
    """The patch keeps its own detail and takes the colours of the base ``(n, n, 3)`` there, smoothed by `sigma` px.

    False, and nothing is done, if they differ by `another` grey levels somewhere: one has snow there, or ice."""
    n = len(base)
    shift = _blur(base - _means(patch.pixels, n), sigma)
    if np.abs(shift).max() >= another:
        return False
    up = np.stack([np.asarray(Image.fromarray(shift[..., c].astype(np.float32), "F").resize((256, 256), Image.BICUBIC))
                   for c in range(3)], axis=-1)
    patch.pixels = np.clip(np.rint(patch.pixels + up), 0, 255).astype(np.uint8)
    return True


def _blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """Separable Gaussian of ``(H, W, C)`` with edges replicated."""
    down, across = (_blurring(size, sigma) for size in values.shape[:2])
    return np.einsum("yv,vuc,xu->yxc", down, values, across, optimize=True)


@lru_cache(maxsize=16)
def _blurring(size: int, sigma: float) -> np.ndarray:
    """The matrix ``(size, size)`` of that along one axis."""
    radius = int(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    matrix = np.zeros((size, size))
    for i in range(size):
        np.add.at(matrix[i], np.arange(i - radius, i + radius + 1).clip(0, size - 1), kernel / kernel.sum())
    return matrix
