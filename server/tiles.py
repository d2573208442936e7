"""``/tiles/{world}/{seed}[@{version}]/{z}/{x}/{y}[@2x].{ext}``: the tile route."""

import hashlib
import re
import time
from typing import NamedTuple

from flask import Blueprint, Response, g, request

from model.errors import BadTile, TileOutside
from model.generator import Address
from model.grid import MAX_ZOOM
from server import encoding, openness
from server.errors import BadFormat
from server.services import services

blueprint = Blueprint("tiles", __name__)
blueprint.after_request(openness.allow_any_origin)

FRESH = 3600  # seconds an unpinned tile is used without asking again; then its ETag is compared
FOREVER = 31536000  # seconds, for pinned tiles


class Ask(NamedTuple):
    """A tile request, understood."""

    address: Address
    scale: int
    ext: str
    pinned: bool

    @property
    def etag(self) -> str:
        """A strong validator known before any pixel is: everything that the bytes depend on."""
        a = self.address
        parts = (a.world, a.version, a.seed, a.z, a.x, a.y, self.scale, self.ext, encoding.REVISION)
        return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=12).hexdigest()


@blueprint.get("/tiles/<world>/<spot>/<z>/<x>/<tail>")
def tile(world: str, spot: str, z: str, x: str, tail: str) -> Response:
    """One tile: from the store at once, otherwise when it is made. With ``?preview=1`` whatever there is, at once."""
    ask = understand(world, spot, z, x, tail)
    here = services()
    if request.args.get("preview") == "1":
        return preview(ask)
    if request.if_none_match.contains_weak(ask.etag):
        here.metrics.tile("not_modified", ask.ext)
        # Of the picture's type, though a 304 does not say it: what is added to pages is not added to this.
        return _validated(ask, Response(status=304, mimetype=encoding.TYPES[ask.ext]))
    here.foresight.note(ask.address)
    began = time.perf_counter()
    delivered = here.delivery.picture(ask.address, ask.scale, ask.ext, gone=_hang_up())
    spent = time.perf_counter() - began
    here.metrics.tile(delivered.how, ask.ext)
    response = Response(delivered.data, mimetype=encoding.TYPES[ask.ext])
    response.headers["X-Cache"] = delivered.how
    if delivered.how == "hit":
        g.hit = ask  # server.shortcut will know it
    response.headers["Server-Timing"] = f"{'store' if delivered.how == 'hit' else 'render'};dur={1000 * spent:.1f}"
    return _validated(ask, response)


def preview(ask: Ask) -> Response:
    """The deepest kept ancestor enlarged; for our own page, which asks for the tile itself beside it."""
    here = services()
    began = time.perf_counter()
    found = here.delivery.preview(ask.address, ask.ext)
    here.metrics.tile("preview", ask.ext)
    response = Response(found.data, mimetype=encoding.TYPES[ask.ext])
    response.headers["X-Preview-Level"] = str(found.level)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Server-Timing"] = f"preview;dur={1000 * (time.perf_counter() - began):.1f}"
    return response


def understand(world: str, spot: str, z: str, x: str, tail: str) -> Ask:
    """Read a tile's path. Raises BadFormat, BadTile, TileOutside, BadSeed, UnknownWorld, UnknownVersion."""
    y, dot, ext = tail.rpartition(".")
    if not dot or ext not in encoding.TYPES:
        raise BadFormat(f"A tile ends in .png, .webp or .jpg, not {tail!r}.")
    scale = 1
    if "@" in y:
        y, _, size = y.partition("@")
        if size != "2x":
            raise BadFormat(f"A tile is 256 pixels wide, or 512 as {y}@2x.{ext}; there is no @{size}.")
        scale = 2
    seed, at, version = spot.partition("@")
    column, row, zoom = (_integer(name, text) for name, text in (("x", x), ("y", y), ("z", z)))
    address = services().generator.address(world, seed, zoom, column, row, version if at else None)
    return Ask(address, scale, ext, bool(at))


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise BadTile(f"{name} is {text!r}; a tile's z, x and y are whole numbers, as in /tiles/earth/0/4/8/5.png.")
    if len(text) > 9:
        raise TileOutside(f"{name} is far outside the map: zooms end at {MAX_ZOOM}.")
    return int(text)


def _validated(ask: Ask, response: Response) -> Response:
    response.set_etag(ask.etag)
    response.cache_control.public = True
    response.cache_control.max_age = FOREVER if ask.pinned else FRESH
    if ask.pinned:
        response.cache_control.immutable = True
    return response


def _hang_up():
    """A function that tells whether the client of this request has hung up (never, where the server cannot tell)."""
    return request.environ.get("waitress.client_disconnected", lambda: False)
