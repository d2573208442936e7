"""People's own planets: a picture is checked, laid out as a plate carrée and kept in a folder.

Everything is read and written in strips, so that memory does not grow with the picture. Three ways in:

* a 2:1 picture is the whole planet;
* any other shape is a patch, centred at 0° N 0° E, half a planet long at most, on a plain ground of its own colours;
* a picture with a georeference lies where it belongs, on such a ground.
"""

import hashlib
import json
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform
from rasterio.windows import Window

from model.base import PlateCarree, base_zoom, halve
from model.errors import BadPicture, ElsewhereError

REVISION = 1                            # bump when the same file is laid out otherwise
FORMATS = {"PNG": "PNG", "JPEG": "JPEG", "WEBP": "WebP", "GTiff": "TIFF"}
MOST_PIXELS = 1_000_000_000             # 44,700×22,350; a small file may claim any number (a decompression bomb)
MOST_UNSTREAMED = 120_000_000           # WebP and interlaced PNG are decoded as a whole
WIDEST = 21_600                         # pixels round the planet that are kept, 2 GB with nothing lost below
LEAST = 32                              # pixels; less is no picture of a planet
STRIP = 256                             # rows at a time
FEATHER = 0.08                          # of a patch's shorter side
WGS84 = CRS.from_epsg(4326)


class PictureTooLarge(ElsewhereError):
    code = "too_large"


@dataclass(frozen=True)
class Layout:
    """Where the picture lies on the plate carrée: `width` pixels round, the picture's box in it."""

    width: int
    left: int
    top: int
    across: int
    down: int
    note: str

    @property
    def whole(self) -> bool:
        return self.across == self.width and self.down == self.width // 2


class Stored(PlateCarree):
    """A planet kept by `store`, mapped from its files instead of read."""

    def __init__(self, folder: Path):
        self.tone = None
        self.pyramid = [np.load(file, mmap_mode="r") for file in sorted(folder.glob("level-*.npy"))]
        self.zoom = base_zoom(self.pyramid[0].shape[1])


def describe(folder: Path) -> dict:
    """What `store` wrote down of a planet: title, note, attribution, digest, width. Raises OSError, ValueError."""
    return json.loads((folder / "world.json").read_text(encoding="utf-8"))


def store(file: Path, folder: Path, title: str, attribution: str) -> None:
    """Lay the picture out and keep it in `folder`, which appears complete or not at all.

    Raises `BadPicture`, `PictureTooLarge`, and FileExistsError if the folder is there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        with _opened(file) as source:
            layout = _georeferenced(source) or _plain(source)
            digest = _write(source, layout, unfinished)
        about = {"title": title, "note": layout.note, "attribution": attribution, "digest": digest,
                 "width": layout.width}
        (unfinished / "world.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        unfinished.chmod(0o755)
        if folder.exists():
            raise FileExistsError(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _opened(file: Path):
    """The picture as a rasterio dataset, recognised by its content; what GDAL has to say becomes `BadPicture`."""
    with warnings.catch_warnings(), rasterio.Env(GDAL_ERROR_ON_LIBJPEG_WARNING="TRUE", GDAL_CACHEMAX=128):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)      # rasterio 1.4 multiplies Affine the old way
        try:
            with rasterio.open(file, driver=_format(file)) as source:
                _check(source)
                yield source
        except RasterioError as error:
            kinds = ", ".join(FORMATS.values())
            raise BadPicture(f"that is not a whole picture as {kinds} ({str(error).replace(str(file), 'the file')})"
                             ) from error


def _format(file: Path) -> str:
    """GDAL's driver for the file, by its first bytes: GDAL knows a hundred formats, some of which open other files."""
    with open(file, "rb") as stream:
        head = stream.read(16)
        stream.seek(max(file.stat().st_size - 4096, 0))
        tail = stream.read()
    if head.startswith(b"\x89PNG") and b"IEND" not in tail:        # GDAL shows half a PNG without a word
        raise BadPicture("the PNG is cut off: its end is missing")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    for beginning, driver in ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"II*\0", "GTiff"),
                              (b"MM\0*", "GTiff"), (b"II+\0", "GTiff"), (b"MM\0+", "GTiff")):
        if head.startswith(beginning):
            return driver
    raise BadPicture(f"that is no picture we know: {', '.join(FORMATS.values())} are taken")


