"""waitress's end of the short way (``server.shortcut``): a stored tile is answered where its request is read.

waitress reads in one loop and hands every request to a thread, which hands the answer back: five to ten switches
between threads a request, each of which must wait for Python's lock while the network runs. What is in memory needs
none of that, because nothing in it can wait.
"""

import time
from functools import partial

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.utilities import build_http_date

from server.shortcut import Shortcut

_PLAIN = b"GET /"


def install(sockets: dict, shortcut: Shortcut) -> None:
    """Let every listening socket of a waitress server answer what the shortcut knows.

    ``sockets`` is the server's map; a host name of several addresses has several sockets in it.
    """
    for each in sockets.values():
        if isinstance(each, BaseWSGIServer):
            each.channel_class = partial(Doorstep, shortcut)


class Doorstep(HTTPChannel):
    """One connection. Whatever is not a plain GET of something known goes waitress's own way."""

    def __init__(self, shortcut: Shortcut, *given, **named):
        self.shortcut = shortcut
        super().__init__(*given, **named)

    def received(self, data: bytes) -> bool:
        answer = self._known(data) if data.startswith(_PLAIN) else None
        if answer is None:
            return super().received(data)
        sent = self.send(answer)
        if sent < len(answer) and self.connected:
            self.write_soon(answer[sent:])  # the client reads slowly: the loop sends the rest when it can
            self.current_outbuf_count = self.adj.outbuf_high_watermark  # a new buffer next time, or this one grows
        return True

    def _known(self, data: bytes) -> bytes | None:
        """The answer to what was read, if that is one whole request with nothing before it and nothing after."""
        target = data[len(_PLAIN) - 1 : data.find(b" ", len(_PLAIN))]
        if not self.shortcut.knows(target):
            return None
        with self.requests_lock:
            if self.requests or self.request or self.total_outbufs_len or self.will_close or self.close_when_flushed:
                return None
        request = HTTPRequestParser(self.adj)
        length = request.received(data)
        if length < len(data) or not request.completed or request.error or request.expect_continue:
            return None
        headers = request.headers
        if request.version != "1.1" or headers.get("CONNECTION", "keep-alive").lower() != "keep-alive":
            return None
        return self.shortcut.answer(target, headers.get("IF_NONE_MATCH"), build_http_date(time.time()))
