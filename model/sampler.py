"""How a network is asked: part of what decides the pixels, and kept with a version (`checkpoint`).

A dial is named once, here: its levels in config.json, its option of `python -m model export`, and what is said of it
when it is set wrongly all follow from a line of `SamplerConfig`. `underlay` does what it says.
"""

from dataclasses import dataclass, field, fields
from typing import NamedTuple

from model.grid import MAX_ZOOM
from model.network import NetworkConfig
from model.schedule import STEPS
from model.underlay import Dials

LEVELS = tuple(map(str, range(1, MAX_ZOOM + 1, 2)))


class Dial(NamedTuple):
    """How far something goes, 0…1 at each level: its name as an option and in `Dials`, what it is, what `export` says
    of it, and what the network must be shown."""

    name: str
    what: str
    help: str
    needs: tuple[str, ...] = ()


def dial(*of) -> dict[str, float]:
    """The field of one, by level; none where it is 0."""
    return field(default_factory=dict, metadata={"dial": Dial(*of)})


@dataclass(frozen=True)
class SamplerConfig:
    """How a network is asked."""

    times: tuple[int, ...] = (999, 749, 499, 249)  # DDIM timesteps, falling
    degradation: float = 0.0                        # what the network is told of its condition, 0…1
    degradations: dict[str, float] = field(default_factory=dict)  # ... where a level, "9", is told something else
    halo: int = 32                                  # pixels around the 256 px core that are computed and dropped
    projections: dict[str, float] = dial("projection", "projection", "share of what a level's 4×4 means are off its "
                                         "condition that is taken out, as 11:0.2,13:0.1")
    sharpenings: dict[str, float] = dial("sharpening", "sharpening", "by how much a level's condition is sharpened, "
                                         "likewise")
    calmings: dict[str, float] = dial("calming", "calming", "... and smoothed where it is calm")
    shades: dict[str, float] = dial("shade", "shade", "how light and dark gullies in its snow are where the base is "
                                    "rugged", ("gullies", "plains"))
    gentle: dict[str, float] = dial("gentle", "gentleness", "by how much gullies are fainter where the base is plain",
                                    ("gullies", "plains"))
    paints: dict[str, float] = dial("paint", "paint", "how light, dark, green and brown its fields and woods are",
                                    ("parcels", "cover"))
    farmland: dict[str, float] = dial("farmland", "farmland", "how crisp its fields are, with hedges, tracks and "
                                      "furrows", ("parcels", "plains"))
    slopes: dict[str, float] = dial("slope", "light on slopes", "how light and dark gullies on other rugged land are",
                                    ("gullies", "plains"))
    towns: dict[str, float] = dial("town", "town", "share of a town's colour that is laid over its ground")
    houses: dict[str, float] = dial("houses", "houses", "... and of its houses, streets and trees", ("towns",))
    gains: dict[str, float] = dial("gain", "gain", "by how much stronger what the network draws is, but where it is "
                                   "calm")
    hushes: dict[str, float] = dial("hush", "hush", "... and by how much weaker in great woods of plains", ("plains",))
    snows: dict[str, float] = dial("snow", "calm of snow", "... and by how much weaker on snow of mountains",
                                   ("plains",))
    dunes: dict[str, float] = dial("dunes", "light on dunes", "how light and dark dunes on its sand are where the base "
                                   "is plain", ("plains",))
    crowns: dict[str, float] = dial("crowns", "light on crowns", "... and trees in its woods", ("shown",))
    rocks: dict[str, float] = dial("rocks", "light on rocks", "... and rocks on its bare mountains", ("plains",))
    faces: dict[str, float] = dial("faces", "light on faces", "... and the faces of its mountains under snow",
                                   ("plains",))
    crags: dict[str, float] = dial("crags", "light on crags", "... and the ridges of those, and how much rock stands "
                                   "out of the snow", ("plains",))
    stills: dict[str, float] = dial("still", "calm of mountains", "by how much weaker what the network draws is on "
                                    "other mountains than snow's", ("plains",))
    ridges: dict[str, float] = dial("ridges", "light on ridges", "how light and dark ridges and valleys of its "
                                    "mountains are", ("plains",))
    rivers: dict[str, float] = dial("rivers", "river", "share of water's colour that is laid over the rivers of its "
                                    "plains", ("plains",))
    courses: dict[str, float] = dial("courses", "watercourse", "... over those that run in valleys, and their lakes",
                                     ("plains",))
    paved: dict[str, float] = dial("paved", "pavement", "share of a road's colour that is laid over roads and, where "
                                   "these cross rivers, bridges", ("plains", "roads"))
    lanes: dict[str, float] = dial("lanes", "lanes", "... and over lanes between villages, by which houses stand",
                                   ("plains", "towns"))
    woods: dict[str, float] = dial("woods", "edges of woods", "how crisp the edges of its woods are",
                                   ("plains", "cover"))
    shores: dict[str, float] = dial("shores", "crispness of shores", "how crisp, ragged and sandy its shores are",
                                    ("shown",))
    rows: bool = False                              # told every row's ground resolution, not the window's middle's
    supports: bool = False                          # a level stands on supports of the one above, not on its tiles

    def __post_init__(self):
        if not self.times or list(self.times) != sorted(set(self.times), reverse=True) or not all(
                0 <= t < STEPS for t in self.times):
            raise ValueError(f"times must fall strictly within 0…{STEPS - 1}, not {self.times}")
        given = {("degradation told", "every level"): self.degradation}
        told = {"degradation told": self.degradations}
        for what, known in (told | {of.what: getattr(self, key) for key, of in DIALS.items()}).items():
            if unknown := [level for level in known if level not in LEVELS]:
                raise ValueError(f"there is a {what} at the odd levels to {MAX_ZOOM}, not at {unknown}")
            given |= {(what, level): value for level, value in known.items()}
        for (what, level), value in given.items():
            if not 0 <= value <= 1:
                raise ValueError(f"the {what} at {level} must lie in 0…1, not {value}")

    def told(self, level: int) -> float:
        """The degradation that the network is told of its condition at a level."""
        return self.degradations.get(str(level), self.degradation)

    def gentleness(self, level: int) -> float:
        """By how much the gullies that the network is shown at a level are fainter where the base is plain."""
        return self.gentle.get(str(level), 0.0)

    def dials(self, level: int) -> Dials:
        """What is done at a level to what a picture is made of."""
        return Dials(**{of.name: getattr(self, key).get(str(level), 0.0) for key, of in DIALS.items()
                        if of.name in Dials._fields})

    def check(self, network: NetworkConfig) -> None:
        """Raises `ValueError` if a network cannot be asked so."""
        if not network.white and len(self.times) > 1:
            raise ValueError(f"it does not see x_t and is asked more than once, at {self.times}")
        for key, of in DIALS.items():
            if getattr(self, key) and (lacking := [name for name in of.needs if not getattr(network, name)]):
                raise ValueError(f"it is asked for {key}, which need what it is not shown: {', '.join(lacking)}")


DIALS: dict[str, Dial] = {each.name: each.metadata["dial"] for each in fields(SamplerConfig) if each.metadata}
