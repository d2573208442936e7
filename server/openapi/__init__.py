"""What this server answers, for programs (``/api/openapi.json``) and for people (``/api/docs``)."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, render_template, request

from server import addresses
from server.openapi.document import describe

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"

blueprint = Blueprint("openapi", __name__, template_folder=str(TEMPLATES))


@blueprint.get("/api/openapi.json")
def document() -> Response:
    """OpenAPI 3.1."""
    response = jsonify(describe(addresses.root()))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/api/docs")
def page() -> Response:
    """The same to read."""
    response = Response(render_template("openapi.html", api=describe(addresses.root())), mimetype="text/html")
    response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)
