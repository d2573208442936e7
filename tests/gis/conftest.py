"""Real clients: a Chromium that pages of other people run in, and the tiny generator's own pixels to compare with."""

import io
import mimetypes
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

NPM = Path(__file__).resolve().parent.parent / "node_modules"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


class Visit:
    """A page that somebody pasted a snippet into, on a site of their own."""

    def __init__(self, page, errors: list[str]):
        self.page, self.errors = page, errors

    def colour(self) -> np.ndarray:
        """What the whole page shows, uint8 (H, W, 3)."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))


@contextmanager
def somebodys_site(html: str):
    """A web server with one page: Chromium keeps pages of other machines off the servers of this one."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def paste():
    """``paste(html, look)``: open a page on another server of this machine and return ``look(visit)``.

    Libraries that the page takes from a CDN come from npm's packages. In a thread of its own: Playwright allows one
    event loop in each, and the page's tests have theirs.
    """
    from playwright.sync_api import sync_playwright

    thread = ThreadPoolExecutor(1)
    driver = thread.submit(lambda: sync_playwright().start()).result()
    browser = thread.submit(lambda: driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)).result()

    def library(route) -> None:
        name, _, path = route.request.url.removeprefix("https://unpkg.com/").partition("/")
        file = NPM / name.partition("@")[0] / path.partition("?")[0]
        kind = "text/javascript" if file.suffix == ".mjs" else mimetypes.guess_type(file.name)[0]
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": kind or "text/plain"}
        route.fulfill(body=file.read_bytes(), headers=headers)

    def show(html: str, look):
        page = browser.new_page(viewport={"width": 512, "height": 512})
        errors: list[str] = []
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("https://unpkg.com/**", library)
        page.route("**/favicon.ico", lambda route: route.fulfill(body=b""))
        try:
            with somebodys_site(html) as url:
                page.goto(url)
                return look(Visit(page, errors))
        finally:
            page.close()

    yield lambda html, look: thread.submit(show, html, look).result()
    thread.submit(browser.close).result()
    thread.submit(driver.stop).result()
    thread.shutdown()


@pytest.fixture(scope="session")
def tile(live_server):
    """``tile(z, x, y)``: a tile's pixels as the server gives them, uint8 (256, 256, 3)."""

    def get(z: int, x: int, y: int) -> np.ndarray:
        answer = live_server.get(f"/tiles/earth/0/{z}/{x}/{y}.png")
        answer.raise_for_status()
        return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))

    return get
