"""What detail is added to: sharper, calmer, lit, and not too far from its condition."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import crags
from model.ground import fertile, smoothed, snowy
from model.residual import enlarge
from model.underlay import QUIET, ROCK, TOWN, Dials, Shown, finished, painted, projected, shaded, tempered

TILLED, WOODS, SAND, SEA, SNOW = (85, 100, 60), (25, 45, 25), (200, 160, 110), (20, 50, 90), (235, 236, 240)


def test_a_projection_takes_out_what_the_means_are_off():
    condition = F.interpolate(torch.randn(1, 3, 4, 4), scale_factor=4, mode="bicubic")
    off = F.interpolate(torch.randn(1, 3, 4, 4), scale_factor=16, mode="bicubic")
    picture = enlarge(condition) + off + 0.3 * torch.randn(1, 3, 64, 64)

    def error(made):
        return float((F.avg_pool2d(made, 4) - condition)[..., 2:-2, 2:-2].square().mean().sqrt())
    assert torch.equal(projected(picture, condition, 0.0), picture)
    assert error(projected(picture, condition, 0.25)) == pytest.approx(0.75 * error(picture), rel=0.03)
    assert error(projected(picture, condition, 1.0)) < 0.2 * error(picture)
    # What is taken out is as steep at the borders of the means as beside them.
    taken = (picture - projected(picture, condition, 1.0)).diff(dim=3)
    assert torch.allclose(taken[..., 3::4], taken[..., 2::4][..., :15], atol=1e-5)


def test_a_condition_is_sharpened_where_it_is_lively_and_smoothed_where_it_is_calm():
    wave = torch.sin(torch.arange(72) * 2 * torch.pi / 9)[None, None, None].expand(1, 3, 36, 72)  # a period is averaged
    inside = np.s_[..., 8:-8]
    assert torch.allclose(tempered(wave, smoothed(wave), 0.2, 0.5)[inside], 1.2 * wave[inside], atol=1e-4)
    slope = torch.linspace(-1, 1, 72)[None, None, None].expand(1, 3, 36, 72)
    still = tempered(slope, smoothed(slope), 0.5, 0.5)  # what changes slowly stays
    assert torch.allclose(still[inside], slope[inside], atol=1e-6)
    noise = torch.randn(1, 3, 36, 72, generator=torch.Generator().manual_seed(1)) / 127.5  # a grey level
    still = tempered(noise, smoothed(noise), 0.2, 0.5)[inside].std() / noise[inside].std()
    assert still == pytest.approx(((0.5 + 0.5 / 9)**2 + 8 * (0.5 / 9)**2)**0.5, rel=0.05)  # half of it, half its mean
    assert torch.equal(tempered(noise, smoothed(noise), 0.0, 0.0), noise)


def test_calm_ground_does_not_show_the_grid_of_what_is_enlarged():
    """Bicubic enlargement is steepest halfway between two pixels, which is where their squares meet."""
    noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) / 127.5

    def phase(condition):
        steps = enlarge(condition).diff(dim=3).abs().mean((0, 1, 2))
        return float(steps[3::4].mean() / steps.mean())
    bare, calmed = phase(noise), phase(tempered(noise, smoothed(noise), 0.0, 1.0))
    assert bare - 1 > 2 * (calmed - 1)


def test_gullies_are_lit_in_snow_where_it_is_rugged():
    condition = torch.full((1, 3, 16, 16), 0.6)  # 204 grey levels
    condition[:, 2, :, 8:] = 0.2  # the east is sand
    light = torch.stack([torch.full((64, 64), 0.25)] * 2)[None]
    light[..., 32:, :] *= -1  # the south lies in the shade
    rugged = torch.zeros(1, 1, 64, 64)
    rugged[..., :16] = 1.0
    enlarged = enlarge(condition)
    snow = snowy(condition)
    change = (shaded(enlarged, condition, snow, light, rugged, 0.1) + 1) / (enlarged + 1) - 1
    assert not change[..., 16:].any()
    assert torch.allclose(change[0, 1, :, :16], torch.where(torch.arange(64) < 32, 0.05, -0.05)[:, None], atol=1e-5)
    assert change[0, 0, 0, 0] > change[0, 2, 0, 0] > 0 > change[0, 2, -1, 0] > change[0, 0, -1, 0]
    everywhere = (shaded(enlarged, condition, snow, light, torch.ones_like(rugged), 0.1) + 1) / (enlarged + 1) - 1
    assert everywhere[..., :28].all() and not everywhere[..., 40:].any()  # none in the sand
    woods = enlarge(torch.full((1, 3, 16, 16), -0.4))
    dark = torch.full((1, 3, 16, 16), -0.4)
    assert torch.equal(shaded(woods, dark, snowy(dark), light, torch.ones_like(rugged), 0.1), woods)


@pytest.mark.parametrize("colour, kind", [
    ((110, 105, 75), 1), ((30, 50, 30), 1), ((150, 130, 100), (0.4, 0.9)), ((200, 160, 120), 0), ((40, 90, 150), 0),
    ((235, 238, 240), 0)], ids=["tilled", "woods", "steppe", "sand", "sea", "snow"])
def test_fields_and_woods_are_of_some_kinds_of_land(colour, kind):
    condition = (torch.tensor(colour)[None, :, None, None] / 127.5 - 1).expand(1, 3, 20, 20)
    found = fertile(smoothed(condition))
    assert found.shape == (1, 1, 80, 80) and torch.allclose(found, found[:, :, :1, :1])
    least, most = kind if isinstance(kind, tuple) else (kind, kind)
    assert least - 1e-6 <= float(found[0, 0, 0, 0]) <= most + 1e-6


def test_what_a_kind_of_land_depends_on_lies_within_20_pixels():
    condition = torch.full((1, 3, 40, 40), -0.2)
    other = condition.clone()
    other[:, 0, 20, 20] = 1.0
    changed = (fertile(smoothed(condition)) != fertile(smoothed(other))).nonzero()[:, 2:]
    assert len(changed) and changed.min() >= 80 - 20 and changed.max() < 84 + 20


def test_fields_are_painted_lighter_and_greener_as_far_as_the_land_has_any():
    picture = torch.full((1, 3, 4, 12), -0.2)
    fields = torch.zeros(1, 4, 4, 12)
    fields[:, 0, 0], fields[:, 2, 1] = 1.0, -1.0   # a light parcel, a dark wood,
    fields[:, 1, 2], fields[:, 0, 3] = 1.0, 9.0    # a green parcel, and more light than there can be
    share = torch.tensor([0.0, 0.1, 0.2]).repeat_interleave(4)[None, None, None]
    change = ((painted(picture, fields, share) + 1) / (picture + 1) - 1)[0]
    assert not change[:, :, :4].any()
    assert torch.allclose(change[:, :, 8:], 2 * change[:, :, 4:8], atol=1e-6)
    red, green, blue = change[:, :, 4]
    assert red[0] > green[0] > blue[0] > 0 and torch.allclose(change[:, 1], -change[:, 0], atol=1e-6)
    assert red[2] < -0.05 and max(abs(green[2]), abs(blue[2])) < 0.2 * abs(red[2])  # green by having less red
    assert torch.allclose(change[:, 3], 1.6 * change[:, 0], atol=1e-6)


def striped(*colours):
    """A condition of stripes 16 pixels wide, of these colours in grey levels: ``(1, 3, 64, 16·n)``."""
    condition = torch.zeros(1, 3, 64, 16 * len(colours))
    for i, colour in enumerate(colours):
        condition[:, :, :, 16 * i:16 * i + 16] = torch.tensor(colour)[:, None, None] / 127.5 - 1
    return condition


def test_towns_are_grey_where_land_is_settled():
    condition = striped(TILLED, WOODS, SAND, SEA)
    town = torch.zeros(1, 1, 256, 256)
    town[:, :, 100:156] = 1.0
    shown = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), town, 1.0)
    bare, made = (finished(condition, torch.zeros(1, 3, 256, 256), shown, Dials(town=share)) for share in (0.0, 0.5))
    middles = (made - bare)[0, :, 128, 32::64] * 127.5
    grey = torch.tensor(TOWN) - torch.tensor(TILLED)
    assert torch.allclose(middles[:, 0], 0.5 * grey, atol=0.1)
    assert middles[:, 1:].abs().max() < 0.1
    assert torch.equal(made[:, :, :90], bare[:, :, :90])
    assert torch.equal(finished(condition, bare - enlarge(condition), shown._replace(plain=0.0), Dials(town=0.5)), bare)


@pytest.mark.parametrize("dials, second, plain", [(Dials(hush=0.4), WOODS, 1.0), (Dials(snow=0.4), SNOW, 0.0)],
                         ids=["great woods of plains", "snow of mountains"])
def test_what_is_drawn_is_weaker_in_some_land_alone(dials, second, plain):
    chance = torch.Generator().manual_seed(4)
    condition, detail = striped(TILLED, second, SAND, SEA), torch.randn(1, 3, 256, 256, generator=chance)
    shown = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), plain)
    drawn = finished(condition, detail, shown, dials) - enlarge(condition)
    share = (drawn / detail).median(2).values.median(1).values[0, 32::64]
    assert torch.allclose(share, torch.tensor([1.0, 0.6, 1.0, 1.0]), atol=0.01)
    other = shown._replace(plain=1 - plain)  # woods of mountains; an ice sheet
    assert torch.equal(finished(condition, detail, other, dials), finished(condition, detail, other, Dials()))
    for drop in (24, 48):  # alike however much is dropped
        cut = slice(drop, -drop)
        less = finished(condition, detail[..., cut, cut], shown, dials, drop)
        assert torch.allclose(less, (drawn + enlarge(condition))[..., cut, cut], atol=1e-5)


@pytest.mark.parametrize("dial, lit", [("rocks", 0), ("faces", 2)])
def test_rocks_are_bare_land_of_mountains_and_faces_their_snow(dial, lit):
    """Neither is of the sea, nor of dark slopes."""
    condition, detail = striped(TILLED, WOODS, SNOW, SEA), torch.zeros(1, 3, 256, 256)
    rugged = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), 0.0,
                   laid=lambda field: torch.full((1, 1, 256, 256), 0.5))
    dials = Dials()._replace(**{dial: 0.1})
    bare, made = (finished(condition, detail, rugged, of) for of in (Dials(), dials))
    change = ((made + 1) / (bare + 1) - 1)[0, 1, 128, 32::64]
    assert torch.allclose(change, 0.05 * torch.eye(4)[lit], atol=1e-5)
    assert torch.equal(finished(condition, detail, rugged._replace(plain=1.0), dials), bare)
    assert torch.equal(finished(condition, detail, rugged._replace(laid=None), dials), bare)
    for drop in (24, 48):  # alike however much is dropped
        cut = np.s_[..., drop:-drop, drop:-drop]
        less = finished(condition, detail[cut], rugged._replace(laid=lambda field, cut=cut: rugged.laid(field)[cut]),
                        dials, drop)
        assert torch.allclose(less, made[cut], atol=1e-5)


@pytest.mark.parametrize("dials, place, other", [(Dials(dunes=0.1), 2, 0.0), (Dials(crowns=0.1), 1, 1.0)],
                         ids=["sand of plains", "woods"])
def test_light_is_laid_on_sand_and_on_woods_alone(dials, place, other):
    condition, detail = striped(TILLED, WOODS, SAND, SEA), torch.full((1, 3, 256, 256), 0.1)
    light = torch.full((1, 1, 256, 256), 0.5)
    light[:, :, 128:] = -0.5
    nothing = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), 1.0)
    shown = nothing._replace(laid=lambda field: light)
    bare, made = (finished(condition, detail, shown, of) for of in (Dials(), dials))
    drawn = bare - QUIET * detail * (place == 2)  # on sand the network draws less, too
    change = ((made + 1) / (drawn + 1) - 1)[0, 1, [64, 192]][:, 32::64]  # of green, in the middle of each stripe
    expected = torch.zeros(2, 4)
    expected[:, place] = torch.tensor([0.05, -0.05])
    assert torch.allclose(change[:, place], expected[:, place], atol=1e-5)
    apart = [i for i in range(4) if i != place]
    assert torch.equal(made[..., 32::64][..., apart], bare[..., 32::64][..., apart])
    assert torch.equal(finished(condition, detail, nothing, dials), bare)  # of which nobody knows any
    rugged = finished(condition, detail, shown._replace(plain=0.0), dials)
    assert torch.allclose(rugged, other * made + (1 - other) * bare, atol=1e-6)  # mountains have woods, and no dunes
    for drop in (24, 48):  # alike however much is dropped
        cut = np.s_[..., drop:-drop, drop:-drop]
        less = finished(condition, detail[cut], shown._replace(laid=lambda field, cut=cut: light[cut]), dials, drop)
        assert torch.allclose(less, made[cut], atol=1e-5)


def test_sand_with_dunes_has_no_fields_and_no_towns():
    pale, detail = (200, 183, 125), torch.zeros(1, 3, 256, 256)  # as light steppe is, but for its brightness
    condition, dials = striped(pale, TILLED, pale, TILLED), Dials(paint=0.1, town=0.5)
    shown = Shown(torch.zeros(1, 2, 256, 256), torch.ones(1, 4, 256, 256), torch.ones(1, 1, 256, 256), 1.0,
                  laid=lambda field: torch.zeros(1, 1, 256, 256))
    bare, tilled, sand = (finished(condition, detail, shown, of)
                          for of in (Dials(), dials, dials._replace(dunes=0.05)))
    changed = ((tilled - bare).abs().amax(1), (sand - bare).abs().amax(1))
    before, after = (of[0, 128, 32::64] for of in changed)
    assert before.min() > 0.03 and after[[0, 2]].max() < 1e-6 and torch.equal(after[[1, 3]], before[[1, 3]])


def test_slopes_of_land_are_lit_apart_from_those_of_snow():
    condition = torch.full((1, 3, 16, 16), 0.6)  # snow
    condition[:, :, :, 8:] = torch.tensor([-0.2, -0.1, -0.4])[:, None, None]  # grass
    light = torch.full((1, 2, 64, 64), 0.25)
    enlarged, snow = enlarge(condition), snowy(condition)
    alone, both, land = (
        shaded(enlarged, condition, snow, light, torch.ones(1, 1, 64, 64), *shares) / (enlarged + 1)
        - enlarged / (enlarged + 1) for shares in ((0.1,), (0.1, 0.04), (0.0, 0.04)))
    assert torch.allclose(alone[0, 1, 32, [8, 56]], torch.tensor([0.05, 0.0]), atol=1e-5)
    assert torch.allclose(both[0, 1, 32, [8, 56]], torch.tensor([0.05, 0.02]), atol=1e-5)
    assert torch.allclose(land[0, 1, 32, [8, 56]], torch.tensor([0.0, 0.02]), atol=1e-5)


def test_what_is_drawn_may_be_stronger():
    chance = torch.Generator().manual_seed(1)
    condition, detail = torch.randn(1, 3, 16, 16, generator=chance) / 2, torch.randn(1, 3, 64, 64, generator=chance)
    nothing = Shown(torch.zeros(1, 2, 64, 64), torch.zeros(1, 4, 64, 64), torch.zeros(1, 1, 64, 64), 1.0)
    def drawn(condition, gain):
        return finished(condition, detail, nothing, Dials(gain=gain)) - enlarge(condition)
    assert torch.allclose(drawn(condition, 0.2), 1.2 * detail, atol=1e-3)
    assert torch.allclose(drawn(condition, 0.0), detail, atol=1e-5)
    assert torch.allclose(drawn(condition / 400, 0.2), detail, atol=1e-5)  # where it is calm it is not


def test_on_crags_snow_is_lit_and_where_they_are_steepest_it_is_rock():
    condition, detail = striped(TILLED, WOODS, SNOW, SEA), torch.zeros(1, 3, 256, 256)
    light = torch.full((1, 1, 256, 256), 0.3)
    light[:, :, 64:128], light[:, :, 128:] = -0.5, -2.0
    rugged = Shown(torch.zeros(1, 2, 256, 256), torch.zeros(1, 4, 256, 256), torch.zeros(1, 1, 256, 256), 0.0,
                   laid=lambda field: light)
    dials = Dials(crags=0.2)
    bare, made = (finished(condition, detail, rugged, of) for of in (Dials(), dials))
    elsewhere = [32, 96, 224]
    assert torch.equal(made[..., elsewhere], bare[..., elsewhere])  # no other ground has any
    sunny, shady, rock = made[0, :, [32, 96, 192], 160].T + 1
    snow = bare[0, :, 32, 160] + 1
    assert torch.allclose(sunny[1] / snow[1], torch.tensor(1 + 0.2 * (0.3 + crags.MEAN)), atol=1e-5)
    assert torch.allclose(shady[1] / snow[1], torch.tensor(1 + 0.2 * (-0.5 + crags.MEAN)), atol=1e-5)
    assert shady[0] / snow[0] < shady[2] / snow[2]  # shade is blue
    darkest = snow * (1 + 0.2 * (crags.STEEPEST[0] + crags.MEAN) * torch.tensor((1.05, 1.0, 0.9)))
    stone = torch.tensor(ROCK) / 127.5
    assert torch.allclose(rock, darkest + 0.2 * crags.ROCKY * (stone - darkest), atol=1e-5)
    assert torch.equal(finished(condition, detail, rugged._replace(plain=1.0), dials), bare)  # an ice sheet
    assert torch.equal(finished(condition, detail, rugged._replace(laid=None), dials), bare)