def _check(source) -> None:
    pixels = source.width * source.height
    if min(source.width, source.height) < LEAST:
        raise BadPicture(f"{source.width}×{source.height} pixels are too few for a planet: {LEAST} is the least")
    whole_only = source.driver == "WEBP" or source.tags(ns="IMAGE_STRUCTURE").get("INTERLACED") == "YES"
    most = MOST_UNSTREAMED if whole_only else MOST_PIXELS
    if pixels > most:
        raise PictureTooLarge(f"{source.width}×{source.height} are {pixels // 10**6} million pixels; {most // 10**6} "
                              f"million are the most for a {FORMATS[source.driver]} of this kind")
    if any(np.dtype(kind).kind not in "uif" for kind in source.dtypes):
        raise BadPicture(f"pixels of type {source.dtypes[0]} are no colours")


# --- where it lies ---------------------------------------------------------------------------------------------------

def _even(width: float) -> int:
    """The nearest width whose half can be halved four times, so that coarse zooms need not read it all."""
    step = 32 if width >= 1024 else 4
    return int(np.clip(step * round(width / step), 64, WIDEST))


def _plain(source) -> Layout:
    if abs(source.width / source.height - 2) <= 0.02:
        width = _even(source.width)
        return Layout(width, 0, 0, width, width // 2, "A whole planet, drawn from somebody's picture.")
    width = _even(max(2 * source.width, 4 * source.height))
    scale = width / max(2 * source.width, 4 * source.height)
    across, down = max(round(source.width * scale), 1), max(round(source.height * scale), 1)
    return Layout(width, (width - across) // 2, (width // 2 - down) // 2, across, down,
                  f"The picture is {source.width}×{source.height}, not 2:1: it lies as a patch at 0° N, 0° E, "
                  "on a plain ground of its own colours.")


def _georeferenced(source) -> Layout | None:
    if source.crs is None or source.transform.is_identity:
        return None
    try:
        there, columns, rows = calculate_default_transform(source.crs, WGS84, source.width, source.height,
                                                           *source.bounds)
    except RasterioError as error:
        raise BadPicture(f"its georeference cannot be brought to latitude and longitude ({error})") from error
    width = _even(360 / there.a)
    if min(columns, rows) * there.a * width / 360 < LEAST:
        raise BadPicture(f"it covers {columns * there.a:.3g}° × {rows * there.a:.3g}°, too little to see on a planet "
                         f"that is {width} pixels round")
    note = ("A whole planet, drawn from somebody's georeferenced picture." if columns * there.a > 350 else
            f"The picture lies where its georeference says ({there.f - rows * there.a:.1f}° to {there.f:.1f}° N, "
            f"{there.c:.1f}° to {there.c + columns * there.a:.1f}° E), on a plain ground of its own colours.")
    return Layout(width, 0, 0, width, width // 2, note)


# --- its pixels ------------------------------------------------------------------------------------------------------

class _Colours:
    """Any kind of bands -> uint8 RGB (rows, columns, 3)."""

    def __init__(self, source):
        kinds = list(source.colorinterp)
        wanted = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        if all(kind in kinds for kind in wanted):
            self.bands = [kinds.index(kind) + 1 for kind in wanted]
        else:
            self.bands = [1, 2, 3] if source.count - kinds.count(ColorInterp.alpha) >= 3 else [1, 1, 1]
        self.palette = None
        if kinds[0] == ColorInterp.palette:
            table = source.colormap(1)
            self.palette = np.array([table.get(i, (0, 0, 0, 255))[:3] for i in range(256)], np.uint8)
        self.alpha = source.count if kinds[-1] == ColorInterp.alpha else None
        self.low, self.high = 0.0, 255.0
        small = (3, min(source.height, 256), min(source.width, 512))
        sample = source.read(self.bands, out_shape=small, resampling=Resampling.nearest)
        if source.dtypes[0] != "uint8":     # no telling what the numbers mean: nearly all of them span black to white
            known = sample[np.isfinite(sample)]
            self.low, self.high = (float(v) for v in np.percentile(known, [1, 99])) if known.size else (0.0, 1.0)
            self.high = max(self.high, self.low + 1e-9)
        seen = self(sample).reshape(-1, 3)
        if self.alpha or source.nodata is not None:
            mask = source.dataset_mask(out_shape=small[1:]).ravel() > 0
            seen = seen[mask] if mask.any() else seen
        self.ground = np.median(seen, axis=0).astype(np.uint8)

    @property
    def resampling(self) -> Resampling:
        return Resampling.nearest if self.palette is not None else Resampling.average

    def __call__(self, bands: np.ndarray) -> np.ndarray:
        pixels = np.moveaxis(bands, 0, -1)
        if self.palette is not None:
            return self.palette[pixels[..., 0]]
        if pixels.dtype == np.uint8:
            return pixels
        scaled = (pixels.astype(np.float32) - self.low) * (255 / (self.high - self.low))
        return np.clip(np.rint(np.nan_to_num(scaled)), 0, 255).astype(np.uint8)


def _write(source, layout: Layout, folder: Path) -> str:
    """Write the picture and its exact halvings as level-N.npy; returns the digest of the picture's pixels."""
    colours = _Colours(source)
    height = layout.width // 2
    strips = _warped(source, layout, colours) if source.crs and not source.transform.is_identity \
        else _placed(source, layout, colours)
    digest = hashlib.sha256(f"{REVISION}:{layout.width}:".encode())
    target = np.lib.format.open_memmap(folder / "level-0.npy", "w+", np.uint8, (height, layout.width, 3))
    for top, strip in strips:
        target[top:top + len(strip)] = strip
        digest.update(np.ascontiguousarray(strip))
    level = 0
    while target.shape[0] % 2 == 0 and target.shape[0] > 128:
        finer, level = target, level + 1
        target = np.lib.format.open_memmap(folder / f"level-{level}.npy", "w+", np.uint8,
                                           (finer.shape[0] // 2, finer.shape[1] // 2, 3))
        for top in range(0, target.shape[0], STRIP):
            target[top:top + STRIP] = halve(finer[2 * top:2 * (top + STRIP)])
        finer.flush()
    target.flush()
    return digest.hexdigest()[:32]


def _placed(source, layout: Layout, colours: _Colours):
    """Strips (top row, pixels) of a picture without georeference in its box, its edges feathered into the ground."""
    height = layout.width // 2
    soft = 0 if layout.whole else max(FEATHER * min(layout.across, layout.down), 1)
    for top in range(0, height, STRIP):
        strip = np.broadcast_to(colours.ground, (min(STRIP, height - top), layout.width, 3)).copy()
        first, last = max(top, layout.top), min(top + len(strip), layout.top + layout.down)
        if first < last:
            scale = source.height / layout.down
            window = Window(0, (first - layout.top) * scale, source.width, (last - first) * scale)
            pixels = colours(source.read(colours.bands, window=window, out_shape=(3, last - first, layout.across),
                                         resampling=colours.resampling))
            box = strip[first - top:last - top, layout.left:layout.left + layout.across]
            if soft:
                rows = np.arange(first, last) - layout.top + 0.5
                weight = np.minimum(_rise(np.minimum(rows, layout.down - rows) / soft)[:, None],
                                    _rise(_to_edge(layout.across) / soft))[..., None]
                pixels = np.rint(box + weight * (pixels.astype(np.float32) - box)).astype(np.uint8)
            box[:] = pixels
        yield top, strip


def _warped(source, layout: Layout, colours: _Colours):
    """Strips of a georeferenced picture, warped to latitude and longitude; the ground where there is none of it."""
    step = 360 / layout.width
    with WarpedVRT(source, crs=WGS84, transform=Affine(step, 0, -180, 0, -step, 90), width=layout.width,
                   height=layout.width // 2, add_alpha=colours.alpha is None, warp_mem_limit=64,
                   resampling=Resampling.nearest if colours.palette is not None else Resampling.bilinear) as planet:
        for top in range(0, planet.height, STRIP):
            window = Window(0, top, planet.width, min(STRIP, planet.height - top))
            pixels = colours(planet.read(colours.bands, window=window))
            there = planet.read(planet.count, window=window)
            yield top, np.where(there[..., None] > 0, pixels, colours.ground)


def _to_edge(count: int) -> np.ndarray:
    at = np.arange(count) + 0.5
    return np.minimum(at, count - at)


def _rise(t: np.ndarray) -> np.ndarray:
    """0 … 1 with level ends."""
    t = np.clip(t, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
