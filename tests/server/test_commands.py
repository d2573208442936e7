"""Settings and the command line."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from server import encoding, settings
from server.bench import places
from server.cli import main
from server.figures import percentile
from server.settings import Settings
from server.store import TileStore, sole_use

ROOT = Path(__file__).resolve().parents[2]


def run(*args, env=None):
    return CliRunner().invoke(main, args, env=env)


@pytest.fixture
def folder(tmp_path, tiny_generator):
    """A cache folder with four true tiles."""
    store = TileStore(tmp_path / "cache", 10**9)
    for z, x, y in ((5, 16, 10), (7, 67, 44), (7, 68, 44), (8, 135, 89)):
        address = tiny_generator.address("earth", 0, z, x, y)
        pixels = tiny_generator.pixels(address)
        store.keep(address, 1, "png", encoding.encode(pixels, "png", encoding.provenance(address, True)))
    store.close()
    return tmp_path / "cache"


def options(folder, weights):
    return ["--cache-dir", str(folder), "--weights", str(weights), "--threads", "1"]


def test_a_setting_comes_from_the_option_before_the_environment_before_the_default():
    environ = {"ELSEWHERE_PORT": "9000", "ELSEWHERE_CACHE_SIZE": "500MB", "ELSEWHERE_TRUSTED_PROXY": "yes"}
    loaded = Settings.load(environ, port="9001", host=None)
    assert (loaded.port, loaded.cache_size, loaded.host) == (9001, 500_000_000, "127.0.0.1")
    assert loaded.trusted_proxy is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"), ("PORT", "70000"), ("CACHE_SIZE", "2 bananas"), ("TRUSTED_PROXY", "perhaps"),
        ("PUBLIC_URL", "maps.example.org"), ("THREADS", "0"), ("QUEUE_LIMIT", "0"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_its_value(name, value):
    with pytest.raises(ValueError, match=name.lower()):
        Settings.load({f"ELSEWHERE_{name}": value})
    result = run("serve", env={f"ELSEWHERE_{name}": value})
    assert result.exit_code == 2 and name.lower() in result.output


def test_help_shows_every_setting_and_its_variable():
    text = " ".join(run("serve", "--help").output.split())
    for entry in fields(Settings):
        assert settings.option(entry.name) in text and settings.variable(entry.name) in text


def test_the_readme_has_the_table_of_settings():
    assert settings.table() in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", ["serve", "render", "bench", "verify", "cache", "worlds"])
def test_every_command_explains_itself(command):
    result = run(command, "--help")
    assert result.exit_code == 0 and "Usage" in result.output


def test_verify_finds_true_tiles_true(folder, tiny_weights):
    result = run("verify", *options(folder, tiny_weights))
    assert result.exit_code == 0, result.output
    assert "4 tiles are what they should be, 0 differ" in result.output
    assert "2 tiles are" in run("verify", "--sample", "2", *options(folder, tiny_weights)).output


def test_verify_names_a_tile_that_differs(folder, tiny_weights, tiny_generator):
    address = tiny_generator.address("earth", 0, 7, 67, 44)
    pixels = np.array(tiny_generator.pixels(address))
    pixels[5, 6, 1] ^= 1
    store = TileStore(folder, 10**9)
    store.keep(address, 1, "png", encoding.encode(pixels, "png", encoding.provenance(address, True)))
    store.close()
    result = run("verify", *options(folder, tiny_weights))
    assert result.exit_code == 1
    assert f"DIFFERS {address}: 1 of 65536 pixels, by up to 1 grey levels" in result.output


def test_verify_skips_what_can_no_longer_be_made(folder, tiny_weights, tiny_generator):
    address = tiny_generator.address("earth", 0, 7, 67, 44)
    store = TileStore(folder, 10**9)
    for lost in (address._replace(world="atlantis"), address._replace(version="0" * 12)):
        store.put(lost, np.zeros((256, 256, 3), np.uint8))
    store.close()
    result = run("verify", *options(folder, tiny_weights))
    assert result.exit_code == 0 and "0 differ, 2 skipped" in result.output


def test_cache_says_what_is_there_and_clears_it(folder):
    assert "4 pictures" in run("cache", "info", "--cache-dir", str(folder)).output
    assert "4 pictures stay" in run("cache", "prune", "--cache-dir", str(folder)).output
    assert "Removed 4 pictures" in run("cache", "clear", "--cache-dir", str(folder)).output
    assert "0 pictures" in run("cache", "info", "--cache-dir", str(folder)).output


def test_cache_is_not_cleared_under_a_running_server(folder):
    with sole_use(folder):
        result = run("cache", "clear", "--cache-dir", str(folder))
    assert result.exit_code == 1 and "Another Elsewhere is using" in result.output
    assert "4 pictures" in run("cache", "info", "--cache-dir", str(folder)).output


def test_percentiles_and_places_are_what_they_say():
    assert percentile([3, 1, 2], 0.5) == 2 and percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([7], 0.95) == 7
    assert places(5) == places(30)[:5]
