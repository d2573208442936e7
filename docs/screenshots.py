"""Refresh the screenshots in docs/: ``python docs/screenshots.py`` (a minute or more: every tile is made for it).

Starts a server of its own on a free port, with the published weights and a store that is thrown away, unless ``--url``
names one that runs already. Needs Chromium.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PATIENCE = 600_000  # ms for one picture's tiles


def nothing(page: Page) -> None:
    """Show the page as it opens."""


def interesting(kind: str):
    """Let the page find its own place."""

    def act(page: Page) -> None:
        page.click("[data-opens=places]")
        page.click(f"[data-kind={kind}]")
        page.wait_for_selector(f"#reason[data-kind={kind}]")

    return act


SCENES = {
    "planet": ("?world=earth&seed=0&z=3&lat=25&lon=20", DESKTOP, nothing),
    "coast": ("?world=earth&seed=7&z=5", DESKTOP, interesting("coast")),
    "mountains": ("?world=earth&seed=3&z=5", {**DESKTOP, "color_scheme": "dark"}, interesting("mountains")),
    "dunes": ("?world=earth&seed=2&z=5", DESKTOP, interesting("dunes")),
    "procedural": ("?world=procedural&seed=42&z=3&lat=15&lon=0", DESKTOP, lambda page: page.click("#world")),
    "compare": ("?world=earth&seed=42&z=9&lat=46.5&lon=8&compare=swipe&with=earth/43", DESKTOP, nothing),
    "phone": ("?world=earth&seed=pandora&z=7&lat=-48.5&lon=-74", PHONE, nothing),
    "farmland": ("?world=earth&seed=0&z=13&lat=42.04&lon=-93.42", DESKTOP, nothing),
    "fields": ("?world=earth&seed=0&z=15&lat=42.02&lon=-93.3", DESKTOP, nothing),
    "village": ("?world=earth&seed=0&z=15&lat=42.0737&lon=-93.2487", DESKTOP, nothing),
    "ridges": ("?world=earth&seed=0&z=10&lat=31.1&lon=50.9", DESKTOP, nothing),
    "valley": ("?world=earth&seed=0&z=12&lat=36.0&lon=138.0", DESKTOP, nothing),
    "river": ("?world=earth&seed=0&z=12&lat=40.02&lon=-98.03", DESKTOP, nothing),
    "shore": ("?world=earth&seed=0&z=13&lat=50.7&lon=-1.5", DESKTOP, nothing),
    "town": ("?world=earth&seed=0&z=13&lat=48.697&lon=31.4036", DESKTOP, nothing),
    "houses": ("?world=earth&seed=0&z=15&lat=48.686&lon=31.402", DESKTOP, nothing),
    "z4": ("?world=earth&seed=42&z=4&lat=-15.9&lon=-68.2", DESKTOP, nothing),
    "z9": ("?world=earth&seed=42&z=9&lat=-15.9&lon=-68.2", DESKTOP, nothing),
    "z15": ("?world=earth&seed=42&z=15&lat=-15.9&lon=-68.2", DESKTOP, nothing),
}


def shoot(browser, url: str, name: str) -> None:
    query, options, act = SCENES[name]
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(f"{url}/{query}")
    page.wait_for_selector("#stage[aria-busy]")
    act(page)
    page.wait_for_timeout(1500)
    page.wait_for_selector('#stage[aria-busy="false"]', timeout=PATIENCE)
    page.wait_for_timeout(800)
    page.screenshot(path=DOCS / f"{name}.png")
    context.close()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", help="A server that runs already, such as http://127.0.0.1:8000.")
@click.option("--only", multiple=True, type=click.Choice(list(SCENES)), help="Just this one; may be given again.")
def main(url: str | None, only: tuple[str, ...]) -> None:
    """Refresh the screenshots in docs/."""
    with tempfile.TemporaryDirectory() as folder:
        server = None if url else start(Path(folder))
        try:
            address = (url or opened(server)).rstrip("/")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
                for name in only or SCENES:
                    shoot(browser, address, name)
                    click.echo(f"docs/{name}.png")
                browser.close()
        finally:
            if server:
                server.terminate()
                server.wait(30)


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "server", "serve", "--port", "0"]
    folders = ["--cache-dir", str(folder / "cache"), "--data-dir", str(folder / "data")]
    return subprocess.Popen(command + folders, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True)


def opened(server: subprocess.Popen) -> str:
    """The address that the server prints when it is open."""
    for line in server.stdout:
        found = re.search(r"open:\s+(http://\S+?)/?\s", line)
        if found:
            return found[1]
    raise click.ClickException("the server did not open")


if __name__ == "__main__":
    main()
