"""What the server says of itself."""

import pytest


def test_the_status_has_what_the_page_shows(app, client):
    said = client.get("/api/status").json
    assert set(said) == {
        "rendering", "waiting", "tile_seconds", "eta_seconds", "made", "store", "uptime_seconds",
    }  # fmt: skip
    assert said["rendering"] is None and said["waiting"] == 0
    assert set(said["store"]) == {"entries", "bytes", "limit"}
    client.get("/tiles/earth/0/7/67/44.png")
    after = client.get("/api/status").json
    assert after["made"] >= 1 and after["tile_seconds"] > 0 and after["store"]["entries"] >= 1


def test_the_status_names_what_is_being_made(app, client):
    generator = app.extensions["elsewhere"].generator
    app.extensions["elsewhere"].queue._making.append(generator.address("earth", "42", 15, 3, 4))
    assert client.get("/api/status").json["rendering"] == {
        "world": "earth", "version": generator.versions("earth")[0], "seed": 42, "z": 15, "x": 3, "y": 4,
    }  # fmt: skip


def test_prometheus_finds_its_figures(client):
    client.get("/tiles/earth/0/7/67/44.png")
    client.get("/tiles/earth/0/7/67/44.png")
    text = client.get("/metrics").text
    assert 'elsewhere_tiles_total{ext="png",outcome="hit"} 1.0' in text
    assert 'elsewhere_tiles_total{ext="png",outcome="miss"} 1.0' in text
    assert 'elsewhere_window_seconds_count{speculative="no",zoom="7"} 1.0' in text
    assert "elsewhere_store_entries" in text and "elsewhere_waiting 0.0" in text
    assert "67" not in "".join(line for line in text.splitlines() if "elsewhere_requests_total" in line)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/status", "/metrics"])
def test_nothing_of_it_is_kept_by_caches(client, path):
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_pages_may_run_only_scripts_of_ours(client):
    first, second = (client.get("/").headers["Content-Security-Policy"] for _ in range(2))
    assert "'unsafe-inline'" not in first and "http" not in first
    assert first != second, "the nonce must be another one for every request"
