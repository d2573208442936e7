"""Training: pairs that come in the same order, runs that survive a kill, data that are named when bad."""

import csv
import io
import math
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch.nn import functional as F

from model import checkpoint as checkpoints
from model import cover, parcels, towns
from model.base import tone_curve
from model.errors import BadCheckpoint, BadImagery
from model.grid import pixel_to_lonlat
from model.network import PRESETS, Network, Use, grown, inputs
from model.readings import MOST, Creases, Relief, inner
from model.residual import Whitening, enlarge
from model.sampler import SamplerConfig
from model.schedule import alpha_bars
from model.training import calm
from model.training.calm import LINES, LIVELIEST, ROUNDING
from model.training.degradation import degrade, haze
from model.training.descent import Descent
from model.training.distill import DistillConfig, Distiller
from model.training.imagery import COLUMNS, CONTRAST, Patch, match_tone, read_index, read_patches
from model.training.lattice import grid_phase, lines, streaks
from model.training.loop import TrainConfig, Trainer, loss_weight
from model.training.pairs import Ground, PairConfig, Pairs, ground, rotate, turn
from model.training.pixels import as_pixels, sea
from model.training.rules import COVERS, PARCELS, PLAINS, RELIEFS, broken
from model.training.sheet import Sheet
from model.training.sketch import built_up, drawn, fields, sketch
from model.training.strength import DEEPEST
from model.underlay import finished
from model.worlds import EARTH_POWER, Worlds


def picture(number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    small = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((256, 256), Image.BICUBIC))


@pytest.fixture
def folder(tmp_path):
    """An imagery folder of twelve small scenes at three levels, as `index.csv` and tar shards describe it."""
    rows = []
    for level, m_per_px in (("76", 71.0), ("19", 19.0), ("4.8", 4.8)):
        shard = f"train-{level}-000.tar"
        with tarfile.open(tmp_path / shard, "w") as tar:
            for i in range(4):
                name = f"p{level}-{i}"
                file = io.BytesIO()
                Image.fromarray(picture(len(rows))).save(file, "WEBP", lossless=True)
                member = tarfile.TarInfo(f"{name}.webp")
                member.size = file.tell()
                file.seek(0)
                tar.addfile(member, file)
                rows.append({"id": name, "shard": shard, "size_px": 256, "m_per_px": m_per_px, "lat": 10 + i, "lon": 20,
                             "source": "test", "scene": f"s{i}", "landcover": "forest",
                             "split": "train" if i else "val", "licence": "CC0"})
    write_index(tmp_path, rows)
    return tmp_path


def write_index(folder, rows):
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def trainer(folder, out, **changes):
    settings = {"steps": 4, "batch": 2, "warmup": 1, "validate_every": 1000, "sheet_every": 0, "save_every": 1000,
                "pairs": PairConfig(crop=32, calm=0.0)} | changes
    patches = read_patches(folder, "train", progress=False)
    return Trainer(PRESETS["tiny"], TrainConfig(**settings), patches, [], out)


# --- data ------------------------------------------------------------------------------------------------------------

def test_scenes_are_split_and_read(folder):
    train, val = (read_patches(folder, split, progress=False) for split in ("train", "val"))
    assert len(train) == 9 and len(val) == 3
    assert not {p.scene for p in train} & {p.scene for p in val}


def test_a_truncated_shard_is_named_and_left_out(folder):
    path = folder / "train-19-000.tar"
    path.write_bytes(path.read_bytes()[:3000])
    warnings = []
    patches = read_patches(folder, "train", progress=False, warn=warnings.append)
    assert len(patches) < 9 and any("19" in w for w in warnings)


def test_a_patch_of_the_wrong_size_is_named_and_left_out(folder):
    file = io.BytesIO()
    Image.fromarray(picture(1)).resize((100, 100)).save(file, "WEBP")
    with tarfile.open(folder / "train-76-000.tar", "w") as tar:
        member = tarfile.TarInfo("p76-1.webp")
        member.size = file.tell()
        file.seek(0)
        tar.addfile(member, file)
    warnings = []
    read_patches(folder, "train", progress=False, warn=warnings.append)
    assert any("p76-1" in w and "100×100" in w for w in warnings)


def test_a_missing_column_is_refused_by_name(folder):
    rows = [{k: v for k, v in row.items() if k != "m_per_px"} for row in read_index(folder)]
    write_index(folder, rows)
    with pytest.raises(BadImagery, match="m_per_px"):
        read_patches(folder, "train", progress=False)


@pytest.mark.parametrize("column, value", [("m_per_px", "0"), ("m_per_px", "nan"), ("lat", "123"), ("lon", "east")])
def test_a_patch_that_lies_nowhere_is_named_and_left_out(folder, column, value):
    rows = read_index(folder)
    wrong = next(row for row in rows if row["split"] == "train")
    wrong[column] = value
    write_index(folder, rows)
    warnings = []
    assert len(read_patches(folder, "train", progress=False, warn=warnings.append)) == 8
    assert len(warnings) == 1 and wrong["id"] in warnings[0]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadImagery, match="index.csv"):
        read_patches(tmp_path, "train", progress=False)
    assert "split" in COLUMNS


# --- pairs -----------------------------------------------------------------------------------------------------------

def test_pair_n_is_a_function_of_seed_and_n(folder):
    patches = read_patches(folder, "train", progress=False)
    one, other = Pairs(patches, 1), Pairs(patches, 1)
    other.item(3)
    a, b = one.item(17), other.item(17)
    assert torch.equal(a.condition, b.condition) and torch.equal(a.target, b.target) and a[2:] == b[2:]
    assert not torch.equal(one.item(17)[1], Pairs(patches, 2).item(17)[1])


def test_shapes_and_ranges(folder):
    condition, target, resolution, strength = Pairs(read_patches(folder, "train", progress=False), 1).batch(0, 16)
    assert condition.shape == (16, 3, 32, 32) and target.shape == (16, 3, 128, 128)
    assert condition.abs().max() <= 1 and target.abs().max() <= 1
    assert (resolution > 4).all() and (strength >= 0).all() and (strength > 0).any()


def test_fine_sources_keep_less_of_their_contrast_and_their_scenes_mean():
    ones = np.ones((256, 256, 3), np.uint8)
    patches = [Patch(f"{level}-{v}", level, f"s{level}", "", 10.0, 20.0, 19.0, v * ones)
               for level in ("305", "19") for v in (60, 120)]
    match_tone(patches, Worlds().get("earth").base(0))
    (dark, bright), (dull, pale) = ([p.pixels.mean() for p in patches if p.level == level] for level in ("305", "19"))
    assert pale - dull == pytest.approx(CONTRAST["19"] * (bright - dark), abs=1.5)
    assert pale + dull == pytest.approx(bright + dark, abs=1.5)


def test_without_degradation_the_condition_is_the_mean():
    image = torch.rand(3, 64, 64) * 2 - 1
    rng = np.random.default_rng(0)
    assert torch.equal(degrade(image, 0.0, rng), F.avg_pool2d(image[None], 4)[0])


def test_haze_flattens_and_leaves_the_means_over_wide_squares():
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    flat = haze(image, torch.tensor([0.0, 0.5]))
    assert torch.equal(flat[0], image[0])
    assert flat[1].std() < 0.6 * image[1].std()
    assert torch.allclose(flat.mean((2, 3)), image.mean((2, 3)), atol=0.02)


def test_stronger_degradation_takes_more_away():
    rng = np.random.default_rng(0)
    image = torch.from_numpy(picture(0).astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)
    clean = F.avg_pool2d(image[None], 4)[0]
    error = [np.mean([float((degrade(image, strength, rng) - clean).square().mean()) for _ in range(12)])
             for strength in (0.1, 0.4, 1)]
    assert error[0] < error[1] < error[2]


def test_the_eight_symmetries_are_eight():
    image = torch.rand(3, 8, 8)
    assert len({turn(image, k).numpy().tobytes() for k in range(8)}) == 8


# --- loop ------------------------------------------------------------------------------------------------------------

def test_loss_weights_are_the_papers():
    alpha = alpha_bars()[[10, 500, 900]]
    snr = alpha / (1 - alpha)
    p2 = TrainConfig(objective="eps", p2_gamma=1.0, p2_k=1.0)
    assert torch.allclose(loss_weight(alpha, p2), snr / (1 + snr))
    assert torch.allclose(loss_weight(alpha, TrainConfig(objective="v")), 1 + snr)


