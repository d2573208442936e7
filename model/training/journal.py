"""What is seen of a run while it runs: a bar with the time left, log.json, TensorBoard scalars, sample sheets.

    OUT/log.json                a list of entries: step, minutes, means since the entry before, what was validated
    OUT/sheets/step-000500.png  condition, generated, real (`model/training/sheet.py`)
    OUT/tensorboard/            the entries' numbers, if the optional package is there (requirements-train.txt)

The entries, and the sums that are not yet an entry, belong to the run's state: after a kill they go back to the state's
step with everything else, so the steps that are taken again are not told twice.
"""

import importlib.util
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

BAR = "{percentage:5.1f}%|{bar}| {desc} [{elapsed}<{remaining}]"
SHOWN = ("loss", "score")  # what the bar tells of the steps since the last entry


def share_done(step: int, seconds: float, steps: int, minutes: float | None) -> float:
    """How much of a run is behind it, 0…1, whichever of its steps or minutes ends it first."""
    return min(1.0, max(step / steps, seconds / 60 / minutes if minutes else 0.0))


class Journal:
    """Entries of a run. Nothing is written or shown before `open`, nor ever if it does not `tell` (other processes)."""

    def __init__(self, out: Path, tells: bool = True):
        self.out, self.tells = Path(out), tells
        self.entries: list[dict] = []
        self._sums: dict[str, list[float]] = {}  # name: sum and number of the steps that had it, since the last entry
        self._bar = self._board = None

    # --- part of the run's state -------------------------------------------------------------------------------------

    def state(self) -> dict:
        return {"log": self.entries, "since": self._sums}

    def load(self, state: dict) -> None:
        """Back to what `state` returned; a state of before there were sums has none."""
        self.entries, self._sums = list(state["log"]), dict(state.get("since", {}))

    # --- while it runs -----------------------------------------------------------------------------------------------

    @contextmanager
    def open(self, step: int, seconds: float, steps: int, minutes: float | None, progress: bool = True):
        """From here until the end of the block: a bar (if `progress`) and scalars, beginning after `step`."""
        self._ends = steps, minutes
        # In a file every refresh is a line: once a minute is enough there.
        pause = 1 if sys.stderr.isatty() else 60
        self._bar = tqdm(total=1.0, initial=share_done(step, seconds, steps, minutes), bar_format=BAR, smoothing=0.05,
                         disable=not (progress and self.tells), mininterval=pause, maxinterval=10 * pause)
        try:
            self._board = self._tensorboard(step)
            yield self
        finally:
            self._bar.close()
            if self._board is not None:
                self._board.close()
            self._bar = self._board = None

    def note(self, step: int, seconds: float, numbers: dict[str, float]) -> None:
        """One step is done; `numbers` count into the next entry, each over the steps that had it."""
        for name, value in numbers.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = [total + float(value), count + 1]
        steps, minutes = self._ends
        of = f"{seconds / 60:.1f} of {minutes:g} min" if minutes else f"{seconds / 60:.1f} min"
        shown = [f", {name} {self._mean(name):.4f}" for name in SHOWN if name in self._sums]
        self._bar.set_description_str(f"step {step} of {steps}, {of}" + "".join(shown), refresh=False)
        self._bar.update(share_done(step, seconds, steps, minutes) - self._bar.n)

    def enter(self, step: int, seconds: float, **groups: dict[str, float]) -> dict:
        """Write an entry: the means since the last one, beside `groups` of numbers (`validation={"19": …}`).

        A name with a slash, ``train/19``, is a group of its own: ``{"train": {"19": …}}``.
        """
        entry = {"step": step, "minutes": round(seconds / 60, 2)}
        for name in sorted(self._sums):
            group, _, member = name.rpartition("/")
            (entry.setdefault(group, {}) if group else entry)[member] = _number(self._mean(name))
        entry |= {name: {k: _number(v) for k, v in group.items()} for name, group in groups.items()}
        self._sums = {}
        self.entries.append(entry)
        if not self.tells:
            return entry
        self.out.mkdir(parents=True, exist_ok=True)
        _write_whole(self.out / "log.json", json.dumps(self.entries, indent=1).encode())
        if self._board is not None:
            for name, value in _flat(entry)[1:]:  # the step is their abscissa
                self._board.add_scalar(name, value, step)
            self._board.flush()
        if not self._bar.disable:
            tqdm.write("  ".join(f"{name} {value:g}" for name, value in _flat(entry)))
        return entry

    def sheet(self, step: int, picture: Image.Image | None) -> None:
        """Keep a sample sheet, if there is one."""
        if picture is None or not self.tells:
            return
        folder = self.out / "sheets"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"step-{step:06d}.png"
        picture.save(path.with_suffix(".new"), "PNG")
        os.replace(path.with_suffix(".new"), path)
        if self._board is not None:
            self._board.add_image("sheet", np.asarray(picture), step, dataformats="HWC")

    def _mean(self, name: str) -> float:
        total, count = self._sums[name]
        return total / count

    def _tensorboard(self, step: int):
        """A writer that hides what an earlier, killed run told of the steps after `step`; None without the package."""
        if not self.tells:
            return None
        if importlib.util.find_spec("tensorboard") is None:
            if not self._bar.disable:
                tqdm.write("no TensorBoard scalars: `pip install -r requirements-train.txt` adds them")
            return None
        from torch.utils.tensorboard import SummaryWriter
        return SummaryWriter(str(self.out / "tensorboard"), purge_step=step + 1)


def _number(value: float) -> float:
    """Five digits: what a person reads of it."""
    return float(f"{value:.5g}")


def _flat(entry: dict) -> list[tuple[str, float]]:
    """Numbers of an entry by name, its groups as ``validation/19``."""
    flat = []
    for name, value in entry.items():
        flat += [(f"{name}/{k}", v) for k, v in value.items()] if isinstance(value, dict) else [(name, value)]
    return flat


def _write_whole(path: Path, content: bytes) -> None:
    """A kill at any moment leaves the old file or the new one."""
    path.with_suffix(".new").write_bytes(content)
    os.replace(path.with_suffix(".new"), path)
