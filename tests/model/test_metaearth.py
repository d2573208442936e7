"""The paper's own preset: its size on the meta device; narrowed, it trains and generates overlapping windows."""

from dataclasses import replace

import numpy as np
import torch

from model.checkpoint import Checkpoint
from model.evaluation.paper_windows import PAPERS, mosaic
from model.network import PRESETS, Network, parameter_count
from model.sampler import SamplerConfig
from model.schedule import timesteps
from model.training.imagery import Patch
from model.training.loop import TrainConfig, Trainer
from model.training.pairs import PairConfig

NARROW = replace(PRESETS["metaearth"], width=8, embedding=16, frequencies=4, encoder_blocks=1, encoder_width=8,
                 encoder_growth=4)
PAPER = TrainConfig(lr=2e-6, batch=8, accumulate=8, objective="eps", steps=2, warmup=1, p2_gamma=1.0,
                    pairs=PairConfig(crop=32, calm=0, borrowed=0, true_base=0))


def patches() -> list[Patch]:
    rng = np.random.default_rng(0)
    return [Patch(f"p{n}", "76", f"s{n}", "forest", 0.0, 0.0, 76.0, rng.integers(0, 255, (256, 256, 3), dtype=np.uint8))
            for n in range(3)]


def test_the_preset_has_about_600_million_parameters():
    with torch.device("meta"):
        network = Network(PRESETS["metaearth"])
    assert 570e6 <= parameter_count(network) <= 630e6
    assert network.config.multipliers == (1, 2, 4, 8, 8) and network.config.blocks == 3


def test_narrowed_it_trains_by_the_papers_recipe_and_generates_half_overlapping_windows(tmp_path):
    trainer = Trainer(NARROW, PAPER, patches(), [], tmp_path)
    before = [p.clone() for p in trainer.network.parameters()]
    for _ in range(2):
        assert np.isfinite(trainer.advance()["loss"])
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.network.parameters(), strict=True))
    network = trainer.network.eval().requires_grad_(False)
    checkpoint = Checkpoint(network, trainer.whitening, SamplerConfig(tuple(timesteps(2))), "narrow", {})
    overlap = next(layout for layout in PAPERS if layout.name == "overlap, shared noise")
    condition = np.random.default_rng(1).integers(0, 255, (96, 64, 3), dtype=np.uint8)
    picture = mosaic(checkpoint, overlap, condition, 1, 2, 19.0)
    assert picture.shape == (256, 128, 3) and picture.std() > 0
