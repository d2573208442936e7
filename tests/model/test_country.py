"""The country: crisp fields, woods and roads, where land is fertile, plain and no town, however much is dropped."""

import numpy as np
import pytest
import torch

from model import cover, crowns, farmland, houses, land_use, parcels, roads
from model.country import FAR, HEDGE, MORE, SMOOTH, TRACK, taken
from model.ground import coloured
from model.residual import enlarge
from model.underlay import ROAD, Dials, Shown, finished
from tests.model.test_underlay import SAND, SEA, TILLED, WOODS, striped

SIDE = 256
STRIPES = TILLED, WOODS, SAND, SEA


def everywhere(value: float, channels: int = 1) -> torch.Tensor:
    return torch.full((1, channels, SIDE, SIDE), value)


def crisp(hazy: torch.Tensor, away: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, tuple]:
    """A hazy picture, the same with its colours taken from `away`, and which part of it both are."""
    inside = np.s_[..., FAR:-FAR, FAR:-FAR]
    here, away = hazy[inside], torch.from_numpy(away)[None][inside]
    return here, taken(here, hazy, away, torch.ones_like(here[:, :1]), FAR), inside


def made_of(laid: dict, dials: Dials, drop: int = 0, plain: float = 1.0, town: float = 0.0, lit: float = 0.0):
    """A picture of stripes of land on which all is `laid`; and its condition enlarged."""
    fields = everywhere(0.0, 4)
    fields[:, 0] = lit
    kinds = {land_use.field: everywhere(1.0), farmland.field: everywhere(0.0, 6), cover.beside: everywhere(0.0, 3),
             roads.beside: everywhere(0.0, 3), roads.field: everywhere(0.0)} | laid
    inside = np.s_[..., drop:SIDE - drop, drop:SIDE - drop]
    shown = Shown(everywhere(0.0, 2), fields, everywhere(town), everywhere(plain), lambda kind: kinds[kind][inside],
                  habitable=everywhere(1.0))
    condition = striped(*STRIPES)
    detail = 0.1 * torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    made = finished(condition, detail[inside], shown, dials, drop)
    return made, (enlarge(condition) + detail)[inside], detail[inside]


def middles(picture: torch.Tensor) -> torch.Tensor:
    """The columns in the middle of stripes ``(3, H, 4)``."""
    return picture[0, ..., 32::64]


def test_colours_are_taken_from_as_far_away_as_is_said():
    here = torch.arange(SIDE, dtype=torch.float32)
    picture = torch.stack([here[None].expand(SIDE, -1), here[:, None].expand(-1, SIDE), everywhere(0.0)[0, 0]])[None]
    away = torch.stack([everywhere(5.4)[0, 0], everywhere(-3.0)[0, 0]])[None]
    inside = np.s_[..., FAR:-FAR, FAR:-FAR]
    made = taken(picture[inside], picture, away[inside], everywhere(0.5)[inside], FAR)
    off = (made - picture[inside])[0]
    assert (off[0] == 2.5).all() and (off[1] == -1.5).all() and not off[2].any()
    far = taken(picture[inside], picture, 100 * away[inside], everywhere(1.0)[inside], FAR) - picture[inside]
    assert (far[0, 0] == FAR).all() and (far[0, 1] == -FAR).all()
    drawn = taken(picture[inside] + 0.5, picture, away[inside], everywhere(1.0)[inside], FAR) - picture[inside]
    assert torch.allclose(drawn[0, 2], torch.tensor(0.5 * (1 - SMOOTH)), atol=1e-6)


@pytest.mark.parametrize("channel, colour", [(3, HEDGE), (4, TRACK)])
def test_hedges_and_tracks_lie_on_fertile_plains_that_are_tilled_alone(channel, colour):
    fields = everywhere(0.0, 6)
    fields[:, channel, 64:] = 1.0
    laid, dials = {farmland.field: fields}, Dials(farmland=1.0)
    made, bare, detail = made_of(laid, dials)
    before, after = ((coloured(colour, made)[None] - of).abs().mean(1) for of in (bare - detail, made))
    assert (middles(after[:, None])[:, 64:, :2] < 0.6 * middles(before[:, None])[:, 64:, :2]).all()  # fields and woods
    assert torch.equal(middles(made)[..., 2:], middles(bare)[..., 2:])          # neither sand nor sea
    left, of = middles(made - bare + detail)[:, :64, :2], middles(detail)[:, :64, :2]
    assert torch.allclose(left, (1 - SMOOTH) * of, atol=1e-5)                   # of what is drawn little is left
    for other in ({"plain": 0.0}, {"town": 1.0}):
        assert torch.equal(made_of(laid, dials, **other)[0], bare)
    for use in {land_use.field: everywhere(0.0)}, {roads.field: everywhere(2.0)}:
        assert torch.equal(made_of(laid | use, dials)[0], bare)
    assert torch.equal(made_of(laid, Dials())[0], bare)
    half = made_of(laid, Dials(farmland=0.5))[0]
    assert (middles((half - made).abs())[..., :2].mean() > 0.01 and torch.equal(middles(half)[..., 2:],
                                                                                middles(bare)[..., 2:]))


