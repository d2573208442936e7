"""Counters for Prometheus, in a registry of their own so that several applications can live in one process."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from model.generator import Needed

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What happened since the start. Safe from many threads."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.began = time.monotonic()
        self._tiles = Counter(
            "elsewhere_tiles", "Tile requests by outcome (hit, miss, join, not_modified, preview) and format",
            ["outcome", "ext"], registry=self.registry,
        )  # fmt: skip
        self._windows = Histogram(
            "elsewhere_window_seconds", "Seconds to make a tile, window or support, by zoom and whether anybody waited",
            ["zoom", "speculative"], registry=self.registry,
            buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1, 2, 5),
        )  # fmt: skip
        self._events = Counter(
            "elsewhere_queue_events", "Jobs dropped, failed, and requests refused as busy", ["event"],
            registry=self.registry,
        )  # fmt: skip
        self._requests = Counter(
            "elsewhere_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )

    def tile(self, outcome: str, ext: str) -> None:
        self._tiles.labels(outcome, ext).inc()

    def window(self, needed: Needed, seconds: float, speculative: bool) -> None:
        self._windows.labels(str(needed.z), "yes" if speculative else "no").observe(seconds)

    def event(self, name: str) -> None:
        self._events.labels(name).inc()

    def request(self, route: str, status: int) -> None:
        self._requests.labels(route, str(status)).inc()

    def watch(self, queue, store) -> None:
        """Gauges that look at a :class:`RenderQueue` and a :class:`TileStore` when they are read."""
        for name, note, look in (
            ("elsewhere_waiting", "Tiles that somebody waits for", queue.waiting),
            ("elsewhere_tile_seconds", "Seconds of one new window, moving average", lambda: queue.tile_seconds),
            ("elsewhere_store_entries", "Pictures in the store", store.disk.entries),
            ("elsewhere_store_bytes", "Bytes of the store", store.disk.bytes),
            ("elsewhere_store_fault", "1 while the store cannot be written", lambda: float(bool(store.disk.fault))),
            ("elsewhere_uptime_seconds", "Seconds since the start", self.uptime),
        ):
            Gauge(name, note, registry=self.registry).set_function(look)

    def uptime(self) -> float:
        return time.monotonic() - self.began

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
