"""The search for places worth a visit: on planets drawn for the purpose, and on Earth."""

import numpy as np
import pytest

from model import dunes, towns
from model.base import PlateCarree
from model.grid import lonlat_to_pixel
from model.interesting import KINDS, LEAST, NothingFound, classify, score, search
from server.interesting import places

SEA, FOREST, SAND, ICE = (20, 60, 120), (50, 72, 30), (210, 185, 150), (250, 250, 250)


def ground(*rows):
    """A square of 16×16 pixels from rows of colours."""
    pixels = np.array(rows, np.uint8).repeat(16 // len(rows), 0).repeat(16 // len(rows[0]), 1)
    return classify(pixels[None])


def test_colours_are_told_apart():
    kinds = classify(np.array([[SEA, FOREST, SAND, ICE]], np.uint8))
    assert [kinds.water[0, 0], kinds.green[0, 1], kinds.bare[0, 2], kinds.ice[0, 3]] == [True] * 4
    assert sum(mask.sum() for mask in (kinds.water, kinds.green, kinds.bare, kinds.ice)) == 4


def test_a_ragged_coast_beats_a_straight_one_and_the_open_sea_is_none():
    straight, open_sea = ground([SEA, FOREST]), ground([SEA])
    ragged = ground([SEA, FOREST, SEA, FOREST], [FOREST, SEA, SEA, FOREST])
    assert score("coast", ragged)[0] > score("coast", straight)[0] > score("coast", open_sea)[0] == 0


def test_a_deserts_edge_needs_both_sides():
    assert score("desert", ground([SAND, FOREST]))[0] > 0.1
    assert score("desert", ground([SAND]))[0] == score("desert", ground([FOREST]))[0] == 0


def test_towns_are_sought_on_open_plains_and_are_there():
    meadow, ridges = (110, 125, 80), (40, 50, 30)
    assert score("town", ground([meadow]))[0] > 0.5
    assert max(score("town", ground([land]))[0] for land in (FOREST, SAND, SEA, ICE)) < LEAST["town"]
    rugged = ground(*[[meadow, ridges] * 4, [ridges, meadow] * 4] * 4)  # every 2 pixels another
    assert score("town", rugged)[0] < LEAST["town"]
    base = PlateCarree(np.full((256, 512, 3), meadow, np.uint8))
    for seed in (1, 2):
        place = search(base, "town", seed)[0]
        x, y = (int(v) for v in lonlat_to_pixel(13, place.lon, place.lat))
        assert towns.field(seed, 13, x - 32, y - 32, x + 32, y + 32).mean() > 0.9
        other = towns.field(seed + 10, 13, x - 32, y - 32, x + 32, y + 32)
        assert other.mean() < 0.9 and "km across" in place.reason


def test_a_planet_of_sand_has_dunes_and_nothing_else():
    plain = PlateCarree(np.full((256, 512, 3), SAND, np.uint8))
    for kind in set(KINDS) - {"dunes"}:
        with pytest.raises(NothingFound):
            search(plain, kind, 0)
    assert "100 %" in search(plain, "dunes", 0)[0].reason


def test_dunes_are_sought_on_even_sand_and_where_the_seed_has_many():
    steppe, dark = (160, 148, 120), (120, 85, 60)
    assert score("dunes", ground([SAND]))[0] == 1
    assert max(score("dunes", ground([land]))[0] for land in (steppe, dark, FOREST, SEA, ICE)) == 0
    assert score("dunes", ground(*[[SAND, (250, 210, 160)] * 4, [(250, 210, 160), SAND] * 4] * 4))[0] < LEAST["dunes"]
    plain = PlateCarree(np.full((256, 512, 3), SAND, np.uint8))
    for seed in (1, 2):
        place = search(plain, "dunes", seed)[0]
        x, y = (int(v) for v in lonlat_to_pixel(9, place.lon, place.lat))
        assert dunes.seas(seed, 9, x - 16, y - 16, x + 16, y + 16).mean() > 0.9


def test_the_search_finds_the_one_island():
    pixels = np.full((512, 1024, 3), SEA, np.uint8)
    pixels[192:216, 696:720] = FOREST  # 18° N, 69° E
    place = search(PlateCarree(pixels), "coast", 0)[0]
    assert abs(place.lat - 18) < 5 and abs(place.lon - 68) < 5


def test_earth_offers_every_kind_and_the_answer_never_changes(client):
    for kind in KINDS:
        place = client.get(f"/api/interesting?kind={kind}").json
        assert place["kind"] == kind and -66 < place["lat"] < 66 and place["reason"]
        assert place["z"] == {"dunes": 11, "town": 13}.get(kind, 9)
        places.cache_clear()
        assert place == client.get(f"/api/interesting?world=earth&seed=0&kind={kind}").json
    turns = [client.get(f"/api/interesting?n={n}").json["kind"] for n in range(len(KINDS))]
    assert sorted(turns) == sorted(KINDS)


def test_another_seed_leads_elsewhere(client):
    firsts = {client.get(f"/api/interesting?seed={seed}&kind=mountains").json["lon"] for seed in range(3)}
    assert len(firsts) > 1


@pytest.mark.parametrize("query, code", [("kind=volcano", "bad_kind"), ("seed=a%20b", "bad_seed")])
def test_nonsense_is_refused(client, query, code):
    answer = client.get(f"/api/interesting?{query}")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, code)


def test_an_unknown_world_has_no_places(client):
    assert client.get("/api/interesting?world=atlantis").status_code == 404