def test_a_field_that_a_town_leaves_is_one_as_far_as_that_goes():
    fields = everywhere(0.0, 6)
    fields[:, 3], fields[:, 5, 128:] = 1.0, 0.7  # the south is kept
    made, bare, _ = made_of({farmland.field: fields}, Dials(farmland=1.0), town=0.6)
    assert torch.equal(made[:, :, :128], bare[:, :, :128])
    assert middles((made - bare).abs())[:, 128:, :2].mean() > 0.05


def test_houses_stand_on_farms_and_not_on_fields_that_a_town_leaves():
    fields, built = everywhere(0.0, 6), everywhere(1.0, 6)
    fields[:, 5, 128:], built[:, 4] = 0.7, 0.0
    laid, dials = {farmland.field: fields, houses.field: built}, Dials(farmland=1.0, houses=1.0)
    for town, north, south in (0.6, True, False), (0.0, True, True):
        bare, made = (made_of(laid, of, town=town)[0] for of in (dials._replace(houses=0.0), dials))
        change = middles((made - bare).abs())[..., 0]  # where it is tilled
        assert (change[:, 4:124].min() > 0.2) == north and (change[:, 132:252].max() > 1e-6) == south


def test_houses_line_lanes_where_there_are_lanes():
    built, lanes = everywhere(1.0, 6), everywhere(0.0)
    built[:, 4] = 0.0
    without = made_of({houses.field: built}, Dials(houses=1.0))[0]
    made = made_of({houses.spread: built, roads.lanes: lanes}, Dials(houses=1.0, lanes=0.5))[0]
    assert torch.equal(made, without)
    lanes[..., 100:103, :] = 1.0
    made = made_of({houses.spread: built, roads.lanes: lanes}, Dials(houses=1.0, lanes=0.5))[0]
    assert torch.allclose(made[0, :, 101, 20], (without[0, :, 101, 20] + coloured(ROAD, made)[:, 0, 0]) / 2, atol=1e-5)


def test_crowns_are_of_woods_and_of_no_field():
    laid, dials = {crowns.field: everywhere(0.5)}, Dials(farmland=1.0, woods=1.0)
    for tilled, change in (1.0, False), (0.0, True):
        without, made = (made_of(laid | {land_use.field: everywhere(tilled)}, of)[0]
                         for of in (dials, dials._replace(crowns=0.2)))
        assert (middles((made - without).abs())[..., 1].max() > 0.01) == change


def test_what_fields_are_shown_as_is_painted_again():
    lit, dark = (made_of({}, Dials(farmland=1.0), lit=of)[0] for of in (1.0, 0.0))
    change = middles((lit + 1) / (dark + 1) - 1)
    assert torch.allclose(change[0, :, :2], torch.tensor(0.7 * MORE), atol=1e-4) and not change[..., 2:].any()
    assert parcels.CHANNELS == 2


def test_woods_are_crisp_where_nothing_is_tilled():
    edges = everywhere(0.0, 3)
    edges[:, 0], edges[:, 2, :64] = 8.0, 1.0  # near a border, and not
    laid, dials = {cover.beside: edges, land_use.field: everywhere(0.0)}, Dials(woods=1.0)
    made, bare, _ = made_of(laid, dials)
    assert not torch.equal(made[:, :, :64, :120], bare[:, :, :64, :120])
    assert torch.equal(made[:, :, 64:], bare[:, :, 64:]) and torch.equal(middles(made)[..., 2:], middles(bare)[..., 2:])
    assert torch.equal(made_of(laid | {land_use.field: everywhere(1.0)}, dials)[0], bare)
    assert torch.equal(made_of(laid, dials, plain=0.0)[0], bare)


def test_beside_roads_colours_are_taken_from_farther_away_in_fields_and_woods():
    beside = everywhere(0.0, 3)
    beside[:, 0], beside[:, 2, :64] = 8.0, 1.0
    for dials in Dials(woods=1.0), Dials(farmland=1.0):
        without, made = (made_of(laid, dials)[0] for laid in ({}, {roads.beside: beside}))
        assert torch.equal(made[:, :, 64:], without[:, :, 64:])
        assert (made - without)[:, :, :64, 40:60].abs().mean() > 0.01


@pytest.mark.parametrize("drop", [FAR, 48])
def test_it_is_alike_however_much_is_dropped(drop):
    fields, edges = everywhere(0.0, 6), everywhere(0.0, 3)
    fields[:, 0], fields[:, 3, ::7], edges[:, 1], edges[:, 2] = FAR, 1.0, -FAR, 0.2
    use = everywhere(0.0)
    use[..., 128:, :] = 1.0
    laid = {farmland.field: fields, cover.beside: edges, roads.beside: edges, land_use.field: use}
    dials = Dials(farmland=1.0, woods=1.0)
    whole, less = made_of(laid, dials)[0], made_of(laid, dials, drop)[0]
    assert torch.allclose(less, whole[..., drop:-drop, drop:-drop], atol=1e-5)
