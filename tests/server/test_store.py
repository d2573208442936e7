"""The store: what is put comes back, what is damaged or foreign does not, and nothing there can stop a tile."""

import pickle
import sqlite3
import threading

import numpy as np
import pytest

from model.generator import Address
from server import encoding
from server.disk import DiskStore, PlainDisk, Refused, StoreUnusable
from server.store import TileStore, address_of, key_of, sole_use


def address(x=1, z=9):
    return Address("earth", "0123456789ab", 7, z, x, 2)


def window(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (256, 256, 3), dtype=np.uint8)


@pytest.fixture
def store(tmp_path):
    store = TileStore(tmp_path, 10**9)
    yield store
    store.close()


def values_of(store):
    """The files of large values."""
    return sorted(store.disk.folder.rglob("*.val"))


def forget_memory(store):
    store._bytes.clear()
    store._pixels.clear()


def test_a_window_comes_back_exactly_and_is_a_tile_too(store):
    store.put(address(), window())
    forget_memory(store)
    assert np.array_equal(store.get(address()), window())
    assert np.array_equal(encoding.decode(store.picture(address())), window())


def test_a_window_says_whether_it_was_generated(store):
    for generated in (True, False):
        store.put(address(), window(), generated)
        assert store.picture(address()) == encoding.encode(window(), "png", encoding.provenance(address(), generated))
    assert encoding.provenance(address(), True) != encoding.provenance(address(), False)


def test_what_was_put_may_be_changed_by_its_owner_afterwards(store):
    pixels = window()
    store.put(address(), pixels)
    pixels[:] = 0
    assert np.array_equal(store.get(address()), window())
    with pytest.raises(ValueError):
        store.get(address())[:] = 0


def test_keys_and_addresses_are_two_ways_to_say_the_same():
    assert address_of(key_of(address())) == address()
    assert address_of(key_of(address(), 2, "png")) is None
    assert address_of(key_of(address(), 1, "jpg")) is None
    assert address_of("0/" + key_of(address()).partition("/")[2]) is None  # another encoder's


@pytest.mark.parametrize("harm", ["flip", "truncate", "empty", "remove"])
def test_a_damaged_entry_is_a_miss_and_is_made_again(store, caplog, harm):
    store.put(address(), window())
    forget_memory(store)
    [path] = values_of(store)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes({"flip": data, "truncate": data[:1000], "empty": b""}[harm])
    assert store.get(address()) is None
    assert harm == "remove" or "damaged" in caplog.text
    store.put(address(), window())
    forget_memory(store)
    assert np.array_equal(store.get(address()), window())


def test_pickles_are_refused_on_the_way_in(tmp_path):
    disk = PlainDisk(str(tmp_path))
    for key in (("a", 1), b"a", 1, None):
        with pytest.raises(Refused):
            disk.put(key)
    for value in ("text", 1, {"a": 1}, None):
        with pytest.raises(Refused):
            disk.store(value, False)


def test_pickles_are_refused_on_the_way_out_and_never_run(store, tmp_path, caplog):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    store.put(address(), window())
    key = key_of(address())
    forget_memory(store)
    with sqlite3.connect(store.disk.folder / "cache.db") as database:
        database.execute(
            "UPDATE Cache SET mode = 4, filename = NULL, value = ? WHERE key = ?", (pickle.dumps(Bomb()), key)
        )
    database.close()
    assert store.get(address()) is None
    assert not (tmp_path / "exploded").exists()
    assert "will be made again" in caplog.text


def test_a_value_outside_the_folder_is_refused(store, tmp_path, caplog):
    (tmp_path / "secret").write_bytes(b"x" * 100)
    store.put(address(), window())
    forget_memory(store)
    with sqlite3.connect(store.disk.folder / "cache.db") as database:
        database.execute("UPDATE Cache SET filename = '../secret'")
    database.close()
    assert store.get(address()) is None
    assert (tmp_path / "secret").exists()


def test_a_full_disk_does_not_stop_a_tile(store, monkeypatch, caplog):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(PlainDisk, "_write", full)
        store.put(address(), window())
        assert np.array_equal(store.get(address()), window())  # from memory
        assert "No space left" in store.disk.fault
        assert not store.disk.writable()
    assert store.disk.writable()
    assert store.disk.fault is None
    assert "can be written again" in caplog.text


def test_a_full_database_does_not_stop_a_tile(tmp_path, caplog):
    store = DiskStore(tmp_path, 10**9)
    ((pages,),) = store._cache._sql("PRAGMA page_count").fetchall()
    store._cache._sql(f"PRAGMA max_page_count = {pages}")
    assert not all(store.put(f"small{i}", bytes(20_000), "t") for i in range(30))
    assert "full" in store.fault
    assert store.put("after", b"1", "t")  # a fresh connection, without the limit
    assert store.get("after") == b"1"
    store.close()


def test_the_longest_stored_goes_first(tmp_path):
    store = DiskStore(tmp_path, 1_000_000)
    for number in range(60):
        store.put(f"k{number}", bytes(40_000), "t")
    assert store.get("k0") is None and store.get("k59") is not None
    assert store.bytes() < 1_200_000
    store.close()


def test_forgetting_a_world_leaves_the_others(store):
    other = address()._replace(world="pandora")
    store.put(address(), window(1))
    store.put(other, window(2))
    store.forget_world("earth")
    assert store.get(address()) is None
    assert np.array_equal(store.get(other), window(2))


def test_many_threads_read_and_write(store):
    failures = []

    def work(number):
        try:
            for x in range(4):
                store.put(address(x), window(x))
                assert np.array_equal(store.get(address(x)), window(x))
        except Exception as error:  # shown below: an assertion in a thread would be lost
            failures.append(error)
        finally:
            store.close()  # this thread's connection

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_database_that_is_none_is_put_aside(tmp_path, caplog):
    store = DiskStore(tmp_path / "tiles", 10**9)
    store.put("a", b"1", "t")
    store.close()
    for path in (tmp_path / "tiles").glob("cache.db*"):
        path.write_bytes(b"not a database at all, " * 1000)
    again = DiskStore(tmp_path / "tiles", 10**9)
    assert again.get("a") is None
    assert again.put("a", b"2", "t") and again.get("a") == b"2"
    assert "moved to" in caplog.text and len(list(tmp_path.glob("tiles.damaged-*"))) == 1
    again.close()


def test_two_servers_do_not_share_a_folder(tmp_path):
    with sole_use(tmp_path), pytest.raises(StoreUnusable, match="--cache-dir"), sole_use(tmp_path):
        pass
    with sole_use(tmp_path):
        pass


def test_a_folder_that_cannot_be_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable, match="cannot be used"), sole_use(tmp_path / "file"):
        pass


def test_encodings_are_the_same_every_time():
    about = encoding.provenance(address(), True)
    for ext in encoding.TYPES:
        assert encoding.encode(window(), ext, about) == encoding.encode(window().copy(order="F"), ext, about)
    with pytest.raises(ValueError):
        encoding.encode(window(), "bmp", about)
    with pytest.raises(ValueError):
        encoding.decode(b"no picture")
