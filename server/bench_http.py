"""The part of the benchmark that needs a server: a real one on an empty folder, and clients in their own processes."""

import json
import multiprocessing
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from http.client import HTTPConnection
from urllib.parse import urlsplit

from server.figures import Row, percentile
from server.load import ask
from server.settings import Settings, option

VIEW = (6, 4)  # tiles that a 1280×800 window shows
STEADY = 540  # stored tiles a second: the target and a little more. Clients that never rest would measure only
# how two cores are shared between those who ask, those who answer and the network.
BROWSER = 6  # connections that a browser opens
SKIPPED = {"host", "port", "cache_dir", "data_dir", "foresight", "public_url", "token"}


class HttpBench:
    """A server of its own, for as long as the ``with`` lasts."""

    def __init__(self, settings: Settings, quick: bool):
        self.settings, self.quick = settings, quick
        self._undo = ExitStack()

    def __enter__(self) -> "HttpBench":
        folder = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="elsewhere-bench-"))
        given = [
            text
            for entry in fields(Settings)
            if entry.name not in SKIPPED and getattr(self.settings, entry.name) not in ("", False)
            for text in (option(entry.name), str(getattr(self.settings, entry.name)))
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--port", "0", "--foresight", "0",
             "--cache-dir", folder + "/cache", "--data-dir", folder + "/data", *given],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._undo.callback(self._stop)
        for line in self.process.stdout:
            found = re.search(r"open:\s+(http://\S+?)/?\s", line)
            if found:
                self.url = found[1]
                break
        else:
            raise RuntimeError("the server did not start")
        while not self.status_of("/readyz"):
            time.sleep(0.1)
        return self

    def __exit__(self, *error) -> None:
        self._undo.close()

    def _stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    def rows(self) -> list[Row]:
        views = [self.view(15, 1, (1.0, 2.0, 14.0))]
        if not self.quick:
            views.append(self.view(14, 2, (1.0, None, 45.0)))
        return [*views, self.stored(), self.crowd(), self.memory()]

    # -- asking ----------------------------------------------------------------------------------------------------

    def get(self, path: str):
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            answer.read()
            return answer

    def status_of(self, path: str) -> bool:
        try:
            return self.get(path).status == 200
        except OSError:
            return False

    def made(self) -> int:
        with urllib.request.urlopen(self.url + "/api/status", timeout=60) as answer:
            return json.load(answer)["made"]

    # -- rows ------------------------------------------------------------------------------------------------------

    def view(self, zoom: int, seed: int, targets: tuple[float, float | None, float]) -> Row:
        """A window full of tiles never touched: when it shows anything, when detail of z9, when all of it is sharp."""
        x0, y0 = (17000 << zoom) >> 15, (11000 << zoom) >> 15
        paths = [f"/tiles/earth/{seed}/{zoom}/{x0 + i}/{y0 + j}" for j in range(VIEW[1]) for i in range(VIEW[0])]
        began = time.perf_counter()
        seen = {"z9": float("nan")}

        def watch() -> None:
            while all_sharp is None:
                level = int(self.get(paths[-1] + ".webp?preview=1").headers["X-Preview-Level"])
                if level >= 9:
                    seen["z9"] = time.perf_counter() - began
                    return
                time.sleep(0.05)

        all_sharp = None
        with ThreadPoolExecutor(BROWSER) as pool:
            tiles = [pool.submit(self.get, path + ".png") for path in paths[:2]]  # a page asks for both at once
            list(pool.map(lambda path: self.get(path + ".webp?preview=1"), paths))
            first = time.perf_counter() - began
            watcher = threading.Thread(target=watch)
            watcher.start()
            tiles += [pool.submit(self.get, path + ".png") for path in paths[2:]]
            for tile in tiles:
                tile.result()
            all_sharp = time.perf_counter() - began
        watcher.join()
        detail = seen["z9"]
        limits = [limit for limit in targets if limit is not None]
        met = first <= targets[0] and all_sharp <= targets[2] and (targets[1] is None or detail <= targets[1])
        return Row(
            f"a 1280×800 view never touched at z{zoom}: first picture, z9 detail, all sharp",
            f"{first:.2f} s, {detail:.1f} s, {all_sharp:.1f} s",
            ", ".join(f"≤ {limit:g} s" for limit in limits),
            met,
            {"first_s": first, "detail_s": detail, "sharp_s": all_sharp},
        )

    def stored(self) -> Row:
        path = "/tiles/earth/1/15/17000/11000.png"
        url = urlsplit(self.url)
        connection = HTTPConnection(url.hostname, url.port, timeout=60)
        seconds = []
        for _ in range(220):
            began = time.perf_counter()
            connection.request("GET", path)
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
        connection.close()
        median = 1000 * statistics.median(seconds[20:])
        name = "a stored tile over HTTP, one connection, idle"
        return Row(name, f"{median:.1f} ms", "≤ 3 ms", median <= 3, {"median_ms": median})

    def crowd(self) -> Row:
        """Sixteen connections ask for stored tiles while new ones are being made."""
        seconds = 5 if self.quick else 15
        with self.new_tiles(seed=31):
            alone = self.rate(seconds)
        paths = [f"/tiles/earth/1/15/{17000 + i}/{11000 + j}.png" for j in range(VIEW[1]) for i in range(VIEW[0])]
        with self.new_tiles(seed=32):
            context = multiprocessing.get_context("spawn")
            with context.Pool(1) as pool:
                pool.apply(time.sleep, (0,))  # it has started
                asking = pool.apply_async(ask, (self.url, paths, 16, seconds, STEADY))
                beside = self.rate(seconds)
                latencies = asking.get(seconds + 30)
                flat_out = len(pool.apply(ask, (self.url, paths, 16, seconds / 3))) / (seconds / 3)
        rate, late = len(latencies) / seconds, 1000 * percentile(latencies, 0.95)
        kept = beside / alone if alone else float("nan")
        answered = f"{rate:.0f} a second (flat out {flat_out:.0f}), p95 {late:.0f} ms"
        return Row(
            f"stored tiles over 16 connections that ask {STEADY} times a second, while rendering goes on",
            f"{answered}, rendering keeps {100 * kept:.0f} %",
            "≥ 500 a second, p95 ≤ 60 ms, ≥ 50 %",
            rate >= 500 and late <= 60 and kept >= 0.5,
            {"per_second": rate, "p95_ms": late, "rendering_kept": kept, "flat_out_per_second": flat_out},
        )

    def rate(self, seconds: float) -> float:
        """Windows made a second."""
        before, began = self.made(), time.perf_counter()
        time.sleep(seconds)
        return (self.made() - before) / (time.perf_counter() - began)

    def new_tiles(self, seed: int) -> ExitStack:
        """While its ``with`` lasts, two clients ask for one new z15 tile after the other."""
        undo, stop = ExitStack(), threading.Event()

        def walk(row: int) -> None:
            x = 17000
            while not stop.is_set():
                self.get(f"/tiles/earth/{seed}/15/{x}/{row}.png")
                x += 1

        walkers = [threading.Thread(target=walk, args=(12000 + 4 * i,)) for i in range(2)]
        for walker in walkers:
            walker.start()
            undo.callback(walker.join)
        undo.callback(stop.set)  # the last said is the first done
        time.sleep(1)
        return undo

    def memory(self) -> Row:
        """The most that the serving process ever held (Linux tells; elsewhere this row has no number)."""
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1e6
        except OSError:
            peak = float("nan")
        return Row("memory of the serving process, peak", f"{peak:.2f} GB", "≤ 1.5 GB", peak <= 1.5, {"peak_gb": peak})
