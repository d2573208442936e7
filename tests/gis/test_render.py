"""``python -m server render``: what it writes is sound, is what it says, and survives being killed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from PIL import Image
from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import zxy_to_tileid
from rasterio.warp import transform
from rio_cogeo import cog_validate

from model import checkpoint as checkpoints
from model import generator as generator_module
from model.generator import Generator
from model.grid import lonlat_to_pixel
from model.region import Box, Region, hilbert_tiles
from model.worlds import Worlds
from server import encoding
from server.cli import main
from server.exports import job as job_module
from server.exports.price import windows_needed

ROOT = Path(__file__).resolve().parent.parent.parent
BOX = "7.0,43.6,7.3,43.8"
FIJI = "178.9,-17.5,-179.2,-16.3"


@pytest.fixture
def render(tmp_path, tiny_weights):
    """``render("--bbox", …)``: run the command in this process; its result."""

    def run(*options: str):
        settings = ["--cache-dir", tmp_path / "cache", "--data-dir", tmp_path / "data", "--weights", tiny_weights]
        settings += ["--threads", "1", "--quiet"]
        return CliRunner().invoke(main, ["render", *options, *map(str, settings)])

    return run


def mosaic(generator, box: str, z: int) -> np.ndarray:
    """The pixels of a box straight from the generator, uint8 (H, W, 3)."""
    region = Region.covering(Box.parse(box), z)
    whole = np.vstack([
        np.hstack([generator.pixels(generator.address("earth", "7", z, x % (1 << z), y)) for x in region.columns])
        for y in region.rows
    ])  # fmt: skip
    left, top = region.x0 - region.columns[0] * 256, region.y0 - region.rows[0] * 256
    return whole[top : top + region.height, left : left + region.width]


def test_a_geotiff_is_cloud_optimized_tagged_and_holds_our_pixels(render, tmp_path, tiny_generator):
    out = tmp_path / "coast.tif"
    done = render("--bbox", BOX, "--seed", "7", "--zoom", "11", "-o", str(out))
    assert done.exit_code == 0, done.output
    valid, errors, warnings = cog_validate(out, strict=True, quiet=True)
    assert valid, (errors, warnings)
    with rasterio.open(out) as made:
        assert made.crs.to_epsg() == 3857 and made.overviews(1)
        assert np.array_equal(made.read().transpose(1, 2, 0), mosaic(tiny_generator, BOX, 11))
        tags = made.tags()
        x, y = lonlat_to_pixel(11, 7.1, 43.7)
        metres = transform("EPSG:4326", made.crs, [7.1], [43.7])
        row, col = made.index(metres[0][0], metres[1][0])
        region = Region.covering(Box.parse(BOX), 11)
        assert (col, row) == (int(x) - region.x0, int(y) - region.y0)
    assert "Synthetic" in tags["TIFFTAG_IMAGEDESCRIPTION"] and tags["ELSEWHERE_SEED"] == "7"
    assert tags["ELSEWHERE_VERSION"] in tags["ELSEWHERE_SOURCE"] and tags["SYNTHETIC"] == "yes"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("crs", ["EPSG:3832", "EPSG:4326"])
def test_a_box_across_the_antimeridian_is_one_piece_in_any_crs(render, tmp_path, crs):
    for name, more in (("plain.tif", ()), ("warped.tif", ("--crs", crs))):
        done = render("--bbox", FIJI, "--zoom", "7", "-o", str(tmp_path / name), *more)
        assert done.exit_code == 0, done.output
    with rasterio.open(tmp_path / "plain.tif") as plain, rasterio.open(tmp_path / "warped.tif") as warped:
        assert cog_validate(tmp_path / "warped.tif", strict=True, quiet=True)[0]
        assert warped.crs.to_string() == crs
        pixels = warped.read()
        assert (pixels[3] == 255).mean() > 0.98, "no half of it is missing"
        # The same places have the same colours: 20 spots on both sides of the antimeridian.
        a = plain.read()
        for lon in np.linspace(179.2, 180.5, 20):
            px, py = lonlat_to_pixel(7, lon, -16.9)
            region = Region.covering(Box.parse(FIJI), 7)
            x, y = transform("EPSG:4326", warped.crs, [lon if crs == "EPSG:3832" else lon], [-16.9])
            x = [lon] if crs == "EPSG:4326" else x
            row, col = warped.index(x[0], y[0])
            around = a[:, int(py) - region.y0 - 1 :, int(px) - region.x0 - 1 :][:, :3, :3].astype(int)
            there = pixels[:3, row, col].astype(int)
            assert (around.min((1, 2)) - 12 <= there).all() and (there <= around.max((1, 2)) + 12).all()


def test_a_png_has_its_world_file_and_says_what_it_is(render, tmp_path, tiny_generator):
    out = tmp_path / "coast.png"
    assert render("--bbox", BOX, "--seed", "7", "--zoom", "11", "-o", str(out)).exit_code == 0
    with Image.open(out) as picture:
        assert np.array_equal(np.asarray(picture), mosaic(tiny_generator, BOX, 11))
        assert "Synthetic" in picture.text["Description"]
    a, _, _, e, x, y = map(float, out.with_suffix(".pgw").read_text().split())
    region = Region.covering(Box.parse(BOX), 11)
    assert a == -e == pytest.approx(region.metres_per_pixel)
    assert (x - a / 2, y + a / 2) == pytest.approx((region.transform[2], region.transform[5]))


def test_an_archive_is_clustered_and_holds_the_tiles_of_the_server(render, tmp_path, tiny_generator):
    out = tmp_path / "coast.pmtiles"
    assert render("--bbox", FIJI, "--seed", "7", "--zoom", "3-7", "-o", str(out)).exit_code == 0
    with open(out, "rb") as file:
        source = MmapSource(file)
        reader = Reader(source)
        header = reader.header()
        assert header["clustered"] and (header["min_zoom"], header["max_zoom"]) == (3, 7)
        found = dict(all_tiles(source))
        assert {z for z, _, _ in found} == set(range(3, 8))
        assert {x for z, x, _ in found if z == 3} == {0, 7}, "both sides of the antimeridian"
        ids = [zxy_to_tileid(*tile) for tile in found]
        assert ids == sorted(ids)
        for (z, x, y), data in found.items():
            ours = tiny_generator.pixels(tiny_generator.address("earth", "7", z, x, y))
            assert np.array_equal(encoding.decode(data), ours)
        assert "ynthetic" in reader.metadata()["attribution"]


def test_a_folder_holds_tiles_by_name(render, tmp_path):
    out = tmp_path / "tiles"
    assert render("--bbox", BOX, "--zoom", "8-9", "-o", str(out), "--format", "webp").exit_code == 0
    assert (out / "8" / "132" / "93.webp").is_file() and json.loads((out / "metadata.json").read_text())["maxzoom"] == 9
    assert not list(out.rglob("*.new"))


def test_outside_its_polygons_a_picture_is_transparent(render, tmp_path):
    triangle = [[[7.0, 43.6], [7.4, 43.6], [7.0, 43.9], [7.0, 43.6]]]
    area = tmp_path / "area.geojson"
    geometry = {"type": "Polygon", "coordinates": triangle}
    area.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}))
    out = tmp_path / "triangle.tif"
    done = render("--geojson", str(area), "--zoom", "11", "-o", str(out))
    assert done.exit_code == 0, done.output
    with rasterio.open(out) as made:
        alpha = made.read(4)
    assert alpha[-5, 5] == 255 and alpha[5, -5] == 0 and 0.45 < (alpha == 255).mean() < 0.55


def test_killed_and_started_again_it_continues(tmp_path, tiny_weights):
    out = tmp_path / "tiles"
    command = [
        sys.executable, "-m", "server", "render", "--bbox", "5,43,8,46", "--zoom", "6-9", "-o", str(out),
        "--cache-dir", str(tmp_path / "cache"), "--data-dir", str(tmp_path / "data"), "--weights", str(tiny_weights),
        "--threads", "1", "--quiet",
    ]  # fmt: skip
    part = tmp_path / "tiles.part" / "tiles"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while len(list(part.rglob("*.png"))) < 8 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    made = {path.relative_to(part): path.stat().st_mtime_ns for path in part.rglob("*.png")}
    assert len(made) >= 8 and not out.exists()
    shutil.rmtree(tmp_path / "cache")  # what continues is the export, not the store
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    for path, stamp in made.items():
        assert (out / path).stat().st_mtime_ns == stamp, "nothing is made twice"
    expected = sum(Region.covering(Box.of(5, 43, 8, 46), z).tile_count for z in (6, 7, 8, 9))
    assert len(list(out.rglob("*.png"))) == expected and not part.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--bbox", "7,44,8,43"), "south is not below its north"),
        (("--bbox", "7,43,7,44"), "encloses nothing"),
        (("--bbox", "7,43,8"), "not four numbers"),
        (("--bbox", "nan,43,8,44"), "not four numbers"),
        (("--bbox", "7,86,8,87"), "beyond the map"),
        (("--bbox", "-200,43,8,44"), "leaves the map"),
        ((), "Say where"),
        (("--bbox", "0,0,100,80", "--zoom", "15", "-o", "big.png"), "more than a .png holds"),
        (("--bbox", BOX, "--zoom", "16"), "does not exist"),
        (("--bbox", BOX, "--zoom", "9-11"), "holds one zoom"),
        (("--bbox", BOX, "-o", "out.bmp"), "name a .tif"),
        (("--bbox", BOX, "--crs", "EPSG:0"), "not a coordinate system"),
        (("--bbox", BOX, "--world", "atlantis"), "atlantis"),
        (("--bbox", BOX, "--seed", "0@000000000000"), "000000000000"),
    ],
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(render, tmp_path, monkeypatch, options, words):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    given = dict(zip(options[::2], options[1::2], strict=True))
    given = {"--zoom": "9", "-o": "out.tif"} | given
    done = render(*(part for pair in given.items() for part in pair))
    assert done.exit_code == 1 and words in done.output and "Traceback" not in done.output
    assert not list(folder.iterdir())


def test_a_full_disk_is_said_and_leaves_no_half_file(render, tmp_path, monkeypatch):
    written = []

    def full(path: Path, data: bytes) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        real(path, data)

    real = job_module.put
    monkeypatch.setattr(job_module, "put", full)
    out = tmp_path / "coast.tif"
    done = render("--bbox", BOX, "--zoom", "11", "-o", str(out))
    assert done.exit_code == 1 and "is full" in done.output and not out.exists()
    monkeypatch.setattr(job_module, "put", real)
    assert render("--bbox", BOX, "--zoom", "11", "-o", str(out)).exit_code == 0 and out.exists()


def test_an_area_larger_than_the_disk_is_refused_before_it_is_begun(render, tmp_path):
    out = tmp_path / "world.tif"
    done = render("--bbox", "-180,-85,180,85", "--zoom", "14", "-o", str(out))
    assert done.exit_code == 1 and "does not fit" in done.output
    assert not out.exists() and not list(tmp_path.glob("*.part"))


def test_a_dry_run_makes_nothing_and_names_the_price(render, tmp_path):
    done = render("--bbox", "-10,35,30,60", "--zoom", "5-15", "-o", str(tmp_path / "europe.pmtiles"), "--dry-run")
    assert done.exit_code == 0 and "Nothing was made" in done.output
    assert "tiles" in done.output and "windows at most" in done.output and "days" in done.output
    assert not list(tmp_path.glob("europe*"))


@pytest.mark.parametrize("on_supports", [True, False], ids=["on supports", "on tiles"])
def test_the_price_counts_all_that_is_needed(tiny_weights, tmp_path, on_supports):
    from server.exports.area import Area

    tiny = checkpoints.load(tiny_weights)
    checkpoints.save(tmp_path, tiny.network, tiny.whitening, replace(tiny.sampler, supports=on_supports), {})
    generator = Generator(Worlds(None), weights=tmp_path, threads=1)
    job = job_module.Job(generator.address("earth", "3", 0, 0, 0), Area(Box.parse(BOX)), (12,))
    needed = {each for tile in job.tiles() for each in generator.needs(tile)}
    supported = Counter(each.z for each in needed if isinstance(each, generator_module.Support))
    tiles = Counter(each.z for each in needed if not isinstance(each, generator_module.Support))
    assert windows_needed(job, 5, generator.checkpoint(job.world)) == (tiles, supported)
    assert sorted(tiles) == ([13] if on_supports else [7, 9, 11, 13])


def test_the_price_counts_the_supports_that_are_made(tiny_weights, tmp_path, monkeypatch):
    from server.exports.area import Area

    tiny = checkpoints.load(tiny_weights)
    checkpoints.save(tmp_path, tiny.network, tiny.whitening, replace(tiny.sampler, supports=True), {})
    made, block = [], generator_module.block
    monkeypatch.setattr(generator_module, "block", lambda *args, **more: made.append(args[3]) or block(*args, **more))
    generator = Generator(Worlds(None), weights=tmp_path, threads=1)
    job = job_module.Job(generator.address("earth", "3", 0, 0, 0), Area(Box.parse(BOX)), (12,))
    for tile in job.tiles():
        generator.pixels(tile)
    tiles, supported = windows_needed(job, 5, generator.checkpoint(job.world))
    assert list(tiles) == [13] and list(supported) == [7, 9, 11]
    assert tiles | supported == Counter(made)


def test_another_job_under_the_same_name_is_refused(render, tmp_path):
    part = tmp_path / "coast.tif.part"
    (part / "tiles").mkdir(parents=True)
    (part / "job.json").write_text('{"world": "mars"}')
    done = render("--bbox", BOX, "--zoom", "9", "-o", str(tmp_path / "coast.tif"))
    assert done.exit_code == 1 and "something else" in done.output


@pytest.mark.parametrize("z", range(7))
def test_tiles_come_in_the_order_of_pmtiles(z):
    tiles = [zxy_to_tileid(z, x, y) for x, y in hilbert_tiles(z, lambda *tile: True)]
    first = zxy_to_tileid(z, 0, 0)
    assert tiles == list(range(first, first + 4**z))
