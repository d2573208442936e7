"""The application: ``create_app()`` puts the parts together and adds what all answers have in common."""

import secrets

from flask import Flask, Response, g, request

from server import addresses, errors, gis, interesting, openapi, openness, page, services, status, tiles, worlds_api
from server.settings import Settings

# What a page of ours may load: from us only. Scripts and styles need the nonce of the request that they came with.
# Leaflet moves tiles with inline style *attributes* set from scripts, which a policy does not touch.
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)


def blueprints() -> list:
    """Every part that has routes."""
    pages = [page.blueprint, interesting.blueprint]
    return [tiles.blueprint, status.blueprint, worlds_api.blueprint, *pages, *gis.blueprints, openapi.blueprint]


def create_app(settings: Settings | None = None) -> Flask:
    """The whole application, its render threads running. Close it with ``app.extensions["elsewhere"].close()``.

    Raises StoreUnusable and BadCheckpoint.
    """
    settings = settings or Settings.load()
    app = Flask("server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.upload_limit
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    app.url_map.strict_slashes = False
    errors.install(app)
    for part in blueprints():
        app.register_blueprint(part)
    addresses.announce(app, settings.public_url, int(settings.trusted_proxy))
    app.extensions["elsewhere"] = here = services.build(settings)
    app.before_request(_choose_nonce)
    app.after_request(here.shortcut.learn)  # Flask runs these from the last to the first: it sees whole answers
    app.after_request(openness.compress)
    app.after_request(_protect)
    app.after_request(_count)
    return app


def _choose_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=g.get("csp_nonce", "")))
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def _count(response: Response) -> Response:
    # By rule and not by path: a counter for every tile of the planet would not fit into memory.
    services.services().metrics.request(request.url_rule.rule if request.url_rule else "none", response.status_code)
    return response
