"""``python -m server worlds``: list, add and remove worlds. A running server sees the change at once."""

from pathlib import Path

import click

from server.options import with_settings
from server.settings import Settings


@click.group()
def worlds() -> None:
    """List worlds; make one from a picture; remove one."""


@worlds.command("list")
@with_settings
def show(settings: Settings) -> None:
    """Every world, and how deep its picture goes."""
    register = _register(settings)
    for name in register.names():
        world = register.get(name)
        click.echo(f"{name:<16} z{world.base_zoom:<3} {world.title}{'' if world.removable else '  (built in)'}")


@worlds.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", default="", help="Shown in the picker; else the name.")
@click.option("--attribution", default="", help="Whose picture it is, and its licence.")
@with_settings
def add(settings: Settings, name: str, file: Path, title: str, attribution: str) -> None:
    """Make a world NAME from FILE: PNG, JPEG, WebP or TIFF.

    A 2:1 picture is the whole planet, a GeoTIFF lies where it belongs, any other shape is a patch on a plain ground.
    """
    world = _register(settings).add(name, file, title, attribution)
    click.echo(f"Added {world.name}: {world.note} Real down to zoom {world.base_zoom}.")


@worlds.command()
@click.argument("name")
@with_settings
def remove(settings: Settings, name: str) -> None:
    """Remove the world NAME that was added."""
    _register(settings).remove(name)
    click.echo(f"Removed {name}.")


def _register(settings: Settings):
    from model.worlds import Worlds  # numpy takes a moment, --help should not

    return Worlds(settings.data_dir)
