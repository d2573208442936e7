"""The evaluation's measures say what they claim, on pictures whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.errors import BadCheckpoint
from model.evaluation import cascade, fidelity, repetition, report, seams, steps
from model.evaluation.context import TINY, Context
from model.evaluation.distance import difference, fid, floor, kid, plain_kid
from model.evaluation.drawing import draw, load, shrink
from model.evaluation.inception import Inception
from model.evaluation.paper_windows import Layout, layouts, mosaic, window_noise
from model.evaluation.scattering import Reduction, Scattering, crops_of, groups
from model.evaluation.scenes import spread
from model.evaluation.statistics import (
    contrast,
    describe,
    grid_phase,
    kurtosis,
    octaves,
    of_colour,
    parent_psnr,
    sharpness,
)
from model.evaluation.targets import judge
from model.network import PRESETS, Network
from model.sampler import SamplerConfig
from model.training.imagery import Patch


def textured(seed: int, size: int = 256) -> np.ndarray:
    """A picture with structure at every scale."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size))
    for octave in range(6):
        n = size >> octave
        total += 2**octave * np.kron(rng.standard_normal((n, n)), np.ones((2**octave, 2**octave)))
    return np.clip(100 + total[..., None] * [1.0, 0.9, 0.7], 0, 255).astype(np.uint8)


def patches(count: int = 6) -> list[Patch]:
    levels = (("305", 305.0, "auto:forest"), ("76", 76.0, "desert"))
    return [Patch(f"{level}-{n}", level, f"scene-{n % 3}", cover, 10.0 + n, 20.0, scale, textured(n))
            for level, scale, cover in levels for n in range(count)]


@pytest.fixture
def context(tiny_generator, tiny_weights, tmp_path):
    budget = replace(TINY, single=6, cascade=1, slow_borders=0)
    return Context(load(tiny_weights), tiny_generator, patches(), tmp_path, budget, progress=False)


def test_a_flat_picture_has_neither_contrast_nor_sharpness():
    flat = np.full((128, 128, 3), 90, np.uint8)
    assert contrast(flat) == sharpness(flat) == 0
    assert np.isnan(kurtosis(flat))


