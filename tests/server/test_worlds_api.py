"""Adding and removing worlds over HTTP, and who may."""

import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from server.cli import main

LOCAL = {"base_url": "http://127.0.0.1:8000"}


def picture(size=(128, 64)) -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), (200, 30, 30), np.uint8)).save(file, "PNG")
    file.seek(0)
    return file


def post(client, name="mine", file=None, headers=None, **options):
    data = {"name": name, "title": "Mine", "file": (file or picture(), "a.png")}
    return client.post("/api/worlds", data=data, headers=headers, **{**LOCAL, **options})


def test_a_world_is_added_shown_drawn_and_removed(client):
    answer = post(client, headers={"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 201
    world = answer.json["world"]
    assert world["name"] == "mine" and world["removable"] and len(world["versions"][0]) == 12
    assert world in client.get("/api/worlds").json["worlds"]
    tile = client.get("/tiles/mine/0/0/0/0.png")
    assert tile.status_code == 200
    assert np.asarray(Image.open(io.BytesIO(tile.data)).convert("RGB"))[100, 100].tolist() == [200, 30, 30]
    assert client.delete("/api/worlds/mine", **LOCAL).status_code == 204
    assert client.get("/tiles/mine/0/0/0/0.png").status_code == 404


def test_the_list_says_what_a_page_needs(client):
    worlds = client.get("/api/worlds").json["worlds"]
    assert [world["name"] for world in worlds] == ["earth", "procedural"]
    assert all(set(world) == {"name", "title", "note", "attribution", "base_zoom", "versions", "removable"}
               for world in worlds)


def test_refusals_have_their_statuses(client):
    def code(answer):
        return answer.status_code, answer.json["error"]["code"]

    assert code(post(client, "earth")) == (409, "world_exists")
    assert code(post(client, "No Name")) == (400, "bad_world_name")
    assert code(post(client, file=io.BytesIO(b"no picture"))) == (415, "bad_picture")
    assert code(client.post("/api/worlds", data={"name": "a"}, **LOCAL)) == (400, "bad_request")
    assert code(client.delete("/api/worlds/none", **LOCAL)) == (404, "unknown_world")
    assert code(client.delete("/api/worlds/earth", **LOCAL)) == (403, "forbidden")
    client.application.config["MAX_CONTENT_LENGTH"] = 100
    assert code(post(client)) == (413, "too_large")


@pytest.mark.parametrize("why, headers, options", [
    ("192.0.2.7", {}, {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}),
    ("proxy", {"X-Forwarded-For": "127.0.0.1"}, {}),
    ("proxy", {"Forwarded": "for=127.0.0.1"}, {}),
    ("evil.example", {}, {"base_url": "http://evil.example:8000"}),
    ("evil.example", {"Origin": "http://evil.example"}, {}),
    ("null", {"Origin": "null"}, {}),
    ("127.0.0.1:9000", {"Origin": "http://127.0.0.1:9000"}, {}),
    ("cross-site", {"Sec-Fetch-Site": "cross-site"}, {}),
    ("no token", {"Authorization": "Bearer guess"}, {}),
])
def test_strangers_are_told_why_not(client, why, headers, options):
    answer = post(client, headers=headers, **options)
    assert answer.status_code == 403
    assert why in answer.json["error"]["message"]
    assert client.delete("/api/worlds/earth", headers=headers, **{**LOCAL, **options}).status_code == 403
    assert "mine" not in [world["name"] for world in client.get("/api/worlds").json["worlds"]]


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_has_three_names(client, host):
    assert post(client, base_url=f"http://{host}", headers={"Origin": f"http://{host}"}).status_code == 201


class TestWithToken:
    @pytest.fixture
    def settings(self, settings):
        from dataclasses import replace
        return replace(settings, token="open sesame")

    def test_the_token_opens_from_anywhere(self, client):
        headers = {"Authorization": "Bearer open sesame", "X-Forwarded-For": "192.0.2.7"}
        assert post(client, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 201

    def test_another_token_does_not(self, client):
        assert post(client, headers={"Authorization": "Bearer open sesam"}).status_code == 403
        assert post(client, headers={"Authorization": "Basic open sesame"}).status_code == 403


def test_the_command_line_adds_lists_and_removes(tmp_path):
    (tmp_path / "a.png").write_bytes(picture((200, 200)).getvalue())
    data = ["--data-dir", str(tmp_path / "data")]
    run = CliRunner().invoke
    added = run(main, ["worlds", "add", "mine", str(tmp_path / "a.png"), "--title", "My own", *data])
    assert added.exit_code == 0 and "patch" in added.output
    assert "My own" in run(main, ["worlds", "list", *data]).output
    assert run(main, ["worlds", "add", "mine", str(tmp_path / "a.png"), *data]).exit_code == 1
    assert run(main, ["worlds", "remove", "mine", *data]).exit_code == 0
    assert "My own" not in run(main, ["worlds", "list", *data]).output
