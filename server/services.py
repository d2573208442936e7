"""What a running server consists of, in one value: made once, reached from every view by :func:`services`."""

from contextlib import ExitStack
from dataclasses import dataclass

from flask import current_app

from model.generator import Generator
from model.worlds import Worlds
from server.delivery import Delivery
from server.foresight import Foresight
from server.metrics import Metrics
from server.queue import RenderQueue
from server.settings import Settings
from server.shortcut import Shortcut
from server.store import TileStore, sole_use


@dataclass(frozen=True)
class Services:
    settings: Settings
    worlds: Worlds
    generator: Generator
    store: TileStore
    queue: RenderQueue
    delivery: Delivery
    foresight: Foresight
    metrics: Metrics
    shortcut: Shortcut
    closing: ExitStack  # what to undo at the end, last first

    def close(self) -> None:
        """Send everybody away, end the render threads, close the store, free its folder. May be called twice."""
        self.closing.close()


def build(settings: Settings) -> Services:
    """Open the store, load the generator and start the render threads. Raises StoreUnusable, BadCheckpoint."""
    with ExitStack() as undo:
        undo.enter_context(sole_use(settings.cache_dir))
        store = TileStore(settings.cache_dir, settings.cache_size)
        undo.callback(store.close)
        generator = make_generator(settings, store)
        metrics = Metrics()
        foresight = Foresight(generator, settings.foresight)
        queue = RenderQueue(
            generator, settings.queue_limit, foresight.next, on_window=metrics.window, on_event=metrics.event
        ).start()
        undo.callback(queue.close)
        metrics.watch(queue, store)
        delivery = Delivery(generator, store, queue)
        shortcut = Shortcut(generator, store, foresight, metrics)
        return Services(
            settings, generator.worlds, generator, store, queue, delivery, foresight, metrics, shortcut, undo.pop_all()
        )


def make_generator(settings: Settings, store: TileStore | None) -> Generator:
    """The generator as configured; also for commands that need no server."""
    return Generator(
        Worlds(settings.data_dir),
        store=store,
        device=settings.device,
        threads=settings.threads,
        weights=settings.weights or None,
    )


def services() -> Services:
    """The services of the application that answers the current request."""
    return current_app.extensions["elsewhere"]
