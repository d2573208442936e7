"""A real server over a socket: what only a process, its threads and its signals can show."""

import concurrent.futures
import contextlib
import http.client
import os
import random
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from model.generator import Generator
from model.worlds import Worlds

SEED_PLACES = [(z, (17000 << z) >> 15, (11000 << z) >> 15) for z in (5, 8, 11, 15)]


def connection(server) -> http.client.HTTPConnection:
    url = urlsplit(server.url)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=60)


def burst(server, paths, connections=6) -> list[requests.Response]:
    """Ask like a browser: six connections, everything at once."""
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
    with session, concurrent.futures.ThreadPoolExecutor(connections) as pool:
        return list(pool.map(lambda path: session.get(server.url + path, timeout=60), paths))


def wait_until(claim, seconds=30):
    limit = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < limit, "it did not come to pass"
        time.sleep(0.02)


def ready(server):
    wait_until(lambda: server.get("/readyz").status_code == 200, 30)


def test_it_says_that_it_lives_and_is_ready(live_server):
    assert live_server.get("/healthz").json() == {"status": "ok"}
    ready(live_server)
    assert live_server.get("/readyz").json()["store"] is True


def test_a_view_asked_for_like_a_browser_arrives_whole(live_server):
    paths = [f"/tiles/earth/burst/13/{4250 + i}/{2750 + j}.png" for i in range(4) for j in range(3)]
    answers = burst(live_server, paths * 2)
    assert [answer.status_code for answer in answers] == [200] * 24
    assert {answer.headers["X-Cache"] for answer in answers} <= {"miss", "join", "hit"}
    for first, second in zip(answers[:12], answers[12:], strict=True):
        assert first.content == second.content


def test_the_same_tile_asked_for_sixteen_times_at_once_is_made_once(live_server):
    ready(live_server)
    live_server.get("/tiles/earth/join/15/17000/11000.png")  # beside it, on the same support
    before = live_server.get("/api/status").json()["made"]
    answers = burst(live_server, ["/tiles/earth/join/15/17001/11001.png"] * 16, connections=16)
    assert len({answer.content for answer in answers}) == 1
    assert live_server.get("/api/status").json()["made"] == before + 1


def test_two_servers_asked_in_different_orders_on_one_thread_and_three_give_the_same_bytes(make_server):
    one, other = make_server("one"), make_server("other", "--threads", "3")
    paths = [
        f"/tiles/earth/{seed}/{z}/{x}/{y}{size}.{ext}"
        for z, x, y in SEED_PLACES
        for seed in ("0", "pandora")
        for size, ext in (("", "png"), ("@2x", "jpg"), ("", "webp"))
    ]
    shuffled = paths[:]
    random.Random(4).shuffle(shuffled)
    first = dict(zip(paths, burst(one, paths, 3), strict=True))
    second = dict(zip(shuffled, burst(other, shuffled), strict=True))
    for path in paths:
        assert first[path].status_code == 200
        assert first[path].content == second[path].content, path
        assert first[path].headers["ETag"] == second[path].headers["ETag"], path


def test_interrupted_it_ends_at_once_and_then_serves_what_it_had_made(make_server):
    path = "/tiles/earth/0/15/17000/11000.png"
    server = make_server("same")
    made = server.get(path).content
    with contextlib.closing(connection(server)) as idle:
        idle.request("GET", "/healthz")
        idle.getresponse().read()  # an open connection must not hold it
        began = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 8  # half a second on a quiet machine
    again = make_server("same").get(path)
    assert again.headers["X-Cache"] == "hit"
    assert again.content == made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_amid_work_it_sends_everybody_away_and_ends(make_server, number):
    server = make_server("busy")
    ready(server)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        paths = [f"/tiles/earth/amid{i}/14/8500/{5500 + i}.png" for i in range(6)]
        waiting = [pool.submit(server.get, path) for path in paths]
        wait_until(lambda: server.get("/api/status").json()["waiting"] > 3)
        began = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - began < 8
        for request in waiting:
            try:
                assert request.result().status_code in (200, 503)
            except requests.ConnectionError:
                pass  # it was still on its way in
    again = make_server("busy")
    assert again.get(paths[0]).status_code == 200
    assert not any("damaged" in line or "Traceback" in line for line in server.log + again.log)


def test_killed_in_mid_render_it_starts_again_and_nothing_is_corrupt(make_server, tmp_path):
    server = make_server("killed")
    ready(server)
    paths = [f"/tiles/earth/0/14/{8500 + i}/5500.png" for i in range(6)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(server.get, path) for path in paths]
        wait_until(lambda: server.get("/api/status").json()["made"] > 6)
        server.kill()
        for request in waiting:
            try:
                request.result()
            except requests.RequestException:
                pass
    again = make_server("killed")
    fresh = make_server("fresh")
    for path in paths:
        assert again.get(path).content == fresh.get(path).content
    assert not any("damaged" in line for line in again.log)