def test_kurtosis_tells_edges_from_noise():
    noise = np.random.default_rng(0).normal(120, 20, (256, 256, 1)).repeat(3, 2).clip(0, 255).astype(np.uint8)
    edges = np.where((np.arange(256) // 64 % 2)[:, None, None], 180, 60).repeat(256, 1).repeat(3, 2).astype(np.uint8)
    assert kurtosis(noise) == pytest.approx(3, abs=0.2)
    assert kurtosis(edges) > 20


@pytest.mark.parametrize("octave, wavelength", list(enumerate((3, 6, 12, 24))))
def test_a_wave_has_its_power_in_its_own_octave(octave, wavelength):
    wave = 120 + 50 * np.sin(2 * np.pi * np.arange(256) / wavelength)
    power = octaves(np.broadcast_to(wave, (256, 256)))
    assert np.argmax(power) == octave
    assert power[octave] == pytest.approx(50**2 / 2, rel=0.3)


def test_colour_has_power_of_its_own():
    """Of a wave in red against blue, and of one in green against both."""
    wave = 40 * np.sin(2 * np.pi * np.arange(256) / 6)[None, :, None]
    for colour, name, amplitude in (((1, 0, -1), "red-blue", 80), ((-0.5, 1, -0.5), "green-magenta", 60)):
        found = describe((120 + wave * np.array(colour) * np.ones((256, 1, 1))).round().astype(np.uint8))
        power = {k: v for k, v in found.items() if "px" in k}
        assert max(power, key=power.get) == f"{name} 4–8 px" and of_colour(f"{name} 4–8 px")
        assert power[f"{name} 4–8 px"] == pytest.approx(amplitude**2 / 2, rel=0.3)
        assert sum(v for k, v in power.items() if not k.startswith(name)) < 0.02 * power[f"{name} 4–8 px"]


def test_grid_phase_sees_a_grid_and_only_its_own():
    noise = np.random.default_rng(0).normal(120, 5, (256, 256, 3))
    stepped = noise + 20 * np.random.default_rng(1).standard_normal((16, 16, 1)).repeat(16, 0).repeat(16, 1)
    assert grid_phase(noise.astype(np.uint8), 16) == pytest.approx(1, abs=0.03)
    assert grid_phase(stepped.clip(0, 255).astype(np.uint8), 16) > 1.5


def test_a_picture_agrees_with_its_own_mean():
    picture = textured(0)
    assert parent_psnr(picture, shrink(picture)) > 50
    assert parent_psnr(picture, shrink(picture) // 2) < 20


def test_scattering_tells_a_sharp_picture_from_its_blur_and_not_from_another_sharp_one():
    scattering = Scattering()

    def features(pictures):
        return [scattering(crops_of(p)) for p in pictures]

    def blurred(picture):
        return shrink(picture).repeat(4, 0).repeat(4, 1)

    real, twins = features(textured(n) for n in range(6)), features(textured(n + 10) for n in range(6))
    soft = features(blurred(textured(n)) for n in range(6))
    assert real[0].shape == (16, scattering.num_features)
    assert sorted(sum(groups().values(), [])) == list(range(5, scattering.num_features))
    reduce = Reduction(torch.cat(real))
    real, twins, soft = ([reduce(f) for f in group] for group in (real, twins, soft))
    assert real[0].shape[1] <= 32
    scenes = [str(n // 2) for n in range(6)]
    near, far = kid(real, twins, scenes), kid(real, soft, scenes)
    assert far.value > 10 * abs(near.value)
    value, over = difference(far, near)
    assert value > 3 * over


def test_our_kid_is_torchmetrics_where_there_are_no_counterparts():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(200, 8, generator=generator), torch.randn(200, 8, generator=generator) + 0.5
    ours = kid([v[None] for v in a.double()], [v[None] for v in b.double()], [str(i) for i in range(200)])
    assert ours.value == pytest.approx(plain_kid(a, b, 200), rel=0.02)
    assert 0 < ours.spread < ours.value


def test_real_against_real_is_near_zero_and_fid_grows_with_distance():
    generator = torch.Generator().manual_seed(0)
    a = [torch.randn(16, 8, generator=generator, dtype=torch.float64) for _ in range(12)]
    assert abs(floor(a).value) < 0.05
    rows = torch.cat(a)
    assert fid(rows, rows) < 1e-3 < fid(rows, rows + 0.3) < fid(rows, rows + 1)


class RandomInception(torch.nn.Module):
    """The interface of the TorchScript Inception, with a random projection in it."""

    def __init__(self):
        super().__init__()
        self.project = torch.nn.Linear(3 * 8 * 8, 24)

    def forward(self, pictures: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        small = torch.nn.functional.interpolate(pictures.float() / 255, size=(8, 8), mode="area").flatten(1)
        return self.project(small) if return_features else small


# torch.jit is deprecated in favour of torch.export, but the published Inception is a TorchScript file.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_inception_is_read_from_torchscript(context, tmp_path):
    torch.manual_seed(0)
    torch.jit.script(RandomInception().eval()).save(str(tmp_path / "inception.pt"))
    context.inception = tmp_path / "inception.pt"
    context.budget = replace(context.budget, single=2)
    found = fidelity.run(context)["inception"]
    assert found["student"]["fid"] >= 0
    assert found["student"]["pictures"] == 4
    (tmp_path / "broken.pt").write_bytes(b"not a network")
    with pytest.raises(BadCheckpoint, match="broken.pt"):
        Inception(tmp_path / "broken.pt")


def test_shared_noise_agrees_where_windows_overlap_and_independent_noise_does_not():
    for layout in layouts(32):
        a, b = window_noise(layout, 0, 0, 0), window_noise(layout, 0, 1, 0)
        assert a.shape == (3, layout.window, layout.window)
        if layout.halo:
            over = layout.window - layout.core
            assert np.array_equal(a[..., -over:], b[..., :over]) == (layout.noise != "independent")
        assert np.array_equal(a, b) == (layout.noise == "identical")


def test_canonical_windows_of_the_mosaic_agree_with_one_wide_window(context):
    layout = layouts(32)[-1]
    condition = textured(1)[:(2 * 256 + 64) // 4, :(2 * 256 + 64) // 4]
    picture = mosaic(context.student, layout, condition, 2, 2, 76.0)
    wide = draw(context.student, condition, 76.0, np.concatenate(
        [np.concatenate([window_noise(layout, 0, i, j)[:, (0 if j == 0 else 64):, (0 if i == 0 else 64):]
                         for i in (0, 1)], 2) for j in (0, 1)], 1))
    assert np.abs(picture.astype(int) - wide[32:-32, 32:-32].astype(int)).max() <= 1
    with pytest.raises(ValueError, match="need a condition"):
        mosaic(context.student, layout, condition[:64], 2, 2, 76.0)


def test_a_seam_is_found_where_there_is_one():
    picture = textured(0, 512).astype(int)
    borders, beside = seams.across_and_beside(picture.astype(np.uint8), 256)
    assert len(borders) == len(beside) == 4 and np.mean(borders) / np.mean(beside) < 1.6
    picture[:, 256:] += 40
    borders, beside = seams.across_and_beside(picture.clip(0, 255).astype(np.uint8), 256)
    assert np.mean(borders) > 1.5 * np.mean(beside)


def test_a_border_is_held_against_the_same_line_where_there_is_none(context):
    checkpoint = context.student
    for layout, low, high in ((Layout("ours", 64, 64, "field"), 0.99, 1.01), (Layout("none", 64, 0, "field"), 1.02, 9)):
        at, _ = seams.gradients(context, checkpoint, layout, 12)
        there, _ = seams.gradients(context, checkpoint, layout, 12, whole=True)
        found = seams.compared(at, there)
        assert len(there) == found["borders"] >= 12 and low < found["ratio"] < high


def test_repetition_is_found_at_the_stride_and_not_elsewhere():
    tile = np.random.default_rng(0).standard_normal((64, 64))
    assert repetition.self_correlation(np.tile(tile, (3, 3)), 64) == pytest.approx(1)
    assert abs(repetition.self_correlation(np.tile(tile, (3, 3)), 50)) < 0.1


def test_the_nearest_zoom_is_odd_and_nearest():
    assert [cascade.nearest_zoom(r, 0) for r in (1223, 305.7, 76.4, 19.1, 4.78)] == [7, 9, 11, 13, 15]


def test_patches_are_spread_over_scenes():
    assert {p.scene for p in spread(patches(), 3)} == {"scene-0", "scene-1", "scene-2"}


def test_an_ablation_is_held_against_its_twin_from_real_conditions_and_from_its_own(context, tiny_weights):
    context.patches = [p for p in context.patches if p.level == "305"]
    other = load(tiny_weights)
    for parameter in other.network.parameters():
        parameter.data.mul_(1.5)
    context.student = replace(context.student, sampler=replace(context.student.sampler, degradation=0.3))
    context.others = {"without degradation": other, "with both": context.student, "without resolution": context.student}
    found = fidelity.run(context)
    kid = found["levels"]["305"]["kid"]
    assert kid["student"] == kid["with both"] != kid["student, told as the map tells"]
    level = found["levels"]["305"]["differences"]
    own = ", own condition"
    assert level["without degradation"]["of"] == "with both"
    assert level["without degradation" + own]["of"] == "with both" + own and "with both" + own not in level
    # The same network is as good as itself; another, two levels down, is not what it is at one.
    assert level["without resolution"]["minus this"] == level["without resolution" + own]["minus this"] == 0
    assert level["without degradation"]["minus this"] != level["without degradation" + own]["minus this"] != 0
    asked = {v.target: v for v in judge({"fidelity": found}, 1.0, 1)}
    beyond = ", averaged over levels, beyond the spread"
    assert asked["better than without resolution" + beyond].met is False
    assert "KID" in asked["better than without degradation" + own + beyond].found


def test_who_is_blind_to_x_t_is_asked_as_published_and_no_oftener(context):
    blind = Network(replace(PRESETS["tiny"], creases=(0.8,), white=False)).eval().requires_grad_(False)
    teacher = context.student
    context.student = replace(teacher, network=blind, sampler=SamplerConfig((999,)))
    context.others = {"teacher": teacher}
    curves = steps.run(context)["networks"]
    assert list(curves["student"]) == ["as published: 999"]
    assert list(curves["teacher"]) == ["1", "2", "4", "8", "16", "50"]


def test_sections_end_in_a_report_that_names_what_was_missed(context):
    results = {"fidelity": fidelity.run(context), "seams": seams.run(context), "cascade": cascade.run(context)}
    assert set(results["cascade"]["cascade"]) == {"z9", "z11"}
    verdicts = judge(results, gigaflops=99.0, steps=2)
    assert any(v.met is False and "60 GFLOP" in v.target for v in verdicts)
    about = {"command": "test", "date": "today", "digest": "abc", "steps": 2, "machine": "m",
             "minutes": 1.0, "budget": "t"}
    report.write(context.out, results, verdicts, about)
    text = (context.out / "EVALUATION.md").read_text()
    assert "**missed**" in text and "canonical: halo and noise field" in text and "not measured" in text


def test_groups_of_features_tell_how_strong_an_octave_is_and_how_it_is_bunched():
    rng, scattering = np.random.default_rng(4), Scattering()
    grain = rng.normal(0, 20, (2, 256, 256, 1))
    even, strong, bunched = (
        scattering(torch.cat([crops_of((v.repeat(3, -1) + 128).clip(0, 255).astype(np.uint8)) for v in x])).mean(0)
        for x in (grain, 1.5 * grain, grain * (0.2 + 1.6 * (np.arange(256) // 8 % 2))[:, None])
    )
    names = groups()
    first, over = names["2.7 px"], names["2.7 over 21.3 px"]
    assert (strong - even)[first].min() > 0.3 and (strong - even)[over].abs().max() < 0.1
    assert (bunched - even)[over].max() > 0.5 > 2 * (bunched - even)[first].abs().max()
