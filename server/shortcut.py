"""The short way to a stored tile: answers that were given once as a hit, given again without asking Flask.

Flask, its hooks and a thread of its own cost a stored tile most of a millisecond of Python, and each of them is taken
from the render threads. So what Flask answered to a hit is remembered by the address that was asked for: the *head* of
the answer only. The picture stays where it was, in the store's memory, and the world is looked at every time; when
either is no more what it was, or the request is anything but the plainest, Flask is asked as before.

``server.doorstep`` brings the requests.
"""

from typing import NamedTuple

from flask import Response, g, request

from model.errors import UnknownWorld
from model.generator import Address, Generator
from model.recent import Recent
from server.foresight import Foresight
from server.metrics import Metrics
from server.store import TileStore, key_of

HEADS = 4096  # remembered; about 1.5 kB each, for the 64 MB of pictures that the store has at hand
_OF_A_BODY = {"content-type", "content-length", "x-cache", "server-timing"}  # what a 304 does not say


class Known(NamedTuple):
    """What was answered once, and what must still hold for it to be answered again."""

    address: Address
    pinned: bool
    key: str  # in the store
    ext: str
    rule: str  # Flask's route, for the count of requests
    etag: str  # as in the header, with its quotes
    found: "Head"
    unchanged: "Head"


class Head(NamedTuple):
    """A status line and headers as bytes, around the date."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, status: str, headers: list[tuple[str, str]], server: str) -> "Head":
        """Headers in the order of their names, as waitress writes them."""
        lines = sorted([*headers, ("Server", server), ("Date", "\0")], key=lambda header: header[0])
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return cls(*f"HTTP/1.1 {status}\r\n{text}\r\n".encode("latin-1").split(b"\0"))

    def on(self, date: str) -> bytes:
        return b"%b%b%b" % (self.before, date.encode("latin-1"), self.after)


class Shortcut:
    """Learns from Flask's answers in any thread, answers in one. ``server`` is the name in the header Server."""

    def __init__(
        self, generator: Generator, store: TileStore, foresight: Foresight, metrics: Metrics, server: str = "Elsewhere"
    ):
        self.generator, self.store, self.foresight, self.metrics, self.server = (
            generator, store, foresight, metrics, server,
        )  # fmt: skip
        self._known: Recent[Known] = Recent(HEADS, size=lambda known: 1)

    def learn(self, response: Response) -> Response:
        """Remember an answer if the view has named the tile that it was a hit for (an ``after_request`` function).

        Must be the last of them: what others would still add to the answer would be missing from ours.
        """
        ask, target = g.get("hit"), request.environ.get("REQUEST_URI")
        if ask is None or response.status_code != 200 or not target or "?" in target:
            return response
        headers = [
            # Ours is answered from memory: less than what this header can say.
            (name, "store;dur=0.0" if name == "Server-Timing" else value)
            for name, value in response.get_wsgi_headers(request.environ)
        ]
        unchanged = [(name, value) for name, value in headers if name.lower() not in _OF_A_BODY]
        known = Known(
            ask.address, ask.pinned, key_of(ask.address, ask.scale, ask.ext), ask.ext, request.url_rule.rule,
            f'"{ask.etag}"', Head.of("200 OK", headers, self.server),
            Head.of("304 NOT MODIFIED", unchanged, self.server),
        )  # fmt: skip
        self._known.put(target.encode("latin-1"), known)
        return response

    def knows(self, target: bytes) -> bool:
        """Whether it is worth reading the rest of a request for this target (``/tiles/…``, as it was sent)."""
        return self._known.get(target) is not None

    def answer(self, target: bytes, none_match: str | None, date: str) -> bytes | None:
        """The whole answer to a GET, head and body, and the same counts that Flask would have made; or None.

        ``none_match`` is the header If-None-Match: ours alone is understood here.
        """
        known = self._known.get(target)
        if known is None or none_match not in (None, known.etag):
            return None
        if not self._stands(known):
            self._known.forget(target)
            return None
        if none_match is not None:
            self.metrics.tile("not_modified", known.ext)
            self.metrics.request(known.rule, 304)
            return known.unchanged.on(date)
        data = self.store.at_hand(known.key)
        if data is None:
            return None
        self.foresight.note(known.address)
        self.metrics.tile("hit", known.ext)
        self.metrics.request(known.rule, 200)
        return known.found.on(date) + data

    def _stands(self, known: Known) -> bool:
        """Whether the world is still there, and this version still what the address asks for."""
        try:
            versions = self.generator.versions(known.address.world)
        except UnknownWorld:
            return False
        return known.address.version in (versions if known.pinned else versions[:1])
