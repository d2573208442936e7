"""GDAL and OWSLib open what we hand out, over a socket, and get our pixels."""

import numpy as np
import pytest
import rasterio
from owslib.wmts import WebMapTileService
from rasterio.windows import Window, from_bounds

from model.region import HALF_WORLD

pytestmark = pytest.mark.gis

# One place at three zooms: base imagery, a mean of four windows, a window.
PLACES = [(4, 8, 5), (8, 136, 92), (15, 17476, 11860)]


def read(dataset, z: int, x: int, y: int) -> np.ndarray:
    """The pixels of a tile's square, at that tile's resolution, uint8 (256, 256, 3)."""
    size = 2 * HALF_WORLD / (1 << z)
    left, top = x * size - HALF_WORLD, HALF_WORLD - y * size
    window = from_bounds(left, top - size, left + size, top, dataset.transform)
    window = Window(*(round(value) for value in window.flatten()))
    return dataset.read(indexes=[1, 2, 3], window=window, out_shape=(3, 256, 256)).transpose(1, 2, 0)


@pytest.mark.parametrize("document", ["/gis/earth/0/gdal.xml", "WMTS:/wmts/earth/0/WMTSCapabilities.xml"])
def test_gdal_reads_our_pixels_at_three_overview_levels(live_server, tile, document):
    driver, slash, path = document.partition("/")
    with rasterio.open(f"{driver}{live_server.url}{slash}{path}") as dataset:
        assert dataset.crs.to_epsg() == 3857
        assert len(dataset.overviews(1)) >= 14
        for z, x, y in PLACES:
            assert np.array_equal(read(dataset, z, x, y), tile(z, x, y)), f"zoom {z}"


def test_owslib_parses_the_capabilities_and_fetches_a_tile(live_server):
    service = WebMapTileService(live_server.url + "/wmts/earth/pandora/WMTSCapabilities.xml")
    assert service.identification.version == "1.0.0"
    ((name, layer),) = service.contents.items()
    assert name == "elsewhere-earth-pandora" and "synthetic" in layer.title
    assert layer.boundingBoxWGS84 == pytest.approx((-180, -85.0511, 180, 85.0511), abs=1e-3)
    matrices = service.tilematrixsets["GoogleMapsCompatible"].tilematrix
    assert sorted(map(int, matrices)) == list(range(16))
    assert matrices["15"].scaledenominator == pytest.approx(559082264.0287178 / 2**15)
    answer = service.gettile(
        layer=name, tilematrixset="GoogleMapsCompatible", tilematrix="3", row=2, column=4, format="image/png"
    )
    assert answer.read() == live_server.get("/tiles/earth/pandora/3/4/2.png").content


def test_documents_of_a_real_server_name_the_address_it_was_asked_at(live_server):
    tiles = live_server.get("/tiles/earth/0/tilejson.json").json()["tiles"][0]
    assert tiles.startswith(live_server.url + "/tiles/earth/0@")
