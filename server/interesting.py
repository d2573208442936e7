"""``GET /api/interesting``: somewhere worth a visit on a planet, found by a search and with its reason."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, jsonify, request

from model.errors import ElsewhereError
from model.interesting import KINDS, NothingFound, Place, search
from model.seeds import parse_seed
from server.services import services

CLOSER = 4  # zooms below the base: two steps of the cascade
CLOSEST = {"dunes": 11, "town": 13}  # the zooms that show one dune after the other, and a town's streets
DEEPEST = 13

blueprint = Blueprint("interesting", __name__)


class BadKind(ElsewhereError):
    code = "bad_kind"


@blueprint.get("/api/interesting")
def interesting() -> Response:
    """The n-th best place of a kind (of `KINDS`; ``any``: in turns)."""
    world = services().worlds.get(request.args.get("world", "earth"))
    seed = parse_seed(request.args.get("seed", "0"))
    kind = request.args.get("kind", "any")
    n = request.args.get("n", 0, type=lambda text: int(text) % 10**6)
    if kind != "any" and kind not in KINDS:
        raise BadKind(f"kind is any, {', '.join(KINDS)}, not {kind[:40]!r}")
    found = take_turns(world, seed, n) if kind == "any" else nth(places(world, kind, seed), n)
    return jsonify(
        world=world.name,
        kind=found.kind,
        lat=round(found.lat, 5),
        lon=round(found.lon, 5),
        z=CLOSEST.get(found.kind) or min(world.base_zoom + CLOSER, DEEPEST),
        reason=found.reason,
    )


def nth(found: list[Place], n: int) -> Place:
    """The n-th place; after the last the first comes again."""
    return found[n % len(found)]


def take_turns(world, seed: int, n: int) -> Place:
    """One kind after the other; a kind that this planet lacks leaves its turn to the next."""
    for kind in (KINDS[(seed + n + step) % len(KINDS)] for step in range(len(KINDS))):
        try:
            return nth(places(world, kind, seed), n // len(KINDS))
        except NothingFound:
            continue
    raise NothingFound("The search found nothing that stands out on this planet.")


@lru_cache(maxsize=256)
def places(world, kind: str, seed: int) -> list[Place]:
    return search(world.base(seed), kind, seed)
