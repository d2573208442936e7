"""The register of worlds."""

import numpy as np
import pytest
from PIL import Image

from model.errors import BadPicture, BadWorldName, UnknownWorld, WorldExists
from model.generator import version
from model.worlds import Worlds


def picture(path, grey=90):
    pixels = np.full((64, 128, 3), grey, np.uint8)
    pixels[:32, :64] = (200, 30, 30)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def worlds(tmp_path):
    return Worlds(tmp_path / "data")


def test_earth_and_procedural_are_built_in(worlds):
    assert worlds.names() == ["earth", "procedural"]
    assert [worlds.get(name).base_zoom for name in worlds.names()] == [5, 5]


def test_a_picture_becomes_a_world_and_goes_again(worlds, tmp_path):
    world = worlds.add("red-dawn", picture(tmp_path / "a.png"), "Red dawn", "me, CC0")
    assert (world.title, world.attribution, world.removable, world.base_zoom) == ("Red dawn", "me, CC0", True, 1)
    assert worlds.names() == ["earth", "procedural", "red-dawn"]
    assert tuple(world.base(0).region(0, 0, 0, 256, 256)[100, 60]) == (200, 30, 30)
    worlds.remove("red-dawn")
    assert worlds.names() == ["earth", "procedural"]
    with pytest.raises(UnknownWorld):
        worlds.get("red-dawn")


def test_another_register_sees_a_new_world_at_once(worlds, tmp_path):
    other = Worlds(tmp_path / "data")
    assert other.names() == ["earth", "procedural"]
    worlds.add("mine", picture(tmp_path / "a.png"))
    assert other.get("mine").title == "Mine"
    worlds.remove("mine")
    with pytest.raises(UnknownWorld):
        other.get("mine")


def test_another_picture_under_the_same_name_is_another_version(worlds, tmp_path):
    other = Worlds(tmp_path / "data")
    worlds.add("mine", picture(tmp_path / "a.png", 90))
    first = version(other.get("mine"), "net")
    worlds.remove("mine")
    worlds.add("mine", picture(tmp_path / "b.png", 90))
    assert version(other.get("mine"), "net") == first
    worlds.remove("mine")
    worlds.add("mine", picture(tmp_path / "c.png", 91))
    assert version(other.get("mine"), "net") != first


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "../a", "a/b", "a" * 33, "ä", "a\n", None])
def test_a_bad_name_is_refused(worlds, tmp_path, name):
    with pytest.raises(BadWorldName):
        worlds.add(name, picture(tmp_path / "a.png"))


@pytest.mark.parametrize("name", ["earth", "procedural", "mine"])
def test_a_name_is_given_once(worlds, tmp_path, name):
    worlds.add("mine", picture(tmp_path / "a.png"))
    with pytest.raises(WorldExists):
        worlds.add(name, tmp_path / "a.png")


def test_what_is_built_in_stays(worlds):
    with pytest.raises(BadWorldName):
        worlds.remove("earth")


def test_a_failed_addition_leaves_no_world(worlds, tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(BadPicture):
        worlds.add("mine", tmp_path / "a.png")
    assert "mine" not in worlds.names()


def test_a_damaged_folder_is_no_world(worlds, tmp_path):
    worlds.add("mine", picture(tmp_path / "a.png"))
    (tmp_path / "data" / "worlds" / "mine" / "world.json").write_text("{}")
    assert Worlds(tmp_path / "data").names() == ["earth", "procedural"]
