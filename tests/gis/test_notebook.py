"""``model.World``: three lines to an image with its place on the map; the notebook in ``docs/`` runs."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import rasterio
from nbclient import NotebookClient
from PIL import Image

import model
from model.region import BadBox

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
BOX = (7.0, 43.6, 7.3, 43.8)


@pytest.fixture
def earth(tiny_generator):
    return model.World("earth", seed="pandora", generator=tiny_generator)


def test_an_image_is_the_mosaic_of_its_tiles(earth, tiny_generator):
    image = earth.image(BOX, zoom=9)
    region = image.region
    for row in region.rows:
        for column in region.columns:
            tile = tiny_generator.pixels(tiny_generator.address("earth", "pandora", 9, column, row))
            for y in range(row * 256, row * 256 + 256, 37):
                for x in range(column * 256, column * 256 + 256, 37):
                    if region.x0 <= x < region.x1 and region.y0 <= y < region.y1:
                        there = image.pixels[y - region.y0, x - region.x0]
                        assert np.array_equal(there, tile[y - row * 256, x - column * 256])


def test_the_resolution_asked_for_chooses_the_nearest_zoom(earth):
    assert earth.image(BOX, resolution=850).region.z == 7
    assert earth.image(BOX, resolution=100_000).region.z == 0


def test_a_saved_image_keeps_its_place_and_says_what_it_is(earth, tmp_path):
    image = earth.image(BOX, zoom=7)
    image.save(tmp_path / "coast.tif")
    with rasterio.open(tmp_path / "coast.tif") as saved:
        assert saved.crs.to_string() == image.crs and saved.transform.almost_equals(image.transform)
        assert np.array_equal(saved.read().transpose(1, 2, 0), image.pixels)
        assert "Synthetic" in saved.tags()["TIFFTAG_IMAGEDESCRIPTION"]
    image.save(tmp_path / "coast.png")
    with Image.open(tmp_path / "coast.png") as saved:
        assert "Synthetic" in saved.text["Description"]
    assert len((tmp_path / "coast.pgw").read_text().split()) == 6


def test_a_box_across_the_antimeridian_is_one_image(earth):
    image = earth.image((179, -10, -179, -9), zoom=7)
    assert image.region.width > image.region.height and image.bounds.east > 180


@pytest.mark.parametrize("box", [(7, 44, 8, 43), (7, 43, 7, 44), (0, 0, 200, 99)])
def test_an_impossible_box_is_refused(earth, box):
    with pytest.raises(BadBox):
        earth.image(box, zoom=5)


def test_an_image_too_large_for_memory_is_refused(earth):
    with pytest.raises(BadBox, match="render"):
        earth.image((-180, -80, 180, 80), zoom=15)


def test_a_map_shows_the_picture_or_the_servers_tiles(earth):
    alone = earth.map(BOX, resolution=600).get_root().render()
    assert "data:image/png;base64," in alone
    served = earth.map(BOX, server="http://127.0.0.1:8000/").get_root().render()
    assert re.search(r"http://127\.0\.0\.1:8000/tiles/earth/pandora@[0-9a-f]{12}/\{z\}/\{x\}/\{y\}\.png", served)


def test_the_notebook_runs(tiny_weights, monkeypatch):
    monkeypatch.setenv("ELSEWHERE_WEIGHTS", str(tiny_weights))
    notebook = nbformat.read(DOCS / "elsewhere.ipynb", as_version=4)
    where = {"metadata": {"path": DOCS}}
    done = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    shown = [output["data"] for cell in done.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("image/png" in data for data in shown) and any("leaflet" in data.get("text/html", "") for data in shown)
