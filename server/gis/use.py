"""``/use/{world}/{seed}``: this world in the program that somebody already uses.

A snippet is a file of ``templates/snippets``, shown on the page and downloadable under its own name; the tests run each
one as it is printed.
"""

from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, abort, g, render_template, request

from server.gis.documents import qgis_source
from server.gis.place import Place, find

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
# Where the snippets open: most of Europe on `earth`, and land on most other planets.
VIEW = {"lon": 14, "lat": 42, "zoom": 4}


class Client(NamedTuple):
    """A program, how to bring the world into it without code, and a snippet for those who like code."""

    name: str
    steps: tuple[str, ...]  # each may name an address: {layer}, {qgis}, {wmts}, …
    snippet: str = ""  # file in templates/snippets
    snippet_is: str = ""


CLIENTS = (
    Client(
        "QGIS",
        (
            "Drag this file into the map window: {layer}",
            "Or keep the connection: Browser panel, right click on XYZ Tiles, Load Connections, this file: {qgis}",
            "Or Layer > Add Layer > Add WMS/WMTS Layer, New, with this address: {wmts}",
        ),
        "qgis.py",
        "For the Python console of QGIS",
    ),
    Client(
        "ArcGIS",
        (
            "ArcGIS Pro: Insert > Connections > Server > New WMTS Server, with this address: {wmts}",
            "ArcGIS Online: Add > Add layer from URL, type Tile layer, with this address: {arcgis}",
        ),
        "arcgis.html",
        "A page with the ArcGIS Maps SDK for JavaScript. Written from its documentation: we cannot run it here",
    ),
    Client("GDAL", ("Open this address or file like any raster: {gdal}",), "gdal.sh", "With GDAL's own programs"),
    Client("rasterio", (), "rasterio.py", "The same from Python: any pixels, any zoom, as a NumPy array"),
    Client("Leaflet", (), "leaflet.html", "A whole page"),
    Client("OpenLayers", (), "openlayers.html", "A whole page"),
    Client("MapLibre", ("The style alone: {style}",), "maplibre.html", "A whole page"),
    Client("folium", (), "folium.py", "A page written by Python, or a map in a notebook"),
    Client("ipyleaflet", (), "ipyleaflet.py", "A map in a notebook"),
    Client(
        "Anything else",
        (
            "Tiles (XYZ, Web Mercator, 256 pixels, zooms 0 to 15): {tiles}",
            "TileJSON 3.0.0: {tilejson}",
            "WMTS 1.0.0: {wmts}",
        ),
    ),
)

blueprint = Blueprint("use", __name__, template_folder=str(TEMPLATES))


@blueprint.get("/use/<world>/<spot>")
def page(world: str, spot: str) -> Response:
    """The page. Its addresses are pinned to a version, whether or not its own is."""
    place = find(world, spot)
    clients = [
        {
            "name": client.name,
            "steps": [_step(step, place) for step in client.steps],
            "snippet": client.snippet,
            "snippet_is": client.snippet_is,
            "code": _code(client.snippet, place) if client.snippet else "",
        }
        for client in CLIENTS
    ]
    html = render_template("use.html", place=place, clients=clients, nonce=g.get("csp_nonce", ""))
    response = Response(html, mimetype="text/html")
    response.cache_control.no_store = True  # it carries a nonce
    return response


@blueprint.get("/use/<world>/<spot>/<snippet>")
def download(world: str, spot: str, snippet: str) -> Response:
    """One snippet as a file."""
    if snippet not in {client.snippet for client in CLIENTS if client.snippet}:
        abort(404)
    place = find(world, spot)
    # As text, whatever it is: a page of ours must not run what is meant for other people's.
    response = Response(_code(snippet, place), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{place.identifier}-{snippet}"'
    response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


def _code(snippet: str, place: Place) -> str:
    return render_template(f"snippets/{snippet}", place=place, source=qgis_source(place), **VIEW) + "\n"


def _step(step: str, place: Place) -> dict:
    """A step in words, and the address it ends with (a file to download, or a text to paste)."""
    words, _, key = step.partition("{")
    key = key.rstrip("}")
    address = place.tiles_with("{level}", "{col}", "{row}") if key == "arcgis" else getattr(place, key)
    file = key in ("layer", "qgis", "gdal", "style")
    return {"words": words.strip(), "address": address, "file": address.rsplit("/", 1)[-1] if file else ""}
