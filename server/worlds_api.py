"""``/api/worlds``: the list of worlds; adding one from a picture and removing it, for whoever may."""

import hmac
import ipaddress
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request, url_for

from model.errors import ElsewhereError, UnknownWorld
from model.worlds import World
from server.openness import allow_any_origin
from server.services import services

blueprint = Blueprint("worlds", __name__)


class Forbidden(ElsewhereError):
    code = "forbidden"


class BadRequest(ElsewhereError):
    code = "bad_request"


@blueprint.get("/api/worlds")
def listed():
    response = jsonify(worlds=listing())
    response.headers["Cache-Control"] = "no-cache"
    return allow_any_origin(response)


def listing() -> list[dict]:
    """Every world with its versions, newest first."""
    found = []
    for name in services().worlds.names():
        try:
            found.append(_shown(services().worlds.get(name)))
        except UnknownWorld:
            continue  # removed in the meantime
    return found


@blueprint.post("/api/worlds")
def add():
    """A world from a picture: multipart fields name, title, attribution and file."""
    check_may_change()
    file = request.files.get("file")
    if file is None or not file.filename:
        raise BadRequest("send the picture as the multipart field 'file', beside 'name' and 'title'")
    worlds, settings = services().worlds, services().settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # In a folder of its own: no file that happens to lie beside it is taken for its world file.
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=settings.data_dir) as folder:
        path = Path(folder) / "picture"
        file.save(path)
        world = worlds.add(request.form.get("name", "").strip(), path, request.form.get("title", "")[:200],
                           request.form.get("attribution", "")[:500])
    response = jsonify(world=_shown(world))
    response.headers["Location"] = url_for("worlds.listed")
    return response, 201


@blueprint.delete("/api/worlds/<world>")
def remove(world: str):
    check_may_change()
    if not services().worlds.get(world).removable:
        raise Forbidden(f"the world {world!r} is built in and stays")
    services().worlds.remove(world)
    return "", 204


def _shown(world: World) -> dict:
    return {"name": world.name, "title": world.title, "note": world.note, "attribution": world.attribution,
            "base_zoom": world.base_zoom, "versions": services().generator.versions(world.name),
            "removable": world.removable}


def check_may_change() -> None:
    """Let pass whoever has the token, or sits at this machine and uses our own page (or no page).

    A browser here can be made to send requests by any page it shows, and a name that points at 127.0.0.1 makes such a
    page look like ours: so the peer, the Host and the Origin must all be local. Raises `Forbidden`, saying why.
    """
    settings = services().settings
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if given:
        bearer = scheme.lower() == "bearer"
        if settings.token and bearer and hmac.compare_digest(given.encode(), settings.token.encode()):
            return
        raise Forbidden("the token is not this server's" if settings.token else "this server has no token set")
    why = _outsider()
    if why:
        raise Forbidden(f"worlds are changed from this server's own machine or with its token: {why}")


def _outsider() -> str | None:
    """Why the request is not certainly of somebody at this machine; None if it is."""
    peer = request.environ.get("werkzeug.proxy_fix.orig", request.environ).get("REMOTE_ADDR", "")
    if not _is_loopback(peer):
        return f"you come from {peer or 'nowhere'}"
    forwarded = [name for name, _ in request.headers
                 if name.lower().startswith("x-forwarded") or name.lower() in ("forwarded", "x-real-ip", "via")]
    if forwarded:
        return f"a proxy stands between ({forwarded[0]})"
    if services().settings.public_url:
        return "the server runs under a public address"
    host = urlsplit(f"//{request.host}").hostname or ""
    if host != "localhost" and not _is_loopback(host):
        return f"you asked for it as {request.host}"
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        return f"a page of another site asked ({site})"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return f"a page of {origin} asked"
    return None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
