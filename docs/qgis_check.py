"""Does QGIS itself show Elsewhere? Run by hand, with Debian's QGIS and a running server:

    apt-get install --no-install-recommends python3-qgis qgis-providers
    make run &
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 docs/qgis_check.py http://127.0.0.1:8000 docs/qgis.png

It brings the world in by each door that `/use` offers (the layer file, the connection file's address, the WMTS, the
GDAL file), draws the same view through each, and compares. The picture is what the layer file drew.
"""

import sys
import tempfile
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import quote

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsLayerDefinition,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize

SIZE = QSize(960, 600)
CENTRE = (1560000.0, 5160000.0)  # the Adriatic, metres of EPSG:3857
# Exactly zoom 5 on a screen of 96 dots per inch, so that no door has to resample.
METRES_PER_PIXEL = 4891.96981025128


def layers(server: str, place: str, folder: Path) -> dict:
    """The same world through every door: name -> layer."""
    found = {}
    (folder / "layer.qlr").write_bytes(urllib.request.urlopen(f"{server}/gis/{place}/layer.qlr").read())
    project = QgsProject.instance()
    ok, message = QgsLayerDefinition.loadLayerDefinition(str(folder / "layer.qlr"), project, project.layerTreeRoot())
    assert ok, message
    (found["layer file"],) = project.mapLayers().values()

    connection = ET.fromstring(urllib.request.urlopen(f"{server}/gis/{place}/qgis.xml").read()).find("xyztiles").attrib
    source = f"type=xyz&url={quote(connection['url'], safe=':/{}')}&zmin={connection['zmin']}&zmax={connection['zmax']}"
    found["connection"] = QgsRasterLayer(source, connection["name"], "wms")

    capabilities = quote(f"{server}/wmts/{place}/WMTSCapabilities.xml", safe=":/")
    name = "elsewhere-" + place.partition("@")[0].replace("/", "-")
    source = (
        f"crs=EPSG:3857&format=image/png&layers={name}&styles=default&tileMatrixSet=GoogleMapsCompatible&url={capabilities}"
    )
    found["WMTS"] = QgsRasterLayer(source, name, "wms")
    found["GDAL file"] = QgsRasterLayer(f"{server}/gis/{place}/gdal.xml", "gdal", "gdal")
    return found


def draw(layer):
    """The view, as QGIS draws it."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setOutputSize(SIZE)
    settings.setOutputDpi(96)
    dx, dy = SIZE.width() * METRES_PER_PIXEL / 2, SIZE.height() * METRES_PER_PIXEL / 2
    settings.setExtent(QgsRectangle(CENTRE[0] - dx, CENTRE[1] - dy, CENTRE[0] + dx, CENTRE[1] + dy))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors(), [error.message for error in job.errors()]
    return job.renderedImage()


def difference(a, b) -> float:
    """Mean difference in grey levels, over every eighth pixel."""
    total = count = 0
    for y in range(0, SIZE.height(), 8):
        for x in range(0, SIZE.width(), 8):
            one, other = a.pixelColor(x, y), b.pixelColor(x, y)
            total += abs(one.red() - other.red()) + abs(one.green() - other.green()) + abs(one.blue() - other.blue())
            count += 3
    return total / count


def check(server: str, output: str, place: str) -> None:
    """Draw through every door, say what came, write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = {}
        for door, layer in layers(server.rstrip("/"), place, Path(folder)).items():
            assert layer.isValid(), f"{door}: {layer.error().message()}"
            drawn[door] = draw(layer)
            colours = {drawn[door].pixel(x, y) for x in range(0, SIZE.width(), 7) for y in range(0, SIZE.height(), 7)}
            apart = difference(drawn[door], drawn["layer file"])
            words = f"{len(colours)} colours, {apart:.2f} grey levels from the layer file"
            print(f"{door:<11} {layer.crs().authid()} {words} {layer.name()!r}")
            assert len(colours) > 500, f"{door} drew nothing"
        drawn["layer file"].save(output)
        QgsProject.instance().clear()


def main(server: str, output: str, place: str = "earth/0") -> None:
    application = QgsApplication([], False)
    application.initQgis()
    check(server, output, place)  # its layers are gone when QGIS goes: it would stumble over them
    application.exitQgis()


if __name__ == "__main__":
    main(*sys.argv[1:])
