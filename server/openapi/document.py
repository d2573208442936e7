"""The OpenAPI 3.1 description, as a dictionary. A test holds it against the application's own routes."""

VERSION = "1.0.0"  # of the interface, not of the imagery

_WORLD = {
    "name": "world",
    "in": "path",
    "required": True,
    "description": "A world's name, as `/api/worlds` lists them.",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$", "examples": ["earth"]},
}
_SEED = {
    "name": "seed",
    "in": "path",
    "required": True,
    "description": (
        "Which of the worlds of that name: 1 to 64 of `A-Z a-z 0-9 _ -`, a number or a word. `@` and a version after "
        "it pins the pictures: they never change, and may be kept for ever."
    ),
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}(@[0-9a-f]{12})?$", "examples": ["0", "pandora"]},
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "For programs.", "examples": ["unknown_world"]},
                "message": {"type": "string", "description": "For people: what was wrong, and what would be right."},
            },
        }
    },
}
_WORLD_OBJECT = {
    "type": "object",
    "required": ["name", "title"],
    "properties": {
        "name": {"type": "string"},
        "title": {"type": "string"},
        "note": {"type": "string"},
        "attribution": {"type": "string"},
        "base_zoom": {
            "type": "integer",
            "description": "Zooms up to this one show the base.",
        },
        "versions": {"type": "array", "items": {"type": "string"}, "description": "Newest first."},
    },
}
_STATUS = {
    "type": "object",
    "properties": {
        "rendering": {"type": ["object", "null"], "description": "The tile that is being made."},
        "waiting": {"type": "integer", "description": "Tiles that wait."},
        "tile_seconds": {"type": ["number", "null"], "description": "Seconds one new window takes, lately."},
        "eta_seconds": {"type": ["number", "null"], "description": "Seconds until nothing waits."},
        "made": {"type": "integer", "description": "Windows, supports and tiles made since the start."},
        "store": {"type": "object", "description": "Entries, bytes and the limit in bytes of what is kept."},
        "uptime_seconds": {"type": "number"},
    },
}


