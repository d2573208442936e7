"""Other worlds: seeds, the picker, interesting places, people's own planets, comparing."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.page.conftest import PHONE
from tests.page.test_map import ALPS, difference

pytestmark = pytest.mark.browser


def test_another_world_is_the_same_place_under_the_next_seed(visitor):
    guest = visitor()
    page = guest.open(f"?seed=42&z=7&{ALPS}")
    first, before = guest.picture(), guest.view()
    page.click("#another")
    guest.settle()
    second = guest.picture()
    assert guest.view() == {**before, "seed": "43"}
    assert page.input_value("#seed") == "43"
    assert difference(first, second) > 0.5
    page.locator(".folium-map").focus()
    page.keyboard.press("n")
    guest.settle()
    assert guest.view()["seed"] == "44"
    assert difference(second, guest.picture()) > 0.5


def test_the_photograph_is_the_same_under_every_seed(visitor):
    guest = visitor()
    guest.open(f"?seed=1&z=4&{ALPS}")
    first = guest.picture()
    guest.page.keyboard.press("n")
    guest.settle()
    assert difference(first, guest.picture()) == 0


def test_a_seed_may_be_a_word(visitor):
    guest = visitor()
    page = guest.open(f"?z=5&{ALPS}")
    page.keyboard.press("/")
    page.keyboard.type("New Zealand")
    page.keyboard.press("Enter")
    assert guest.view()["seed"] == "New-Zealand"
    page.click("#another")
    assert guest.view()["seed"] == "New-Zealand-2"


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_somewhere_interesting_goes_there_and_says_why(visitor, size):
    guest = visitor(**size)
    page = guest.open("?z=4", settle=False)
    page.click("[data-opens=places]")
    guest.until("location.search.includes('z=9&')")
    first = guest.view()
    assert len(page.inner_text("#reason")) > 30
    page.click("[data-kind=mountains]")
    guest.until("document.querySelector('#reason').textContent.startsWith('Mountains')")
    assert "grey levels" in page.inner_text("#reason")
    guest.until(f"!location.search.includes('lat={first['lat']}')")


def test_the_picker_shows_every_world_and_opens_it(visitor, live_server):
    guest = visitor()
    page = guest.open("?z=4", settle=False)
    worlds = live_server.get("/api/worlds").json()["worlds"]
    page.keyboard.press("w")
    assert page.locator(".pick").count() == len(worlds)
    guest.until("[...document.querySelectorAll('.pick img')].every((img) => img.naturalWidth === 256)")
    for world in worlds:
        page.click(f".pick[data-world={world['name']}]")
        assert guest.view()["world"] == world["name"]
        assert page.inner_text("#world-title") == world["title"]
    page.keyboard.press("Escape")
    assert page.locator("#worlds").is_hidden()


def picture_of_a_planet(width=512, height=256) -> bytes:
    """Red in the west, blue in the east."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (190, 60, 30)
    pixels[:, width // 2 :] = (30, 60, 190)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_dropped_picture_becomes_a_planet_and_can_be_removed(visitor):
    guest = visitor()
    page = guest.open("?z=3&lat=0&lon=-90")
    page.evaluate(
        """(bytes) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(bytes)], "red_dawn.png", { type: "image/png" }));
            const how = { dataTransfer, bubbles: true, cancelable: true };
            const stage = document.querySelector("#stage");
            for (const type of ["dragover", "drop"]) stage.dispatchEvent(new DragEvent(type, how));
        }""",
        list(picture_of_a_planet()),
    )
    page.wait_for_selector("#new-world[open]")
    assert page.input_value("#new-world [name=name]") == "red-dawn"
    page.click("#new-world [type=submit]")
    guest.until("location.search.includes('world=red-dawn')")
    guest.settle()
    assert page.inner_text("#world-title") == "Red dawn"
    red, _, blue = np.asarray(guest.picture(400, 200, 200, 100), float).mean((0, 1))
    assert red > 2 * blue  # we look at the west
    page.keyboard.press("w")
    remove = page.locator('.remove[aria-label="Remove Red dawn"]')
    remove.click()
    remove.click()
    guest.until("location.search.includes('world=earth')")


def test_a_picture_that_is_none_is_refused_in_words(visitor):
    guest = visitor()
    page = guest.open("?z=3", settle=False)
    page.keyboard.press("w")
    page.set_input_files("#picture", {"name": "letter.png", "mimeType": "image/png", "buffer": b"no picture at all"})
    page.wait_for_selector("#new-world[open]")
    page.click("#new-world [type=submit]")
    guest.until("document.querySelector('#new-world output').textContent.length > 30")
    page.keyboard.press("Escape")
    assert page.locator("#new-world").is_hidden()
    guest.errors[:] = [error for error in guest.errors if "415" not in error]


def test_swipe_shows_another_seed_right_of_the_handle(visitor):
    guest = visitor()
    page = guest.open(f"?seed=42&z=7&{ALPS}")
    before = guest.picture()
    page.keyboard.press("c")
    page.click("[data-mode=swipe]")
    guest.settle()
    page.keyboard.press("Escape")
    half = guest.picture()
    box = (150, 0, 440, 380)  # right of the handle and its knob
    assert difference(before.crop(box), half.crop(box)) > 0.5
    assert difference(before.crop((0, 0, 80, 380)), half.crop((0, 0, 80, 380))) < 0.1  # but for a label
    page.mouse.move(430, 270)
    page.mouse.down()
    page.mouse.move(858, 270, steps=4)
    page.mouse.up()
    assert difference(before, guest.picture()) < 0.05  # all of it is the first again
    page.keyboard.press("Home")
    assert page.locator("#swipe").get_attribute("aria-valuenow") == "0"
    assert guest.view()["compare"] == "swipe" and guest.view()["with"] == "earth/43"


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_twins_move_together(visitor, size):
    guest = visitor(**size)
    page = guest.open(f"?seed=42&z=5&{ALPS}&compare=twins&with=earth/43")
    boxes = [page.locator(".pane").nth(i).bounding_box() for i in (0, 1)]
    x, y = boxes[1]["x"] + boxes[1]["width"] / 2, boxes[1]["y"] + boxes[1]["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 40, steps=5)
    page.mouse.up()
    guest.settle()
    assert float(guest.view()["lon"]) > 8.5
    middles = [guest.picture(b["x"] + b["width"] / 2 - 30, b["y"] + b["height"] / 2 - 30, 60, 60) for b in boxes]
    assert difference(*middles) < 6  # zoom 5 is the photograph: both halves show one place, to the pixel or the next
    page.mouse.wheel(0, -240)
    guest.until("!location.search.includes('z=5&')")


def test_four_seeds_of_one_place(visitor):
    guest = visitor()
    page = guest.open(f"?seed=42&z=7&{ALPS}&compare=four")
    assert page.locator(".chip").all_inner_texts() == [f"Earth · {seed}" for seed in (42, 43, 44, 45)]
    boxes = [page.locator(".pane").nth(i).bounding_box() for i in range(4)]
    shots = [guest.picture(b["x"] + 320, b["y"] + 60, 90, 150) for b in boxes]
    assert all(difference(shots[0], other) > 0.5 for other in shots[1:])
    page.click(".chip >> text=Earth · 44")
    assert guest.view()["seed"] == "44"


def test_blink_shows_one_and_then_the_other(visitor):
    guest = visitor(reduced_motion="reduce")  # where it only blinks when told to
    page = guest.open(f"?seed=42&z=7&{ALPS}&compare=blink&with=earth/43")
    first = guest.picture()
    page.keyboard.press("b")
    second = guest.picture()
    page.keyboard.press("b")
    assert difference(first, second) > 0.5
    assert difference(first, guest.picture()) == 0
