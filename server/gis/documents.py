"""Connection files: TileJSON, WMTS, and those of QGIS, GDAL and MapLibre.

Each describes the same tiles to another program, takes a place with or without a version, and prints it pinned: what a
person keeps today shows the same picture tomorrow. The XML lies in ``templates/gis``.
"""

from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, render_template, request

from server import openness
from server.gis.place import Place, find

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
# WMTS counts in scales at 0.28 mm a pixel; this is zoom 0's on a 256 px tile.
SCALE_DENOMINATOR = 559082264.0287178

blueprint = Blueprint("gis", __name__, template_folder=str(TEMPLATES))


@blueprint.get("/tiles/<world>/<spot>/tilejson.json")
def tilejson(world: str, spot: str) -> Response:
    """TileJSON 3.0.0. ``vector_layers`` is required by its schema and empty: our tiles are pictures."""
    place = find(world, spot)
    document = {
        "tilejson": "3.0.0",
        "name": place.name,
        "description": place.description,
        "version": "1.0.0",
        "attribution": place.attribution,
        "scheme": "xyz",
        "tiles": [place.tiles],
        "minzoom": place.minzoom,
        "maxzoom": place.maxzoom,
        "bounds": [place.west, place.south, place.east, place.north],
        "center": [0.0, 20.0, 2],
        "vector_layers": [],
        "tileSize": place.tile_size,
    }
    return _answer(place, jsonify(document))


@blueprint.get("/wmts/<world>/<spot>/WMTSCapabilities.xml")
@blueprint.get("/wmts/<world>/<spot>/1.0.0/WMTSCapabilities.xml")
def wmts(world: str, spot: str) -> Response:
    """OGC WMTS 1.0.0, RESTful; ArcGIS puts a ``1.0.0`` of its own before the file's name."""
    place = find(world, spot)
    matrices = [
        {"zoom": z, "scale": f"{SCALE_DENOMINATOR / 2**z:.10f}", "size": 1 << z}
        for z in range(place.minzoom, place.maxzoom + 1)
    ]
    return _xml(place, "gis/wmts.xml", matrices=matrices)


@blueprint.get("/gis/<world>/<spot>/qgis.xml")
def qgis(world: str, spot: str) -> Response:
    """For QGIS: Browser > XYZ Tiles > Load Connections."""
    return _xml(find(world, spot), "gis/qgis.xml")


@blueprint.get("/gis/<world>/<spot>/layer.qlr")
def layer(world: str, spot: str) -> Response:
    """For QGIS: drag the file into the window."""
    place = find(world, spot)
    return _xml(place, "gis/layer.xml", source=qgis_source(place), download=f"{place.identifier}.qlr")


@blueprint.get("/gis/<world>/<spot>/gdal.xml")
def gdal(world: str, spot: str) -> Response:
    """For GDAL and all that opens files with it."""
    return _xml(find(world, spot), "gis/gdal.xml")


@blueprint.get("/gis/<world>/<spot>/style.json")
def style(world: str, spot: str) -> Response:
    """A MapLibre style: one raster source, one layer."""
    place = find(world, spot)
    source = {
        "type": "raster",
        "tiles": [place.tiles],
        "tileSize": place.tile_size,  # 512 is assumed otherwise, and every zoom would be one off
        "minzoom": place.minzoom,
        "maxzoom": place.maxzoom,
        "bounds": [place.west, place.south, place.east, place.north],
        "attribution": place.attribution,
    }
    document = {
        "version": 8,
        "name": place.name,
        "metadata": {"elsewhere:description": place.description},
        "center": [0, 20],
        "zoom": 2,
        "sources": {"elsewhere": source},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": "#0b1420"}},
            {"id": "elsewhere", "type": "raster", "source": "elsewhere"},
        ],
    }
    return _answer(place, jsonify(document))


def qgis_source(place: Place) -> str:
    """QGIS's own way to write the layer: a query string, in which the address must be percent-encoded."""
    return f"type=xyz&url={quote(place.tiles, safe=':/{}')}&zmin={place.minzoom}&zmax={place.maxzoom}&tilePixelRatio=1"


def _xml(place: Place, template: str, download: str = "", **values) -> Response:
    response = Response(render_template(template, place=place, **values), mimetype="application/xml")
    if download:
        response.headers["Content-Disposition"] = f'attachment; filename="{download}"'
    return _answer(place, response)


def _answer(place: Place, response: Response) -> Response:
    """Validators and lifetime: a pinned document stays, the newest version's may change with the next training."""
    if place.pinned:
        response.cache_control.public = True
        response.cache_control.max_age = 31536000
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


blueprint.after_request(openness.allow_any_origin)
