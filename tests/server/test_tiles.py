"""The tile route: every answer and every error of DESIGN §4, provoked by name."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model import checkpoint as checkpoints
from server.app import create_app

LAND = "/tiles/earth/0/9/267/180"


def pixels_of(response) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(response.data)).convert("RGB"))


def error_of(response) -> tuple[int, str]:
    assert response.mimetype == "application/json"
    assert set(response.json) == {"error"} and set(response.json["error"]) == {"code", "message"}
    assert response.json["error"]["message"]
    return response.status_code, response.json["error"]["code"]


@pytest.mark.parametrize(
    "path",
    [
        "0/0/0", "1/0/1", "5/16/10", "6/33/21", "7/67/44", "8/134/90", "9/267/180", "10/535/361",  # land
        "11/0/1023", "12/4095/2048", "13/0/0", "13/8191/8191", "14/0/16383", "15/32767/0", "15/17000/32767",  # edges
    ],
)  # fmt: skip
def test_a_tile_is_a_picture_of_256_pixels_at_every_zoom(client, path):
    response = client.get(f"/tiles/earth/0/{path}.png")
    assert response.status_code == 200, response.data
    assert response.mimetype == "image/png"
    assert pixels_of(response).shape == (256, 256, 3)
    assert response.headers["X-Cache"] == "miss"
    assert "dur=" in response.headers["Server-Timing"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("ext", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")])
def test_three_formats_say_inside_what_they_are(client, ext, kind):
    response = client.get(f"{LAND}.{ext}")
    image = Image.open(io.BytesIO(response.data))
    assert image.format == kind
    version = client.application.extensions["elsewhere"].generator.versions("earth")[0]
    packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    assert f"earth/0@{version}/9/267/180".encode() in packet
    assert b"trainedAlgorithmicMedia" in packet
    if ext == "png":
        assert "does not exist" in image.text["Description"]
    if ext == "jpg":
        assert b"does not exist" in image.info["comment"]


def test_base_imagery_does_not_claim_to_be_generated(client):
    image = Image.open(io.BytesIO(client.get("/tiles/earth/0/3/4/2.png").data))
    assert "not generated" in image.text["Description"]
    assert "trainedAlgorithmicMedia" not in image.text["XML:com.adobe.xmp"]


def test_a_double_tile_is_its_four_children(client):
    double = pixels_of(client.get("/tiles/earth/0/8/134/90@2x.png"))
    for j, row in enumerate((180, 181)):
        for i, column in enumerate((268, 269)):
            child = pixels_of(client.get(f"/tiles/earth/0/9/{column}/{row}.png"))
            assert np.array_equal(double[256 * j : 256 * (j + 1), 256 * i : 256 * (i + 1)], child)


def test_a_double_tile_at_the_deepest_zoom_is_an_enlargement(client):
    double = pixels_of(client.get("/tiles/earth/0/15/17000/11000@2x.png"))
    plain = pixels_of(client.get("/tiles/earth/0/15/17000/11000.png"))
    assert double.shape == (512, 512, 3)
    halved = double.reshape(256, 2, 256, 2, 3).mean((1, 3))
    assert np.abs(halved - plain).mean() < 3


def test_double_base_tiles_need_no_network(client):
    response = client.get("/tiles/earth/0/4/8/5@2x.jpg")
    assert Image.open(io.BytesIO(response.data)).size == (512, 512)


def test_an_even_zoom_is_the_exact_mean_of_the_next(client):
    even = pixels_of(client.get("/tiles/earth/0/8/134/90.png")).astype(int)
    double = pixels_of(client.get("/tiles/earth/0/8/134/90@2x.png")).astype(int)
    assert np.array_equal(even, (double.reshape(256, 2, 256, 2, 3).sum((1, 3)) + 2) // 4)


def test_another_seed_is_another_place_below_the_base_only(client):
    for z, same in ((5, True), (7, False), (8, False), (15, False)):
        path = f"{z}/{(17000 << z) >> 15}/{(11000 << z) >> 15}.png"
        ours, theirs = (pixels_of(client.get(f"/tiles/earth/{seed}/{path}")) for seed in ("0", "pandora"))
        assert np.array_equal(ours, theirs) == same


def test_a_stored_tile_is_a_hit_with_the_same_bytes(client):
    first, second = client.get(f"{LAND}.png"), client.get(f"{LAND}.png")
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert first.data == second.data and first.headers["ETag"] == second.headers["ETag"]


def test_another_format_of_a_stored_tile_needs_no_rendering(app, client):
    client.get(f"{LAND}.png")
    made = app.extensions["elsewhere"].queue.made
    assert client.get(f"{LAND}.webp").headers["X-Cache"] == "hit"
    assert app.extensions["elsewhere"].queue.made == made


def test_a_known_etag_is_answered_304_without_rendering(app, client):
    etag = client.get(f"{LAND}.png").headers["ETag"]
    assert not etag.startswith("W/")
    here = app.extensions["elsewhere"]
    here.store.forget_world("earth")
    made = here.queue.made
    response = client.get(f"{LAND}.png", headers={"If-None-Match": etag})
    assert response.status_code == 304 and not response.data
    assert response.headers["ETag"] == etag
    assert here.queue.made == made


def test_etags_differ_by_everything_that_the_bytes_depend_on(client):
    paths = [f"{LAND}.png", f"{LAND}.jpg", f"{LAND}@2x.png", LAND.replace("/0/9", "/1/9") + ".png"]
    assert len({client.get(path).headers["ETag"] for path in paths}) == len(paths)


def test_head_answers_like_get_without_a_body(client):
    got, headed = client.get(f"{LAND}.png"), client.head(f"{LAND}.png")
    assert headed.status_code == 200 and not headed.data
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]
    assert headed.headers["ETag"] == got.headers["ETag"]


def test_a_pinned_tile_may_be_kept_for_ever_and_an_unpinned_one_not(app, client):
    version = app.extensions["elsewhere"].generator.versions("earth")[0]
    pinned, free = client.get(LAND.replace("/0/", f"/0@{version}/") + ".png"), client.get(f"{LAND}.png")
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in free.headers["Cache-Control"] and "max-age=" in free.headers["Cache-Control"]
    assert pinned.data == free.data


def test_a_preview_comes_from_the_base_and_then_from_the_deepest_kept_ancestor(client):
    path = "/tiles/earth/0/15/17000/11000.png"
    first = client.get(f"{path}?preview=1")
    assert first.status_code == 200 and first.headers["X-Preview-Level"] == "5"
    assert first.headers["Cache-Control"] == "no-store" and "ETag" not in first.headers
    client.get(f"/tiles/earth/0/11/{17000 >> 4}/{11000 >> 4}.png")
    assert client.get(f"{path}?preview=1").headers["X-Preview-Level"] == "11"
    final = client.get(path)
    last = client.get(f"{path}?preview=1")
    assert last.headers["X-Preview-Level"] == "15"
    assert np.array_equal(pixels_of(last), pixels_of(final))


def test_a_preview_of_a_neighbour_shows_what_both_stand_on(settings, tiny_weights, tmp_path):
    tiny = checkpoints.load(tiny_weights)
    checkpoints.save(tmp_path / "new", tiny.network, tiny.whitening, replace(tiny.sampler, supports=True), {})
    app = create_app(replace(settings, weights=str(tmp_path / "new")))
    try:
        client = app.test_client()
        client.get("/tiles/earth/0/15/17000/11000.png")  # makes no tile but itself
        for path, level in (("15/17001/11001", 13), ("14/8500/5500", 13), ("14/8501/5500", 11), ("11/1062/687", 9)):
            preview = client.get(f"/tiles/earth/0/{path}.png?preview=1")
            assert int(preview.headers["X-Preview-Level"]) == level, path
            assert client.get(f"/tiles/earth/0/{path}.png").headers["X-Cache"] == "miss"
        shown = pixels_of(client.get("/tiles/earth/0/15/17002/11003.png?preview=1")).astype(float)
        x, y = 17002 % 4 * 64, 11003 % 4 * 64
        part = pixels_of(client.get(f"/tiles/earth/0/13/{17002 >> 2}/{11003 >> 2}.png"))[y:y + 64, x:x + 64]
        assert np.abs(shown.reshape(64, 4, 64, 4, 3).mean((1, 3)) - part).mean() < 3
    finally:
        app.extensions["elsewhere"].close()


def test_a_preview_shows_the_right_part_of_its_ancestor(client):
    parent = pixels_of(client.get("/tiles/earth/0/5/16/10.png")).astype(float)
    shown = pixels_of(client.get("/tiles/earth/0/7/67/42.png?preview=1")).astype(float)
    part = parent[64 * 2 : 64 * 3, 64 * 3 : 64 * 4]
    assert np.abs(shown.reshape(64, 4, 64, 4, 3).mean((1, 3)) - part).mean() < 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tiles/earth/a.b/9/267/180.png", 400, "bad_seed"),
        (f"/tiles/earth/{'a' * 65}/9/267/180.png", 400, "bad_seed"),
        ("/tiles/earth/@000000000000/9/267/180.png", 400, "bad_seed"),
        ("/tiles/earth/0/9/267/180.gif", 400, "bad_format"),
        ("/tiles/earth/0/9/267/180", 400, "bad_format"),
        ("/tiles/earth/0/9/267/180.PNG", 400, "bad_format"),
        ("/tiles/earth/0/9/267/180@3x.png", 400, "bad_format"),
        ("/tiles/earth/0/9/x/180.png", 400, "bad_tile"),
        ("/tiles/earth/0/9/1.5/180.png", 400, "bad_tile"),
        ("/tiles/earth/0/nine/267/180.png", 400, "bad_tile"),
        ("/tiles/earth/0/9/٣/180.png", 400, "bad_tile"),
        ("/tiles/mars/0/9/267/180.png", 404, "unknown_world"),
        ("/tiles/earth/0@000000000000/9/267/180.png", 404, "unknown_version"),
        ("/tiles/earth/0@/9/267/180.png", 404, "unknown_version"),
        ("/tiles/earth/0/16/0/0.png", 404, "tile_outside"),
        ("/tiles/earth/0/9/512/180.png", 404, "tile_outside"),
        ("/tiles/earth/0/9/-1/180.png", 404, "tile_outside"),
        ("/tiles/earth/0/-1/0/0.png", 404, "tile_outside"),
        (f"/tiles/earth/0/9/{'9' * 5000}/180.png", 404, "tile_outside"),
        ("/tiles/earth/0/9", 404, "not_found"),
        ("/nowhere", 404, "not_found"),
    ],
)
def test_every_error_has_its_name(client, path, status, code):
    for query in ("", "?preview=1"):
        assert error_of(client.get(path + query)) == (status, code)


def test_a_wrong_method_is_json_too(client):
    response = client.post(f"{LAND}.png")
    assert error_of(response) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_a_full_queue_answers_busy_and_when_to_come_again(app, client, monkeypatch):
    monkeypatch.setattr(app.extensions["elsewhere"].queue, "limit", 0)
    response = client.get(f"{LAND}.png")
    assert error_of(response) == (503, "busy")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_bug_is_a_500_without_a_trace_and_is_not_remembered(app, client, monkeypatch, caplog):
    generator = app.extensions["elsewhere"].generator
    with monkeypatch.context() as broken:
        broken.setattr(generator, "pixels", lambda *a: 1 / 0)
        response = client.get(f"{LAND}.png")
        assert error_of(response) == (500, "internal")
        assert b"ZeroDivision" not in response.data and b"Traceback" not in response.data
    assert client.get(f"{LAND}.png").status_code == 200
