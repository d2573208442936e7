"""A real Chromium with the network cut off, on a real server with the tiny network."""

import io
import time

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no name leads anywhere
]  # fmt: skip
DESKTOP = {"viewport": {"width": 860, "height": 540}}
PHONE = {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """Somebody at the page: opens addresses, looks at the map. Notes every error and every request."""

    def __init__(self, browser, url: str, **options):
        self.url = url
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.aborted: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.aborted.append(request.url))

    def open(self, query: str = "", settle: bool = True):
        self.page.goto(f"{self.url}/{query}")
        self.page.wait_for_selector("#stage[aria-busy]")
        if settle:
            self.settle()
        return self.page

    def until(self, expression: str, seconds: float = 20):
        """Wait until a JavaScript expression holds. (Playwright's own wait needs eval: forbidden here.)"""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"still not: {expression}"
            self.page.wait_for_timeout(50)

    def settle(self):
        """Wait until every tile in view is the real one and has faded in."""
        self.page.wait_for_timeout(320)  # Leaflet's zoom takes 250 ms
        self.page.wait_for_selector('#stage[aria-busy="false"]', timeout=60_000)
        self.page.wait_for_timeout(320)

    def picture(self, x=320, y=40, width=440, height=380) -> Image.Image:
        """What is on the screen, by default a part of the map that nothing lies over."""
        shot = self.page.screenshot(clip={"x": x, "y": y, "width": width, "height": height})
        return Image.open(io.BytesIO(shot)).convert("RGB")

    def view(self) -> dict[str, str]:
        """The address bar."""
        query = self.page.url.partition("?")[2]
        return dict(part.split("=", 1) for part in query.split("&"))


@pytest.fixture
def visitor(chromium, live_server):
    """Make visitors: ``visitor()`` at a desktop, ``visitor(**PHONE)`` with a phone. No error may be left at the end."""
    visitors = []

    def arrive(url: str | None = None, **options) -> Visitor:
        visitors.append(Visitor(chromium, url or live_server.url, **{**DESKTOP, **options}))
        return visitors[-1]

    yield arrive
    for one in visitors:
        one.context.close()
    for one in visitors:
        assert one.errors == []
        outside = [url for url in one.requests if not url.startswith((one.url, "data:", "blob:"))]
        assert outside == [], "a request left the machine"
