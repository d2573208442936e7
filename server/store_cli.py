"""``python -m server cache`` and ``verify``: what the store holds, and whether it holds the truth."""

import random

import click
import numpy as np

from server.options import with_settings
from server.settings import Settings


@click.group()
def cache() -> None:
    """Look at, empty or tidy the folder of made tiles."""


@cache.command()
@with_settings
def info(settings: Settings) -> None:
    """How many pictures are kept, and in how much room. Works beside a running server."""
    store = _open(settings)
    entries, size = store.disk.entries(), store.disk.bytes()
    click.echo(f"{settings.cache_dir}: {entries} pictures, {size / 1e6:.1f} MB of {settings.cache_size / 1e6:.0f} MB")
    worlds: dict[str, int] = {}
    for address in store.addresses():
        name = f"{address.world}@{address.version}"
        worlds[name] = worlds.get(name, 0) + 1
    for name, count in sorted(worlds.items()):
        click.echo(f"  {name}: {count} tiles")
    store.close()


@cache.command()
@with_settings
def clear(settings: Settings) -> None:
    """Remove every made tile. A running server must be stopped first."""
    from server.store import sole_use

    with sole_use(settings.cache_dir):
        store = _open(settings)
        click.echo(f"Removed {store.disk.clear()} pictures from {settings.cache_dir}.")
        store.close()


@cache.command()
@with_settings
def prune(settings: Settings) -> None:
    """Down to --cache-size, and without leftovers of a killed server. A running one must be stopped first."""
    from server.store import sole_use

    with sole_use(settings.cache_dir):
        store = _open(settings)
        freed = store.disk.prune()
        entries, size = store.disk.entries(), store.disk.bytes()
        click.echo(f"Freed {freed / 1e6:.1f} MB; {entries} pictures stay, {size / 1e6:.1f} MB.")
        store.close()


@click.command()
@click.option("--sample", type=click.IntRange(1), default=None, help="Check so many tiles, drawn by chance; else all.")
@with_settings
def verify(settings: Settings, sample: int | None) -> None:
    """Make tiles of the store again, from nothing, and compare them pixel by pixel.

    Names every tile that differs and then exits with status 1. Tiles of worlds and versions that are no longer here
    are counted and skipped. Works beside a running server.
    """
    from model.errors import UnknownVersion, UnknownWorld
    from model.generator import MemoryStore
    from server.services import make_generator

    store = _open(settings)
    # Windows made for one check serve the next one's ancestors; nothing comes out of the store that is on trial.
    generator = make_generator(settings, MemoryStore())
    addresses = list(store.addresses())
    if sample is not None and sample < len(addresses):
        addresses = random.sample(addresses, sample)
    same = differ = skipped = 0
    for address in sorted(addresses):
        try:
            generator.address(*address[:1], *address[2:], version=address.version)
        except (UnknownWorld, UnknownVersion):
            skipped += 1
            continue
        kept = store.get(address)
        if kept is None:
            skipped += 1  # damaged: it was named by the store's own warning, and is not served
            continue
        made = generator.pixels(address)
        if np.array_equal(kept, made):
            same += 1
            continue
        differ += 1
        off = np.abs(kept.astype(int) - made).max(axis=2)
        click.echo(f"DIFFERS {address}: {np.count_nonzero(off)} of {off.size} pixels, by up to {off.max()} grey levels")
    store.close()
    click.echo(f"{same} tiles are what they should be, {differ} differ, {skipped} skipped.")
    if differ:
        raise SystemExit(1)


def _open(settings: Settings):
    from server.store import TileStore  # torch and Flask take seconds to import, --help should not

    return TileStore(settings.cache_dir, settings.cache_size)
