"""``python -m server bench``: how long a tile takes, what the server bears, against the targets that we set ourselves.

Run it on a quiet machine. Every row is measured in the same run as the rate of bare network calls, so that figures of
different machines can be compared. The rows that need a server start one, on an empty folder; see ``bench_http``.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import click
import numpy as np

from server.figures import Row, percentile
from server.options import with_settings
from server.settings import Settings


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def places(count: int, zoom: int = 15) -> list[tuple[int, int]]:
    """Tiles (x, y) between 60° N and 60° S, the same in every run."""
    chance = random.Random(15)
    side = 1 << zoom
    return [(chance.randrange(side), chance.randrange(int(0.29 * side), int(0.71 * side))) for _ in range(count)]


class Bench:
    """The rows that need no server. ``quick`` measures fewer places."""

    def __init__(self, settings: Settings, quick: bool):
        from torch import cuda

        from model.generator import MemoryStore
        from server.services import make_generator

        self.quick = quick
        self.on_gpu = settings.device.startswith("cuda")
        self.wait = cuda.synchronize if self.on_gpu else lambda: None  # a GPU goes on when a call has returned
        self.fresh = lambda: make_generator(settings, MemoryStore(512 << 20))
        self.generator = self.fresh()
        self.generator.warm()
        version = self.generator.versions("earth")[0]
        self.version = version
        self.checkpoint = self.generator.checkpoint(self.address(0, 0))
        self.bare = self.network_call()
        self.bare_rate = self.network_rate()
        self.tile = float("nan")

    def address(self, x: int, y: int, z: int = 15, seed: int = 0):
        return self.generator.address("earth", seed, z, x, y)

    def window(self, steps: int, halo: int) -> list[float]:
        """Seconds of each network call of one window: the pauses at which it asks whether to go on."""
        from model.window import generate

        sampler = replace(
            self.checkpoint.sampler, halo=halo, times=tuple(round(999 * (1 - i / steps)) for i in range(steps))
        )
        size = (256 + 2 * halo) // 4
        marks: list[float] = []

        def mark() -> None:
            self.wait()
            marks.append(time.perf_counter())

        generate(
            replace(self.checkpoint, sampler=sampler), np.full((size, size, 3), 90, np.uint8), 0, 15, 17000, 11000,
            check=mark,
        )  # fmt: skip
        mark()
        return [after - before for before, after in zip(marks, marks[1:], strict=False)]

    def network_call(self) -> float:
        """Seconds of one bare 256×256 network call, median."""
        self.window(4, halo=0)
        return statistics.median(self.window(12 if self.quick else 25, halo=0))

    def network_rate(self) -> float:
        """Bare calls a second of as many threads as make tiles, each with its share of the processor."""

        from torch import set_num_threads

        from model.turns import in_order

        def calls(_, check) -> list[float]:
            if not self.on_gpu:
                set_num_threads(1)
            return self.window(12 if self.quick else 25, halo=0)

        workers = self.generator.workers
        return sum(1 / statistics.median(seconds) for seconds in in_order(calls, range(workers), workers))

    def new_tiles(self) -> list[Row]:
        """z15 tiles whose ancestors exist: windows of one neighbourhood after its first, one by one and at once."""
        x, y, count = 17000, 11000, 5 if self.quick else 20
        tiles = [self.address(x + i % 4, y + i // 4) for i in range(1 + 2 * count)]
        for address in tiles:
            self.generator.condition(address)
        self.generator.pixels(tiles[0])
        seconds = [timed(lambda address=address: self.generator.pixels(address)) for address in tiles[1 : 1 + count]]
        self.tile, late = statistics.median(seconds), percentile(seconds, 0.95)
        alone = Row(
            "a new z15 tile whose ancestors exist",
            f"{self.tile:.2f} s (p95 {late:.2f})",
            "≤ 0.40 s",
            self.tile <= 0.40,
            {"median_s": self.tile, "p95_s": late, "steps": len(self.checkpoint.sampler.times)},
        )
        rate = count / timed(lambda: self.at_once(tiles[1 + count :]))
        self.bare_rate = (self.bare_rate + self.network_rate()) / 2  # before and after: a machine's speed changes
        share = len(self.checkpoint.sampler.times) * rate / self.bare_rate
        return [
            alone,
            Row(
                f"such tiles, {self.generator.workers} at once",
                f"{rate:.1f} a second, {share:.2f} of the rate of bare network calls",
                "≥ 0.55",
                share >= 0.55,
                {"tiles_per_s": rate, "bare_calls_per_s": self.bare_rate, "share": share},
            ),
        ]

    def at_once(self, tiles: list) -> None:
        """Make tiles in as many threads as keep the machine busy."""
        from model.turns import in_order

        for _ in in_order(self.generator.pixels, tiles, self.generator.workers):
            pass

    def deep_link(self) -> Row:
        seconds = []
        for number, (x, y) in enumerate(places(5 if self.quick else 30)):
            generator = self.fresh()
            generator._loaded = self.generator._loaded  # the weights are loaded when a server answers
            address = self.address(x, y, seed=1000 + number)
            seconds.append(timed(lambda generator=generator, address=address: generator.pixels(address)))
        median, late = statistics.median(seconds), percentile(seconds, 0.95)
        return Row(
            f"a z15 tile in a world never touched, {len(seconds)} places",
            f"median {median:.2f} s, p95 {late:.2f} s",
            "≤ 3 s, ≤ 4.5 s",
            median <= 3 and late <= 4.5,
            {"median_s": median, "p95_s": late},
        )

    def paper(self) -> Row:
        """The paper's recipe: 50 steps, half-overlapping windows, so that four windows stand behind each 256² tile."""
        seconds = 4 * sum(self.window(10 if self.quick else 50, halo=0)) * (5 if self.quick else 1)
        ratio = seconds / self.tile
        return Row(
            "the paper's recipe (same network, 50 steps, half-overlapping windows)",
            f"{seconds:.1f} s a tile, we are {ratio:.0f}× faster",
            "≥ 25× faster",
            ratio >= 25,
            {"paper_s": seconds, "ratio": ratio},
        )

    def neighbours(self) -> Row:
        """Square blocks of new z15 tiles, each in a place of its own, ancestors and all."""
        per_tile = {}
        for side in (1, 2, 4) if self.quick else (1, 2, 4, 8):
            x0, y0 = 9000 + 512 * side, 12000
            block = [self.address(x0 + i, y0 + j, seed=77) for j in range(side) for i in range(side)]
            per_tile[side * side] = timed(lambda block=block: self.at_once(block)) / side**2
        values = list(per_tile.values())
        return Row(
            f"{', '.join(map(str, per_tile))} neighbouring tiles, ancestors included",
            ", ".join(f"{value:.2f}" for value in values) + " s a tile",
            "falls or stays flat",
            all(later <= 1.05 * earlier for earlier, later in zip(values, values[1:], strict=False)),
            {str(count): value for count, value in per_tile.items()},
        )

    def blocks(self) -> Row:
        """Blocks of new z15 windows whose ancestors exist, each in a place of its own, as a GPU makes them."""
        from model.generator import KeptBase, MemoryStore
        from model.window import TILES, block

        side, halo = self.generator.block, self.checkpoint.sampler.halo
        base = KeptBase(self.generator.worlds.get("earth"), self.address(0, 0), MemoryStore())
        x0, _, x1, _ = TILES.condition_box(halo, 0, 0)
        conditions = np.random.default_rng(15).integers(60, 120, (side**2, x1 - x0, x1 - x0, 3), dtype=np.uint8)

        def make(x: int, y: int) -> None:
            block(self.checkpoint, conditions, 0, 15, x // side * side, y // side * side, side, base=base, drop=halo)

        make(0, 11000)
        seconds = [timed(lambda x=x, y=y: make(x, y)) for x, y in places(5 if self.quick else 30)]
        rate = side**2 / statistics.median(seconds)
        return Row(
            f"new z15 tiles in blocks of {side**2} whose ancestors exist, before encoding, {len(seconds)} places",
            f"{rate:.0f} a second",
            "≥ 600 a second on an H200",
            rate >= 600,
            {"tiles_per_s": rate, "median_s": statistics.median(seconds), "block": side},
        )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of a table.")
@click.option("--quick", is_flag=True, help="Fewer places; under a minute.")
@with_settings
def bench(settings: Settings, as_json: bool, quick: bool) -> None:
    """Measure this machine. Takes some minutes; run it while nothing else runs."""
    from server.bench_http import HttpBench

    local = Bench(settings, quick)
    rows = [*local.new_tiles(), local.deep_link(), local.paper(), local.neighbours()]
    if local.on_gpu:
        rows.append(local.blocks())
    with HttpBench(settings, quick) as served:
        rows += served.rows()
    setting = {
        "bare_network_call_s": local.bare,
        "bare_network_calls_per_s": local.bare_rate,
        "version": local.version,
        "threads": settings.threads,
        "device": settings.device,
    }
    if as_json:
        click.echo(json.dumps({**setting, "rows": [asdict(row) for row in rows]}, indent=1, ensure_ascii=False))
        return
    click.echo(
        f"One bare 256×256 network call: {1000 * local.bare:.1f} ms ({settings.threads} threads); "
        f"{local.generator.workers} at once: {local.bare_rate:.1f} a second\n"
    )
    click.echo("| | measured | target | |\n|---|---|---|---|")
    for row in rows:
        verdict = {True: "met", False: "missed", None: ""}[row.met]
        click.echo(f"| {row.name} | {row.measured} | {row.target} | {verdict} |")
