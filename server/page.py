"""The explorer: one page around a Leaflet map that folium writes.

folium knows how to start a map; everything else on the page is ours. We take three things from its figure (the links
to Leaflet, the map's element and the script that starts it) and put them into ``templates/page.html``. folium's own
header is left out: it forbids zooming the page with two fingers and carries styles and scripts without a nonce.

The address is ``/?world=earth&seed=42&z=9&lat=47.5&lon=11.2``, pinned ``seed=42@<version>``. Whatever is wrong in it is
replaced by something near and said in a notice: a link that somebody kept must open something.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import folium
from branca.element import CssLink, JavascriptLink
from flask import Blueprint, Response, g, render_template, request, send_from_directory
from xstatic.pkg import leaflet

from model.errors import ElsewhereError
from model.seeds import parse_seed
from server import worlds_api
from server.services import services

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "static" / "js"
DEEPEST_VIEW = 17  # two zooms past the last tiles, which the browser enlarges
HOME = {"world": "earth", "seed": "0", "z": 4, "lat": 42.0, "lon": 14.0}  # most of Europe: a coast, peaks, a desert
COMPARISONS = ("swipe", "twins", "four", "blink")

blueprint = Blueprint(
    "page",
    __name__,
    template_folder=str(ROOT / "templates"),
    static_folder=str(ROOT / "static"),
    static_url_path="/static",
)


class ExplorerMap(folium.Map):
    """folium's map with Leaflet from our own server and nothing else (tuples: nobody can add to them by accident)."""

    default_js = (("leaflet", "leaflet/leaflet.js"),)
    default_css = (("leaflet_css", "leaflet/leaflet.css"),)


@dataclass(frozen=True)
class View:
    """What the address bar says: a place, a planet, and what it is compared with."""

    world: str
    seed: str
    version: str | None  # 12 hex digits if the link is pinned
    z: int
    lat: float
    lon: float
    compare: str | None = None
    other_world: str | None = None
    other_seed: str | None = None


@blueprint.get("/")
def explorer() -> Response:
    """The page. Its address is read here, once, and handed to the scripts as data."""
    worlds = worlds_api.listing()
    view, notices = read_view(request.args, [world["name"] for world in worlds], services().generator.versions)
    map_ = ExplorerMap(
        location=[view.lat, view.lon],
        zoom_start=view.z,
        tiles=None,
        zoom_control=False,
        attribution_control=False,
        min_zoom=1,
        max_zoom=DEEPEST_VIEW,
        zoom_snap=1,
        world_copy_jump=True,
    )
    figure = map_.get_root()
    figure.render()
    links = [part for part in figure.header._children.values() if isinstance(part, JavascriptLink | CssLink)]
    page = render_template(
        "page.html",
        links="\n".join(link.render() for link in links),
        map_element=figure.html.render(),
        map_script=figure.script.render(),
        nonce=g.get("csp_nonce", ""),
        modules=sorted(path.name for path in SCRIPTS.glob("*.js")),
        start={"worlds": worlds, "view": asdict(view), "notices": notices},
    )
    response = Response(page, mimetype="text/html")
    response.cache_control.no_store = True  # it holds a nonce and the list of worlds
    return response


@blueprint.get("/leaflet/<path:name>")
def leaflet_file(name: str) -> Response:
    """Leaflet's own files, from the pip package that carries them."""
    return send_from_directory(leaflet.BASE_DIR, name, max_age=86400)


def read_view(args, worlds: list[str], versions) -> tuple[View, list[str]]:
    """The view an address asks for, and a sentence for each thing in it that had to be replaced.

    Parameters
    ----------
    args : mapping of str to str
        The query of the address.
    worlds : list of str
        Names of the worlds that exist.
    versions : callable
        ``versions(world)`` gives that world's versions, newest first.
    """
    notices: list[str] = []
    asked = args.get("world", HOME["world"])
    world = asked if asked in worlds else HOME["world"] if HOME["world"] in worlds else worlds[0]
    if world != asked:
        notices.append(f"There is no world called “{asked[:40]}” here. This is {world}.")

    seed, _, version = args.get("seed", HOME["seed"]).partition("@")
    try:
        parse_seed(seed)
    except ElsewhereError as error:
        notices.append(f"{str(error).rstrip('.').capitalize()}. This is seed {HOME['seed']}.")
        seed = HOME["seed"]
    if version and version not in versions(world):
        notices.append(
            f"Version {version[:16]} of this world is not on this server. This is the newest, {versions(world)[0]}: "
            "the same place, with other details."
        )
        version = ""

    compare = args.get("compare")
    other_world, _, other_seed = args.get("with", "").partition("/")
    if compare not in COMPARISONS or other_world not in worlds or not valid_seed(other_seed):
        compare, other_world, other_seed = (compare if compare == "four" else None), None, None
    view = View(
        world=world,
        seed=seed,
        version=version or None,
        z=round(number(args.get("z"), HOME["z"], 1, DEEPEST_VIEW)),
        lat=number(args.get("lat"), HOME["lat"], -85.0, 85.0),
        lon=number(args.get("lon"), HOME["lon"], -180.0, 180.0),
        compare=compare,
        other_world=other_world,
        other_seed=other_seed,
    )
    return view, notices


def valid_seed(text: str) -> bool:
    try:
        parse_seed(text)
    except ElsewhereError:
        return False
    return True


def number(text: str | None, default: float, low: float, high: float) -> float:
    """A number from an address, kept within bounds; the default if it is none."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return default
    return min(max(value, low), high) if math.isfinite(value) else default