def describe(server: str) -> dict:
    """The whole description; ``server`` is the address it is asked at."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Elsewhere",
            "version": VERSION,
            "summary": "A map of places that do not exist.",
            "description": (
                "Every tile is a pure function of world, seed, zoom, column, row and the world's version. A tile that "
                "nobody asked for before is made while you wait: the answer is late, never a blank. All imagery is "
                "synthetic."
            ),
        },
        "servers": [{"url": server.rstrip("/") or "/"}],
        "tags": [
            {"name": "Tiles"},
            {"name": "Maps for GIS programs"},
            {"name": "Worlds"},
            {"name": "Pages"},
            {"name": "Operation"},
        ],
        "paths": {**_tiles(), **_documents(), **_worlds(), **_pages(), **_operation()},
        "components": {
            "schemas": {"Error": _ERROR, "World": _WORLD_OBJECT, "Status": _STATUS},
            "parameters": {"world": _WORLD, "seed": _SEED},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _place(*more: dict) -> list[dict]:
    return [{"$ref": "#/components/parameters/world"}, {"$ref": "#/components/parameters/seed"}, *more]


def _error(description: str) -> dict:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _ok(description: str, media: str, schema: dict | None = None) -> dict:
    return {"description": description, "content": {media: {"schema": schema or {"type": "string"}}}}


def _get(operation: str, tag: str, summary: str, answer: dict, parameters: list[dict] | None = None, **errors) -> dict:
    responses = {"200": answer, **{status.lstrip("_"): _error(text) for status, text in errors.items()}}
    described = {"operationId": operation, "tags": [tag], "summary": summary, "responses": responses}
    if parameters:
        described["parameters"] = parameters
    return {"get": described}


_PLACE_ERRORS = {
    "_400": "`bad_seed`: the seed has letters it may not have.",
    "_404": "`unknown_world` or `unknown_version`.",
}


def _tiles() -> dict:
    whole = {"type": "integer", "minimum": 0}
    parameters = _place(
        {"name": "z", "in": "path", "required": True, "schema": {**whole, "maximum": 15}, "description": "Zoom."},
        {"name": "x", "in": "path", "required": True, "schema": whole, "description": "Column, from the west."},
        {
            "name": "y",
            "in": "path",
            "required": True,
            "description": "Row, from the north. `@2x` after it asks for 512 pixels.",
            "schema": {"type": "string", "pattern": "^[0-9]+(@2x)?$"},
        },
        {
            "name": "ext",
            "in": "path",
            "required": True,
            "description": "Format.",
            "schema": {"type": "string", "enum": ["png", "webp", "jpg"]},
        },
        {
            "name": "preview",
            "in": "query",
            "description": "`1`: at once, the deepest kept ancestor enlarged; never cached.",
            "schema": {"type": "string", "enum": ["1"]},
        },
    )
    picture = {"type": "string", "contentMediaType": "image/png"}
    answer = {
        "description": "The tile. It says inside that it is synthetic, of which world, seed and version.",
        "headers": {
            "ETag": {"schema": {"type": "string"}, "description": "Known without rendering."},
            "X-Cache": {"schema": {"type": "string", "enum": ["hit", "miss", "join"]}},
            "Server-Timing": {"schema": {"type": "string"}, "description": "Milliseconds of rendering."},
        },
        "content": {
            "image/png": {"schema": picture},
            "image/webp": {"schema": picture},
            "image/jpeg": {"schema": picture},
        },
    }
    described = _get(
        "getTile",
        "Tiles",
        "One tile, 256 or 512 pixels wide, Web Mercator.",
        answer,
        parameters,
        _400="`bad_seed`, `bad_tile` or `bad_format`.",
        _404="`unknown_world`, `unknown_version` or `tile_outside`.",
        _503="`busy`: too many wait. `Retry-After` says when to come again.",
    )
    described["get"]["responses"]["304"] = {
        "description": "What `If-None-Match` named is still right."
    }
    return {"/tiles/{world}/{seed}/{z}/{x}/{y}.{ext}": described}


def _documents() -> dict:
    rows = (
        (
            "/tiles/{world}/{seed}/tilejson.json",
            "getTileJSON",
            "TileJSON 3.0.0.",
            "application/json",
            {"type": "object"},
        ),
        ("/wmts/{world}/{seed}/WMTSCapabilities.xml", "getWMTS", "OGC WMTS 1.0.0 (RESTful).", "application/xml", None),
        (
            "/wmts/{world}/{seed}/1.0.0/WMTSCapabilities.xml",
            "getVersionedWMTS",
            "The same where ArcGIS looks for it.",
            "application/xml",
            None,
        ),
        ("/gis/{world}/{seed}/qgis.xml", "getQgisConnection", "QGIS: a connection to load.", "application/xml", None),
        (
            "/gis/{world}/{seed}/layer.qlr",
            "getQgisLayer",
            "QGIS: a layer to drag into the map.",
            "application/xml",
            None,
        ),
        ("/gis/{world}/{seed}/gdal.xml", "getGdal", "GDAL: open it like any raster.", "application/xml", None),
        (
            "/gis/{world}/{seed}/style.json",
            "getStyle",
            "MapLibre: a whole style.",
            "application/json",
            {"type": "object"},
        ),
    )
    return {
        path: _get(operation, "Maps for GIS programs", summary, _ok(summary, media, schema), _place(), **_PLACE_ERRORS)
        for path, operation, summary, media, schema in rows
    }


def _worlds() -> dict:
    one = {"$ref": "#/components/schemas/World"}
    world = {"$ref": "#/components/parameters/world"}
    listed = _get(
        "listWorlds",
        "Worlds",
        "Every world there is.",
        _ok(
            "The worlds.",
            "application/json",
            {"type": "object", "properties": {"worlds": {"type": "array", "items": one}}},
        ),
    )
    form = {
        "type": "object",
        "required": ["name", "file"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"},
            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
            "title": {"type": "string"},
            "attribution": {"type": "string"},
        },
    }
    guarded = "Not from this machine and without the token."
    listed["post"] = {
        "operationId": "addWorld",
        "tags": ["Worlds"],
        "summary": "A world of your own, from a picture of a whole planet.",
        "security": [{}, {"token": []}],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {
            "201": _ok("The new world.", "application/json", one),
            "400": _error("`bad_world_name`, or no file."),
            "403": _error(guarded),
            "409": _error("`world_exists`."),
            "413": _error("The picture is too large."),
            "415": _error("It is no picture that can be read."),
        },
    }
    removed = {
        "delete": {
            "operationId": "removeWorld",
            "tags": ["Worlds"],
            "summary": "Remove a world that somebody added.",
            "security": [{}, {"token": []}],
            "parameters": [world],
            "responses": {
                "204": {"description": "It is gone."},
                "403": _error(guarded),
                "404": _error("`unknown_world`."),
            },
        }
    }
    return {"/api/worlds": listed, "/api/worlds/{world}": removed, "/api/interesting": _interesting()}


def _interesting() -> dict:
    query = [
        {"name": "world", "in": "query", "schema": {"type": "string", "default": "earth"}},
        {"name": "seed", "in": "query", "schema": {"type": "string", "default": "0"}},
        {
            "name": "kind",
            "in": "query",
            "description": "Of what; `any` takes turns.",
            "schema": {
                "type": "string",
                "enum": ["any", "coast", "river", "mountains", "desert", "dunes", "town"],
                "default": "any",
            },
        },
        {"name": "n", "in": "query", "description": "The n-th best.", "schema": {"type": "integer", "default": 0}},
    ]
    return _get(
        "findInteresting",
        "Worlds",
        "Somewhere worth a visit, and why.",
        _ok("Where (`lat`, `lon`, `z`), of what kind, and why.", "application/json", {"type": "object"}),
        query,
        _400="`bad_seed` or `bad_kind`.",
        _404="`unknown_world`, or nothing of that kind on this planet.",
    )


def _pages() -> dict:
    page = _ok("A page.", "text/html")
    code = {"name": "snippet", "in": "path", "required": True, "description": "Its name.", "schema": {"type": "string"}}
    return {
        "/": _get("getExplorer", "Pages", "The explorer; its address carries world, seed, zoom and centre.", page),
        "/use/{world}/{seed}": _get(
            "getUse", "Pages", "This world in QGIS, ArcGIS, GDAL, …", page, _place(), **_PLACE_ERRORS
        ),
        "/use/{world}/{seed}/{snippet}": _get(
            "getSnippet",
            "Pages",
            "One snippet of that page.",
            _ok("Code.", "text/plain"),
            _place(code),
            **_PLACE_ERRORS,
        ),
        "/api/docs": _get("getDocs", "Pages", "This description, to read.", page),
    }


def _operation() -> dict:
    status = _ok("The state.", "application/json", {"$ref": "#/components/schemas/Status"})
    ready = _get(
        "getReady",
        "Operation",
        "Weights loaded, store writable.",
        _ok("Ready.", "application/json", {"type": "object"}),
    )
    ready["get"]["responses"]["503"] = {"description": "Not yet, or not any more; the body says why."}
    return {
        "/api/status": _get("getStatus", "Operation", "What is being made and what waits.", status),
        "/api/openapi.json": _get(
            "getOpenApi", "Operation", "This description.", _ok("OpenAPI 3.1.", "application/json", {"type": "object"})
        ),
        "/healthz": _get("getHealth", "Operation", "Alive.", _ok("Alive.", "application/json", {"type": "object"})),
        "/readyz": ready,
        "/metrics": _get("getMetrics", "Operation", "Prometheus.", _ok("Metrics.", "text/plain")),
    }
