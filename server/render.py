"""``python -m server render``: a piece of a world as a file."""

import re
from dataclasses import dataclass
from pathlib import Path

import click
from rasterio.crs import CRS
from rasterio.errors import CRSError
from tqdm import tqdm

from model.grid import MAX_ZOOM
from model.region import BadBox, Box
from server import encoding
from server.exports import archive, raster
from server.exports.area import Area
from server.exports.job import ExportFailed, Job, Workshop
from server.exports.price import Price, price
from server.settings import Settings

FORMS = {".tif": "tif", ".tiff": "tif", ".png": "png", ".pmtiles": "pmtiles", "": "folder"}
DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@dataclass(frozen=True)
class Request:
    """The command's own options, beside the settings."""

    world: str
    seed: str
    bbox: str | None
    geojson: Path | None
    zoom: str
    output: Path
    crs: str | None
    ext: str
    overwrite: bool

    @property
    def form(self) -> str:
        """``tif``, ``png``, ``pmtiles`` or ``folder``, by the output's name. Raises ExportFailed."""
        form = FORMS.get(self.output.suffix.lower())
        if form is None:
            raise ExportFailed(
                f"{self.output.name}: name a .tif, a .png, a .pmtiles, or a folder without a dot."
            )
        return form


def parse_zooms(text: str) -> tuple[int, ...]:
    """``12`` or ``8-12``. Raises ExportFailed."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*(?:-\s*(\d{1,2}))?\s*", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not low <= high <= MAX_ZOOM:
        raise ExportFailed(f"Zoom {text!r} does not exist: write 12 or 8-12, from 0 to {MAX_ZOOM}, the smaller first.")
    return tuple(range(low, high + 1))


def plan(asked: Request, generator) -> Job:
    """The job that was asked for, everything about it checked. Raises ElsewhereError."""
    if (asked.bbox is None) == (asked.geojson is None):
        raise BadBox("Say where: --bbox W,S,E,N or --geojson FILE, one of them.")
    area = Area(Box.parse(asked.bbox)) if asked.bbox is not None else Area.from_geojson(asked.geojson)
    zooms, form = parse_zooms(asked.zoom), asked.form
    seed, at, version = asked.seed.partition("@")
    world = generator.address(asked.world, seed, 0, 0, 0, version if at else None)
    picture = form in ("tif", "png")
    job = Job(world, area, zooms, "png" if picture else asked.ext)
    if picture and len(zooms) > 1:
        raise ExportFailed(f"A .{form} holds one zoom: --zoom {zooms[-1]}. Its overviews are made from that.")
    if asked.crs is not None:
        if form != "tif":
            raise ExportFailed("--crs is for GeoTIFF: the others are Web Mercator (EPSG:3857) by their nature.")
        try:
            CRS.from_user_input(asked.crs)
        except CRSError:
            raise ExportFailed(f"{asked.crs!r} is not a coordinate system: write it like EPSG:32632.") from None
    if picture:
        (region,) = job.regions
        limit = raster.PNG_LIMIT if form == "png" else 2**31 - 1
        if max(region.width, region.height) > limit:
            raise ExportFailed(
                f"{region.width} x {region.height} pixels are more than a .{form} holds ({limit} a side). "
                f"Take a smaller box, a smaller zoom than {region.z}, or a .pmtiles."
            )
    if asked.output.is_dir() or (asked.output.exists() and not asked.overwrite):
        how = "choose another name" if asked.output.is_dir() else "choose another name, or replace it: --overwrite"
        raise ExportFailed(f"{asked.output} exists already: {how}.")
    return job


def tags(job: Job, about) -> dict[str, str]:
    """What the GeoTIFF says about itself; the names with TIFFTAG become TIFF's own fields."""
    told = encoding.Provenance(job.source, generated=job.zooms[-1] > about.base_zoom)
    return {
        "TIFFTAG_SOFTWARE": "Elsewhere",
        "TIFFTAG_IMAGEDESCRIPTION": told.description,
        "TIFFTAG_COPYRIGHT": _ascii(about.attribution),
        **_common(job, told),
    }


def png_tags(job: Job, about) -> dict[str, str]:
    """The same in the words of a PNG's text fields."""
    told = encoding.Provenance(job.source, generated=job.zooms[-1] > about.base_zoom)
    credit = {"Copyright": _ascii(about.attribution)} if about.attribution else {}
    return {
        "Software": "Elsewhere",
        "Description": told.description,
        "Source": told.source,
        **credit,
        **_common(job, told),
    }


