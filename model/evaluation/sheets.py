"""Section 7. For the eye: pictures side by side, with captions."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.evaluation.context import Context
from model.evaluation.drawing import bicubic
from model.evaluation.fidelity import drawn
from model.evaluation.scenes import NAMES, by_level, case
from model.grid import TILE, lonlat_to_pixel

GAP, CAPTION = 6, 20  # px
SCENES = 8
SEEDS = ("0", "1", "2", "pandora")
SEED_PLACE = (-9.05, 42.6)  # lon, lat


def sheet(rows: Sequence[Sequence[tuple[str, np.ndarray]]]) -> np.ndarray:
    """Rows of (caption, uint8 ``(h, w, 3)``) -> one picture on white; all pictures of one size."""
    h, w = rows[0][0][1].shape[:2]
    height, width = len(rows) * (h + CAPTION + GAP) + GAP, max(map(len, rows)) * (w + GAP) + GAP
    page = Image.new("RGB", (width, height), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for j, row in enumerate(rows):
        for i, (caption, pixels) in enumerate(row):
            x, y = GAP + i * (w + GAP), GAP + j * (h + CAPTION + GAP)
            pen.text((x, y + 2), caption, fill=(30, 30, 30), font=font)
            page.paste(Image.fromarray(pixels), (x, y + CAPTION))
    return np.asarray(page)


def save(pixels: np.ndarray, path: Path, limit: int = 400_000) -> None:
    """WebP (or whatever the name ends in) under `limit` bytes, atomically; PNG has no limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    kind = {".webp": "WEBP", ".jpg": "JPEG", ".png": "PNG"}[path.suffix]
    for quality in (90, 84, 76, 66, 54, 40, 25):
        file = io.BytesIO()
        image.save(file, kind, **({"optimize": True} if kind == "PNG" else {"quality": quality}))
        if kind == "PNG" or file.tell() < limit:
            break
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.write_bytes(file.getvalue())
    os.replace(temporary, path)


def tile_around(context: Context, z: int, lon: float, lat: float, seed="0", size: int = TILE) -> np.ndarray:
    """size×size px of the world around a place."""
    px, py = (int(v) - size // 2 for v in lonlat_to_pixel(z, lon, lat))
    return context.generator.region(context.address(z, seed), px, py, px + size, py + size)


def run(context: Context) -> dict:
    """Writes the sheets; JSON names the files."""
    files = {"levels": {}}
    for level, members in by_level(context.patches, SCENES).items():
        pictures = drawn(context, "student", context.student, members)
        rows = [
            [
                (f"real, {p.m_per_px:.4g} m/px", p.pixels),
                ("condition", bicubic(case(p).condition)),
                ("generated", pictures[p.id]),
            ]
            for p in members
        ]
        wide = [sum(rows[i : i + 2], []) for i in range(0, len(rows), 2)]  # two scenes side by side
        name = f"evaluation-{NAMES[level].replace('–', '-')}{'-tropics' if level == '611x' else ''}.webp"
        save(sheet([[(c, _half(p)) for c, p in row] for row in wide]), context.out / name)
        files["levels"][level] = name
    rows = [
        [(f"seed {seed}, z{z}", tile_around(context, z, *SEED_PLACE, seed)) for z in (7, 9, 11, 13, 15)]
        for seed in context.bar(SEEDS, "four seeds", unit="seed")
    ]
    save(sheet(rows), context.out / "evaluation-seeds.webp")
    files["seeds"] = "evaluation-seeds.webp"
    return files


def _half(pixels: np.ndarray) -> np.ndarray:
    """The middle 192 px: enough for the eye, and a smaller file."""
    return pixels[32:224, 32:224]
