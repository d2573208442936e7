"""What a connection document describes: one world, under one seed, at one version."""

from dataclasses import dataclass

from flask import current_app, request

from model import grid
from model.region import HALF_WORLD, MAX_LATITUDE
from server import addresses


@dataclass(frozen=True)
class Place:
    """A map to connect to. ``version`` is never empty: what we print is always pinned."""

    world: str
    seed: str  # as typed: `pandora` stays `pandora`
    version: str
    pinned: bool  # whether the request named the version
    world_title: str
    credit: str  # whom the base imagery is owed to

    minzoom = 0
    maxzoom = grid.MAX_ZOOM
    tile_size = grid.TILE
    half_world = HALF_WORLD
    west, south, east, north = -180.0, -MAX_LATITUDE, 180.0, MAX_LATITUDE

    @property
    def name(self) -> str:
        """What a layer list shows."""
        return f"{self.world_title}, seed {self.seed} (Elsewhere, synthetic)"

    @property
    def identifier(self) -> str:
        """A name for programs: letters, digits, dashes."""
        return f"elsewhere-{self.world}-{self.seed}"

    @property
    def description(self) -> str:
        return (
            f"Synthetic imagery of a place that does not exist: world {self.world}, seed {self.seed}, "
            f"version {self.version}. Made by a diffusion model; not for navigation, not evidence of anything."
        )

    @property
    def attribution(self) -> str:
        made = f"Synthetic imagery, Elsewhere ({self.world}, seed {self.seed}, {self.version})"
        return f"{made}. {self.credit}" if self.credit else made

    @property
    def tiles(self) -> str:
        """``https://host/…/{z}/{x}/{y}.png``"""
        return addresses.tile_template(self.world, self.seed, self.version)

    def tiles_with(self, z: str, x: str, y: str) -> str:
        """The same with a client's own placeholders."""
        return self.tiles.replace("{z}", z).replace("{x}", x).replace("{y}", y)

    @property
    def tilejson(self) -> str:
        return addresses.tilejson(self.world, self.seed, self.version)

    @property
    def wmts(self) -> str:
        return addresses.wmts(self.world, self.seed, self.version)

    @property
    def qgis(self) -> str:
        return addresses.gis(self.world, self.seed, self.version, "qgis.xml")

    @property
    def layer(self) -> str:
        return addresses.gis(self.world, self.seed, self.version, "layer.qlr")

    @property
    def gdal(self) -> str:
        return addresses.gis(self.world, self.seed, self.version, "gdal.xml")

    @property
    def style(self) -> str:
        return addresses.gis(self.world, self.seed, self.version, "style.json")

    @property
    def use(self) -> str:
        return addresses.use(self.world, self.seed, self.version)


def find(world: str, spot: str) -> Place:
    """The place that ``/{world}/{seed}`` or ``/{world}/{seed}@{version}`` names.

    Raises UnknownWorld, BadSeed and UnknownVersion, which the application turns into 400 and 404.
    """
    services = current_app.extensions["elsewhere"]
    seed, at, version = spot.partition("@")
    address = services.generator.address(world, seed, 0, 0, 0, version if at else None)
    about = services.worlds.get(world)
    return Place(world, seed, address.version, bool(at), about.title, about.attribution)


def found() -> Place:
    """The place of the request being answered."""
    return find(request.view_args["world"], request.view_args["spot"])
