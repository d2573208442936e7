"""Farmland: fields whose borders are crisp at every level, hedges, tracks and furrows, the same in every window."""

import hashlib

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import farmland, land_use, parcels
from model.checkpoint import load, published
from model.country import FAR
from model.farmland import FINEST, HAZE, KEPT, RULING, field
from model.grid import width
from model.residual import enlarge
from tests.model.test_country import crisp

BITS = {11: "6b3991e9e1ce5dc0", 13: "d95e98cd39e482bb", 15: "93f5694451cd452d"}
LEVELS = pytest.mark.parametrize("level", BITS)
FINER = pytest.mark.parametrize("level", [13, 15])
SEED = 7


def tilled(level: int, side: int, place: int = 0) -> tuple[int, int, int, int]:
    """A box that is tilled all over."""
    found = land_use.field(SEED, 11, 9000, 9000, 10200, 10200)
    near = -(-side // (2 << (level - 11))) + 8
    rows, columns = np.nonzero(found[near:-near, near:-near] == 1)
    at = [(row, column) for row, column in zip(rows[::997] + near, columns[::997] + near, strict=True)
          if found[row - near:row + near, column - near:column + near].min() == 1]
    y0, x0 = ((9000 + of << (level - 11)) - side // 2 for of in at[place])
    return x0, y0, x0 + side, y0 + side


def shown(level: int, box: tuple[int, int, int, int], which: slice = slice(None)) -> np.ndarray:
    """How light and how green the fields that have been ruled so far are, of no lane and with no edge."""
    def tell(of, share):
        parts = [part.ruled for part in of.parts[which]]
        return np.stack([sum(ruled.light for ruled in parts), sum(ruled.green for ruled in parts)])
    return parcels.told(tell, 2, SEED, level, *box, parcels.FIRST, True, RULING, None,
                        np.ones((box[3] - box[1], box[2] - box[0]), np.float32))


def wide(where: np.ndarray, by: int) -> np.ndarray:
    """That and so many pixels around."""
    return F.max_pool2d(torch.from_numpy(where)[None].float(), 2 * by + 1, 1, by)[0].numpy() > 0


def straight(light: np.ndarray) -> list[float]:
    """How far all that changes in squares of 20 pixels, where anything does, changes in one direction: 0…1."""
    found = []
    for top in range(0, light.shape[1] - 19, 20):
        for left in range(0, light.shape[2] - 19, 20):
            for square in light[:, top:top + 20, left:left + 20]:
                if (square != 0).mean() > 0.9:
                    down, right = np.gradient(square)
                    along, across, both = (down * down).sum(), (right * right).sum(), (down * right).sum()
                    found.append(np.hypot(along - across, 2 * both) / (along + across))
    assert len(found) > 20
    return found


@LEVELS
def test_their_bits_are_written_down(level):
    assert hashlib.sha256(field(SEED, level, *tilled(level, 120)).tobytes()).hexdigest()[:16] == BITS[level]


def test_there_is_none_above_their_first_level_and_they_are_those_that_networks_are_shown():
    assert not field(SEED, 9, 0, 0, 300, 300).any()
    config = load(published()[0]).network.config
    assert parcels.Ruling((config.rows, parcels.ROWS[1])) == RULING


@LEVELS
def test_a_window_does_not_matter_and_the_world_is_round(level):
    x0, y0, x1, y1 = tilled(level, 150)
    whole = field(SEED, level, x0, y0, x1, y1)
    assert np.array_equal(field(SEED, level, x0 + 37, y0 + 50, x1 - 11, y1 - 3), whole[:, 50:-3, 37:-11])
    assert np.array_equal(field(SEED, level, x0 + width(level), y0, x1 + width(level), y1), whole)


@FINER
def test_fields_that_the_level_above_has_shown_are_crisp(level):
    """When their picture is enlarged their borders are a haze, of which less than a third is left, but in places where
    fields are as narrow as that."""
    off = []
    for place in range(4):
        box = tilled(level, 256, place)
        truth = torch.from_numpy(shown(level, box, slice(-1))[[0, 1, 0]])[None] / 8
        away = field(SEED, level, *box)
        hazy, made, inside = crisp(enlarge(F.avg_pool2d(truth, 4)), away)
        off.append([float((of - truth[inside]).square().mean()) for of in (hazy, made)])
        assert HAZE / 2 < np.abs(away[:2]).max() <= FAR
    before, after = np.array(off).T
    assert before.min() > 1e-5 and (after < before).all() and np.median(after / before) < 0.33


@FINER
def test_colours_are_taken_from_the_same_field(level):
    rows, columns, same = *np.mgrid[FAR:256 - FAR, FAR:256 - FAR], []
    for place in range(4):
        box = tilled(level, 256, place)
        green = shown(level, box, slice(-1))[1]  # no two fields are as green
        right, down = np.rint(field(SEED, level, *box)[:2, FAR:-FAR, FAR:-FAR]).astype(int)
        moved = (right != 0) | (down != 0)
        same.append((green[rows + down, columns + right] == green[rows, columns])[moved].mean())
        assert moved.mean() > 0.1
    assert np.mean(same) > 0.994


def test_nothing_has_been_shown_above_the_first_level_and_nothing_is_moved_there():
    assert not field(SEED, 11, *tilled(11, 100))[:2].any()


@LEVELS
def test_hedges_and_tracks_lie_at_borders_and_are_few(level):
    made, borders, seen = [], [], slice(None) if level < FINEST else slice(-1)
    for place in range(4):
        box = tilled(level, 150, place)
        made.append(field(SEED, level, *box))
        green = shown(level, box, seen)[1]
        edge = np.zeros(green.shape, bool)
        edge[1:] |= np.diff(green, axis=0) != 0
        edge[:, 1:] |= np.diff(green, axis=1) != 0
        borders.append(wide(edge, 3 if level == FINEST else 1))
    made, borders = np.stack(made), np.stack(borders)
    for channel, most in ((3, 0.15), (4, 0.15)):
        line = made[:, channel] > 0.1
        assert 0.002 < made[:, channel].mean() < most and made[:, channel].max() <= 1 and made[:, channel].min() >= 0
        assert borders[line].mean() > 0.95 > 1.5 * borders.mean()


@FINER
def test_lines_that_the_level_above_has_shown_are_where_they_were(level):
    """A hedge of a field of z11 is one at z13, and so on, unless it has become a track beside it."""
    box = tilled(level - 2, 64)
    coarse, fine = (field(SEED, of, *(v * times for v in box)) for of, times in ((level - 2, 1), (level, 4)))
    fine = fine[3:5].reshape(2, 64, 4, 64, 4).max((2, 4))
    for channel in range(2):
        line = coarse[3 + channel] > 0.5 * coarse[3 + channel].max()
        assert line.sum() > 20 and fine.max(0)[line].mean() > 1.5 * fine.max(0)[~line].mean()


def test_furrows_are_seen_from_near_in_half_of_the_fields(monkeypatch):
    monkeypatch.setattr(farmland, "CROP", {})
    assert not field(SEED, 13, *tilled(13, 200))[2].any()
    made = np.stack([field(SEED, 15, *tilled(15, 200, place))[2] for place in range(4)])
    assert 0.3 < (made != 0).mean() < 0.7 and np.abs(made).max() <= farmland.DEEP[1] and abs(made.mean()) < 0.02
    assert np.median(straight(made)) > 0.8


def test_what_grows_is_uneven_at_every_level():
    for level in BITS:
        light = field(SEED, level, *tilled(level, 120))[2]
        assert 0.1 < light.std() < 0.6 and abs(light.mean()) < 0.1
        assert level == FINEST or np.median(straight(light[None])) < 0.3  # it has no direction


@FINER
def test_where_a_town_ends_is_a_field_s_own(level):
    x0, y0, x1, y1 = tilled(level, 200)
    kept = field(SEED, level, x0, y0, x1, y1)[5]
    assert 0 <= kept.min() < 0.3 and 0.6 < kept.max() <= KEPT
    coarser = field(SEED, 13, *(v >> (level - 13) for v in (x0, y0, x1, y1)))[5]
    again = kept[::1 << (level - 13), ::1 << (level - 13)]
    assert (again == coarser[:again.shape[0], :again.shape[1]]).mean() > 0.9  # the same at both levels
    assert len(np.unique(kept)) < 0.02 * kept.size
    assert not field(SEED, 11, *tilled(11, 100))[5].any() and farmland.CHANNELS == 6
