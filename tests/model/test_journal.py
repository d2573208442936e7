"""What is seen of a training while it runs, and that a kill leaves no gap and no duplicate in it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from model.network import PRESETS
from model.training import journal as journals
from model.training.imagery import Patch
from model.training.journal import Journal, share_done
from model.training.loop import TrainConfig, Trainer
from model.training.pairs import PairConfig
from model.training.sheet import GAP, MARGIN, SIDE, Sheet

CONFIG = TrainConfig(steps=4, batch=4, warmup=1, validate_every=2, sheet_every=4, save_every=1,
                     pairs=PairConfig(crop=32, calm=0.0, borrowed=0.0))


def patches(count: int = 4) -> list[Patch]:
    rng = np.random.default_rng(0)
    return [Patch(f"p{level}-{n}", level, f"s{n // 2}", "forest", 0.0, 0.0, m,
                  rng.integers(0, 255, (256, 256, 3), dtype=np.uint8))
            for level, m in (("76", 76.0), ("4.8", 4.8)) for n in range(count)]


def trainer(out, validation=(), **changes) -> Trainer:
    return Trainer(PRESETS["tiny"], replace(CONFIG, **changes), patches(), list(validation), out)


def told(out) -> list[dict]:
    """log.json without the clock."""
    return [{k: v for k, v in entry.items() if k != "minutes"} for entry in json.loads((out / "log.json").read_text())]


@pytest.fixture
def no_board(monkeypatch):
    monkeypatch.setattr(journals.importlib.util, "find_spec", lambda name: None)


def test_every_level_has_its_losses(tmp_path, no_board):
    trainer(tmp_path, patches(), batch=8, sheet_every=0).run(progress=False)
    entries = told(tmp_path)
    assert [entry["step"] for entry in entries] == [2, 4]
    for entry in entries:
        assert set(entry["train"]) == set(entry["validation"]) == {"76", "4.8"} and entry["loss"] > 0
    assert not (tmp_path / "tensorboard").exists()


def test_a_killed_run_tells_what_an_unbroken_one_tells(tmp_path, no_board):
    trainer(tmp_path / "whole", sheet_every=0, validate_every=4).run(progress=False)
    begun = trainer(tmp_path / "begun", sheet_every=0, validate_every=4, steps=8)
    advance, begun.advance = begun.advance, lambda: advance() if begun.step < 3 else 1 / 0
    with pytest.raises(ZeroDivisionError):  # a kill in step 4, between two entries
        begun.run(progress=False)
    resumed = trainer(tmp_path / "begun", sheet_every=0, validate_every=4)
    resumed.resume()
    assert resumed.step == 3
    resumed.run(progress=False)
    assert told(tmp_path / "begun") == told(tmp_path / "whole")


def test_entries_after_the_saved_step_are_not_told_twice(tmp_path, no_board):
    run = trainer(tmp_path, sheet_every=0, validate_every=1, save_every=3, steps=8)
    advance, run.advance = run.advance, lambda: advance() if run.step < 5 else 1 / 0
    with pytest.raises(ZeroDivisionError):
        run.run(progress=False)
    assert [entry["step"] for entry in told(tmp_path)] == [1, 2, 3, 4, 5]
    again = trainer(tmp_path, sheet_every=0, validate_every=1, save_every=3, steps=6)
    again.resume()
    assert again.step == 3
    again.run(progress=False)
    assert [entry["step"] for entry in told(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_a_state_of_before_the_journal_is_taken_up(tmp_path):
    journal = Journal(tmp_path)
    journal.load({"log": [{"step": 500, "minutes": 1.0, "train": 0.1, "validation": {}}]})
    with journal.open(500, 60.0, 1000, None, progress=False):
        journal.note(501, 61.0, {"loss": 0.5})
        journal.enter(501, 61.0)
    assert [e["step"] for e in told(tmp_path)] == [500, 501]


def test_the_bar_counts_whatever_ends_the_run():
    assert share_done(50, 30.0, 100, None) == 0.5
    assert share_done(50, 45.0, 100, 1.0) == 0.75
    assert share_done(500, 0.0, 100, 1.0) == 1.0


def test_without_tensorboard_there_is_one_line_and_no_failure(tmp_path, no_board, capsys):
    with Journal(tmp_path).open(0, 0.0, 10, None) as journal:
        journal.note(1, 1.0, {"loss": 0.5})
        journal.enter(1, 1.0)
    assert capsys.readouterr().out.count("requirements-train.txt") == 1


def test_a_process_that_does_not_tell_writes_nothing(tmp_path):
    with Journal(tmp_path / "out", tells=False).open(0, 0.0, 10, None) as journal:
        journal.note(1, 1.0, {"loss": 0.5})
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_forgets_the_steps_that_are_taken_again(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    for begin, values in ((0, (0.1, 0.2, 0.3)), (1, (0.9,))):  # killed after step 3, gone on from step 1
        with Journal(tmp_path).open(begin, 0.0, 10, None, progress=False) as journal:
            for step, value in enumerate(values, begin + 1):
                journal.note(step, 1.0, {"loss": value, "train/76": value})
                journal.enter(step, 1.0)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name in ("loss", "train/76"):
        assert [(e.step, round(e.value, 3)) for e in board.Scalars(name)] == [(1, 0.1), (2, 0.9)]


# --- sheets ----------------------------------------------------------------------------------------------------------

def test_sheets_come_while_it_runs(tmp_path, no_board):
    trainer(tmp_path, patches(), steps=4, sheet_every=3).run(progress=False)
    assert sorted(p.name for p in (tmp_path / "sheets").iterdir()) == ["step-000003.png", "step-000004.png"]
    with Image.open(tmp_path / "sheets" / "step-000003.png") as picture:
        assert picture.size == (MARGIN + 6 * (SIDE + GAP), 2 * (SIDE + GAP))


def test_a_sheet_shows_condition_generated_and_real_of_the_same_places():
    sheet = Sheet(patches())
    white = sheet.draw(lambda condition, m_per_px, noise: torch.ones(len(condition), 3, SIDE, SIDE))
    pixels, start = np.asarray(white), (256 - SIDE) // 2
    assert (pixels[:SIDE, MARGIN + SIDE + GAP:][:, :SIDE] == 255).all()
    real = pixels[:SIDE, MARGIN + 2 * (SIDE + GAP):][:, :SIDE]
    assert any(np.array_equal(real, p.pixels[start:start + SIDE, start:start + SIDE]) for p in patches())


def test_the_places_are_the_same_whatever_their_order_and_of_different_scenes():
    one, other = Sheet(patches()), Sheet(patches()[::-1])
    for a, b in zip(one.rows, other.rows, strict=True):
        assert torch.equal(a.real, b.real) and torch.equal(a.noise, b.noise)
        assert not torch.equal(a.real[0], a.real[1])


def test_without_validation_patches_there_is_no_sheet(tmp_path, no_board):
    trainer(tmp_path, steps=1, sheet_every=1).run(progress=False)
    assert not (tmp_path / "sheets").exists()


def test_another_process_than_the_first_writes_nothing(tmp_path):
    silent = Journal(tmp_path / "out", tells=False)
    with silent.open(0, 0.0, 10, None):
        silent.note(1, 1.0, {"loss": 2.0})
        assert silent.enter(1, 1.0)["loss"] == 2.0
        silent.sheet(1, Image.new("RGB", (4, 4)))
    assert not (tmp_path / "out").exists() and silent.state()["since"] == {}
