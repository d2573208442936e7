"""Stored tiles answered without Flask: the same answers as Flask's, and only while they are true."""

import contextlib
import dataclasses
import http.client
import socket
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from waitress import wasyncore

from server import load
from server.app import create_app
from server.serving import _listen

TILE = "/tiles/earth/0/9/267/180.png"
OTHER = "/tiles/earth/0/9/268/180.png"
BASE = "/tiles/earth/0/3/4/2.webp"


class Door:
    """waitress and the application in this process; ``asked`` are the paths that came as far as Flask."""

    def __init__(self, settings):
        self.app = create_app(dataclasses.replace(settings, port=0))
        self.here = self.app.extensions["elsewhere"]
        self.asked: list[str] = []
        inner = self.app.wsgi_app

        def counting(environ, start_response):
            self.asked.append(environ["PATH_INFO"])
            return inner(environ, start_response)

        self.app.wsgi_app = counting
        self.server = _listen(self.app, self.here.settings)
        self.port = int(self.server.effective_port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def close(self) -> None:
        # A loop that is awake already may have closed everything before the trigger, which it closes too, is pulled.
        with contextlib.suppress(OSError):
            self.server.trigger.pull_trigger(lambda: wasyncore.close_all(self.server._map))
        self.thread.join(20)
        self.server.task_dispatcher.shutdown()
        self.here.close()
        assert not self.thread.is_alive()

    def get(self, path: str, method: str = "GET", **headers):
        """An answer as (status, [(name, value)], body); names in small letters."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): v for name, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read()

    def know(self, path: str) -> None:
        """Ask until Flask has told the shortcut: once to make the tile, once as a hit."""
        self.get(path), self.get(path)
        self.asked.clear()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@pytest.fixture
def door(settings):
    door = Door(settings)
    yield door
    door.close()


def lasting(headers):
    """Headers without those that tell the time, and without ``Connection: close``, with which waitress ends a 304."""
    return [(name, value) for name, value in headers if name not in ("date", "server-timing", "connection")]


def request_for(path: str, extra: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode()


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def whole(connection: socket.socket, count: int) -> list[Answer]:
    """So many answers, in the order in which they came."""
    with connection.makefile("rb") as file:
        answers = []
        for _ in range(count):
            status, headers = int(file.readline().split()[1]), http.client.parse_headers(file)
            answers.append(Answer(status, headers, file.read(int(headers["Content-Length"]))))
        return answers


@pytest.mark.parametrize("path", [TILE, BASE, "/tiles/earth/pandora/8/134/90@2x.jpg"])
def test_the_third_answer_is_the_second_one_without_flask(door, path):
    first, second, third = door.get(path), door.get(path), door.get(path)
    assert door.asked == [path] * 2
    assert dict(first[1])["x-cache"] == "miss" and dict(third[1])["x-cache"] == "hit"
    assert (third[0], lasting(third[1]), third[2]) == (second[0], lasting(second[1]), second[2])
    assert dict(third[1])["server-timing"] == "store;dur=0.0"
    assert abs(parsedate_to_datetime(dict(third[1])["date"]).timestamp() - time.time()) < 30


def test_a_pinned_tile_stays_pinned(door):
    version = door.here.generator.versions("earth")[0]
    path = TILE.replace("/0/", f"/0@{version}/", 1)
    door.know(path)
    status, headers, _ = door.get(path)
    assert status == 200 and not door.asked
    assert dict(headers)["cache-control"] == "public, max-age=31536000, immutable"


def test_a_known_etag_is_answered_like_flask_answers_it(door):
    etag = dict(door.get(TILE)[1])["etag"]
    by_flask = door.get(TILE, If_None_Match=etag)
    door.know(TILE)
    by_us = door.get(TILE, If_None_Match=etag)
    assert not door.asked
    assert (by_us[0], lasting(by_us[1]), by_us[2]) == (304, lasting(by_flask[1]), b"")
    assert "content-security-policy" not in dict(by_us[1])


@pytest.mark.parametrize(("etags", "status"), [('"other"', 200), ("*", 304), ('"a", {}', 304), ("W/{}", 304)])
def test_other_conditions_are_left_to_flask(door, etags, status):
    etag = dict(door.get(TILE)[1])["etag"]
    door.know(TILE)
    assert door.get(TILE, If_None_Match=etags.format(etag))[0] == status
    assert door.asked == [TILE]


def test_it_is_counted_and_foreseen_as_before(door, monkeypatch):
    noted = []
    monkeypatch.setattr(door.here.foresight, "note", noted.append)
    door.know(TILE)
    etag = dict(door.get(TILE)[1])["etag"]
    door.get(TILE, If_None_Match=etag)
    text = door.here.metrics.exposition().decode()
    assert 'elsewhere_tiles_total{ext="png",outcome="hit"} 2.0' in text
    assert 'elsewhere_tiles_total{ext="png",outcome="not_modified"} 1.0' in text
    rule = "/tiles/<world>/<spot>/<z>/<x>/<tail>"
    assert f'elsewhere_requests_total{{route="{rule}",status="200"}} 3.0' in text
    assert f'elsewhere_requests_total{{route="{rule}",status="304"}} 1.0' in text
    assert not door.asked and len(noted) == 3 and noted[2] == noted[0]


@pytest.mark.parametrize("query", ["?preview=1", "?preview=0", "?"])
def test_a_question_mark_leads_to_flask(door, query):
    for _ in range(3):
        door.know(TILE)
        assert door.get(TILE + query)[0] == 200
        assert door.asked == [TILE]
    assert "x-preview-level" not in dict(door.get(TILE)[1])


def test_errors_are_asked_again(door):
    for _ in range(3):
        assert door.get("/tiles/earth/0/9/512/180.png")[0] == 404
    assert len(door.asked) == 3


def test_other_methods_are_left_to_flask(door):
    door.know(TILE)
    got, headed = door.get(TILE), door.get(TILE, "HEAD")
    assert door.get(TILE, "POST")[0] == 405
    assert lasting(headed[1]) == lasting(got[1]) and headed[2] == b""
    assert door.asked == [TILE, TILE]


def test_a_tile_that_the_store_has_lost_is_made_again(door):
    door.know(TILE)
    door.here.store.forget_world("earth")
    assert dict(door.get(TILE)[1])["x-cache"] == "miss"
    assert dict(door.get(TILE)[1])["x-cache"] == "hit"
    assert door.asked == [TILE]


def picture(path, colour):
    Image.fromarray(np.full((64, 128, 3), colour, np.uint8)).save(path, "PNG")
    return path


def test_a_world_removed_is_gone_and_replaced_is_another(door, tmp_path):
    worlds, path = door.here.worlds, "/tiles/mine/0/0/0/0.png"
    worlds.add("mine", picture(tmp_path / "a.png", (200, 30, 30)))
    version = door.here.generator.versions("mine")[0]
    pinned = path.replace("/0/", f"/0@{version}/", 1)
    door.know(pinned)
    door.know(path)
    red = door.get(path)
    assert red[0] == 200 and not door.asked, "people's own worlds go the short way too"
    worlds.remove("mine")
    assert door.get(path)[0] == 404 and door.get(pinned)[0] == 404
    worlds.add("mine", picture(tmp_path / "b.png", (30, 30, 200)))
    blue = door.get(path)
    assert blue[0] == 200 and blue[2] != red[2] and dict(blue[1])["etag"] != dict(red[1])["etag"]
    assert door.get(pinned)[0] == 404, "that version is no more"


def test_a_newer_version_is_what_an_unpinned_address_means(door, monkeypatch):
    old = door.here.generator.versions("earth")[0]
    pinned = TILE.replace("/0/", f"/0@{old}/", 1)
    door.know(TILE)
    door.know(pinned)
    shortcut = door.here.shortcut
    monkeypatch.setattr(shortcut.generator, "versions", lambda world: ["newer", old])
    assert shortcut.answer(TILE.encode(), None, "now") is None
    assert shortcut.answer(pinned.encode(), None, "now") is not None


def test_many_requests_at_once_are_answered_in_their_order(door):
    door.know(TILE)
    with door.connect() as connection:
        connection.sendall(request_for(TILE) + request_for(OTHER) + request_for(TILE))
        first, other, last = whole(connection, 3)
    assert first.body == last.body and first.headers["ETag"] == last.headers["ETag"] != other.headers["ETag"]


def test_a_known_tile_does_not_overtake_one_that_is_being_made(door, monkeypatch):
    door.know(TILE)
    pixels, begun = door.here.generator.pixels, threading.Event()

    def slow(*given):
        begun.set()
        time.sleep(0.3)
        return pixels(*given)

    monkeypatch.setattr(door.here.generator, "pixels", slow)
    with door.connect() as connection:
        connection.sendall(request_for(OTHER))
        assert begun.wait(20)
        connection.sendall(request_for(TILE))
        made, known = whole(connection, 2)
    assert (made.headers["X-Cache"], known.headers["X-Cache"]) == ("miss", "hit")


def test_a_request_in_pieces_and_one_with_a_body_are_understood(door):
    door.know(TILE)
    with door.connect() as connection:
        asked = request_for(TILE)
        connection.sendall(asked[:-7])
        time.sleep(0.1)
        connection.sendall(asked[-7:])
        answers = whole(connection, 1)
    with door.connect() as connection:
        connection.sendall(request_for(TILE, "Content-Length: 5\r\n"))
        time.sleep(0.1)
        connection.sendall(b"hello" + request_for(TILE))
        answers += whole(connection, 2)
    assert len({answer.body for answer in answers}) == 1 and {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request_for(TILE, "Connection: close\r\n"), b"HTTP/1.1 200"),
        (request_for(TILE).replace(b"HTTP/1.1", b"HTTP/1.0"), b"HTTP/1.0 200"),
        (request_for(TILE, "no colon\r\n"), b"HTTP/1.0 400"),
        (request_for(TILE, "Content-Length: many\r\n"), b"HTTP/1.1 400"),
    ],
)
def test_whoever_wants_the_connection_closed_or_asks_nonsense_finds_it_closed(door, asked, status):
    door.know(TILE)
    with door.connect() as connection:
        connection.sendall(asked)
        read = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert read.startswith(status)


def test_a_client_that_reads_slowly_gets_every_byte(door):
    door.know(TILE)
    body = door.get(TILE)[2]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", door.port))
        connection.sendall(request_for("/healthz"))
        assert whole(connection, 1)[0].status == 200
        ours = connection.getsockname()
        channel = next(each for each in list(door.server.active_channels.values()) if each.addr == ours)
        while channel.requests:  # a thread has answered and not yet said so
            time.sleep(0.01)
        channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        door.asked.clear()
        for _ in range(2):
            connection.sendall(request_for(TILE))
            time.sleep(0.2)
            assert channel.total_outbufs_len, "all of it was sent at once"
            assert whole(connection, 1)[0].body == body
    assert not door.asked


def test_a_client_that_hangs_up_amid_an_answer_harms_nobody(door, caplog):
    door.know(TILE)
    for _ in range(20):
        with door.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, no farewell
            connection.sendall(request_for(TILE))
    assert door.get(TILE)[0] == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_sixteen_clients_are_answered_whole(door):
    door.know(TILE)
    door.know(OTHER)
    assert len(load.ask(door.url, [TILE, OTHER], 16, 0.5, per_second=100)) > 16
    assert not door.asked


def test_the_load_client_takes_nothing_but_whole_answers(door):
    with pytest.raises(RuntimeError) as failed:
        load.ask(door.url, ["/tiles/earth/0/9/512/180.png"], 1, 0.5)
    assert "404" in str(failed.value.__cause__)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def answer():
            client, _ = listening.accept()
            with client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

        thread = threading.Thread(target=answer)
        thread.start()
        client = load.Client(*listening.getsockname())
        with contextlib.closing(client), pytest.raises(RuntimeError, match="bytes of"):
            client.get(b"GET / HTTP/1.1\r\n\r\n")
        thread.join()
