"""Land use: what is tilled at one level is tilled at the next, and about half of the land is."""

import hashlib

import numpy as np
import pytest

from model.base import PlateCarree
from model.land_use import ALL, AROUND, EVEN, STEEP, field, hilly, known, plain, plains
from model.parcels import FIRST

BITS = {11: "438a2beb669d2850", 13: "768691e7efcfaea1", 15: "768691e7efcfaea1"}


def test_its_bits_are_written_down():
    digests = {level: hashlib.sha256(field(7, level, 100, -20, 330, 230).tobytes()).hexdigest()[:16]
               for level in (11, 13, 15)}
    assert digests == BITS


def test_about_half_of_the_land_is_tilled_and_little_is_neither():
    assert not field(7, FIRST - 2, 0, 0, 300, 300).any()  # at 305 m a pixel is larger than a field
    found = np.stack([field(seed, 11, 999 * seed, 500, 999 * seed + 512, 1012) for seed in range(40)])
    assert found.min() == 0 and found.max() == 1
    assert 0.4 < found.mean() < 0.65 and np.mean((found > 0) & (found < 1)) < 0.25
    # In 40 km there are both.
    assert np.mean([0.1 < one.mean() < 0.9 for one in found]) > 0.8


@pytest.mark.parametrize("level", [13, 15])
def test_every_level_has_the_land_use_of_the_one_above(level):
    times, alike = 4, {4: [], 5: []}
    for x, y in ((40, 900), (700, 300), (520, 610), (-300, 200)):
        shown = field(4, level - 2, x, y, x + 128, y + 128)
        for seed, into in alike.items():
            fine = field(seed, level, times * x, times * y, times * (x + 128), times * (y + 128))
            into.append(np.mean((fine.reshape(128, times, 128, times).mean((1, 3)) > 0.5) == (shown > 0.5)))
    assert np.mean(alike[4]) > 0.9 > 0.75 > np.mean(alike[5])


def ridges(height: int, up_to: int) -> np.ndarray:
    """A base ``(height, 2·height, 3)``, grey to the east of column `up_to` and ridged to the west."""
    pixels = np.full((height, 2 * height, 3), 110, np.uint8)
    pixels[:, :up_to:3] = 60
    return pixels


def test_a_plain_is_where_the_base_is_even_and_a_coast_is_no_mountain():
    pixels = ridges(32, 32)
    found = plain(pixels)
    assert found.shape == (32 - 2 * AROUND, 64 - 2 * AROUND)
    assert not found[:, :24 - AROUND].any() and np.all(found[:, 32:] == 1)
    grain = np.random.default_rng(1).integers(-2, 3, (32, 64, 1)) + 110
    assert plain(np.repeat(grain, 3, 2).astype(np.uint8)).min() == 1
    coast = np.full((32, 64, 3), 110, np.uint8)
    coast[:, ::3] = 10, 20, 60  # fjords: as great a change, but for the sea
    assert np.all(plain(coast) == 1)


def test_windows_agree_on_where_the_plains_are():
    base = PlateCarree(ridges(256, 200))
    assert base.zoom == 1
    whole = plains(base, 9, 50000, 30000, 50640, 30300)
    assert whole.dtype == np.float32 and whole.shape == (300, 640)
    assert np.array_equal(plains(base, 9, 50101, 30043, 50340, 30290), whole[43:290, 101:340])
    edge = plains(base, 9, 131072 - 64, 30000, 131072 + 64, 30100)  # 180° E, and W
    assert np.array_equal(plains(base, 9, -64, 30000, 64, 30100), edge)
    x = 131072 * 200 // 512  # where the ridges end
    across = plains(base, 9, x - 4000, 30000, x + 4000, 30008)[0]
    assert across[0] == 0 and across[-1] == 1 and np.all(np.diff(across) >= 0)
    assert np.abs(np.diff(across)).max() < 0.05  # no border of the base's pixels is seen


def test_windows_agree_where_the_base_is_neither_plain_nor_rugged():
    """They did not before there were towns: each began to look at the base at its own first pixel."""
    grain = np.random.default_rng(1).integers(-11, 12, (256, 512, 1)) + 100
    base = PlateCarree(np.repeat(grain, 3, 2).astype(np.uint8))
    box = 50000, 30000, 56000, 32000
    whole = plains(base, 9, *box)
    assert 0.1 < whole.mean() < 0.9 and whole.std() > 0.05
    before, places = plains(base, 9, *box, cut=True), [(n * 531, n * 97) for n in range(1, 8)]
    parts = [(x, y, [plains(base, 9, box[0] + x, box[1] + y, box[0] + x + 400, box[1] + y + 400, cut=cut)
                     for cut in (False, True)]) for x, y in places]
    assert all(np.array_equal(part[0], whole[y:y + 400, x:x + 400]) for x, y, part in parts)
    assert not all(np.array_equal(part[1], before[y:y + 400, x:x + 400]) for x, y, part in parts)


def test_hills_are_told_between_plains_and_mountains_and_windows_agree_on_them():
    board = (np.arange(80)[None] % 2) ^ (np.arange(40)[:, None] % 2)

    def told(how, levels: int) -> float:
        """Of ground that changes by so many grey levels along, and by as many across."""
        return how(np.repeat((100 + levels * board)[..., None], 3, 2).astype(np.uint8)).mean()
    assert [told(hilly, levels) for levels in (0, 2, 6)] == [0, 0, 1]
    for levels in (3, 4, 5):
        assert told(hilly, levels) == pytest.approx((2 * levels - EVEN) / (STEEP - EVEN), abs=1e-5)
    assert told(plain, 3) == 1 and 0 < told(hilly, 3) < 0.5  # hills that are tilled
    grey = np.random.default_rng(1).integers(90, 180, (64, 128, 1), dtype=np.uint8).repeat(3, 2)
    base = PlateCarree(grey)
    whole, part = (known(base, 9, *box, ALL)[1] for box in ((50000, 30000, 50640, 30300), (50101, 30043, 50340, 30290)))
    assert whole.std() > 0 and np.array_equal(part, whole[43:290, 101:340])
