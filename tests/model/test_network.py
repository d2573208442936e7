"""Networks, schedule and sampler."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import cover, gullies, land_use, parcels, roads, towns
from model.inspection import theoretical_radius
from model.network import PRESETS, Network, NetworkConfig, Pointwise, Repeated, Use, inputs, repeated
from model.readings import Cells, Creases, Relief, bilinear, inner
from model.residual import AXES, Whitening, enlarge
from model.schedule import alpha_bars, clean, ddim, timesteps

FINE = replace(PRESETS["tiny"], fine=(8, 4))


def call(config, size=64, batch=1):
    torch.manual_seed(0)
    network = Network(config)
    for p in network.parameters():
        p.data.add_(0.02 * torch.randn_like(p))
    one = torch.ones(batch)
    x = torch.randn(batch, 3, size, size)
    features = network.encode(torch.randn(batch, 3, size // 4, size // 4))
    return network, lambda x=x, t=500 * one, r=64 * one, s=0 * one, f=features: network(x, t, f, r, s), x


@pytest.mark.parametrize("config", [PRESETS["tiny"], replace(PRESETS["tiny"], patch=1),
                                    replace(PRESETS["tiny"], patch=2, norm="group", attention=(2,)),
                                    replace(PRESETS["tiny"], resolution=False), FINE,
                                    replace(FINE, creases=(0.8, 6.4), cells=8, rim=16),
                                    replace(FINE, creases=(0.8, 6.4), cells=8, rim=8, white=False, padding="replicate"),
                                    replace(FINE, enlarging="bilinear"), replace(FINE, deepest=1),
                                    replace(PRESETS["tiny"], patch=2, fine=(4,))])
def test_every_setting_of_the_one_class_keeps_shapes(config):
    _, run, x = call(config, batch=2)
    assert run().shape == x.shape


def test_time_resolution_and_degradation_all_matter():
    _, run, _ = call(PRESETS["tiny"])
    plain, one = run(), torch.ones(1)
    for changed in (run(t=100 * one), run(r=256 * one), run(s=one)):
        assert not torch.allclose(plain, changed)


@pytest.mark.parametrize("enlarging, draws", [("nearest", True), ("bilinear", False)])
def test_on_an_even_ground_a_head_that_enlarges_bilinearly_cannot_draw_a_lattice(enlarging, draws):
    config = replace(FINE, creases=(0.8,), cells=8, rim=8, white=False, padding="replicate", enlarging=enlarging)
    torch.manual_seed(0)
    network, one = Network(config), torch.ones(1)
    for p in network.parameters():
        p.data.add_(0.1 * torch.randn_like(p))
    even = [torch.full((1, channels, 128, 128), 0.3) for channels in (network.creases.channels, Cells.channels)]
    with torch.no_grad():
        features = network.encode(torch.full((1, 3, 32, 32), 0.2))
        made = inner(network(torch.zeros(1, 3, 128, 128), 999 * one, features, 64 * one, 0 * one, extra=even), 40)
    assert (float(made.std(dim=(2, 3)).max()) > 1e-3) == draws


@pytest.mark.parametrize("drop", [4, 16, 40, 48, 72])
@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("config", [PRESETS["tiny"], FINE, replace(FINE, blocks=2, creases=(0.8, 1.6)),
                                    replace(FINE, cells=8, rim=8),
                                    replace(FINE, creases=(0.8,), cells=8, rim=8, white=False),
                                    replace(FINE, padding="replicate"),
                                    replace(FINE, enlarging="bilinear", blocks=2),
                                    replace(PRESETS["tiny"], patch=2, fine=(4,)),
                                    replace(PRESETS["tiny"], norm="group", attention=(2,)),
                                    replace(FINE, multipliers=(1,))])
def test_what_nobody_wants_is_not_computed_and_changes_nothing(config, rows, drop):
    network, _, x = call(config, size=192)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn_like(p))  # loud: whatever is cut too early is heard
        resolution = torch.linspace(20, 30, 192 // config.patch)[None] if rows else torch.ones(1)
        lean = network(x, torch.tensor([500.0]), network.encode(torch.ones(1, 3, 48, 48)), resolution,
                       torch.zeros(1), drop=drop)
        whole = network(x, torch.tensor([500.0]), network.encode(torch.ones(1, 3, 48, 48)), resolution, torch.zeros(1))
    assert lean.shape[-1] == 192 - 2 * drop
    assert torch.allclose(lean, inner(whole, drop), rtol=1e-5, atol=1e-5 * whole.abs().max())


@pytest.mark.parametrize("drop", [40, 48, 72])
def test_of_a_wide_halo_the_last_stages_compute_little(drop):
    network = Network(PRESETS["explorer"])
    stage, head = network.spare(drop)
    assert 0 <= stage <= head < drop and drop - head == 20 and drop - stage <= 48


def test_without_the_resolution_branch_resolution_does_not_matter():
    _, run, _ = call(replace(PRESETS["tiny"], resolution=False))
    assert torch.equal(run(), run(r=torch.full((1,), 9999.0)))


def test_the_local_network_sees_nothing_far_away_and_the_papers_does():
    for config, local in ((PRESETS["tiny"], True), (replace(PRESETS["tiny"], norm="group"), False)):
        _, run, x = call(config, size=256)
        moved = x.clone()
        moved[..., :4, :4] += 1
        far = (run(x=moved) - run())[..., -4:, -4:].abs().max()
        assert (far == 0) == local


def test_padding_changes_what_lies_at_the_edge_and_nothing_beyond_the_networks_reach():
    config = replace(PRESETS["tiny"], multipliers=(1,), encoder_blocks=0)
    made = []
    for padding in ("zeros", "replicate"):
        network, _, x = call(replace(config, padding=padding), size=256)
        made.append(network(x, torch.tensor([500.0]), network.encode(torch.ones(1, 3, 64, 64)), torch.ones(1),
                            torch.zeros(1)))
    reach = theoretical_radius(config)
    assert 0 < reach < 100
    assert torch.equal(inner(made[0], reach), inner(made[1], reach))
    assert not torch.allclose(made[0], made[1])


@pytest.mark.parametrize("enlarging, deepest", [("nearest", 3), ("bilinear", 3), ("bilinear", 1)])
def test_nothing_is_seen_beyond_the_reach_that_is_computed(enlarging, deepest):
    config = replace(FINE, encoder_blocks=0, enlarging=enlarging, deepest=deepest)
    _, run, x = call(config, size=256)
    moved, reach = x.clone(), theoretical_radius(config)
    moved[..., :4, :4] += 10
    with torch.no_grad():
        change = (run(x=moved) - run()).abs()[0].amax(0)
    assert 0 < reach < 200 and (change[4 + reach:] == 0).all() and (change[:, 4 + reach:] == 0).all()
    assert change.max() > 0


def test_a_deepest_level_without_neighbours_sees_less_far():
    def reach(kernel):
        return theoretical_radius(replace(FINE, encoder_blocks=0, deepest=kernel))
    assert 0 < reach(1) < reach(3)
    with pytest.raises(ValueError, match="kernel"):
        replace(FINE, deepest=5)


def test_a_config_survives_json():
    import json
    config = PRESETS["metaearth"]
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_a_config_of_before_the_finishing_head_still_loads():
    values = PRESETS["tiny"].as_dict()
    del values["fine"]
    network = Network(NetworkConfig.from_dict(values))
    assert network.config == PRESETS["tiny"] and hasattr(network, "last") and not hasattr(network, "head")
    network.load_state_dict(Network(PRESETS["tiny"]).state_dict())


@pytest.mark.parametrize("config", [PRESETS["tiny"], FINE, replace(FINE, creases=(1.6, 6.4), cells=8, rim=16)])
def test_moving_everything_by_a_stride_moves_the_picture(config):
    """Away from the borders, whose padding stays where it is."""
    network, _, _ = call(config)
    torch.manual_seed(1)
    x, condition, one = torch.randn(1, 3, 256, 256), torch.randn(1, 3, 64, 64), torch.ones(1)
    step, low = config.stride, config.stride // 4
    with torch.no_grad():
        still, moved = (network(p, 500 * one, network.encode(c), 64 * one, 0 * one) for p, c in (
            (x[..., :-step, :-step], condition[..., :-low, :-low]), (x[..., step:, step:], condition[..., low:, low:])))
    middle = slice(96, 144)
    assert still.std() > 0
    assert torch.allclose(still[..., step + 96:step + 144, step + 96:step + 144], moved[..., middle, middle], atol=1e-5)


@pytest.mark.parametrize("wrong", [{"patch": 3}, {"norm": "batch"}, {"predicts": "noise"}, {"fine": (8,)},
                                   {"fine": (8, 4, 2)}, {"patch": 1, "fine": (8, 4)}, {"cells": 6}, {"rim": 24},
                                   {"cells": 8}, {"padding": "circular"}, {"enlarging": "cubic"},
                                   {"white": False},
                                   {"white": False, "cells": 16, "predicts": "eps"}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        NetworkConfig(**wrong)


def test_a_network_that_sees_only_readings_sees_no_noise_beside_them():
    config = replace(FINE, creases=(0.8,), cells=8, rim=8, white=False)
    network, _, x = call(config)
    features, one = network.encode(torch.ones(1, 3, 16, 16)), torch.ones(1)
    known, other = (network.read(torch.randn(1, 3, 80, 80)) for _ in range(2))
    plain = network(x, one, features, one, one, extra=known)
    assert torch.equal(plain, network(torch.randn_like(x), one, features, one, one, extra=known))
    assert not torch.allclose(plain, network(x, one, features, one, one, extra=other))


def test_a_cell_is_all_that_is_nearest_to_its_point():
    torch.manual_seed(2)
    size, wide, x = 16, 128, torch.randn(1, 3, 128, 128)
    made = Cells(size)(x, size)[0]  # of all but the outermost cells
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    across, along = (0.5 + 0.42 * torch.erf(x[0, i, ::size, ::size] / 2**0.5) for i in (0, 1))
    points = torch.stack([size * (columns + across), size * (rows + along)], -1).reshape(-1, 2)
    pixels = torch.stack(torch.meshgrid(torch.arange(wide) + 0.5, torch.arange(wide) + 0.5, indexing="xy"), -1)
    squared = torch.cdist(pixels.reshape(-1, 2), points).square().reshape(wide, wide, -1)
    two, nearest = (inner(found.permute(2, 0, 1)[None], size)[0].permute(1, 2, 0)
                    for found in squared.topk(2, largest=False))
    inside = (two[..., 1] - two[..., 0]) > 3 * size  # away from where two cells meet
    for i in (0, 1):
        wanted = x[0, i, size // 2::size, size // 2::size].flatten()[nearest[..., 0]]
        assert inside.float().mean() > 0.3 and torch.allclose(made[i][inside], wanted[inside], atol=0.02)
    assert made[2][inside].max() < -1.9 and made[2].max() > -0.1  # between two, and where they meet


@pytest.mark.parametrize("reading, rim", [(Creases((0.8, 3.2)), 16), (Creases((6.4,)), 32), (Cells(8), 24),
                                          (Relief(), 32), (Relief(), 48)])
def test_with_a_rim_two_windows_read_the_same_of_the_noise_they_share(reading, rim):
    torch.manual_seed(3)
    field = torch.randn(1, 3, 192, 256)
    left, right = (reading(field[..., at:at + 192], rim) for at in (0, 64))
    assert left.shape == (1, reading.channels, 192 - 2 * rim, 192 - 2 * rim)
    assert left.std() > 0 and torch.allclose(left[..., 64:], right[..., :-64], atol=1e-4)


def test_every_width_of_creases_reads_noise_of_variance_one():
    torch.manual_seed(4)
    creases = Creases((0.8, 3.2, 6.4, 12.8))
    x = torch.randn(4, 3, 512, 512)
    for i in range(4):
        assert float(inner(creases.smooth(x, i), 64).var()) == pytest.approx(1, abs=0.12)


def test_gullies_run_downhill():
    torch.manual_seed(5)
    relief = Relief()
    east = torch.tensor([1.0, 0.0])[:, None, None].expand(1, 2, 114, 114)
    for slope, along, across in ((east, 3, 2), (-east, 3, 2), (east.flip(1), 2, 3)):
        _, form = relief.gullies(torch.randn(1, 1, 128, 128), slope)
        assert form.diff(dim=along).square().mean() < 0.2 * form.diff(dim=across).square().mean()


def test_light_comes_from_the_north_west():
    relief, south_east = Relief(), torch.arange(32.0)[:, None] + torch.arange(32.0)
    assert relief.lit(F.conv2d(south_east[None, None], relief.hills)).min() > 0  # what rises to there faces it


def test_where_the_noise_says_nothing_relief_is_level():
    assert float(Relief()(torch.zeros(1, 3, 128, 128), 32).abs().max()) == 0
    with pytest.raises(ValueError, match="rim"):
        replace(FINE, relief=True, white=False, rim=16)


def test_gullies_are_shown_where_relief_is_read():
    read = replace(FINE, relief=True, rim=32, parcels=True)
    config = replace(read, gullies=True)
    network, place = Network(config), (7, 13, 100, -20, 164, 44)
    assert inputs(config) == inputs(read)  # a network that reads relief can be shown these
    ruled, dark = network.ruled(*place), torch.zeros(1, 3, 128, 128)
    assert np.array_equal(ruled, np.concatenate([gullies.field(*place), parcels.field(*place)]))
    *_, lit, last = network.read(dark, torch.from_numpy(ruled)[None])
    assert np.array_equal(lit[0], ruled[:2]) and np.array_equal(last[0], ruled[2:])
    assert [e.shape[1] for e in network.read(dark)] == [e.shape[1] for e in Network(read).read(dark)]
    alone = Network(replace(FINE, relief=True, gullies=True, rim=32))
    assert np.array_equal(alone.read(dark, torch.from_numpy(ruled[None, :2]))[-1][0], ruled[:2])
    with pytest.raises(ValueError, match="gullies"):
        replace(FINE, gullies=True)


def fields_of(config, place):
    """The parcels that a network is shown."""
    return parcels.field(*place, config.nested, parcels.Ruling((config.rows, parcels.ROWS[1])))


@pytest.mark.parametrize("shown, channels", [({"parcels": True, "nested": True, "rows": 9.0}, 2), ({"cover": True}, 2),
                                             ({"parcels": True, "cover": True}, 4), ({}, 0)])
def test_what_it_is_shown_are_parcels_then_cover(shown, channels):
    config = replace(FINE, relief=True, rim=32, **shown)
    network, place = Network(config), (7, 13, 100, -20, 164, 44)
    fields = [fields_of(config, place)] * config.parcels + [cover.field(*place)] * config.cover
    ruled = network.ruled(*place)
    assert ruled is None if not channels else np.array_equal(ruled, np.concatenate(fields))
    last = network.read(torch.zeros(2, 3, 128, 128))[-1]
    assert last.shape == (2, channels or Relief.channels, 64, 64) and not last.any()
    assert len(inputs(config)["first.weight"]) == network.first.weight.shape[1]
    with pytest.raises(ValueError, match="nested"):
        replace(FINE, nested=True)


def test_parcels_are_shown_where_land_is_tilled_and_cover_where_it_is_wild():
    config = replace(FINE, relief=True, rim=32, parcels=True, cover=True, land_use=True)
    network, place = Network(config), (7, 11, 256, 0, 512, 256)
    share = land_use.field(*place)
    assert 0.1 < share.mean() < 0.9
    fields, woods = fields_of(config, place), cover.field(*place)
    assert np.array_equal(network.ruled(*place), np.concatenate([fields * share, woods * (1 - share)]))
    assert np.array_equal(network.ruled(*place, use=Use.TILLED), np.concatenate([fields, 0 * woods]))
    assert np.array_equal(network.ruled(*place, use=Use.WILD), np.concatenate([0 * fields, woods]))
    everywhere = Network(replace(config, land_use=False))
    assert np.array_equal(everywhere.ruled(*place), np.concatenate([fields, woods]))
    with pytest.raises(ValueError, match="land use"):
        replace(FINE, relief=True, rim=32, cover=True, land_use=True)


def test_in_towns_streets_are_shown_for_fields_and_woods(plains_config):
    middle = next(town for column in range(99) if (town := towns.town(7, 0, column, 50)) and town.radius > 20)
    x, y = (int(4 * v) for v in (middle.x, middle.y))  # of z13
    config, place = replace(plains_config, towns=True), (7, 13, x - 40, y - 200, x + 360, y + 200)
    network, before = Network(config), Network(plains_config).ruled(*place)
    town = towns.field(*place)
    assert 0.02 < town.mean() < 0.9
    ruled = network.ruled(*place)
    assert np.array_equal(ruled[-1], town) and np.array_equal(ruled[:2], before[:2])
    assert np.array_equal(ruled[2:6][:, town == 0], before[2:][:, town == 0])
    assert np.allclose(ruled[2:4][:, town == 1], towns.streets(*place)[:, town == 1], atol=1e-6)
    assert not ruled[4:6][:, town == 1].any()
    assert not network.ruled(*place, plain=0.0)[-1].any()  # no towns on mountains
    everywhere = network.ruled(*place, use=Use.TOWN)
    assert np.array_equal(everywhere[2:4], towns.streets(*place)) and (everywhere[-1] == 1).all()
    assert not network.ruled(*place, use=Use.TILLED)[-1].any()
    shown = network.shown(torch.from_numpy(ruled)[None], 1.0)
    assert [part.shape[1] for part in shown[:3]] == [2, 4, 1] and torch.equal(shown.town[0, 0], torch.from_numpy(town))
    assert inputs(config)["first.weight"][-1] == ("town", 0)  # weights of one that saw none fit: what is new is last
    with pytest.raises(ValueError, match="streets"):
        replace(plains_config, land_use=False, plains=False, towns=True)


def test_roads_lie_among_the_parcels_of_plains(plains_config):
    with pytest.raises(ValueError, match="roads"):
        replace(plains_config, roads=True)
    config = replace(plains_config, towns=True)
    road = roads.near(7, 2000, 12000, 2600, 12600)[0]
    x, y = (int(2 * (a + b)) for a, b in ((road.begin.x, road.end.x), (road.begin.y, road.end.y)))  # of z13
    place = 7, 13, x - 150, y - 150, x + 150, y + 150
    known, light = (Network(replace(config, roads=of)).ruled(*place, plain=0.7) for of in (False, True))
    shown = light - known
    assert np.allclose(shown[2], 0.7 * roads.field(*place), atol=1e-6) and shown[2].max() > 0.9
    assert not np.delete(shown, 2, 0).any()
    for use in Use:  # what is known to be of one use has none
        assert np.array_equal(*(Network(replace(config, roads=of)).ruled(*place, use=use) for of in (False, True)))


def test_gullies_may_be_fainter_on_plains(plains_config):
    network, place = Network(plains_config), (7, 9, 256, 0, 512, 256)
    half = np.repeat(np.float32([[0, 1]]), 128, 1)  # the west is a mountain
    found, all_alike = network.ruled(*place, plain=half, gentle=0.6)[:2], network.ruled(*place, plain=half)[:2]
    assert np.array_equal(found[..., :128], all_alike[..., :128])
    assert np.allclose(found[..., 128:], 0.4 * all_alike[..., 128:]) and all_alike[..., 128:].std() > 0.1


def test_mountains_are_not_tilled():
    config = replace(FINE, relief=True, rim=32, parcels=True, cover=True, land_use=True, plains=True)
    network, place = Network(config), (7, 11, 256, 0, 512, 256)
    assert np.array_equal(network.ruled(*place, plain=0.0), network.ruled(*place, use=Use.WILD))
    half = np.repeat(np.float32([[0, 1]]), 128, 1)  # the west is a mountain
    found, flat = network.ruled(*place, plain=half), network.ruled(*place)
    assert np.array_equal(found[..., 128:], flat[..., 128:])
    assert not found[:2, :, :128].any() and flat[:2, :, :128].any()
    everywhere = Network(replace(config, plains=False))
    assert np.array_equal(everywhere.ruled(*place, plain=0.0), flat)
    with pytest.raises(ValueError, match="no land use"):
        replace(FINE, relief=True, rim=32, parcels=True, cover=True, plains=True)


def test_the_gradient_of_repeated_pixels_is_theirs():
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Repeated.apply, x)
    assert torch.equal(Repeated.apply(x), F.pad(x, [1] * 4, mode="replicate"))
    made = repeated(x)
    assert torch.equal(made, Repeated.apply(x)) and made.is_contiguous(memory_format=torch.channels_last)


def test_the_schedule_is_the_papers():
    alpha = alpha_bars()
    assert len(alpha) == 1000 and alpha[0] == pytest.approx(1 - 0.0015) and alpha[-1] < 3e-4
    assert timesteps(4) == [999, 749, 499, 249] and len(timesteps(50)) == 50
    with pytest.raises(ValueError):
        timesteps(0)


@pytest.mark.parametrize("predicts", ["x0", "v", "eps"])
def test_ddim_finds_the_picture_of_a_perfect_network(predicts):
    torch.manual_seed(0)
    truth, alphas = torch.randn(1, 3, 8, 8), alpha_bars()

    def perfect(x, t):
        a, s = alphas[t].sqrt(), (1 - alphas[t]).sqrt()
        eps = (x - a * truth) / s
        return {"x0": truth, "v": a * eps - s * truth, "eps": eps}[predicts]

    found = ddim(perfect, torch.randn(1, 3, 8, 8), timesteps(4), predicts)
    assert torch.allclose(found, truth, atol=1e-3 if predicts != "eps" else 5e-2)


def test_the_three_outputs_say_the_same():
    torch.manual_seed(0)
    x0, eps, alpha = torch.randn(9), torch.randn(9), torch.tensor(0.3)
    a, s = alpha.sqrt(), (1 - alpha).sqrt()
    x = a * x0 + s * eps
    for output, predicts in ((x0, "x0"), (a * eps - s * x0, "v"), (eps, "eps")):
        assert torch.allclose(clean(x, output, alpha, predicts), x0, atol=1e-5)


def test_whitening_is_undone_and_interpolates_in_octaves():
    whitening = Whitening([[16, 0.2, 0.02, 0.02], [64, 0.1, 0.04, 0.01]])
    assert whitening.std(32) == pytest.approx([0.15, 0.03, 0.015])
    assert whitening.std(1) == [0.2, 0.02, 0.02] and whitening.std(9999) == [0.1, 0.04, 0.01]
    residual = torch.randn(2, 3, 4, 4)
    back = whitening.colour(whitening.whiten(residual, [20.0, 40.0]), [20.0, 40.0])
    assert torch.allclose(back, residual, atol=1e-6)
    assert torch.allclose(AXES @ AXES.T, torch.eye(3), atol=1e-6)


def test_enlarging_keeps_a_constant():
    assert torch.allclose(enlarge(torch.full((1, 3, 5, 5), 0.3)), torch.full((1, 3, 20, 20), 0.3))
    assert np.isfinite(enlarge(torch.randn(1, 3, 5, 5)).numpy()).all()


def test_rows_of_one_resolution_are_one_resolution():
    _, run, _ = call(PRESETS["tiny"])
    assert torch.allclose(run(r=torch.full((1, 16), 64.0)), run(r=torch.full((1,), 64.0)), atol=1e-5)


def test_a_rows_resolution_matters_there_and_not_far_away():
    _, run, _ = call(PRESETS["tiny"], size=256)
    rows = torch.full((1, 64), 64.0)
    moved = rows.clone()
    moved[:, :8] = 19.0
    change = (run(r=moved) - run(r=rows)).abs().amax((0, 1, 3))
    assert change[:32].min() > 1e-4 and change[192:].max() == 0


def test_whitening_of_rows_is_that_of_each_row():
    table = [[5.0, 0.1, 0.02, 0.01], [1200.0, 0.2, 0.03, 0.02]]
    whitening, x = Whitening(table), torch.randn(1, 3, 4, 5)
    rows = [[5.0, 20.0, 300.0, 1200.0]]
    by_row = torch.cat([whitening.colour(x[:, :, i:i + 1], [r]) for i, r in enumerate(rows[0])], 2)
    assert torch.allclose(whitening.colour(x, rows), by_row, atol=1e-6)


@pytest.fixture
def on_threads():
    """Call something on so many threads; torch has what it had before when the test is over."""
    before = torch.get_num_threads()

    def call_on(number, of):
        torch.set_num_threads(number)
        with torch.inference_mode():
            return of()
    yield call_on
    torch.set_num_threads(before)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_enlarging_is_the_same_on_any_number_of_threads(on_threads, channels, layout):
    """And what torch makes on more than one, which published versions have."""
    x = torch.randn(1, channels, 102, 102).contiguous(memory_format=layout)
    one, *more = (on_threads(number, lambda: bilinear(x, 4)) for number in (1, 2, 3))
    assert all(torch.equal(one, other) for other in more) and one.is_contiguous(memory_format=layout)
    assert torch.equal(one, on_threads(2, lambda: F.interpolate(x, scale_factor=4, mode="bilinear")))


@pytest.mark.parametrize("inputs, outputs, size", [(16, 8, 80), (288, 144, 25)])
def test_a_convolution_of_one_pixel_is_the_same_on_any_number_of_threads(on_threads, inputs, outputs, size):
    x = torch.randn(1, inputs, size, size).contiguous(memory_format=torch.channels_last)
    conv = Pointwise(inputs, outputs).to(memory_format=torch.channels_last)
    one, *more = (on_threads(number, lambda: conv(x)) for number in (1, 2, 3))
    assert all(torch.equal(one, other) for other in more)
    assert torch.allclose(one, F.conv2d(x, conv.weight, conv.bias), atol=1e-5)
