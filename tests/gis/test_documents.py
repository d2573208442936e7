"""The connection documents themselves: valid, pinned, rightly addressed, cheap to ask for again."""

import gzip
import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from server.app import create_app
from server.openapi.document import describe

DOCUMENTS = (
    "/tiles/earth/0/tilejson.json",
    "/wmts/earth/0/WMTSCapabilities.xml",
    "/gis/earth/0/qgis.xml",
    "/gis/earth/0/layer.qlr",
    "/gis/earth/0/gdal.xml",
    "/gis/earth/0/style.json",
)
# TileJSON 3.0.0, chapter 3, in JSON Schema.
TILEJSON = {
    "type": "object",
    "required": ["tilejson", "tiles", "vector_layers"],
    "properties": {
        "tilejson": {"type": "string", "pattern": r"^3\.\d+\.\d+$"},
        "tiles": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": r"^https?://.*\{z\}.*\{x\}.*\{y\}"}},
        "vector_layers": {"type": "array"},
        "attribution": {"type": "string"},
        "bounds": {
            "type": "array",
            "prefixItems": [
                {"type": "number", "minimum": -180, "maximum": 180},
                {"type": "number", "minimum": -90, "maximum": 90},
                {"type": "number", "minimum": -180, "maximum": 180},
                {"type": "number", "minimum": -90, "maximum": 90},
            ],
            "minItems": 4,
            "maxItems": 4,
        },
        "center": {"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "number"}},
        "description": {"type": "string"},
        "minzoom": {"type": "integer", "minimum": 0, "maximum": 30},
        "maxzoom": {"type": "integer", "minimum": 0, "maximum": 30},
        "name": {"type": "string"},
        "scheme": {"enum": ["xyz", "tms"]},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    },
}


@pytest.fixture
def version(app):
    return app.extensions["elsewhere"].generator.versions("earth")[0]


def test_tilejson_is_valid(client):
    document = client.get("/tiles/earth/pandora/tilejson.json").get_json()
    Draft202012Validator(TILEJSON).validate(document)
    assert (document["minzoom"], document["maxzoom"]) == (0, 15)
    assert "ynthetic" in document["attribution"] and "pandora" in document["tiles"][0]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_document_prints_a_pinned_address_that_answers(client, version, path):
    for asked in (path, path.replace("/0/", f"/0@{version}/")):
        text = client.get(asked).get_data(as_text=True)
        assert f"/tiles/earth/0@{version}/" in text or f"/tiles/earth/0%40{version}/" in text
        assert "ynthetic" in text
    assert client.get(f"/tiles/earth/0@{version}/2/1/1.png").status_code == 200


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_pinned_document_is_kept_for_ever_and_the_newest_is_asked_again(client, version, path):
    assert client.get(path).headers["Cache-Control"] == "no-cache"
    pinned = client.get(path.replace("/0/", f"/0@{version}/")).headers["Cache-Control"]
    assert "immutable" in pinned and "max-age=31536000" in pinned


@pytest.mark.parametrize("path", [*DOCUMENTS, "/api/openapi.json", "/api/docs"])
def test_documents_answer_head_and_conditions_and_travel_compressed(client, path):
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    if packed.headers.get("Content-Encoding") == "gzip":
        assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data)
    assert (packed.headers.get("Content-Encoding") == "gzip") == (len(plain.data) >= 600)
    assert "Accept-Encoding" in packed.headers["Vary"]
    for answer in (plain, packed):
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"})
        assert again.status_code == 304 and not again.data
    head = client.head(path)
    assert not head.data and head.headers["ETag"] == plain.headers["ETag"]
    assert head.headers["Content-Length"] == plain.headers["Content-Length"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_other_sites_may_read_documents(client, path):
    assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [*DOCUMENTS, "/use/earth/0"])
@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [("/nowhere/0", 404, "unknown_world"), ("/earth/0@0123456789ab", 404, "unknown_version"),
     ("/earth/0@", 404, "unknown_version"), ("/earth/not.a.seed", 400, "bad_seed")],
)  # fmt: skip
def test_what_does_not_exist_is_said_in_json(client, path, wrong, status, code):
    answer = client.get(path.replace("/earth/0", wrong))
    assert answer.status_code == status and answer.get_json()["error"]["code"] == code


def test_qgis_documents_hold_one_layer_each(client):
    connection = ET.fromstring(client.get("/gis/earth/0/qgis.xml").data).find("xyztiles").attrib
    assert (connection["zmin"], connection["zmax"]) == ("0", "15") and connection["url"].endswith("/{z}/{x}/{y}.png")
    layer = ET.fromstring(client.get("/gis/earth/0/layer.qlr").data).find("maplayers/maplayer")
    source = parse_qs(layer.findtext("datasource"))
    assert source["url"] == [connection["url"]] and source["zmin"] == ["0"] and source["zmax"] == ["15"]
    assert layer.findtext("srs/spatialrefsys/authid") == "EPSG:3857"


def test_addresses_are_the_declared_public_ones(settings):
    from dataclasses import replace

    app = create_app(replace(settings, public_url="https://maps.example.org/elsewhere"))
    try:
        client = app.test_client()
        for path in ("/gis/earth/0/style.json", "/elsewhere/gis/earth/0/style.json"):
            tiles = client.get(path).get_json()["sources"]["elsewhere"]["tiles"][0]
            assert tiles.startswith("https://maps.example.org/elsewhere/tiles/earth/0@")
        assert "https://maps.example.org/elsewhere/gis/earth/" in client.get("/use/earth/0").get_data(as_text=True)
    finally:
        app.extensions["elsewhere"].close()


@pytest.mark.parametrize("trusted", [True, False])
def test_forwarded_headers_are_believed_from_a_declared_proxy_only(settings, trusted):
    from dataclasses import replace

    app = create_app(replace(settings, trusted_proxy=trusted))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "maps.example.org", "X-Forwarded-Prefix": "/below"}
    try:
        tiles = app.test_client().get("/tiles/earth/0/tilejson.json", headers=headers).get_json()["tiles"][0]
    finally:
        app.extensions["elsewhere"].close()
    assert tiles.startswith("https://maps.example.org/below/tiles/" if trusted else "http://localhost/tiles/")


def test_the_openapi_description_is_valid(client):
    OpenAPIV31SpecValidator(client.get("/api/openapi.json").get_json()).validate()


def test_the_openapi_description_names_every_route_and_no_other(app):
    described = {(path, method.upper()) for path, methods in describe("/")["paths"].items() for method in methods}
    ours = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/static/", "/leaflet/")):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        path = path.replace("{spot}", "{seed}").replace("{tail}", "{y}.{ext}")
        ours |= {(path, method) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert ours == described


def test_the_readable_page_names_every_path_and_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs").get_data(as_text=True)
    assert all(path in page for path in client.get("/api/openapi.json").get_json()["paths"])
    assert 'src="http' not in page and 'rel="stylesheet" href="/static/' in page
