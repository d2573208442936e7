"""Taking a view along: links, GIS, a georeferenced picture."""

import io
import zipfile

import mercantile
import numpy as np
import pytest
import rasterio
from PIL import Image

from model import grid
from tests.page.conftest import PHONE
from tests.page.test_map import ALPS

pytestmark = pytest.mark.browser


def test_the_copied_link_is_pinned_and_opens_the_same_view(visitor):
    guest = visitor(permissions=["clipboard-read", "clipboard-write"])
    page = guest.open(f"?seed=7&z=6&{ALPS}", settle=False)
    page.keyboard.press("s")
    page.click("#copy")
    page.wait_for_selector(".notice")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "seed=7@" in link
    page.goto(link)
    page.wait_for_selector("#pinned:not([hidden])")
    assert guest.view()["seed"].startswith("7@") and guest.view()["z"] == "6"
    page.keyboard.press("n")
    assert guest.view()["seed"].startswith("8@")


def test_use_in_gis_leads_to_this_world_and_version(visitor, live_server):
    page = visitor().open("?seed=7", settle=False)
    page.click("[data-opens=share]")
    path = page.get_attribute("#gis", "href")
    assert path.startswith("use/earth/7@")
    assert live_server.get("/" + path).status_code == 200


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_a_downloaded_view_lies_where_it_should(visitor, live_server, tmp_path, size):
    guest = visitor(**size)
    page = guest.open(f"?seed=7&z=7&{ALPS}")
    page.click("[data-opens=share]")
    with page.expect_download() as download:
        page.click("#download")
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert archive.testzip() is None
    archive.extractall(tmp_path)
    assert "synthetic" in (tmp_path / "README.txt").read_text()
    name = next(tmp_path.glob("*.png"))
    with rasterio.open(name) as picture:
        assert picture.crs.to_epsg() == 3857
        assert (picture.width, picture.height) == (page.viewport_size["width"], page.viewport_size["height"])
        assert picture.transform.a == pytest.approx(grid.ground_resolution(7, 0), rel=1e-9)
        pixels = picture.read()[:3]
        # The pixels of one tile are the server's own, at the place that the georeference says.
        box = mercantile.xy_bounds(66, 45, 7)
        column, row = (round(v) for v in ~picture.transform @ (box.left, box.top))
    r0, c0 = max(row, 0), max(column, 0)
    r1, c1 = min(row + 256, pixels.shape[1]), min(column + 256, pixels.shape[2])
    assert (r1 - r0) * (c1 - c0) > 10_000
    answer = live_server.get("/tiles/earth/7/7/66/45.png")
    tile = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    expected = tile[r0 - row : r1 - row, c0 - column : c1 - column]
    assert np.array_equal(pixels[:, r0:r1, c0:c1].transpose(1, 2, 0), expected)