def _common(job: Job, told: encoding.Provenance) -> dict[str, str]:
    common = {
        "ELSEWHERE_WORLD": job.world.world,
        "ELSEWHERE_SEED": str(job.world.seed),
        "ELSEWHERE_VERSION": job.world.version,
        "ELSEWHERE_SOURCE": told.source,
        "SYNTHETIC": "yes" if told.generated else "no",
    }
    return common | ({"DIGITAL_SOURCE_TYPE": DIGITAL_SOURCE} if told.generated else {})


def _ascii(text: str) -> str:
    """TIFF's and PNG's plain fields hold no more."""
    return text.encode("ascii", "replace").decode()


def make(asked: Request, job: Job, generator, show: bool) -> None:
    """Make the output. Raises ExportFailed; what was made until then is kept beside it for the next try."""
    about = generator.worlds.get(job.world.world)
    total = job.count()

    def bar(words: str) -> tqdm:
        return tqdm(total=total, desc=words, unit=" tiles", disable=not show, smoothing=0, dynamic_ncols=True)

    with Workshop(asked.output, job).opened() as workshop:
        with bar("Making tiles") as progress:
            for made in workshop.make(generator):
                if not made and show:
                    progress.initial += 1  # what an earlier run left took no time, and would spoil the time left
                progress.update()
        if asked.form == "folder":
            workshop.deliver(archive.write_folder(workshop, metadata(job, about)))
            return
        with bar("Writing") as progress:
            if asked.form == "pmtiles":
                workshop.deliver(archive.write_pmtiles(workshop, metadata(job, about), progress.update))
            elif asked.form == "tif":
                workshop.deliver(raster.write_geotiff(workshop, tags(job, about), asked.crs, progress.update))
            else:
                raster.deliver_png(workshop, *raster.write_png(workshop, png_tags(job, about), progress.update))


def metadata(job: Job, about) -> dict:
    """What an archive or a folder of tiles says about itself."""
    told = encoding.Provenance(job.source, generated=job.zooms[-1] > about.base_zoom)
    return {
        "name": f"{about.title}, seed {job.world.seed} (Elsewhere, synthetic)",
        "description": told.description,
        "attribution": f"Synthetic imagery, Elsewhere. {about.attribution}",
        "version": "1.0.0",
        "bounds": list(job.area.box),
        "minzoom": job.zooms[0],
        "maxzoom": job.zooms[-1],
        "elsewhere": {"world": job.world.world, "seed": str(job.world.seed), "version": job.world.version},
    }


def in_words(job: Job, cost: Price) -> str:
    """A price for people."""
    rows = [("tiles", f"{cost.tiles:,}")]
    if len(job.zooms) == 1:
        (region,) = job.regions
        rows.append(("pixels", f"{region.width:,} x {region.height:,} at zoom {region.z}"))
    if cost.windows:
        rows.append(("to make", f"{cost.windows:,} windows at most, {cost.window_seconds:.2f} s each on this machine"))
    rows += [
        ("time", f"about {duration(cost.seconds)}"),
        ("size", f"about {megabytes(cost.result_bytes)}"),
        ("disk", f"{megabytes(cost.needed_bytes)} needed while it is made, {megabytes(cost.free_bytes)} free"),
    ]
    return "\n".join(f"  {name:<8} {value}" for name, value in rows)


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``9 days``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{round(minutes / 60 / 24)} days"


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def run(settings: Settings, asked: Request, dry_run: bool, quiet: bool) -> None:
    """The command, settings and options in hand. Raises ElsewhereError."""
    from server.services import make_generator
    from server.store import TileStore

    _ = asked.form  # a wrong name is said before seconds are spent on loading
    store = TileStore(settings.cache_dir, settings.cache_size)
    try:
        generator = make_generator(settings, store)
        job = plan(asked, generator)
        cost = price(job, generator, asked.output, asked.form)
        if dry_run or not quiet:
            click.echo(f"{job.source}\n{in_words(job, cost)}")
        if dry_run:
            click.echo("Nothing was made (--dry-run).")
            return
        if not cost.fits:
            raise ExportFailed(
                f"{asked.output} does not fit: about {megabytes(cost.needed_bytes)} are needed while it is made, "
                f"{megabytes(cost.free_bytes)} are free there. Make room, or take a smaller box or zoom."
            )
        make(asked, job, generator, show=not quiet)
        click.echo(f"{asked.output} is there.")
    except KeyboardInterrupt:
        click.echo("\nStopped. The same command continues where this one was.", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        store.close()