def test_a_killed_run_resumes_to_the_same_weights(folder, tmp_path):
    whole = trainer(folder, tmp_path / "whole")
    whole.run(progress=False)
    begun = trainer(folder, tmp_path / "begun", steps=2)
    begun.run(progress=False)
    resumed = trainer(folder, tmp_path / "begun")
    resumed.resume()
    assert resumed.step == 2
    resumed.run(progress=False)
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_accumulation_gives_the_gradients_of_one_batch(folder, tmp_path):
    one, two = trainer(folder, tmp_path, batch=4), trainer(folder, tmp_path, batch=4, accumulate=2)
    losses = [t.gradients() for t in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for a, b in zip(one.network.parameters(), two.network.parameters(), strict=True):
        if a.grad is not None:
            assert torch.allclose(a.grad, b.grad, atol=1e-6)


def test_a_network_that_is_not_told_the_ground_resolution_cannot_see_it_in_the_whitening(folder, tmp_path):
    told, blind = (Trainer(replace(PRESETS["tiny"], resolution=resolution), TrainConfig(pairs=PairConfig(crop=32)),
                           patches_of(folder), [], tmp_path).whitening for resolution in (True, False))
    levels = (4.8, 19.0, 71.0)
    assert len({tuple(told.std(m)) for m in levels}) == 3 and len({tuple(blind.std(m)) for m in levels}) == 1
    power = np.square([told.std(m) for m in levels]).mean(0)
    np.testing.assert_allclose(np.square(blind.std(19.0)), power, rtol=1e-6)


def test_training_lowers_the_loss(folder, tmp_path):
    t = trainer(folder, tmp_path, steps=60, batch=4, lr=3e-3, objective="x0",
                pairs=PairConfig(crop=32, calm=0.0, clean=1.0, jitter=1.0, tone=0.0))
    t.validation = read_patches(folder, "val", progress=False)
    before = sum(t.validate().values())
    for _ in range(60):
        t.advance()
    assert sum(t.validate().values()) < 0.95 * before


def test_another_runs_state_is_refused(folder, tmp_path):
    trainer(folder, tmp_path).save()
    with pytest.raises(BadCheckpoint, match="order"):
        trainer(folder, tmp_path, seed=9).resume()
    (tmp_path / "state.pt").write_bytes((tmp_path / "state.pt").read_bytes()[:5000])
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        trainer(folder, tmp_path).resume()
    with pytest.raises(BadCheckpoint, match="nothing to resume"):
        trainer(folder, tmp_path / "nowhere").resume()


# --- distillation ----------------------------------------------------------------------------------------------------

def patches_of(folder):
    return read_patches(folder, "train", progress=False)


def distiller(folder, tmp_path, **changes):
    settings = {"steps": 3, "batch": 2, "crop": 80, "alone": 1, "patches": 1.0, "local": 1.0, "grid": 1.0,
                "pairs": PairConfig(crop=256, calm=0.0)} | changes
    teacher = trainer(folder, tmp_path / "teacher")
    teacher.save()
    return Distiller(tmp_path / "teacher" / "state.pt", DistillConfig(**settings),
                     patches_of(folder), tmp_path / "student")


def draw_from(d: Distiller, pairs: Pairs) -> None:
    """Plans drawn before are forgotten."""
    d.batches.plans.planner.pairs, d.batches.plans.ahead = pairs, {}


def test_distillation_moves_the_student_and_resumes(folder, tmp_path):
    d = distiller(folder, tmp_path)
    before = [p.clone() for p in d.network.parameters()]
    d.run(progress=False)
    assert any(not torch.equal(a, b) for a, b in zip(before, d.network.parameters(), strict=True))
    again = distiller(folder, tmp_path)
    again.resume()
    assert again.step == 3
    for a, b in zip(d.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(a, b)
    (again.out / "state.pt").write_bytes(b"cut short")
    with pytest.raises(BadCheckpoint, match="neither a training's state"):
        again.resume()


def test_own_conditions_are_the_students_pictures(folder, tmp_path):
    whole = distiller(folder, tmp_path, own=0.0, crop=192).batches.batch(0)   # all but the rim: the same place in both
    mixed = distiller(folder, tmp_path, own=1.0, crop=192).batches.batch(0)
    assert torch.equal(whole.target, mixed.target)
    assert not torch.equal(whole.condition, mixed.condition)
    assert mixed.condition.shape[1:] == (3, 48, 48) and (mixed.strength == 0).all()


@pytest.mark.parametrize("given, channels", [({"creases": (0.8, 1.6)}, 6), ({"cells": 8, "rim": 16}, 3)])
def test_a_student_that_is_given_readings_of_the_noise_begins_as_its_teacher(folder, tmp_path, given, channels):
    noise, low = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 16, 16)
    told = torch.tensor([19.0]), torch.zeros(1)
    plain, student = distiller(folder, tmp_path), distiller(folder, tmp_path, **given)
    with torch.no_grad():
        assert torch.allclose(*(d.generate(d.network, low, *told, noise) for d in (plain, student)), atol=1e-5)
    student.run(progress=False)
    assert student.network.first.weight[:, -channels:].abs().max() > 0  # and comes to use them


def test_where_the_base_shows_another_month_z7_is_made_of_its_own_soft_means(folder):
    base = Worlds().get("earth").base(0)
    there = base.region(5, 64 * 31, 64 * 23, 64 * 32, 64 * 24)  # above the tile 31, 23 of z7
    lon, lat = pixel_to_lonlat(7, 256 * 31 + 128, 256 * 23 + 128)
    untoned = (255 * (there / 255) ** (1 / EARTH_POWER)).astype(np.uint8)
    near = np.kron(untoned, np.ones((4, 4, 1), np.uint8))
    snow = np.maximum(near, np.uint8(235) - np.uint8(40) * (np.arange(256) // 8 % 2).astype(np.uint8)[:, None, None])
    patches = [Patch(f"bm-{i}", "1223", f"bm-{i}", "", lat, lon, 1000.0, pixels)
               for i, pixels in enumerate((near, snow))]
    toned = tone_curve(EARTH_POWER)[snow]
    match_tone(patches, base)
    assert np.array_equal(patches[0].base, there)
    assert np.array_equal(patches[1].pixels, toned)  # as it was: no haze over it
    means = toned.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(patches[1].base.mean((0, 1)) - means.mean((0, 1))).max() < 1
    assert 0.2 < np.diff(patches[1].base.astype(float), axis=0).std() / np.diff(means, axis=0).std() < 0.95


def test_what_is_made_of_the_soft_base_is_to_be_mended_not_kept(folder, tmp_path):
    base = Worlds().get("earth").base(0)
    there = base.region(4, 2000 - 4, 1500 - 4, 2000 + 20, 1500 + 20)  # above the tile 125, 94 of z8
    lon, lat = pixel_to_lonlat(8, 16 * 2008, 16 * 1508)
    untoned = (255 * (there[4:-4, 4:-4] / 255) ** (1 / EARTH_POWER)).astype(np.uint8)
    near = np.kron(untoned, np.ones((16, 16, 1), np.uint8)) + np.uint8(12)  # and brighter
    patches = [Patch(f"bm-{i}", "305", f"bm-{i}", "", lat, lon, 300.0, pixels) for i, pixels in
               enumerate((near, 255 - near, picture(1)))]
    patches[2].scene = "other"
    match_tone(patches, base)
    assert np.array_equal(patches[0].above, there)
    assert patches[1].above is None and patches[2].above is None  # another season, another source
    assert np.abs(patches[0].pixels.mean((0, 1)) - there[4:-4, 4:-4].mean((0, 1))).max() < 2
    item = Pairs(patches[:1], 1, PairConfig(crop=256, calm=0, under_base=1.0)).item(0)
    assert item.above.shape == (3, 24, 24) and item.target.shape == (3, 256, 256)
    d = distiller(folder, tmp_path, own=0.0, crop=80, pairs=PairConfig(crop=256, calm=0, under_base=1.0))
    draw_from(d, Pairs(patches[:1], 2, d.config.pairs))
    d.config.mended = 0.5
    batch = d.batches.batch(0)
    assert not batch.kept.any()
    assert not torch.allclose(batch.condition, F.avg_pool2d(batch.target, 4).repeat(2, 1, 1, 1), atol=0.02)
    d.advance()


# --- sketches --------------------------------------------------------------------------------------------------------

def wave(length: float, size: int = 160) -> torch.Tensor:
    return torch.sin(2 * torch.pi * torch.arange(size) / length).expand(1, 3, size, size)


def test_a_sketch_tells_forms_by_their_size_and_not_their_strength():
    both, weak = sketch(0.3 * wave(30) + 0.3 * wave(8)), sketch(0.02 * wave(30) + 0.02 * wave(8) + 0.3)
    assert torch.allclose(both, weak, atol=0.03)
    for band, own, other in ((0, 30, 8), (1, 8, 30)):
        found = [inner(image, 40).flatten() for image in (both[:, band:band + 1], wave(own)[:, :1], wave(other)[:, :1])]
        alike = torch.corrcoef(torch.stack(found))[0].abs()
        assert alike[1] > 0.9 and alike[2] < 0.3
    assert sketch(torch.zeros(1, 3, 96, 96)).abs().max() < 1e-3  # nothing is not blown up


def test_of_farms_brightness_and_greenness_are_sketched_flat_between_their_borders():
    fields_of = parcels.field(5, 13, 0, 0, 160, 160)
    light, green = (torch.from_numpy(channel)[None] for channel in fields_of)
    picture = torch.cat([light - green / 2, light + green / 2, light], 0)[None] * 0.1 - 0.2
    found = fields(picture)
    for mine, ruled in zip(found[0], (light, green), strict=True):
        inside = slice(30, 130)
        assert torch.corrcoef(torch.stack([v[inside, inside].flatten() for v in (mine, ruled[0])]))[0, 1] > 0.6
    assert found.abs().max() <= MOST and fields(torch.full((1, 3, 96, 96), 0.3)).abs().max() < 1e-3
    shown, other = (torch.from_numpy(parcels.field(seed, 13, 0, 0, 160, 160))[None] for seed in (5, 6))
    assert float(drawn(picture, shown)) > 0.98 and float(drawn(-picture, shown)) < -0.98
    assert abs(float(drawn(picture, other))) < 0.2 and float(drawn(picture, torch.zeros_like(shown))) == 0


def test_parcels_are_to_be_drawn_where_land_is_built(folder, tmp_path):
    d = distiller(folder, tmp_path, creases=(0.8,), rim=32, relief=True, parcels=True, white=False, own=0.0,
                  pairs=PairConfig(crop=256, calm=0.0))
    for landcover, town in (("city, farmland", 1.0), ("forest", 0.0)):
        patches = [grained(n, 8, level, landcover) for n, level in enumerate(("305", "76", "19", "4.8"))]
        patches[0].landcover = "auto:forest"
        config = replace(d.config, deep=1, ruled=1.0, sketched=1.0, steps=1)
        d = Distiller(tmp_path / "teacher" / "state.pt", config, [under_earth(1), *patches], tmp_path / "student")
        batches = [d.batches.batch(n) for n in range(12)]
        built = [batch.ground == Ground.BUILT for batch in batches]
        deep = {float(batch.resolution[0]) > 200 for batch, here in zip(batches, built, strict=True) if here[0]}
        assert deep == ({False} if town else set())  # at 305 m there are none
        assert bool(deep) == any(here[1] for here in built) == bool(town)
        # A student that has drawn nothing yet has to draw half of them, or none.
        share = float(built[0].float().mean())
        assert d.advance()["ruled"] == pytest.approx(share, abs=0.3)


def test_known_places_are_shown_their_own_sketch_and_deep_ones_what_the_noise_says(folder, tmp_path):
    d = distiller(folder, tmp_path, creases=(0.8,), rim=32, relief=True, white=False, sketched=1.0, own=0.0,
                  pairs=PairConfig(crop=256, calm=0.0))
    train = [under_earth(1), *patches_of(folder)]
    d = Distiller(tmp_path / "teacher" / "state.pt", replace(d.config, deep=1), train, tmp_path / "student")
    target, shown = d.batches.batch(0).target, d.batches.batch(0).sketches
    assert shown.shape == (4, 7, 80, 80) and shown[[0, 2]].isnan().all() and not shown[[1, 3], 2:].any()
    shown = shown[:, :2]
    assert torch.equal(shown[1], shown[3])
    inside = (slice(None), slice(30, 50), slice(30, 50))  # its own surroundings it knows better than the crop does
    assert torch.corrcoef(torch.stack([sketch(target)[1][inside].flatten(), shown[1][inside].flatten()]))[0, 1] > 0.9
    noises, draw = [], d.batches.seen
    d.batches.seen = lambda noise, *a: (noises.append(noise), draw(noise, *a))[1]
    batches = [d.batches.batch(n) for n in (7, 7)]
    assert torch.equal(batches[0].noise, batches[1].noise)  # of step and seed alone
    assert all(n.shape == (1, 3, 64 + 2 * 32, 64 + 2 * 32) for n in noises)  # the noise around a window is known, too
    once, again = noises[:len(noises) // 2], noises[len(noises) // 2:]
    assert once and all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    d.batches.seen = draw
    read, network = [], d.network
    network.forward, plain = lambda *a, **k: (read.append(k["extra"]), plain(*a, **k))[1], network.forward
    d.advance()
    relief = read[0][-1]
    assert torch.equal(relief[[1, 3]], shown[[1, 3]]) and not relief.isnan().any() and relief[0].std() > 0.1
    assert Distiller(tmp_path / "teacher" / "state.pt", replace(d.config, sketched=0.0), train,
                     tmp_path / "student").batches.batch(0).sketches[:, :2].isnan().all()


# --- the cascade's own places ---------------------------------------------------------------------------------------

def under_earth(number: int, colour=(90, 120, 60), level="1223") -> Patch:
    """A patch of one colour and a little grain, under a base of its own."""
    rng = np.random.default_rng(number)
    pixels = (np.array(colour) + rng.integers(-9, 10, (256, 256, 3))).clip(0, 255).astype(np.uint8)
    base = pixels[:64, :64] if level == "1223" else None
    return Patch(f"bm-{number}", level, f"bm-{number}", "auto:vegetation", 0.0, 0.0, 1223.0, pixels, base)


def like(descent: Descent, *asked, **named) -> tuple[torch.Tensor, Ground, bool]:
    """A likeness as it is held against a place, what is to be drawn, whether that is a snowfield."""
    found = descent.choose(*asked, **named)
    turned = rotate(found.picture[None], torch.tensor([found.angle]))
    return inner(turned, descent.cut)[0], found.ground, found.snow


def test_a_place_is_come_down_to_level_by_level():
    patches = [under_earth(1), under_earth(2, level="4.8")]
    descent = Descent(patches, Pairs(patches, 1), 96, {7: 0.3, 9: 0.2, 11: 0.1, 15: 0.05}, rim=32, seed=1)
    asked, course = [], descent.plan(np.random.default_rng(5))

    def generate(condition, m_per_px, told, those, n):
        assert those == [0] and n == len(asked)
        asked.append((float(m_per_px), float(told), condition.clone()))
        return F.interpolate(condition, scale_factor=4) + len(asked) / 100

    item, = descent.follow([course], generate)
    assert [m for m, *_ in asked] == [1223.0, 1223 / 4, 1223 / 16, 1223 / 64]
    assert [told for _, told, _ in asked] == torch.tensor([0.3, 0.2, 0.1, 0.0]).tolist()
    assert (item.m_per_px, item.degradation, item.level) == (1223 / 256, 0.05, "4.8")
    assert item.condition.shape == (3, 24, 24) and item.target.shape == (3, 96, 96)
    # Each level is conditioned on what was made of the one above, the place itself on the middle of the last.
    for (*_, above), (*_, below), step in zip(asked, asked[1:], range(1, 4), strict=False):
        assert (F.unfold(F.interpolate(above, scale_factor=4) + step / 100, 16)
                - below.flatten()[:, None]).abs().amax(1).min() < 1e-6
    assert torch.equal(item.condition, (F.interpolate(asked[-1][2], scale_factor=4) + 0.04)[0, :, 20:44, 20:44])
    # Its parcels lie where those of the levels above do, in one world.
    places = [step.where for step in course.steps] + [course.where]
    assert len({world for world, *_ in places}) == 1 and [level for _, level, *_ in places] == [7, 9, 11, 13, 15]
    for (_, _, *above), (_, _, *below), size in zip(places, places[1:], (64, 64, 64, 96), strict=False):
        assert all(4 * v <= w and w + size <= 4 * (v + 64) for v, w in zip(above, below, strict=True))
    asked.clear()
    again, = descent.follow([descent.plan(np.random.default_rng(5))], generate)
    assert torch.equal(again.target, item.target) and torch.equal(again.condition, item.condition)


def test_places_are_come_down_to_together_as_each_alone():
    patches = [under_earth(1), *(under_earth(n, level=level) for n, level in ((2, "4.8"), (3, "76"), (4, "305")))]
    descent, rng = Descent(patches, Pairs(patches, 1), 96, {7: 0.3, 11: 0.1}, rim=0, seed=1), np.random.default_rng(3)
    courses = [descent.plan(rng) for _ in range(12)]
    assert {course.level for course in courses} == {"305", "76", "4.8"}

    def generate(condition, m_per_px, told, those, n):
        return F.interpolate(condition, scale_factor=4) + (m_per_px.log2() / 100 + told)[:, None, None, None]
    for mine, course in zip(descent.follow(courses, generate), courses, strict=True):
        alone, = descent.follow([course], generate)
        assert torch.equal(mine.condition, alone.condition) and torch.allclose(mine.target, alone.target, atol=1e-6)
        assert mine[2:] == alone[2:]


def halfway() -> torch.Tensor:
    """A condition as bright as what lies between pixels of 90 and of 100, both rounded down."""
    grain = torch.randn(1, 20, 20, generator=torch.Generator().manual_seed(1))
    return ((grain - grain.mean()) * 8 + 94.5).div(127.5).sub(1).expand(3, 20, 20)


def test_where_land_is_known_to_be_tilled_a_likeness_is_too():
    """If there is one of about that colour; and where it is wild nothing is to be built."""
    farms, woods = ([grained(n, 8, "76", kind) for n in range(3)] for kind in ("farmland", "forest"))
    for wood in woods:
        wood.pixels = wood.pixels - 10
    patches = [under_earth(20), *farms, *woods]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 80, {}, rim=0, seed=1, use=True)
    condition = halfway()
    for use, kinds in ((Use.TILLED, {Ground.BUILT}), (Use.WILD, {Ground.LAND}), (None, {Ground.BUILT, Ground.LAND})):
        found = [descent.choose("76", condition, np.random.default_rng(n), use=use) for n in range(20)]
        assert {like.ground for like in found} == kinds
    only = Descent(patches[:4], Pairs(patches[:4], 1, PairConfig(calm=0.0)), 80, {}, rim=0, seed=1, use=True)
    assert only.choose("76", condition, np.random.default_rng(1), use=Use.WILD).ground == Ground.LAND
    courses = [descent.plan(np.random.default_rng(n)) for n in range(12)]
    assert {course.use for course in courses} == {Use.TILLED, Use.WILD}


def test_one_comes_down_to_towns_and_holds_them_against_towns():
    """Were they held against whatever has their colour, they would be fields, as they were."""
    farms = [grained(n, 8, "19", "farmland") for n in range(3)]
    cities = [grained(n, 60, "19", "city") for n in range(3, 6)]
    top = under_earth(20)
    top.base = np.full_like(top.base, 100)
    patches = [top, *farms, *cities]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 80, {}, 0, 1, True, True, towned=True)
    built = descent.real["19"][-1]
    assert sorted(built > 0.5).count(True) == 12 and built[:12].max() < 0.1  # four squares of each city
    condition = halfway()
    for use, town in ((Use.TOWN, True), (Use.TILLED, False)):
        found = [descent.choose("19", condition, np.random.default_rng(n), use=use).picture for n in range(10)]
        assert {bool(picture.diff(dim=2).abs().mean() > 0.06) for picture in found} == {town}
    # Dark woods have no towns, whatever the map says: so nothing is to be built there.
    assert descent.choose("19", condition - 0.4, np.random.default_rng(1), use=Use.TOWN).ground != Ground.BUILT
    courses = [descent.plan(np.random.default_rng(n)) for n in range(60)]
    deepest = [course for course in courses if course.level == "19"]
    assert 0.05 < np.mean([course.use == Use.TOWN for course in deepest]) < 0.5
    for course in deepest:
        seed, level, x, y = course.where
        share = towns.field(seed, level, x, y, x + 80, y + 80).mean() * course.plain
        assert (share > 0.5) == (course.use == Use.TOWN)


def test_where_all_is_edges_and_nothing_green_it_is_built_up():
    grey = np.full((256, 256, 3), 110.0) - [0, 0, 8]
    noise = np.random.default_rng(1).normal(0, 1, (256, 256, 1))
    town, farm, wood = grey + 30 * noise, grey + 2 * noise, grey + 30 * noise - [40, 0, 40]
    sea = grey + 30 * noise - [40, 20, 0]
    pictures = torch.stack([torch.from_numpy(p).permute(2, 0, 1).float() / 127.5 - 1 for p in (town, farm, wood, sea)])
    found = built_up(pictures, torch.full((4,), 19.0)).mean((1, 2, 3))
    assert found[0] > 0.95 and found[1:].max() < 0.05
    half = torch.cat([pictures[0, :, :, :128], pictures[1, :, :, 128:]], 2)[None]
    shown = built_up(half, torch.tensor([4.8]))[0, 0]
    assert shown.shape == (256, 256) and shown[:, :100].min() > 0.9 and shown[:, 156:].max() < 0.1


def test_deep_places_are_finished_as_the_map_does_and_known_ones_are_not(folder, tmp_path):
    """What is finished must be what `with_halo` does with the same detail."""
    kinds = ("relief", "gullies", "parcels", "cover", "land_use", "plains", "towns")
    given = {"creases": (0.8,), "rim": 32, "white": False, "own": 0.0, "batch": 2}
    shown = dict.fromkeys(kinds, True) | given
    asked = {"projections": {str(z): 0.5 for z in range(7, 16, 2)}, "paints": {str(z): 0.3 for z in range(7, 16, 2)},
             "towns": {str(z): 0.5 for z in range(7, 16, 2)}}
    d = distiller(folder, tmp_path, **shown)
    plainly, as_map = (Distiller(tmp_path / "teacher" / "state.pt", replace(d.config, deep=1, asked=sampler),
                                 [under_earth(1), *patches_of(folder)], tmp_path / "student")
                       for sampler in (SamplerConfig(), SamplerConfig(**asked)))
    assert as_map.finishes and not plainly.finishes
    batch = as_map.batches.batch(0)
    assert batch.zooms[0] in (9, 11, 13, 15) and batch.zooms[1] == 0 and batch.plain[1] == 1
    extra, known = as_map.batches.read(batch), [batch.condition, batch.resolution.repeat(2), batch.strength.repeat(2)]
    finish = 2 * batch.zooms, torch.ones(4)
    made, bare = (d.generate(as_map.network, *known, batch.noise, extra, *finish) for d in (as_map, plainly))
    assert torch.equal(made[1::2], bare[1::2])
    detail = bare - enlarge(batch.condition)
    c = as_map.network.config
    ruled = torch.cat(extra[-2:], 1)
    for i in (0, 2):
        expected = finished(batch.condition[i:i + 1], detail[i:i + 1], as_map.network.shown(ruled[i:i + 1], 1.0),
                            SamplerConfig(**asked).dials(batch.zooms[0]))
        assert torch.allclose(made[i], expected[0], atol=1e-5) and c.shown == ruled.shape[1]
    assert not torch.allclose(made[::2], bare[::2], atol=1e-3)


def test_where_the_base_is_rugged_nothing_is_tilled_and_a_likeness_is_a_mountain():
    farms, hills = ([grained(n, 8, "76", kind) for n in range(3)] for kind in ("farmland", "mountain"))
    for hill in hills:
        hill.pixels = hill.pixels - 10
    plain, ridged = under_earth(20), under_earth(21)
    plain.base = np.full_like(plain.base, 100)
    ridged.base = np.where(np.arange(64)[:, None] % 3, ridged.base, ridged.base // 2).astype(np.uint8)
    pairs = Pairs([plain, *farms, *hills], 1, PairConfig(calm=0.0))
    condition = halfway()
    for top, kinds, uses in ((plain, {Ground.BUILT}, {Use.TILLED, Use.WILD}), (ridged, {Ground.SLOPE}, {Use.WILD})):
        descent = Descent([top, *farms, *hills], pairs, 80, {}, rim=0, seed=1, use=True, plains=True)
        courses = [descent.plan(np.random.default_rng(n)) for n in range(12)]
        assert {course.use for course in courses if course.level == "76"} == uses
        assert {course.plain for course in courses} == {float(top is plain)}
        found = [descent.choose("76", condition, np.random.default_rng(n), use=Use(top is plain), rugged=top is ridged)
                 for n in range(20)]
        assert {like.ground for like in found} == kinds
    only = Descent([ridged, *farms], Pairs([ridged, *farms], 1, PairConfig(calm=0.0)), 80, {}, 0, 1, True, True)
    assert only.choose("76", condition, np.random.default_rng(1), use=Use.WILD, rugged=True).ground == Ground.SLOPE
    blind = Descent([ridged, *farms], Pairs([ridged, *farms], 1, PairConfig(calm=0.0)), 80, {}, 0, 1, True)
    assert Use.TILLED in {blind.plan(np.random.default_rng(n)).use for n in range(12)}


def test_its_likeness_is_of_its_level_colour_and_contrast():
    green = [under_earth(i, (90, 120, 60), "19") for i in range(4)]
    grey = [under_earth(i, (130, 130, 130), "19") for i in range(4, 8)]
    other = [under_earth(i, (90, 120, 60), "76") for i in range(8, 12)]
    patches = [under_earth(20), *green, *grey, *other]
    descent = Descent(patches, Pairs(patches, 1), 80, {}, rim=0, seed=1)
    rng = np.random.default_rng(1)
    for colour, of in (((92, 118, 61), green), ((128, 131, 129), grey)):
        condition = torch.tensor(colour).float().div(127.5).sub(1)[:, None, None].expand(3, 20, 20)
        likenesses = [like(descent, "19", condition, rng)[0] for _ in range(30)]
        means = np.array([(v.mean((1, 2)).numpy() + 1) * 127.5 for v in likenesses])
        assert np.abs(means - of[0].pixels.mean((0, 1))).max() < 4
    assert Descent([under_earth(1), *other], Pairs(other, 1), 80, {}, 0, 1).levels == ["76"]


def grained(number: int, contrast: float, level: str, landcover="auto:vegetation") -> Patch:
    """A patch of one colour whose 4×4 means vary by `contrast`."""
    rng = np.random.default_rng(number)
    means = np.kron(rng.standard_normal((64, 64, 1)), np.ones((4, 4, 3)))
    return Patch(f"bm-{number}", level, f"bm-{number}", landcover, 0.0, 0.0, 305.0,
                 (100 + contrast * means).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("level, contrast, drawn", [
    ("305", 2, {2}), ("19", 2, {2}),   # calm ground is like calm ground
    ("305", 8, {8, 40}),               # what is not may be too flat: its contrast says no more here
    ("19", 8, {2, 8}),                 # ... and little at those
])
def test_a_likeness_may_have_more_contrast_than_a_place_that_is_not_calm(level, contrast, drawn, monkeypatch):
    monkeypatch.setattr("model.training.descent.LIKE", 4 * len(drawn))
    patches = [under_earth(20), *(grained(i, c, level) for i, c in enumerate((2, 8, 40)))]
    descent = Descent(patches, Pairs(patches, 1), 80, {}, rim=0, seed=1)
    rng = np.random.default_rng(1)
    condition = (torch.randn(1, 20, 20) * contrast + 100).div(127.5).sub(1).expand(3, 20, 20)
    found = [float(F.avg_pool2d(like(descent, level, condition, rng)[0], 4).std() * 127.5) for _ in range(60)]
    assert {min((2, 8, 40), key=lambda c: abs(c - v)) for v in found} == drawn


@pytest.mark.parametrize("colour, calm", [((235, 236, 238), True), ((210, 190, 160), True), ((110, 118, 80), False)])
def test_only_what_looks_bare_is_likened_to_calm_ground(colour, calm):
    sand = under_earth(21, (205, 186, 158))
    sand.landcover = "auto:desert-bare"
    patches = [under_earth(20), sand, *(grained(i, 8, "19") for i in range(3))]
    pairs = Pairs(patches, 1, PairConfig(crop=256))
    pairs.calm = [([sand], 4)]
    descent = Descent(patches, pairs, 80, {}, rim=0, seed=1)
    condition = torch.tensor(colour).float().div(127.5).sub(1)[:, None, None].expand(3, 20, 20)
    for n in range(20):
        likeness = like(descent, "19", condition, np.random.default_rng(n))[0]
        assert bool(likeness[0].mean() > 0.4) == calm


def test_strength_is_held_apart_where_the_condition_is_exact(folder, tmp_path):
    """A real picture's own means in 256 grey levels are; the least haze makes them something else."""
    d = distiller(folder, tmp_path, own=0.0, strength=1.0, pairs=PairConfig(crop=256, calm=0.0, clean=1.0))
    batch = d.batches.batch(0)
    exact = (F.avg_pool2d(batch.target, 4) + 1).mul(127.5).round() / 127.5 - 1
    detail = torch.randn(len(exact), d.strengths[0].made.shape[1])
    for off, count in ((0.0, [0, 0, 2, 0]), (0.02, [0, 0, 2, 2])):
        d.strong(batch._replace(condition=(exact + off).repeat(2, 1, 1, 1)), *[detail] * 3)
        assert [float(held.count.sum()) for held in d.strengths] == count


@pytest.mark.parametrize("level", ["305", "19"])
@pytest.mark.parametrize("contrast, kind", [(0.0, Ground.BARE), (0.02, Ground.BARE), (0.1, Ground.SLOPE)])
def test_white_is_held_against_mountains_where_it_has_light_and_shadow(level, contrast, kind):
    """At every level: what is as even as ice is ice."""
    snow = under_earth(21, (235, 238, 242))
    patches = [under_earth(20), snow, *(grained(i, 8, level, "mountains") for i in range(3))]
    pairs = Pairs(patches, 1, PairConfig(crop=256))
    pairs.calm = [([snow], 8)]
    descent = Descent(patches, pairs, 80, {}, rim=0, seed=1)
    condition = 0.86 + contrast * (torch.arange(20) // 5 % 2 * 2 - 1).expand(3, 20, 20)
    for n in range(20):
        likeness, found, snowfield = like(descent, level, condition, np.random.default_rng(n))
        assert found == kind and snowfield == (kind == Ground.SLOPE) == bool(likeness.mean() <= 0.4)


@pytest.mark.parametrize("colour, kind", [((110, 118, 80), Ground.BUILT), ((30, 52, 28), Ground.LAND),
                                          ((48, 40, 36), Ground.SLOPE), ((210, 190, 160), Ground.SLOPE),
                                          ((72, 76, 74), Ground.SLOPE), ((72, 76, 55), Ground.BUILT),
                                          ((30, 60, 120), Ground.BARE)])
def test_what_is_dark_or_grey_is_not_built_whatever_its_likeness_is(colour, kind):
    patches = [under_earth(20), *(grained(i, 8, "19", "") for i in range(3))]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 80, {}, rim=0, seed=1)
    condition = torch.tensor(colour).float().div(127.5).sub(1)[:, None, None].expand(3, 20, 20)
    assert like(descent, "19", condition, np.random.default_rng(1))[1] == kind


def test_a_coast_is_held_against_coasts():
    """Not against snow and the blue of its shadows; where a level has none, against those of the level above."""
    coasts = [grained(n, 8, "305", "auto:forest-coast") for n in range(4)]
    for coast in coasts:
        coast.pixels[:, :57] = (25, 60, 120)
    snow = grained(2, 40, "76", "mountains")
    snow.pixels[:, :57] = (118, 138, 172)
    patches = [under_earth(20), *coasts, snow, grained(3, 8, "76", "forest")]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 80, {}, rim=0, seed=1)
    assert sorted({round(share, 1) for *_, share in descent.real["76"][1]}) == [0.0, 0.5]
    condition = torch.tensor((90.0, 105.0, 110.0)).div(127.5).sub(1)[:, None, None].expand(3, 20, 20).clone()
    condition[:, :, :8] = torch.tensor((60.0, 90.0, 140.0)).div(127.5).sub(1)[:, None, None]
    likeness, kind, _ = like(descent, "76", condition, np.random.default_rng(1))
    assert kind == Ground.LAND and sea(as_pixels(likeness)) > 0.1


@pytest.mark.parametrize("share, kind", [(0, Ground.BUILT), (8, Ground.SLOPE)])
def test_what_lies_beside_snow_is_not_built(share, kind):
    patches = [under_earth(20), *(grained(i, 8, "19", "") for i in range(3))]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 80, {}, rim=0, seed=1)
    condition = torch.tensor((95.0, 90.0, 70.0)).div(127.5).sub(1)[:, None, None].repeat(1, 20, 20)
    condition[:, :, :share] = 0.86
    assert like(descent, "19", condition, np.random.default_rng(1))[1] == kind
    assert like(descent, "19", condition, np.random.default_rng(1), unbuilt=True)[1] == Ground.SLOPE


def test_calm_ground_is_to_stay_as_calm_as_its_condition():
    """Sea of z11 that is livelier costs as many grey levels; woods, and sea of z9, may be as lively."""
    lively = 10 / 127.5 * ((torch.arange(80) + 1) // 2 % 2 * 2 - 1).expand(3, 80, 80)
    sea, wood = (torch.tensor(c).div(127.5).sub(1)[:, None, None] for c in ((20.0, 60.0, 120.0), (30.0, 60.0, 28.0)))
    for colour, m_per_px, cost in ((sea, 76.0, 10 - LIVELIEST * ROUNDING), (wood, 76.0, 0.0), (sea, 305.0, 0.0)):
        # Beside a place that is not calm: the mean is over both.
        condition = torch.stack([colour.expand(3, 20, 20), wood.expand(3, 20, 20)])
        fake = torch.stack([colour + lively, wood + lively]).repeat(2, 1, 1, 1)
        resolution = torch.tensor([m_per_px, 76.0])
        assert float(calm.lively(fake, condition, resolution)) == pytest.approx(cost / 2, abs=0.02)
        shifted = fake.roll(1, 3)  # the same, with steps where the condition's are
        assert float(calm.lively(shifted, condition, resolution)) >= cost / 2 + LINES * bool(cost)


def test_known_places_are_not_held_to_be_calm(folder, tmp_path, monkeypatch):
    d, seen = distiller(folder, tmp_path, own=0.0), []
    d = Distiller(tmp_path / "teacher" / "state.pt", replace(d.config, deep=1, calm=1.0),
                  [under_earth(1), *patches_of(folder)], tmp_path / "student")
    monkeypatch.setattr("model.training.distill.lively", lambda *held: seen.append(held) or calm.lively(*held))
    batch = d.batches.batch(0)
    d.advance()
    (fake, condition, resolution), = seen
    assert d.places > 1 and len(fake) == 2
    assert torch.equal(condition, batch.condition[:1]) and torch.equal(resolution, batch.resolution[:1])
    # Both pictures are that place's.
    assert ((F.avg_pool2d(fake, 4) - condition).abs().mean((1, 2, 3)) < 0.2).all()


def test_what_is_enlarged_is_steepest_between_its_pixels_and_noise_nowhere():
    chance = torch.Generator().manual_seed(1)
    noise, coarse = torch.randn(4, 1, 128, 128, generator=chance), torch.randn(4, 1, 32, 32, generator=chance)
    assert float(lines(noise, 4)) == pytest.approx(1, abs=0.02)
    assert float(lines(F.interpolate(coarse, scale_factor=4, mode="bicubic"), 4)) > 1.3
    assert float(lines(F.interpolate(coarse, scale_factor=4), 4)) > 100


def test_a_likeness_lies_at_any_angle():
    """Rows and columns of towns are no more often along those of the picture than along any other direction."""
    patches = [under_earth(n) for n in range(3)] + [grained(3, 8, "76")]
    patches[3].pixels[:] = 90 + 30 * (np.arange(256) // 4 % 2)[:, None, None]
    descent = Descent(patches, Pairs(patches, 1, PairConfig(calm=0.0)), 96, {}, rim=0, seed=1)
    condition, rng = torch.zeros(3, 24, 24), np.random.default_rng(2)
    along = []
    for _ in range(24):
        picture, kind, _ = like(descent, "76", condition, rng)
        assert picture.shape == (3, 96, 96) and kind == Ground.LAND
        across, down = (float(picture.diff(dim=dim).abs().mean()) for dim in (1, 2))
        along.append(min(across, down) / max(across, down))
    assert sum(share > 0.2 for share in along) > len(along) / 2


def test_of_towns_and_farms_the_parcels_are_shown_and_of_nature_the_relief(folder, tmp_path):
    d = distiller(folder, tmp_path, creases=(0.8,), rim=32, relief=True, parcels=True, white=False, sketched=1.0,
                  own=0.5, deep=0, pairs=PairConfig(crop=256, calm=0.0))
    patches = [grained(1, 8, "76", "city, farmland, forest, coast"), grained(2, 8, "76", "forest, mountains"),
               grained(3, 8, "305", ""), grained(4, 8, "19", "")]
    for patch in patches:
        patch.m_per_px = float(patch.level)
    for patch, built in zip(patches, (True, False, False, True), strict=True):
        draw_from(d, Pairs([patch], 2, d.config.pairs))
        batches = [d.batches.batch(n) for n in range(8)]
        seen = [batch.sketches[:, 2:4].flatten(1).any(1) for batch in batches]
        assert torch.cat(seen).any() == built  # no parcels but its own, of most
        batch = batches[[bool(s.all()) == built for s in seen].index(True)]
        relief, ruled, *_ = batch.sketches.split(2, 1)
        assert bool(relief.isnan().all()) == built and bool(ruled.any()) == built
        seen = d.batches.read(batch)
        assert torch.equal(seen[-1], ruled) and not seen[-2].isnan().any()
        there = d.batches.seen(batch.noise, batch.ruled)[-1]
        if patch.level == "305":
            assert not there.any()  # as on the map
        else:
            assert there.std() > 0.1 and not torch.equal(there[0], there[1])
    draw_from(d, Pairs(patches[:3], 2, PairConfig(crop=256, calm=1.0)))
    d.batches.plans.planner.pairs.calm = [(patches[:1], 8)]
    batch = d.batches.batch(0)  # of the open sea those of the world are shown, and not to be drawn
    assert d.batches.read(batch)[-1].std() > 0.1 and (batch.ground == Ground.BARE).all()
    draw_from(d, Pairs(patches[-1:], 2, d.config.pairs))
    d.run(progress=False)
    assert d.network.first.weight[:, -2:].abs().max() > 0  # they are new to it, and it comes to use them


def test_cover_is_to_be_drawn_on_land_and_not_on_what_is_bare(folder, tmp_path):
    d = distiller(folder, tmp_path, creases=(0.8,), rim=32, relief=True, parcels=True, cover=True, white=False,
                  sketched=1.0, own=0.0, deep=0, pairs=PairConfig(crop=256, calm=0.0))
    relief = [i for i, channel in enumerate(inputs(d.network.config)["first.weight"]) if channel[0] == "relief"]
    weight = d.network.first.weight
    assert torch.allclose(weight[:, -2], weight[:, relief].sum(1))  # it begins as what draws what a sketch says
    kinds = {"prairie": Ground.LAND, "mountains": Ground.SLOPE, "city, farmland": Ground.BUILT}
    for landcover, kind in kinds.items():
        draw_from(d, Pairs([grained(1, 8, "76", landcover)], 2, d.config.pairs))
        batches = [d.batches.batch(n) for n in range(8)]
        found = {int(g) for batch in batches for g in batch.ground}
        assert found == ({Ground.LAND, Ground.BUILT} if kind == Ground.BUILT else {kind})  # woods in farmland, too
        batch, where = next((b, list(b.ground).index(kind)) for b in batches if kind in b.ground)
        shown = batch.sketches[where, :6].split(2)
        drawn = {Ground.SLOPE: 0, Ground.BUILT: 1, Ground.LAND: 2}[kind]
        assert shown[drawn].std() > 0.3 and not shown[3 - drawn if drawn else 1].any()
        extra = d.batches.read(batch)
        assert torch.equal(extra[-1][where], torch.cat(shown[1:])) and extra[-1].shape[1] == 4
    # Who draws what is shown is asked for no more on land, and blamed for it where it is bare.
    shown = torch.from_numpy(np.concatenate([parcels.field(5, 13, 0, 0, 96, 96), cover.field(5, 13, 0, 0, 96, 96)]))
    light, green = shown[2:] * 0.1
    obedient, blank = torch.stack([light - green / 2, light + green / 2, light])[None], torch.zeros(1, 3, 96, 96)
    relief = Relief()(torch.randn(1, 3, 160, 160, generator=torch.Generator().manual_seed(1)), 32)
    lit = 0.1 * relief.sum(1, keepdim=True).expand(-1, 3, -1, -1)
    coarse = RELIEFS[0] + 4 * RELIEFS[1]  # of z7
    asked = {(Ground.LAND, DEEPEST): (COVERS, 0.0, COVERS), (Ground.BARE, DEEPEST): (0.0, 1.0, 1.0),
             (Ground.BUILT, DEEPEST): (PARCELS[0], PARCELS[0], PARCELS[0] + 1),
             (Ground.SLOPE, DEEPEST): (RELIEFS[0], RELIEFS[0], 0.0),
             (Ground.SLOPE, 256 * DEEPEST): (coarse, coarse, 0.0)}
    for (kind, resolution), blamed in asked.items():
        found = [float(broken(d.network.config, picture, [relief, shown[None]], torch.tensor([kind]),
                              torch.tensor([resolution]), torch.tensor([PARCELS[0]]), torch.ones(1, 1, 96, 96),
                              torch.tensor([False]))) for picture in (blank, obedient, lit)]
        assert found == pytest.approx(blamed, abs=0.1)
    # On a plain who draws relief is blamed.
    found = [float(broken(d.network.config, lit, [relief, shown[None]], torch.tensor([Ground.LAND]),
                          torch.tensor([DEEPEST]), torch.tensor([0.0]), torch.ones(1, 1, 96, 96),
                          torch.tensor([plain]))) for plain in (False, True)]
    assert found == pytest.approx([COVERS, COVERS + 1 - PLAINS], abs=0.1)
    # In the sea nobody is, and all are blamed for it.
    for kind in Ground:
        found = [float(broken(d.network.config, picture, [relief, shown[None]], torch.tensor([kind]),
                              torch.tensor([DEEPEST]), torch.tensor([0.0]), torch.zeros(1, 1, 96, 96),
                              torch.tensor([False]))) for picture in (blank, obedient)]
        owed = {Ground.LAND: COVERS, Ground.SLOPE: RELIEFS[0]}.get(kind, 0.0)
        assert found == pytest.approx([owed, owed + 1], abs=0.1)


def test_what_the_network_cannot_tell_from_a_desert_or_a_forest_is_not_built():
    colours = {(190, 160, 130): Ground.SLOPE, (30, 50, 30): Ground.LAND, (40, 40, 40): Ground.SLOPE,
               (90, 100, 70): Ground.BUILT}
    for colour, kind in colours.items():
        patch = grained(1, 1, "19", "city")
        patch.pixels[:] = colour
        assert ground(patch) == kind


def test_shores_may_be_drawn_more_often():
    patches = [under_earth(n) for n in range(5)]
    patches[1].pixels[:, :100] = 40, 70, 140
    patches[2].pixels[:, :250] = 40, 70, 140  # hardly any shore
    pairs = Pairs(patches, 1, PairConfig(crop=256, calm=0.0, true_base=1.0, shores=0.5))
    drawn = [bool((pair.target[2] > pair.target[0] + 0.5).float().mean() < 0.9 and (pair.target[2] > 0).any())
             for pair in pairs.items(0, 80)]
    assert 0.45 < sum(drawn) / len(drawn) < 0.75  # 0.5 + 0.5 / 5


def test_of_the_base_the_student_is_to_make_what_the_real_picture_shrinks_to(folder, tmp_path):
    d = distiller(folder, tmp_path, own=0.0, crop=80, mended=0.5)
    draw_from(d, Pairs([under_earth(1)], 2, PairConfig(crop=256, calm=0, true_base=1.0)))
    batch = d.batches.batch(0)
    assert (batch.kept == 0.5).all()
    assert torch.allclose(batch.means, F.avg_pool2d(batch.target, 4).repeat(2, 1, 1, 1), atol=1e-6)
    assert not torch.allclose(batch.means, batch.condition, atol=0.02)


@pytest.mark.parametrize("covered", [0.0, 0.5])
def test_wild_land_of_another_level_stands_in_where_there_is_little(covered):
    wild, farmed = grained(1, 8, "76", "forest, mountains"), grained(2, 8, "76", "forest, farmland")
    black, savanna = grained(4, 8, "76", "snow, boreal forest, frozen lakes"), grained(5, 8, "76", "savanna")
    patches = [under_earth(20), grained(3, 8, "19"), wild, farmed, black, savanna]
    patches.append(grained(6, 8, "1223", "auto:vegetation"))
    patches[-1].scene = "bm"
    patches[-1].pixels[:] = np.where(np.arange(256)[:, None] // 8 % 2, 240, np.array([50, 62, 35]))
    pairs = Pairs(patches, 1, PairConfig(snowed=covered))
    descent = Descent(patches, pairs, 128, {}, rim=0, seed=1)
    snow = 1 if covered else 0  # at 305 m the real one of 1223 m; deeper the mountains, once more
    assert {level: len(pictures) / 4 for level, (pictures, *_) in descent.real.items()} == {
        "305": 1 + snow, "76": 4 + snow, "19": 3 + snow, "4.8": 2 + snow}


def test_a_varied_window_of_the_base_is_begun_from_more_often_than_a_plain_one():
    patches = [under_earth(1, level="305"), *(under_earth(n) for n in (2, 3))]
    patches[1].base[:] = 90
    descent = Descent(patches, Pairs(patches, 1), 96, {}, rim=0, seed=1)
    begun = []
    for n in range(60):
        descent.follow([descent.plan(np.random.default_rng(n))],
                       lambda condition, *_: begun.append(condition) or F.interpolate(condition, scale_factor=4))
    varied = sum(bool(condition.std((2, 3)).max() > 0) for condition in begun) / len(begun)
    assert 0.6 < varied < 0.9  # (1/2 + 7/8) / 2


def test_without_a_base_there_is_nothing_to_come_down_from(folder, tmp_path):
    with pytest.raises(ValueError, match="come down"):
        distiller(folder, tmp_path, deep=1)
    with pytest.raises(ValueError, match="deep"):
        DistillConfig(batch=2, deep=2)
    with pytest.raises(ValueError, match="deep_mean"):
        DistillConfig(deep_mean=(0.1, 0.2))
    assert DistillConfig(deep_mean=0.1).deep_mean == (0.1,) * 4
    with pytest.raises(ValueError, match="dial"):
        DistillConfig(dial=(0.1,) * 6)


def test_of_a_place_of_its_own_the_opponent_is_shown_the_mean_colour_alone(folder, tmp_path):
    d = distiller(folder, tmp_path, pairs=PairConfig(crop=256, calm=0.0))
    top = under_earth(1)
    train = [top, *patches_of(folder)]
    d = Distiller(tmp_path / "teacher" / "state.pt",
                  replace(d.config, deep=1, dial=(0.3, 0.2), deep_mean=(9.0, 0.5, 0.25, 0.125), own=0.0, kind=1.0,
                          strength=1.0), train, tmp_path / "student")
    target, condition, resolution, _, noise, kept, means, *_ = d.batches.batch(0)
    assert target.shape == (2, 3, 80, 80) and condition.shape == (4, 3, 20, 20) and noise.shape == (4, 3, 80, 80)
    assert kept.tolist() == [{76: 0.5, 19: 0.25, 4: 0.125}[int(resolution[0])], 0.0]
    assert torch.equal(condition[0], condition[2])
    assert float(resolution[0]) in (1223 / 16, 1223 / 64, 1223 / 256)
    real, made, shown, shown_made = d.coarse(target, means)
    assert torch.equal(shown[0], shown_made[0]) and shown[0].std((1, 2)).max() < 1e-6
    assert torch.allclose(shown[0, :, 0, 0], condition[0].mean((1, 2)), atol=0.02)
    assert torch.equal(shown[1], real[1]) and torch.equal(made[3], real[1])
    d.run(progress=False)
    again = Distiller(tmp_path / "teacher" / "state.pt", d.config, train, tmp_path / "student")
    again.resume()
    for a, b in zip(d.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(a, b) and torch.isfinite(a).all()
    judged = (d.step + 1) // 2  # every second step a deep place, and a known one that is shown no sketch
    deep, sketched, exact, soft = (float(held.count.sum()) for held in d.strengths)
    assert (deep, sketched, exact + soft) == (judged, 0, judged)
    assert all(torch.equal(a, b) for a, b in zip(d.strengths.buffers(), again.strengths.buffers(), strict=True))


def test_processes_may_draw_what_a_step_needs(folder, tmp_path):
    """The same as a thread of this process does; what they have left when no more is wanted is thrown away."""
    shown = {"creases": (0.8,), "rim": 32, "relief": True, "gullies": True, "parcels": True, "cover": True,
             "land_use": True, "white": False, "sketched": 0.5}
    d = distiller(folder, tmp_path, **shown)
    town, train, alike = grained(4, 8, "19", "city"), [under_earth(1), *patches_of(folder)], []
    town.m_per_px = 19.0
    train += [replace(town, scene=f"town-{n}") for n in range(20)]
    for feeders in (0, 2):
        d = Distiller(tmp_path / "teacher" / "state.pt", replace(d.config, batch=4, deep=2, feeders=feeders), train,
                      tmp_path / "student")
        alike.append([d.batches.batch(n) for n in range(10)])
        d.batches.close()
    assert not Path(d.batches.plans.folder.name).exists()
    for one, other in zip(*alike, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a == b if isinstance(a, list) else torch.allclose(a, b, atol=2e-3, equal_nan=True)
    # Known places that are built are shown fields, and no woods; of the deep ones it is the map that says.
    ruled, ground = torch.cat([b.ruled for b in alike[0]]), torch.cat([b.ground.repeat(2) for b in alike[0]])
    fine = torch.cat([(b.resolution < 100).repeat(2) & (torch.arange(8) % 4 > 1) for b in alike[0]])
    assert (ground[fine] == Ground.BUILT).any()
    for shown, kind in zip(ruled[fine], ground[fine], strict=True):
        if kind == Ground.BUILT:
            assert shown[2:4].any() and not shown[4:].any()


def test_an_adversary_of_another_width_begins_anew(folder, tmp_path):
    d = distiller(folder, tmp_path, steps=2)
    d.run(progress=False)
    for widths, kept in (((), True), ((8, 8, 16, 16), False)):
        after = Distiller(tmp_path / "student" / "state.pt", replace(d.config, judge=widths), patches_of(folder),
                          tmp_path / "after")
        known = d.discriminator.enter.weight
        assert (after.discriminator.enter.weight.shape == known.shape) == kept
        assert not kept or torch.equal(after.discriminator.enter.weight, known)
        after.advance()


def test_a_student_may_enlarge_bilinearly_with_a_wider_head(folder, tmp_path):
    taught = replace(PRESETS["tiny"], fine=(8, 4), creases=(0.8,), enlarging="bilinear")
    teacher = Network(taught)
    torch.nn.init.normal_(teacher.head.last.weight, std=0.1)
    checkpoints.save(tmp_path / "narrow", teacher, Whitening([[19.0, 0.1, 0.01, 0.01]]), SamplerConfig((999,)), {})
    config = DistillConfig(steps=3, batch=2, crop=80, alone=1, fine=(12, 6), pairs=PairConfig(crop=256, calm=0.0))
    wide = Distiller(tmp_path / "narrow", config, patches_of(folder), tmp_path / "wide")
    noise, low = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 16, 16)
    told = torch.tensor([19.0]), torch.zeros(1)
    with torch.no_grad():
        before = wide.generate(teacher.half().float(), low, *told, noise)
        assert torch.allclose(before, wide.generate(wide.network, low, *told, noise), atol=1e-5)
    wide.run(progress=False)
    assert wide.network.head.last.weight[:, 4:].abs().max() > 0  # what is new begins silent, and comes to be heard
    shuffled = replace(taught, enlarging="nearest")
    state = Network(shuffled).state_dict()
    Network(taught).load_state_dict(grown(state, shuffled, taught))
    with pytest.raises(ValueError, match="pixel-shuffle"):
        grown(teacher.state_dict(), taught, shuffled)


def test_the_adversary_is_kept_beside_the_weights_and_taken_up_again(folder, tmp_path):
    from click.testing import CliRunner

    from model.__main__ import main
    student = distiller(folder, tmp_path, steps=2)
    student.run(progress=False)
    exported = CliRunner().invoke(main, ["export", str(student.out / "state.pt"), str(tmp_path / "kept")])
    assert exported.exit_code == 0, exported.output
    named = checkpoints.digest(tmp_path / "kept")
    after = Distiller(tmp_path / "kept", student.config, patches_of(folder), tmp_path / "after")
    for was, now in zip(student.discriminator.parameters(), after.discriminator.parameters(), strict=True):
        assert torch.equal(was.half().float(), now)
    opponent = tmp_path / "kept" / checkpoints.OPPONENT
    opponent.write_bytes(opponent.read_bytes()[:1000])
    with pytest.raises(BadCheckpoint, match="truncated"):
        Distiller(tmp_path / "kept", student.config, patches_of(folder), tmp_path / "after")
    safetensors.torch.save_file({"enter.weight": torch.zeros(2)}, opponent)
    with pytest.raises(BadCheckpoint, match="another shape"):
        Distiller(tmp_path / "kept", student.config, patches_of(folder), tmp_path / "after")
    opponent.unlink()
    assert checkpoints.digest(tmp_path / "kept") == named  # no pixel depends on it
    checkpoints.load(tmp_path / "kept")


def test_while_the_adversary_is_taught_alone_the_student_rests(folder, tmp_path):
    d = distiller(folder, tmp_path, alone=1, taught=2, steps=4)
    seen = []
    for _ in range(4):
        before = [[p.clone() for p in n.parameters()] for n in (d.network, d.discriminator)]
        d.advance()
        seen.append(tuple(any(not torch.equal(a, b) for a, b in zip(was, n.parameters(), strict=True))
                          for was, n in zip(before, (d.network, d.discriminator), strict=True)))
    assert seen == [(True, False), (False, True), (False, True), (True, True)]


def test_a_student_that_is_resumed_with_more_readings_draws_as_before_and_keeps_its_adversary(folder, tmp_path):
    less = distiller(folder, tmp_path, creases=(0.8, 3.2))
    less.run(progress=False)
    more = distiller(folder, tmp_path, creases=(0.8, 1.6, 3.2), cells=8, rim=16)
    more.resume()
    noise, low = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 16, 16)
    told = torch.tensor([19.0]), torch.zeros(1)
    # What is read at all widths at once is another thing with one more of them: it is left out of the comparison.
    with torch.no_grad():
        for network, last in ((less.average, 2), (more.average, 5)):
            network.first.weight[:, -last:] = 0
        one, other = (d.generate(d.average, low, *told, noise) for d in (less, more))
    assert torch.allclose(one, other, atol=1e-5)
    for a, b in zip(less.discriminator.parameters(), more.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)
    of = more.optimiser.state[more.network.first.weight]
    assert of["exp_avg_sq"].shape == more.network.first.weight.shape and (of["exp_avg_sq"] > 0).all()
    assert more.step == less.step
    more.advance()


def test_a_student_may_be_denied_the_noise_but_for_its_readings(folder, tmp_path):
    less = distiller(folder, tmp_path, creases=(0.8, 3.2))
    less.run(progress=False)
    blind = distiller(folder, tmp_path, creases=(0.8, 3.2), white=False)
    blind.resume()
    assert blind.network.first.weight.shape[1] == less.network.first.weight.shape[1] - 3 * blind.network.config.patch**2
    noise, low = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        less.average.first.weight[:, :3 * less.network.config.patch**2] = 0
        one, other = (d.generate(d.average, low, torch.tensor([19.0]), torch.zeros(1), noise) for d in (less, blind))
    assert torch.allclose(one, other, atol=1e-5)
    blind.advance()
    with pytest.raises(ValueError, match="asked once"):
        DistillConfig(white=False, times=(999, 499))


def test_a_grid_is_found_where_it_is_faint_and_none_where_there_is_none():
    torch.manual_seed(6)
    loud, wave = torch.randn(4, 1, 96, 96), torch.arange(96) % 8 - 3.5
    lattice = wave * wave[:, None]
    calm = torch.cat([loud[:2], 0.05 * loud[2:]])  # half of the pictures are calm
    assert abs(float(grid_phase(loud))) < 0.02
    assert float(grid_phase(calm + 0.01 * lattice)) > 0.1 > float(grid_phase(loud + 0.01 * lattice))
    one_way_and_the_other = torch.tensor([1.0, -1.0, -1.0, 1.0])[:, None, None, None] * lattice
    assert float(grid_phase(calm + 0.01 * one_way_and_the_other)) > 0.1
    same = loud[:1].repeat(4, 1, 1, 1).roll((5, 3), (2, 3))
    assert float(grid_phase(same)) > 0.1  # four pictures that share everything share their phases too


def test_rows_and_columns_are_found_and_diagonals_are_none():
    torch.manual_seed(5)
    noise = torch.randn(8, 1, 128, 128)
    even = inner(Creases((1.6,)).smooth(torch.randn(8, 3, 160, 160), 0)[:, :1], 16)
    across, diagonal = F.avg_pool2d(noise, (1, 17), 1, (0, 8)), sum(noise.roll((k, k), (2, 3)) for k in range(17)) / 17
    assert float(streaks(across)[0]) > 2 > 0.7 > float(streaks(diagonal)[0])
    assert float(streaks(even)[0]) == pytest.approx(1.2, abs=0.1)  # the square that is taken off is not round
    assert torch.isfinite(streaks(torch.zeros(1, 1, 64, 64))).all()


def test_a_picture_is_turned_about_its_middle():
    image = torch.rand(3, 64, 64) * 2 - 1
    still, quarter, slanted = rotate(image.repeat(3, 1, 1, 1), torch.tensor([0.0, math.pi / 2, 0.6]))
    assert torch.allclose(still, image, atol=1e-4)
    assert min(float((quarter - torch.rot90(image, k, (1, 2))).abs().max()) for k in (1, 3)) < 1e-3
    assert torch.isfinite(slanted).all() and slanted.abs().max() <= 1 and not torch.allclose(slanted, image, atol=0.1)


def test_flat_own_conditions_are_told_and_their_means_are_not_flat(folder, tmp_path):
    d = distiller(folder, tmp_path, own=1.0, pairs=PairConfig(crop=256, calm=0.0, haze=1.0))
    _, condition, _, strength, _, own, means, *_ = d.batches.batch(0)
    assert own.all() and (strength > 0).all()
    assert condition.std() < means.std()


@pytest.mark.parametrize("changes, named", [({"crop": 48}, "crop"), ({"crop": 100}, "crop"), ({"crop": 256}, "crop"),
                                            ({"pairs": PairConfig(crop=128)}, "pairs")])
def test_a_crop_that_cannot_be_is_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        DistillConfig(**changes)


def test_a_recipe_that_says_nonsense_is_refused_in_a_sentence(folder, tmp_path):
    from click.testing import CliRunner

    from model.__main__ import main
    for text, said in (('{"crop": 40}', "crop must be"), ('{"lrr": 1}', "lrr"), ('{', "not JSON")):
        (tmp_path / "recipe.json").write_text(text)
        result = CliRunner().invoke(main, ["distill", "--teacher", str(tmp_path / "recipe.json"), "--out",
                                           str(tmp_path / "out"), "--recipe", str(tmp_path / "recipe.json")])
        assert result.exit_code == 2 and said in result.output


def test_a_published_version_may_be_the_teacher(folder, tmp_path, tiny_weights):
    student = Distiller(tiny_weights, DistillConfig(steps=1, batch=2, crop=80, alone=9),
                        patches_of(folder), tmp_path / "student")
    taught = checkpoints.load(tiny_weights)
    for a, b in zip(student.network.parameters(), taught.network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert student.whitening.table == taught.whitening.table
    student.run(progress=False)
    assert (student.out / "state.pt").is_file()


def test_a_teacher_that_cannot_be_read_is_refused(folder, tmp_path):
    with pytest.raises(BadCheckpoint, match="teacher"):
        Distiller(tmp_path / "none.pt", DistillConfig(), read_patches(folder, "train", progress=False), tmp_path)


def test_a_killed_distillation_goes_on_to_the_same_student_and_tells_it_once(folder, tmp_path):
    def begin(out, steps):
        d = distiller(folder, tmp_path, steps=steps, validate_every=2, sheet_every=4)
        d.out = d.journal.out = tmp_path / out
        d.sheet = Sheet(read_patches(folder, "val", progress=False))
        return d
    whole = begin("whole", 4)
    whole.run(progress=False)
    begin("begun", 2).run(progress=False)
    resumed = begin("begun", 4)
    resumed.resume()
    resumed.run(progress=False)
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert [e["step"] for e in resumed.journal.entries] == [2, 4]
    assert set(resumed.journal.entries[-1]["validation"]) == {"76", "19", "4.8"}
    assert (tmp_path / "begun" / "sheets" / "step-000004.png").is_file()


def test_a_state_becomes_a_checkpoint_that_tells_by_level(folder, tmp_path):
    from click.testing import CliRunner

    from model import checkpoint
    from model.__main__ import main
    student = distiller(folder, tmp_path, steps=1)
    student.run(progress=False)
    def export(told, *more):
        return CliRunner().invoke(main, ["export", str(student.out / "state.pt"), str(tmp_path / "exported"),
                                         "--times", "999", "--halo", "40", "--degradation", told, *more])
    assert export("0.04,9:0.1").exit_code == 0
    sampler = checkpoint.load(tmp_path / "exported").sampler
    assert (sampler.times, sampler.halo) == ((999,), 40)
    assert [sampler.told(level) for level in (7, 9, 11)] == [0.04, 0.1, 0.04]
    for nonsense in ("nine:0.1", "8:0.1", "9:1.5", "x"):
        refused = export(nonsense)
        assert refused.exit_code == 2 and "Error" in refused.output
    assert export("0", "--projection", "11:0.2,13:0.25", "--sharpening", "11:0.3", "--calming", "13:0.5").exit_code == 0
    sampler = checkpoint.load(tmp_path / "exported").sampler
    assert sampler.projections == {"11": 0.2, "13": 0.25}
    assert (sampler.sharpenings, sampler.calmings) == ({"11": 0.3}, {"13": 0.5})
    for option in ("--projection", "--sharpening", "--calming", "--shade"):
        for nonsense in ("0.2", "8:0.1", "every level:0.1", "9:x"):
            refused = export("0", option, nonsense)
            assert refused.exit_code == 2 and "Error" in refused.output


def test_the_mean_of_two_states_may_be_exported(folder, tmp_path):
    from click.testing import CliRunner

    from model.__main__ import main
    student = distiller(folder, tmp_path, steps=1)
    student.run(progress=False)
    other = torch.load(student.out / "state.pt", weights_only=True)
    other["average"] = {name: value + 0.5 for name, value in other["average"].items()}
    torch.save(other | {"step": 7}, tmp_path / "other.pt")
    torch.save(other | {"network_config": other["network_config"] | {"width": 16}}, tmp_path / "wider.pt")

    def export(another, *more):
        return CliRunner().invoke(main, ["export", str(student.out / "state.pt"), str(tmp_path / "mean"),
                                         "--mean", str(tmp_path / another), "--times", "999", *more])
    for more, off in (((), 0.25), (("--share", "0.2"), 0.1)):
        assert export("other.pt", *more).exit_code == 0
        kept = checkpoints.load(tmp_path / "mean")
        for mine, mean in zip(student.average.parameters(), kept.network.parameters(), strict=True):
            assert torch.allclose(mean, mine + off, rtol=1e-3, atol=1e-3)  # kept in half precision
        assert f"steps 7, {2 * off:g} of it, and 1" in (tmp_path / "mean" / "config.json").read_text()
    refused = export("wider.pt")
    assert refused.exit_code == 2 and "another network" in refused.output


def test_the_same_weights_may_be_exported_to_be_asked_otherwise(tmp_path, tiny_weights, plains_config):
    from click.testing import CliRunner

    from model.__main__ import main
    again = CliRunner().invoke(main, ["export", str(tiny_weights), str(tmp_path / "again"), "--times", "999", "--halo",
                                      "40", "--padding", "replicate", "--degradation", "9:0.1", "--note", "calmer"])
    assert again.exit_code == 0, again.output
    before, after = checkpoints.load(tiny_weights), checkpoints.load(tmp_path / "again")
    for a, b in zip(before.network.parameters(), after.network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert (before.network.config.padding, after.network.config.padding) == ("zeros", "replicate")
    assert (after.sampler.times, after.sampler.halo, after.sampler.told(9)) == ((999,), 40, 0.1)
    assert after.about == before.about | {"weights_of": before.digest, "note": "calmer"}
    refused = CliRunner().invoke(main, ["export", str(tiny_weights), str(tmp_path / "plain"), "--plains"])
    assert refused.exit_code == 2 and "no land use" in refused.output  # it was shown no fields
    network = Network(replace(plains_config, plains=False))
    checkpoints.save(tmp_path / "farms", network, before.whitening, before.sampler, {})
    plain = CliRunner().invoke(main, ["export", str(tmp_path / "farms"), str(tmp_path / "plain"), "--times", "999",
                                      "--plains", "--shade", "9:0.06", "--paint", "11:0.07", "--gentle", "7:0.6",
                                      "--town", "9:0.5", "--slope", "11:0.04", "--gain", "11:0.2",
                                      "--hush", "13:0.4", "--snow", "9:0.3"])
    assert plain.exit_code == 0, plain.output
    sampler = checkpoints.load(tmp_path / "plain").sampler
    assert (sampler.dials(9).shade, sampler.dials(11).paint, sampler.gentleness(7)) == (0.06, 0.07, 0.6)
    assert (sampler.dials(9).town, sampler.dials(11).slope, sampler.dials(11).gain) == (0.5, 0.04, 0.2)
    assert (sampler.dials(13).hush, sampler.dials(9).snow) == (0.4, 0.3) and sampler.supports
    assert checkpoints.load(tmp_path / "plain").network.config == plains_config
