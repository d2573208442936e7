"""The map: it loads, zooms, sharpens, keeps its address, recovers from failures."""

import json

import numpy as np
import pytest
from PIL import ImageChops

from tests.page.conftest import PHONE

pytestmark = pytest.mark.browser
ALPS = "lat=46&lon=8"


def difference(a, b) -> float:
    """Mean difference of two pictures in grey levels."""
    return float(np.asarray(ImageChops.difference(a, b), float).mean())


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_the_page_shows_a_planet_with_the_network_cut_off(visitor, size):
    guest = visitor(**size)
    page = guest.open()
    place = (20, 300, 300, 300) if size else ()
    assert np.asarray(guest.picture(*place)).std() > 25  # a picture, not an empty ground
    assert page.title().startswith("Earth")
    assert page.inner_text("#origin") == "photograph"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_zoom_3_to_15_in_clicks(visitor):
    guest = visitor(viewport={"width": 700, "height": 420})
    page = guest.open("?z=3&lat=-15.9&lon=-68.2", settle=False)
    for z in range(4, 16):
        page.click("#zoom-in")
        guest.until(f"location.search.includes('z={z}&')")
    guest.settle()
    assert page.inner_text("#origin") == "imagined ×1024"
    assert "level 4 m" in page.inner_text(".reading")
    assert page.locator(".tile[data-trouble]").count() == 0
    assert page.locator('.tile[data-state="final"]').count() >= 4
    assert np.asarray(guest.picture(320, 180, 200, 200)).mean() > 10


def test_the_address_bar_is_the_view(visitor):
    guest = visitor()
    page = guest.open(f"?world=earth&seed=pandora&z=5&{ALPS}")
    page.locator(".folium-map").focus()
    page.keyboard.press("ArrowRight")
    guest.until("!location.search.includes('lon=8.')")
    guest.settle()
    view, picture = guest.view(), guest.picture()
    assert view["world"], view["seed"] == ("earth", "pandora")
    assert float(view["lon"]) > 8.5
    page.reload()
    page.wait_for_selector("#stage[aria-busy]")
    guest.settle()
    assert guest.view() == view
    assert difference(guest.picture(), picture) < 4  # a reload may land half a pixel beside


def test_a_tile_shows_its_enlarged_ancestor_and_then_sharpens(visitor):
    guest = visitor()
    held, released = [], []
    guest.page.route("**/tiles/**/7/**.png", lambda route: route.continue_() if released else held.append(route))
    page = guest.open(f"?seed=900&z=7&{ALPS}", settle=False)
    guest.until("document.querySelectorAll('.tile canvas').length >= 4")
    page.wait_for_timeout(500)
    early = guest.picture()
    assert np.asarray(early).mean() > 30
    assert page.locator('.tile[data-state="final"]').count() == 0
    released.append(True)
    for route in held:
        route.continue_()
    guest.settle()
    assert page.locator('.tile[data-state="final"]').count() >= 4
    assert 0.5 < difference(guest.picture(), early) < 60  # sharper, and the same place


def test_sharpening_never_blanks_a_tile(visitor):
    """Every frame while tiles arrive under a settled view is as bright as the place is."""
    guest = visitor()
    page = guest.open(f"?seed=901&z=7&{ALPS}")
    floor = np.asarray(guest.picture()).mean() * 0.6
    page.keyboard.press("n")
    for _ in range(12):
        assert np.asarray(guest.picture()).mean() > floor
        page.wait_for_timeout(60)
    guest.settle()


def test_a_failed_tile_says_so_and_tries_again_by_itself(visitor):
    guest = visitor()
    refused, answered, open_again = [], [], []
    body = json.dumps({"error": {"code": "busy", "message": "Too many tiles are waiting."}})

    def answer(route):
        (answered if open_again else refused).append(route.request.url)
        if open_again:
            route.continue_()
        else:
            route.fulfill(status=503, body=body, content_type="application/json", headers={"Retry-After": "1"})

    guest.page.route("**/tiles/**/4/**.png", answer)
    page = guest.open(f"?z=4&{ALPS}", settle=False)
    page.wait_for_selector('.tile[data-trouble*="Too many tiles are waiting"]')
    guest.until("document.querySelector('#waiting').textContent.includes('failed, trying again')")
    open_again.append(True)
    guest.settle()
    assert set(refused) <= set(answered)
    assert page.locator(".tile[data-trouble]").count() == 0
    assert page.locator('.tile[data-state="final"]').count() >= 4
    guest.errors[:] = [error for error in guest.errors if "503" not in error]  # Chromium logs the answer itself


def test_moving_on_drops_what_is_no_longer_wanted(visitor):
    guest = visitor()
    guest.page.route("**/tiles/**/7/**.png", lambda route: None)  # these never come
    page = guest.open(f"?z=7&{ALPS}", settle=False)
    page.wait_for_timeout(300)
    page.click("#zoom-out")
    guest.settle()
    assert any("/7/" in url for url in guest.aborted)
    assert page.inner_text("#waiting") == ""


def test_progress_is_told_and_then_falls_silent(visitor):
    guest = visitor()
    page = guest.open(f"?seed=905&z=9&{ALPS}", settle=False)
    guest.until("/^\\d+ tiles?, about \\d+ s/.test(document.querySelector('#waiting').textContent)")
    assert page.locator("#progress").get_attribute("aria-valuetext")
    guest.settle()
    assert page.inner_text("#waiting") == ""
    assert page.locator("#progress").is_hidden()


def test_the_tile_grid_tells_address_time_and_origin(visitor):
    guest = visitor()
    page = guest.open(f"?seed=906&z=7&{ALPS}")
    page.keyboard.press("g")
    page.wait_for_selector(".cell")
    texts = page.locator(".cell").all_inner_texts()
    assert any("7/66/45" in text for text in texts)
    assert all("imagined now" in text or "stored" in text for text in texts)
    page.click("#grid")
    assert page.locator(".cell").count() == 0


@pytest.mark.parametrize(
    "query, words",
    [
        ("?seed=0@0123456789ab", "not on this server"),
        ("?world=atlantis", "no world called “atlantis”"),
        ("?seed=a%20b", "seed is 1–64 characters"),
    ],
)
def test_an_address_that_cannot_be_opens_something_near_and_says_so(visitor, query, words):
    page = visitor().open(query)
    assert words in page.inner_text("#notices")
    page.click("#notices button")
    assert page.locator(".notice").count() == 0


def test_moving_where_motion_is_not_wanted_does_not_fade(visitor):
    guest = visitor(reduced_motion="reduce")
    page = guest.open(f"?seed=907&z=7&{ALPS}")
    assert page.evaluate("document.getAnimations().length") == 0
