"""The ``render`` command's options."""

from pathlib import Path

import click

from server.options import with_settings
from server.settings import Settings


@click.command()
@click.option("--world", default="earth", show_default=True, help="Which world; `python -m server worlds` lists them.")
@click.option("--seed", default="0", show_default=True, help="Its seed, a number or a word; @VERSION after it pins it.")
@click.option("--bbox", metavar="W,S,E,N", help="A box in degrees; W greater than E crosses the antimeridian.")
@click.option(
    "--geojson", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Polygons instead of a box."
)
@click.option("--zoom", required=True, metavar="Z[-Z]", help="12 (38 m a pixel at the equator), or 8-12 for tiles.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="out.tif (Cloud-Optimized GeoTIFF), out.png (and its world file), out.pmtiles, or a folder for z/x/y tiles.",
)
@click.option("--crs", metavar="CRS", help="Of a GeoTIFF: EPSG:32632 or the like in place of EPSG:3857.")
@click.option(
    "--format",
    "ext",
    type=click.Choice(["png", "webp", "jpg"]),
    default="png",
    show_default=True,
    help="Of the tiles in an archive or folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@click.option("--dry-run", is_flag=True, help="Say what it costs on this machine; make nothing.")
@click.option("--quiet", is_flag=True, help="No price, no progress.")
@with_settings
def render(settings: Settings, dry_run: bool, quiet: bool, **asked) -> None:
    """Make a piece of a world into a file.

    Stopped or killed at any moment, the same command continues. Until it is complete it lies beside its place, in a
    folder whose name ends in .part.
    """
    from server.render import Request, run  # torch and GDAL take seconds to import, --help should not

    run(settings, Request(**asked), dry_run, quiet)