def test_a_damaged_store_is_mended_by_making_the_tile_again(make_server):
    path = "/tiles/earth/0/13/4250/2750.png"
    server = make_server("harmed")
    made = server.get(path)
    server.stop()
    for value in (server.folder / "cache").rglob("*.val"):
        data = bytearray(value.read_bytes())
        data[-100] ^= 255
        value.write_bytes(data)
    again = make_server("harmed")
    mended = again.get(path)
    assert mended.headers["X-Cache"] == "miss" and mended.content == made.content
    wait_until(lambda: any("damaged" in line for line in again.log))


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/full").exists(), reason="needs a disk that can be made full")
def test_on_a_full_disk_tiles_are_answered_and_readyz_says_why(make_server, tmp_path):
    server = make_server("full")
    ready(server)
    tiles = server.folder / "cache" / "tiles"
    # The folder turns into something that takes no new file: what a full disk looks like to whoever writes.
    for child in tiles.iterdir():
        if child.is_dir():
            child.rename(server.folder / child.name)
    for number in range(256):
        (tiles / f"{number:02x}").write_text("")
    answer = server.get("/tiles/earth/0/13/4250/2750.png")
    assert answer.status_code == 200
    refused = server.get("/readyz")
    assert refused.status_code == 503
    assert refused.json()["store"] is False and "cannot be written" in refused.json()["message"]
    assert any("cannot be written" in line for line in server.log)
    for number in range(256):
        (tiles / f"{number:02x}").unlink()
    assert server.get("/readyz").status_code == 200


def test_a_client_that_hangs_up_takes_its_work_with_it(make_server):
    server = make_server("hangup")
    ready(server)
    clients = []
    for number in range(10):
        client = connection(server)
        client.request("GET", f"/tiles/earth/hang{number}/14/8500/5500.png")
        clients.append(client)
    wait_until(lambda: server.get("/api/status").json()["waiting"] >= 8)
    for client in clients:
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
    wait_until(lambda: server.get("/api/status").json()["waiting"] == 0)
    # Ten cascades of eight windows and more each: most of that was never made.
    assert server.get("/api/status").json()["made"] < 40
    assert 'elsewhere_queue_events_total{event="dropped"}' in server.get("/metrics").text


@pytest.mark.alone
def test_stored_tiles_do_not_wait_behind_renders(make_server):
    server = make_server("quick")
    ready(server)
    path = "/tiles/earth/0/9/265/171.png"
    server.get(path)
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(server.get, f"/tiles/earth/many{i}/14/8500/5500.png") for i in range(40)]
        wait_until(lambda: server.get("/api/status").json()["waiting"] >= 20)
        for asked in (path, "/tiles/earth/0/3/4/2.png", "/tiles/earth/new/15/17000/11000.webp?preview=1"):
            began = time.monotonic()
            assert server.get(asked).status_code == 200
            assert time.monotonic() - began < 1
        assert server.get("/api/status").json()["waiting"] >= 1, "nothing was being made meanwhile"
        server.stop()
        for request in waiting:
            try:
                request.result()
            except requests.RequestException:
                pass


def test_a_second_server_on_the_same_folder_is_refused_in_words(make_server):
    server = make_server("mine")
    with pytest.raises(RuntimeError, match="Another Elsewhere is using the cache folder"):
        make_server("mine")
    assert server.get("/healthz").status_code == 200


def test_a_taken_port_is_said_so(make_server, live_server):
    with pytest.raises(RuntimeError, match="Cannot listen on 127.0.0.1"):
        make_server("taken", "--port", live_server.url.rpartition(":")[2])


def test_weights_that_are_none_are_said_so(make_server, tmp_path):
    with pytest.raises(RuntimeError, match="Error: checkpoint .* has no readable config"):
        make_server("weightless", environ={"ELSEWHERE_WEIGHTS": str(tmp_path)})


def test_idle_it_makes_the_neighbours_of_what_was_looked_at(make_server):
    server = make_server("foresight", "--foresight", "6")
    ready(server)
    made = server.get("/api/status").json()["made"]  # not after the tile: the first neighbour may be made by then
    generator = Generator(Worlds())
    own = len(generator.needs(generator.address("earth", 0, 13, 4250, 2750)))
    server.get("/tiles/earth/0/13/4250/2750.png")
    wait_until(lambda: server.get("/api/status").json()["made"] >= made + own + 6, 20)
    neighbours = [(4250 + i, 2750 + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    hits = [server.get(f"/tiles/earth/0/13/{x}/{y}.png?preview=1").headers["X-Preview-Level"] for x, y in neighbours]
    assert hits.count("13") >= 3
