"""Good manners: accessible, small, quick, and strict about where scripts come from."""

import re
from pathlib import Path

import pytest

from tests.page.conftest import PHONE
from tests.page.test_map import ALPS

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "tests" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}], ids=["desktop", "phone", "dark"])
def test_axe_finds_no_serious_fault(visitor, options):
    guest = visitor(bypass_csp=True, **options)  # axe is injected from outside; the page itself runs under its policy
    page = guest.open(f"?seed=3&z=5&{ALPS}&compare=swipe&with=earth/4", settle=False)
    page.add_script_tag(path=AXE)
    for opened in ("worlds", "places", "compare", "share", "keys"):
        if opened == "keys":
            page.keyboard.press("?")
        else:
            page.click(f"[data-opens={opened}]")
        page.wait_for_timeout(100)
        found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
        faults = [
            f"{fault['id']}: {fault['nodes'][0]['html'][:150]} {fault['nodes'][0]['failureSummary'][:200]}"
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
        assert faults == [], opened


def test_everything_is_reached_by_keyboard_and_shows_its_focus(visitor):
    guest = visitor()
    page = guest.open("?z=4", settle=False)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
                return [e.id || e.dataset.opens || e.className || e.tagName, s.outlineStyle !== "none"]; }"""
        )
        if name == "BODY":
            break  # once around
        assert outlined, name
        reached.append(name)
    for wanted in ("world", "seed", "another", "places", "compare", "share", "grid", "zoom-in", "gauge", "show-keys"):
        assert wanted in reached, reached


def test_arrows_and_signs_move_the_map_without_a_click(visitor):
    guest = visitor()
    page = guest.open(f"?z=4&{ALPS}")
    page.keyboard.press("+")
    guest.until("location.search.includes('z=5&')")
    page.wait_for_timeout(400)
    page.keyboard.press("ArrowUp")
    guest.until("!location.search.includes('lat=46.')")


def test_the_policy_is_strict_and_every_inline_script_has_the_nonce(live_server):
    answers = [live_server.get("/") for _ in range(2)]
    policies = [answer.headers["Content-Security-Policy"] for answer in answers]
    nonces = [re.search(r"script-src [^;]*'nonce-([^']+)'", policy)[1] for policy in policies]
    assert nonces[0] != nonces[1]
    assert "unsafe" not in policies[0] and "http" not in policies[0]
    scripts = re.findall(r"<script([^>]*)>", answers[0].text)
    for attributes in scripts:
        assert "src=" in attributes or "application/json" in attributes or f'nonce="{nonces[0]}"' in attributes
    assert not re.search(r'(src|href)="(https?:)?//(?!leafletjs\.com)', answers[0].text)


def test_our_scripts_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "static" / "js").glob("*.js")) < 60_000


@pytest.mark.alone
def test_the_first_picture_comes_within_a_second_on_a_warm_store(visitor):
    visitor().open(f"?seed=11&z=6&{ALPS}")
    guest = visitor()  # a new context: nothing in the browser's own cache
    page = guest.open(f"?seed=11&z=6&{ALPS}", settle=False)
    page.wait_for_selector('.tile[data-state="final"]')
    assert page.evaluate("performance.getEntriesByName('first-picture')[0].startTime") < 1000


@pytest.mark.alone
def test_panning_never_holds_the_page_up(visitor):
    guest = visitor()
    page = guest.open(f"?seed=12&z=5&{ALPS}")
    page.evaluate(
        """() => { window.longest = 0;
            const note = (list) => list.getEntries().forEach((task) => { longest = Math.max(longest, task.duration); });
            new PerformanceObserver(note).observe({ type: "longtask" }); }"""
    )
    for target in (400, 800, 380, 780):
        page.mouse.move(600, 300)
        page.mouse.down()
        page.mouse.move(target, 220, steps=12)
        page.mouse.up()
    guest.settle()
    assert page.evaluate("longest") < 200
