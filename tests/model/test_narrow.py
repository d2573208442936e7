"""A network that needs less around a window, taught by one that needs more."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from model import checkpoint as checkpoints
from model.__main__ import main
from model.errors import BadCheckpoint
from model.generator import Generator
from model.network import Network, grown
from model.residual import Whitening
from model.sampler import SamplerConfig
from model.training import windows
from model.training.imagery import Patch
from model.training.narrow import BORDER, PIECE, SHIFT, NarrowConfig, Narrower, Windows
from model.worlds import Worlds

EDGE = NarrowConfig().halo - BORDER
INSIDE = PIECE - 2 * EDGE


@pytest.fixture(scope="module")
def teacher(plains_config, tmp_path_factory):
    """A checkpoint of a tiny local network, of two levels, that sees of the noise only what is read of it."""
    torch.manual_seed(2)
    network = Network(replace(plains_config, white=False, towns=True)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.12 * torch.randn_like(parameter))  # loud: what is beyond a cut is missed
    folder = tmp_path_factory.mktemp("teacher")
    checkpoints.save(folder, network, Whitening([[5.0, 0.1, 0.02, 0.02]]),
                     SamplerConfig((999,), halo=72, rows=True, supports=True), {})
    return folder


@pytest.fixture(scope="module")
def taught(teacher, tmp_path_factory):
    """The teacher and a folder with its windows of two places, and of two pictures."""
    rng = np.random.default_rng(1)
    patches = [Patch(f"p{i}", "19", f"s{i}", "forest", 10.0, 20.0, 19.0, rng.integers(0, 255, (256, 256, 3), np.uint8))
               for i in range(2)]
    folder = tmp_path_factory.mktemp("windows")
    windows.make(teacher, folder, 2, patches, 2, seed=3)
    return teacher, folder


def narrower(taught, out, **changes) -> Narrower:
    return Narrower(taught[0], NarrowConfig(**{"steps": 3, "batch": 2, "seed": 3, "save_every": 3} | changes),
                    taught[1], out)


def test_a_window_is_what_the_map_asks_and_what_it_is_answered(teacher):
    generator = Generator(Worlds(), weights=teacher, threads=1)
    address = generator.address("earth", 5, 11, 1040, 720)
    window = windows.on_the_map(generator, checkpoints.load(teacher), address)
    asked = []
    network = generator._newest.network
    network.register_forward_hook(lambda _, given, told, made: asked.append((told["extra"], made[0])), with_kwargs=True)
    generator.pixels(address)
    (extra, made) = asked[-1]  # supports come first
    spare = (made.shape[-1] - 256) // 2
    assert torch.allclose(torch.cat(extra, 1)[0], window["extra"].float(), atol=4e-3)
    assert torch.allclose(made[:, spare:spare + 256, spare:spare + 256], window["x0"].float(), atol=4e-3)


def test_windows_that_are_there_are_kept(taught):
    teacher, folder = taught
    files = sorted(folder.iterdir())
    assert len(files) == 2 * len(windows.ZOOMS) + 2
    before, gone = [file.stat().st_mtime_ns for file in files[1:]], files[0].read_bytes()
    files[0].unlink()
    windows.make(teacher, folder, 2, [], 0, seed=3)
    assert files[0].read_bytes() == gone and [file.stat().st_mtime_ns for file in files[1:]] == before


def test_two_pieces_lie_over_one_ground_and_are_cut_off_elsewhere(taught):
    low, extra, rows, told, x0 = Windows(sorted(taught[1].iterdir()), EDGE).pieces(np.random.default_rng(1), 5)
    assert low.shape == (10, 3, PIECE // 4, PIECE // 4) and extra.shape[-2:] == (PIECE, PIECE)
    assert rows.shape == (10, PIECE // 4) and told.shape == (10,) and x0.shape == (10, 3, INSIDE, INSIDE)
    for of, pixels in ((low, 4), (extra, 1), (x0, 1)):
        one, other = of.chunk(2)
        assert torch.equal(one[..., SHIFT // pixels:, SHIFT // pixels:],
                           other[..., :-SHIFT // pixels, :-SHIFT // pixels])
    assert torch.equal(rows[:5, SHIFT // 4:], rows[5:, :-SHIFT // 4])


def test_a_teacher_is_off_itself_only_by_what_lies_beyond_the_cuts(taught, tmp_path):
    same = narrower(taught, tmp_path / "same", deepest=3)
    batch = same.train.pieces(np.random.default_rng(1), 4)
    off, differ = same.differences(same.average, *batch)
    inner = off[..., INSIDE // 2 - 4:INSIDE // 2 + 4, INSIDE // 2 - 4:INSIDE // 2 + 4]
    assert off.shape == (8, 3, INSIDE, INSIDE) and differ.shape == (4, 3, INSIDE - SHIFT, INSIDE - SHIFT)
    assert 5 * inner.abs().max() < off.abs().max()


def test_it_comes_nearer_its_teacher_and_itself(taught, tmp_path):
    learner = narrower(taught, tmp_path / "run", steps=25, batch=2, lr=2e-3, warmup=1, ema=0.8, validate_every=25,
                       save_every=25)
    learner.held = Windows(learner.train.files, EDGE)
    before = learner.validate()
    learner.run(progress=False)
    after = learner.validate()
    assert after["off"] < 0.8 * before["off"] and after["apart"] < 0.8 * before["apart"]


def test_a_run_goes_on_where_it_was_and_can_be_exported(taught, tmp_path):
    whole = narrower(taught, tmp_path / "whole")
    whole.run(progress=False)
    broken = narrower(taught, tmp_path / "broken")
    broken.advance()
    broken.save()
    again = narrower(taught, tmp_path / "broken")
    again.resume()
    assert again.step == 1
    again.run(progress=False)
    for a, b in zip(whole.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(a, b)
    state = checkpoints.read_state(tmp_path / "whole" / "state.pt")
    assert state["step"] == 3 and state["network_config"]["deepest"] == 1
    (tmp_path / "whole" / "state.pt").write_bytes(b"cut short")
    with pytest.raises(BadCheckpoint, match="neither a training's state"):
        whole.resume()


def test_the_command_makes_windows_and_goes_on_with_them(teacher, tmp_path):
    (tmp_path / "recipe.json").write_text('{"places": 2, "known": 0, "batch": 2, "seed": 3, "steps": 1}')
    given = ["narrow", "--teacher", str(teacher), "--recipe", str(tmp_path / "recipe.json"), "--out", str(tmp_path)]
    for more, step in (["--threads", "1"], 1), (["--threads", "1", "--resume", "--steps", "2"], 2):
        result = CliRunner().invoke(main, [*given, *more])
        assert result.exit_code == 0, result.output
        assert checkpoints.read_state(tmp_path / "state.pt")["step"] == step
    assert len(list((tmp_path / "windows").glob("*.pt"))) == 2 * len(windows.ZOOMS)


def test_who_sees_the_noise_itself_is_no_teacher(tiny_weights, tmp_path):
    with pytest.raises(BadCheckpoint, match="sees x_t"):
        windows.make(tiny_weights, tmp_path, 1, [], 0, seed=3)


def test_without_windows_there_is_nothing_to_learn(taught, tmp_path):
    with pytest.raises(BadCheckpoint, match="no windows"):
        Narrower(taught[0], NarrowConfig(), tmp_path, tmp_path / "out")


def test_a_deepest_level_without_neighbours_begins_as_its_sums_over_them(plains_config):
    torch.manual_seed(4)
    wide, narrow = (Network(replace(plains_config, padding="replicate", deepest=kernel)) for kernel in (3, 1))
    with torch.no_grad():
        for parameter in wide.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        narrow.load_state_dict(grown(wide.state_dict(), wide.config, narrow.config))
        stage = wide.down[-1], narrow.down[-1]
        even = torch.randn(1, stage[0].blocks[0].conv1.in_channels, 1, 1).expand(-1, -1, 12, 12)
        one, other = (of(even, torch.randn(1, plains_config.embedding, generator=torch.Generator().manual_seed(1)))
                      for of in stage)
    assert torch.allclose(one, other, atol=1e-4) and not torch.allclose(one, even, atol=1e-2)
    with pytest.raises(ValueError, match="no neighbours"):
        grown(narrow.state_dict(), narrow.config, wide.config)


def test_without_its_deepest_level_it_begins_as_if_nothing_came_up_from_there(plains_config):
    torch.manual_seed(4)
    config = replace(plains_config, padding="replicate")
    whole, short = Network(config), Network(replace(config, multipliers=config.multipliers[:-1]))
    own = config.width * config.multipliers[-2]
    with torch.no_grad():
        for parameter in whole.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for parameter in whole.grow[-1].parameters():
            parameter.zero_()
        first = whole.up[-2].blocks[0]
        first.skip.weight[:, own:, 0, 0] = torch.eye(own)
        first.skip.bias.zero_()
        for of_both in (first.scale_shift.weight, first.scale_shift.bias):
            of_both[2 * own:3 * own] = 0.0  # nor is it shifted
        short.load_state_dict(grown(whole.state_dict(), config, short.config))
        short.up[-1].blocks[0].norm.gain *= 2**0.5  # its mean square is no more over as many zeros besides
        noise, low = torch.randn(1, 3, 128, 128), torch.randn(1, 3, 16, 16)
        asked = torch.full((1,), 999.0), torch.full((1,), 30.0), torch.zeros(1)
        rim = config.rim
        one, other = (of(noise[..., rim:-rim, rim:-rim], asked[0], of.encode(low), *asked[1:], extra=of.read(noise))
                      for of in (whole, short))
    assert torch.allclose(one, other, atol=1e-4) and one.std() > 0.01
    with pytest.raises(ValueError, match="not the first"):
        grown(whole.state_dict(), config, replace(config, multipliers=(3,)))


def test_of_fewer_levels_it_learns_as_well(taught, tmp_path):
    assert len(narrower(taught, tmp_path).network.config.multipliers) == 2
    short = narrower(taught, tmp_path / "short", levels=1, deepest=3)
    assert short.network.config.multipliers == (1,)
    short.run(progress=False)
    with pytest.raises(ValueError, match="one level at least"):
        narrower(taught, tmp_path / "none", levels=0)
