"""What is made before anybody asks."""

import pytest

from model.generator import Address
from server.foresight import Foresight


class Planet:
    base_zoom = 5


class Generator:
    """Knows what it has made; every odd window below the base stands by itself."""

    def __init__(self):
        self.made = set()
        self.worlds = self

    def get(self, name):
        return Planet

    def needs(self, address):
        return [] if address in self.made else [address]


@pytest.fixture
def generator():
    return Generator()


def tile(z, x, y, world="earth"):
    return Address(world, "v", 0, z, x, y)


def everything(generator, foresight):
    order = []
    while (address := foresight.next()) is not None:
        generator.made.add(address)
        order.append(address)
    return order


def test_nothing_is_foreseen_before_anybody_looked(generator):
    assert Foresight(generator, 10).next() is None


def test_the_ring_comes_first_and_then_what_lies_under_the_view(generator):
    generator.made = {tile(9, 100, 100)}
    foresight = Foresight(generator, 100)
    foresight.note(tile(9, 100, 100))
    order = everything(generator, foresight)
    assert {(a.x, a.y) for a in order[:8]} == {(x, y) for x in (99, 100, 101) for y in (99, 100, 101)} - {(100, 100)}
    assert all(a.z == 11 and a.x >> 2 == 100 and a.y >> 2 == 100 for a in order[8:])
    assert len(order) == 8 + 16


def test_the_budget_of_a_view_is_kept_and_a_new_view_has_its_own(generator):
    foresight = Foresight(generator, 5)
    foresight.note(tile(9, 100, 100))
    assert len(everything(generator, foresight)) == 5
    foresight.note(tile(9, 100, 100))
    assert foresight.next() is None
    foresight.note(tile(11, 400, 400))
    assert len(everything(generator, foresight)) == 5


def test_the_ring_goes_around_the_back_of_the_world_and_stops_at_the_poles(generator):
    foresight = Foresight(generator, 100)
    foresight.note(tile(7, 0, 0))
    ring = {(a.x, a.y) for a in everything(generator, foresight) if a.z == 7}
    assert ring == {(127, 0), (1, 0), (127, 1), (0, 1), (1, 1)}


def test_under_the_base_the_first_generated_level_is_foreseen(generator):
    foresight = Foresight(generator, 100)
    foresight.note(tile(5, 3, 3))
    assert {a.z for a in everything(generator, foresight)} == {7}
    foresight.note(tile(1, 0, 0))
    assert foresight.next() is None


def test_at_the_deepest_zoom_there_is_only_the_ring(generator):
    foresight = Foresight(generator, 100)
    foresight.note(tile(15, 100, 100))
    assert {a.z for a in everything(generator, foresight)} == {15}


def test_work_that_was_given_up_is_named_again(generator):
    foresight = Foresight(generator, 100)
    foresight.note(tile(9, 100, 100))
    assert foresight.next() == foresight.next()
