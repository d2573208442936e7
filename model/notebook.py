"""Elsewhere from Python: three lines to an image of any place, one more to a map.

from model import World
earth = World("earth", seed=7)
image = earth.image((6.9, 43.6, 7.5, 44.0), resolution=100)
image.save("coast.tif")
"""

import base64
import io
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from affine import Affine
from PIL import Image as PillowImage
from PIL import PngImagePlugin

from model.generator import Address, Generator
from model.grid import TILE
from model.region import BadBox, Box, Region, zoom_for
from model.turns import in_order
from model.worlds import Worlds

LARGEST = 64_000_000  # pixels of one image: 192 MB; more than that is for `python -m server render`, which streams


@dataclass(frozen=True)
class Image:
    """A picture of a place, and where on the map it lies.

    ``pixels`` is uint8 (H, W, 3); ``transform`` takes (column, row) to ``crs``, in metres.
    """

    pixels: np.ndarray = field(repr=False)
    transform: Affine
    region: Region
    source: str
    crs: str = "EPSG:3857"

    @property
    def bounds(self) -> Box:
        """West, south, east, north in degrees; east exceeds 180 across the antimeridian."""
        return self.region.lonlat

    @cached_property
    def pil(self) -> PillowImage.Image:
        """The picture for Pillow."""
        return PillowImage.fromarray(self.pixels)

    def save(self, path: str | Path) -> None:
        """Write it with its georeference: ``.tif`` (GeoTIFF), else what Pillow knows, with a world file beside it."""
        path = Path(path)
        words = f"Synthetic imagery of a place that does not exist, made by Elsewhere: {self.source}"
        if path.suffix.lower() in (".tif", ".tiff"):
            import rasterio

            height, width = self.pixels.shape[:2]
            with rasterio.open(
                path, "w", driver="GTiff", width=width, height=height, count=3, dtype="uint8", crs=self.crs,
                transform=self.transform, compress="deflate", predictor=2, photometric="rgb",
            ) as out:  # fmt: skip
                out.write(self.pixels.transpose(2, 0, 1))
                out.update_tags(TIFFTAG_SOFTWARE="Elsewhere", TIFFTAG_IMAGEDESCRIPTION=words, SYNTHETIC="yes")
            return
        a, b, c, d, e, f = self.transform[:6]
        letters = path.suffix[1:]
        world_file = path.with_suffix("." + (letters[0] + letters[-1] + "w" if letters else "w"))
        world_file.write_text("".join(f"{value:.12f}\n" for value in (a, d, b, e, c + a / 2, f + e / 2)))
        self.pil.save(path, **({"pnginfo": self._text(words)} if path.suffix.lower() == ".png" else {"comment": words}))

    def _text(self, words: str) -> PngImagePlugin.PngInfo:
        text = PngImagePlugin.PngInfo()
        for key, value in (("Software", "Elsewhere"), ("Description", words), ("Source", self.source)):
            text.add_text(key, value)
        return text

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        data = io.BytesIO()
        self.pil.save(data, "PNG", pnginfo=self._text(self.source))
        return data.getvalue()


