"""The addresses we print: absolute, as the outside world sees this server.

Flask's own ``request.url_root`` is the one truth; ``announce`` makes it right at the door, once, so that no page or
document needs to know whether a proxy stands in front of us.
"""

from urllib.parse import quote, urlsplit

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix


class PublicUrl:
    """WSGI middleware: every request looks as if it had been sent to ``public_url``, whatever its Host header says."""

    def __init__(self, application, public_url: str):
        url = urlsplit(public_url)
        if url.scheme not in ("http", "https") or not url.netloc or url.query or url.fragment:
            raise ValueError(f"The public URL {public_url!r} is not one: write it like https://maps.example.org/elsewhere")
        self.application = application
        self.scheme, self.host, self.prefix = url.scheme, url.netloc, url.path.rstrip("/")

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        # Proxies differ in whether they strip the prefix they are mounted on; both arrive at the same place.
        if self.prefix and (path == self.prefix or path.startswith(self.prefix + "/")):
            path = path[len(self.prefix) :]
        environ = {**environ, "wsgi.url_scheme": self.scheme, "HTTP_HOST": self.host, "PATH_INFO": path}
        environ["SCRIPT_NAME"] = self.prefix
        return self.application(environ, start_response)


def announce(app: Flask, public_url: str | None, trusted_proxies: int) -> None:
    """Make ``request.url_root`` the outside address: a declared one, or what that many declared proxies forward.

    Forwarded headers are believed from declared proxies only: anybody can send them.
    """
    if trusted_proxies:
        n = int(trusted_proxies)
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=n)
    if public_url:
        app.wsgi_app = PublicUrl(app.wsgi_app, public_url)


def root() -> str:
    """Our outside address, ending in a slash."""
    return request.url_root


def place(seed: str, version: str | None) -> str:
    """One path segment: the seed as typed, pinned to a version where one is given."""
    return f"{seed}@{version}" if version else seed


def tile_template(world: str, seed: str, version: str | None, ext: str = "png") -> str:
    """``https://host/tiles/earth/0@<version>/{z}/{x}/{y}.png``; url_for would write ``%7Bz%7D``."""
    return f"{root()}tiles/{world}/{place(seed, version)}/{{z}}/{{x}}/{{y}}.{ext}"


def tilejson(world: str, seed: str, version: str | None) -> str:
    return f"{root()}tiles/{world}/{place(seed, version)}/tilejson.json"


def wmts(world: str, seed: str, version: str | None) -> str:
    return f"{root()}wmts/{world}/{place(seed, version)}/WMTSCapabilities.xml"


def gis(world: str, seed: str, version: str | None, document: str) -> str:
    """One of the connection files: qgis.xml, layer.qlr, gdal.xml, style.json."""
    return f"{root()}gis/{world}/{place(seed, version)}/{quote(document)}"


def use(world: str, seed: str, version: str | None, snippet: str | None = None) -> str:
    """The page of snippets, or one snippet's file."""
    page = f"{root()}use/{world}/{place(seed, version)}"
    return f"{page}/{quote(snippet)}" if snippet else page
