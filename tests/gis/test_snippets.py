"""``/use``: every snippet runs as it is printed (ArcGIS apart, which cannot be had here)."""

import html
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import requests

from model.grid import lonlat_to_pixel

pytestmark = pytest.mark.gis

# The snippets open at 42 N, 14 E, zoom 4: on a page of 512 px the border of these two tiles runs through the middle.
MIDDLE = ((4, 8, 5), (4, 8, 6))


@pytest.fixture(scope="module")
def printed(live_server):
    """``printed(name)``: a snippet's text as it stands on the page."""
    page = live_server.get("/use/earth/0").text

    def get(name: str) -> str:
        code = html.unescape(re.search(rf'data-snippet="{re.escape(name)}">(.*?)</code>', page, re.DOTALL)[1])
        version = live_server.get("/tiles/earth/0/tilejson.json").json()["tiles"][0].split("@")[1][:12]
        assert live_server.get(f"/use/earth/0@{version}/{name}").text == code, "the download is what is printed"
        return code

    return get


def shows_our_tiles(visit, tile) -> bool:
    """Whether the page's middle 64 px are those of our tiles, up to a resampling by a fraction of a pixel."""
    x, y = lonlat_to_pixel(4, 14, 42)
    ours = np.vstack([tile(*address) for address in MIDDLE]).astype(float)
    left, top = round(x) - MIDDLE[0][1] * 256 - 32, round(y) - MIDDLE[0][2] * 256 - 32
    theirs = visit.colour()[224:288, 224:288].astype(float)
    shifts = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return any(np.abs(ours[top + dy :, left + dx :][:64, :64] - theirs).mean() < 3 for dx, dy in shifts)


@pytest.mark.browser
@pytest.mark.parametrize("library", ["leaflet", "openlayers", "maplibre"])
def test_a_pasted_page_shows_our_tiles(paste, printed, tile, library):
    def look(visit) -> bool:
        for _ in range(32):
            visit.page.wait_for_timeout(250)
            if shows_our_tiles(visit, tile):
                break
        assert not visit.errors
        return shows_our_tiles(visit, tile)

    assert paste(printed(f"{library}.html"), look)


@pytest.mark.browser
def test_folium_writes_a_page_that_shows_our_tiles(paste, printed, tile, tmp_path):
    run_python(printed("folium.py"), tmp_path)
    page = (tmp_path / "elsewhere.html").read_text()
    # folium's default page takes ten files from CDNs. Leaflet is the one that the map needs.
    page = re.sub(r'<(script|link)[^>]*leaflet(\.min)?\.(js|css)"[^>]*>', _leaflet_from_npm, page)
    page = re.sub(r'<script src="https://(?!unpkg)[^>]*></script>|<link[^>]*href="https://(?!unpkg)[^>]*>', "", page)

    def look(visit) -> bool:
        visit.page.wait_for_timeout(500)
        for _ in range(40):
            visit.page.wait_for_timeout(250)
            if shows_our_tiles(visit, tile):
                return True
        return False

    assert paste(page, look)


def _leaflet_from_npm(found) -> str:
    if found[1] == "script":
        return '<script src="https://unpkg.com/leaflet@1.9.4/dist/leaflet.js">'
    return '<link rel="stylesheet" href="https://unpkg.com/leaflet@1.9.4/dist/leaflet.css">'


def run_python(code: str, folder, python: str = sys.executable, **environ: str) -> str:
    """Run a snippet in a fresh interpreter; what it printed."""
    file = folder / "snippet.py"
    file.write_text(code)
    # A snippet must run without warnings of ours; those inside other people's libraries are theirs.
    done = subprocess.run(
        [python, str(file)], cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, **environ}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rasterio_reads_an_array(printed, tmp_path):
    assert "(3, 256, 384)" in run_python(printed("rasterio.py"), tmp_path)


def test_ipyleaflet_asks_for_tiles_that_exist(printed, tmp_path):
    shown = run_python(printed("ipyleaflet.py") + "\nprint(map.layers[0].url)\n", tmp_path).strip()
    answer = requests.get(shown.format(z=4, x=8, y=5), timeout=60)
    assert answer.headers["Content-Type"] == "image/png"


def test_gdals_programs_make_a_geotiff(printed, tmp_path):
    if not shutil.which("gdal_translate"):
        pytest.skip("GDAL's programs are not installed (Debian: gdal-bin)")
    code = printed("gdal.sh")
    done = subprocess.run(["sh", "-e", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Pseudo-Mercator" in done.stdout and (tmp_path / "elsewhere.tif").stat().st_size > 10_000


def test_qgis_draws_our_tiles(printed, tmp_path):
    python = "/usr/bin/python3"
    look = [python, "-c", "import qgis.core"]
    if not shutil.which(python) or subprocess.run(look, capture_output=True).returncode != 0:
        pytest.skip("QGIS is not installed (Debian: python3-qgis)")
    code = printed("qgis.py")
    before = "from qgis.core import QgsApplication\napplication = QgsApplication([], False)\napplication.initQgis()\n"
    after = "print(layer.isValid(), layer.crs().authid(), layer.width(), layer.bandCount())\napplication.exitQgis()\n"
    shown = run_python(before + code + after, tmp_path, python, QT_QPA_PLATFORM="offscreen", HOME=str(tmp_path))
    assert shown.startswith("True EPSG:3857")


def test_arcgis_gets_its_own_placeholders(printed):
    assert "{level}/{col}/{row}.png" in printed("arcgis.html")