class World:
    """One world under one seed.

    Parameters
    ----------
    name : of the world, as ``model.worlds`` lists them
    seed : a number or a word
    version : twelve hex digits, or None for the newest
    data_dir : where people's own worlds live, or None
    generator : one to use in place of the one all worlds share

    Raises UnknownWorld, BadSeed, UnknownVersion.
    """

    def __init__(
        self,
        name: str = "earth",
        seed: int | str = 0,
        version: str | None = None,
        data_dir: str | Path | None = None,
        generator: Generator | None = None,
    ):
        self.generator = generator or _shared_generator(None if data_dir is None else str(data_dir))
        self.seed = seed
        self._address: Address = self.generator.address(name, str(seed), 0, 0, 0, version)
        self._about = self.generator.worlds.get(name)

    def __repr__(self) -> str:
        return f"World({self.name!r}, seed={self.seed!r}, version={self.version!r})"

    @property
    def name(self) -> str:
        return self._address.world

    @property
    def version(self) -> str:
        return self._address.version

    @property
    def attribution(self) -> str:
        """Whom the base imagery is owed to."""
        return f"Synthetic imagery, Elsewhere. {self._about.attribution}"

    def image(self, bbox, resolution: float | None = None, zoom: int | None = None) -> Image:
        """A picture of a box ``(west, south, east, north)`` in degrees; west > east crosses the antimeridian.

        Give ``resolution`` in metres per pixel on the ground (the zoom nearest to it is taken), or ``zoom``, or
        neither for about a thousand pixels across. Raises BadBox.
        """
        box = Box.of(*map(float, bbox))
        if zoom is None:
            zoom = _zoom_across(box, 1000) if resolution is None else zoom_for(resolution, box.centre[1])
        region = Region.covering(box, self.generator.address(self.name, 0, zoom, 0, 0).z)
        if region.width * region.height > LARGEST:
            raise BadBox(
                f"{region.width} x {region.height} pixels are too many for memory; take a coarser resolution, or "
                "`python -m server render`, which streams to a file."
            )
        pixels = np.empty((region.height, region.width, 3), np.uint8)
        places = [(column, row) for row in region.rows for column in region.columns]
        tiles = [self._address._replace(z=zoom, x=column % (1 << zoom), y=row) for column, row in places]
        made = in_order(self.generator.pixels, tiles, self.generator.workers)
        for (column, row), tile in zip(places, made, strict=True):
            x0, y0 = column * TILE - region.x0, row * TILE - region.y0
            part = pixels[max(y0, 0) : y0 + TILE, max(x0, 0) : x0 + TILE]
            top, left = max(-y0, 0), max(-x0, 0)
            part[:] = tile[top : top + part.shape[0], left : left + part.shape[1]]
        source = f"{self.name}/{self._address.seed}@{self.version} zoom {zoom} box {','.join(f'{v:.7g}' for v in box)}"
        return Image(pixels, Affine(*region.transform), region, source)

    def map(self, bbox=(-180, -85, 180, 85), server: str | None = None, resolution: float | None = None):
        """A folium map of a box.

        With the address of a running server (``http://127.0.0.1:8000``) it can be panned and zoomed everywhere;
        without, it holds one picture of the box, made here.
        """
        import folium

        box = Box.of(*map(float, bbox))
        lon, lat = box.centre
        shown = folium.Map(location=[lat, lon], tiles=None, max_zoom=19)
        if server is not None:
            template = f"{server.rstrip('/')}/tiles/{self.name}/{self.seed}@{self.version}/{{z}}/{{x}}/{{y}}.png"
            folium.TileLayer(template, attr=self.attribution, name=repr(self), max_native_zoom=15).add_to(shown)
        else:
            image = self.image(box, resolution)
            url = "data:image/png;base64," + base64.b64encode(image._repr_png_()).decode()
            # The picture is in Web Mercator as the map is: it fits without being bent.
            b = image.bounds
            folium.raster_layers.ImageOverlay(
                url, [[b.south, b.west], [b.north, b.east]], name=repr(self), attr=self.attribution
            ).add_to(shown)
        shown.fit_bounds([[box.south, box.west], [box.north, box.east]])
        return shown


def _zoom_across(box: Box, pixels: int) -> int:
    """The deepest zoom at which a box is at most this many pixels wide and high."""
    fits = [z for z in range(16) if max(Region.covering(box, z).width, Region.covering(box, z).height) <= pixels]
    return max(fits, default=0)


@cache
def _shared_generator(data_dir: str | None) -> Generator:
    """Weights are loaded once a process, and what has been made is remembered for all worlds."""
    return Generator(Worlds(None if data_dir is None else Path(data_dir)))
