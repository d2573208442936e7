"""The six strips: one place from z5 to z15 as the cascade makes it, above real imagery of the same land and level."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.evaluation.context import Context
from model.evaluation.sheets import save, sheet, tile_around
from model.evaluation.statistics import contrast, kurtosis, sharpness
from model.training.imagery import Patch

ZOOMS = {5: ("4892",), 7: ("1223",), 9: ("305", "611x"), 11: ("76",), 13: ("19",), 15: ("4.8",)}
MEASURES = {"mean |Laplacian|": sharpness, "its kurtosis": kurtosis, "contrast in 64 px": contrast}


@dataclass(frozen=True)
class Place:
    """Where a strip goes down, and the words of the land covers that may stand beside it."""

    name: str
    title: str
    lon: float
    lat: float
    words: tuple[str, ...]
    without: tuple[str, ...] = ()


PLACES = (
    Place("coast", "coast (Galicia)", -9.05, 42.6, ("coast", "bay", "harbour", "lagoon", "estuary"), ("ice",)),
    Place("desert", "desert (Libya)", 25.3, 24.1, ("desert", "semi-arid", "dry lake"), ("coast", "city")),
    Place(
        "rain-forest",
        "rain forest (Amazon)",
        -62.5,
        -5.2,
        ("rainforest", "auto:forest", "forest"),
        ("coast", "city", "snow"),
    ),
    Place(
        "mountains",
        "mountains (Himalaya)",
        86.6,
        27.9,
        ("mountain", "alps", "glacier", "volcano", "ice-snow"),
        ("farmland", "coast"),
    ),
    Place(
        "farmland",
        "farmland (Kansas)",
        -98.5,
        39.2,
        ("farmland", "cropland", "pivot", "prairie", "vegetation", "dry-grass"),
        ("coast", "city"),
    ),
    Place(
        "city",
        "a town of seed 0 (Ukraine)",  # the base knows of no towns: where there are any a seed says
        31.4036,
        48.697,
        ("city", "airport", "port", "vegetation-coast", "forest-coast"),
    ),
)


def beside(patches: list[Patch], place: Place, zoom: int) -> tuple[list[Patch], bool]:
    """Real patches of that land and level; if there are none, all of the level's, and False."""
    level = [p for p in patches if p.level in ZOOMS[zoom]]
    alike = [
        p
        for p in level
        if any(w in p.landcover for w in place.words) and not any(w in p.landcover for w in place.without)
    ]
    # The words of the fewest kind first: `forest` serves only where there is no `rainforest`.
    for word in place.words:
        exact = [p for p in alike if word in p.landcover]
        if len(exact) >= 3:
            return exact, True
    return (alike, True) if alike else (level, False)


def middle(patches: list[Patch]) -> Patch:
    """The patch of median contrast: neither the best nor the worst."""
    return sorted(patches, key=lambda p: (contrast(p.pixels), p.id))[len(patches) // 2]


def run(context: Context) -> dict:
    """Writes docs/strip-*.webp; JSON has the numbers."""
    real = context.patches + context.train
    result = {}
    for place in context.bar(PLACES, "strips", unit="place"):
        top, below, numbers = [], [], {}
        for zoom in ZOOMS:
            made = tile_around(context, zoom, place.lon, place.lat)
            alike, same = beside(real, place, zoom)
            if not alike:
                continue
            shown = middle(alike)
            values = {
                name: {"made": measure(made), "real": float(np.nanmedian([measure(p.pixels) for p in alike]))}
                for name, measure in MEASURES.items()
            }
            numbers[f"z{zoom}"] = {"patches": len(alike), "same land": same, "values": values}
            mine, theirs = ([values[name][which] for name in MEASURES] for which in ("made", "real"))
            top.append(
                (
                    f"z{zoom} {'base' if zoom == 5 else 'made'}  |L| {mine[0]:.1f}  k {mine[1]:.1f}  c {mine[2]:.1f}",
                    made,
                )
            )
            below.append(
                (
                    f"real{'' if same else ' (other land)'}  |L| {theirs[0]:.1f}  k {theirs[1]:.1f}  c {theirs[2]:.1f}",
                    shown.pixels,
                )
            )
        file = f"strip-{place.name}.webp"
        save(sheet([top, below]), context.out / file)
        result[place.name] = {"title": place.title, "lon": place.lon, "lat": place.lat, "file": file, "zooms": numbers}
    return result


def markdown(result: dict, version: str) -> str:
    """docs/STRIPS.md."""
    lines = [
        "# Six places, from the planet to 4 m",
        "",
        f"Seed 0 of `earth`, network `{version}`. Above, the whole cascade from its base down; below, real imagery of "
        "the same "
        "kind of land at that level (a patch of median contrast; it is not the same place). The numbers beneath are "
        "mean "
        "|Laplacian|, the kurtosis of the Laplacian (3 is noise; edges make it large) and the standard deviation in "
        "64 px "
        "squares, in grey levels: of the generated tile, and the median over all real patches of that land and level. "
        "One tile "
        "is one sample: docs/EVALUATION.md has the statistics.",
        "",
    ]
    for name, strip in result.items():
        lines += [
            f"## {strip['title']}, {strip['lat']:.2f}°, {strip['lon']:.2f}°",
            "",
            f"![{name}]({strip['file']})",
            "",
            "| zoom | mean abs. Laplacian, made / real | kurtosis, made / real | contrast, made / real | real patches "
            "|",
            "|---|---|---|---|---|",
        ]
        for zoom, entry in strip["zooms"].items():
            cells = [f"{v['made']:.1f} / {v['real']:.1f}" for v in entry["values"].values()]
            note = "" if entry["same land"] else " (none of this land: all of the level's)"
            lines.append(f"| {zoom} | {' | '.join(cells)} | {entry['patches']}{note} |")
        lines.append("")
    return "\n".join(lines)


def write(context: Context, result: dict) -> Path:
    path = context.out / "STRIPS.md"
    path.write_text(markdown(result, context.student.digest))
    return path
