"""The store's disk: sealed bytes under text keys, in diskcache, never a pickle.

Reading a pickle runs whatever is inside, and a cache folder is a thing that people copy about (CVE-2025-69872). Here
a key is text and a value is bytes, both ways; anything else is refused.
"""

import hashlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import diskcache
from diskcache.core import MODE_BINARY, MODE_RAW, UNKNOWN

from model.errors import ElsewhereError

log = logging.getLogger(__name__)

_SEAL = 16  # bytes of BLAKE2b before every value: a bit that fell over on the disk must not be served
_TROUBLES = (OSError, sqlite3.Error, diskcache.Timeout)


class Refused(TypeError):
    """Something other than bytes under a text key."""


class PlainDisk(diskcache.Disk):
    """diskcache's own serialisation without its pickles, on the way in and on the way out."""

    def put(self, key):
        if type(key) is not str:
            raise Refused(f"a key of the store is text, not {type(key).__name__}")
        return key, True

    def get(self, key, raw):
        if not raw or type(key) is not str:
            raise Refused("the store holds a key that is not text: somebody else wrote it")
        return key

    def store(self, value, read, key=UNKNOWN):
        if type(value) is not bytes or read:
            raise Refused(f"a value of the store is bytes, not {type(value).__name__}")
        return super().store(value, False, key)

    def fetch(self, mode, filename, value, read):
        if mode not in (MODE_RAW, MODE_BINARY) or read or (mode == MODE_RAW and type(value) is not bytes):
            raise Refused("the store holds a value that is not bytes: somebody else wrote it")
        if filename and not self._is_ours(filename):
            raise Refused("the store holds a value outside its folder: somebody else wrote it")
        return super().fetch(mode, filename, value, read)

    def remove(self, file_path):
        if self._is_ours(file_path):
            super().remove(file_path)

    def _is_ours(self, filename: str) -> bool:
        folder = Path(self._directory).resolve()
        return (folder / filename).resolve().is_relative_to(folder)


class StoreUnusable(ElsewhereError):
    """The folder cannot hold a store at all: no room to open it, no permission, or somebody else at work in it."""

    code = "store_unusable"


class DiskStore:
    """Sealed bytes on disk, the longest stored evicted first. Safe from many threads and processes.

    Reading and writing never raise: what cannot be read is None, and ``fault`` says why the last write failed (None
    after one that did not). Opening raises StoreUnusable.
    """

    def __init__(self, folder: Path, limit: int):
        self.folder = Path(folder)
        self.limit = limit
        self.fault: str | None = None
        self._warned = 0.0
        try:
            self._cache = self._open()
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreUnusable(f"The cache {folder} cannot be used ({error}). Choose one with --cache-dir.") from error
        except sqlite3.DatabaseError as error:
            # The store may be thrown away at any time; a damaged one is put aside and not built upon.
            aside = self.folder.with_name(f"{self.folder.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            shutil.move(self.folder, aside)
            log.warning("The store in %s is damaged (%s). It was moved to %s; starting afresh.", folder, error, aside)
            self._cache = self._open()

    def _open(self) -> diskcache.Cache:
        # Least recently *stored*: the least-recently-used policy would write on every hit.
        return diskcache.Cache(
            str(self.folder),
            disk=PlainDisk,
            size_limit=self.limit,
            eviction_policy="least-recently-stored",
            tag_index=True,
        )

    def get(self, key: str) -> bytes | None:
        """The bytes that were put, or None. A damaged entry is removed with a warning: it will be made again."""
        try:
            sealed = self._cache.get(key)
        except (*_TROUBLES, Refused) as error:
            log.warning("Tile %s cannot be read from the store (%s); it will be made again.", key, error)
            self._forget(key)
            return None
        if sealed is None:
            return None
        seal, value = sealed[:_SEAL], sealed[_SEAL:]
        if _seal(value) != seal:
            log.warning("Tile %s is damaged in the store; it will be made again.", key)
            self._forget(key)
            return None
        return value

    def put(self, key: str, value: bytes, tag: str) -> bool:
        """Keep bytes; False (and ``fault``) when the disk is full or broken: tiles are answered all the same."""
        try:
            # Without retry=True, which spins for ever on a disk that cannot be written; a lock is waited for 60 s.
            self._cache.set(key, _seal(value) + value, tag=tag)
        except _TROUBLES as error:
            self.fault = f"the store in {self.folder} cannot be written: {error or type(error).__name__}"
            if time.monotonic() - self._warned > 30 or not self._warned:
                self._warned = time.monotonic()
                log.warning("%s. Tiles are answered and not kept.", self.fault[0].upper() + self.fault[1:])
            self._reopen()
            return False
        if self.fault:
            log.warning("The store in %s can be written again.", self.folder)
            self.fault = None
        return True

    def writable(self) -> bool:
        """Whether the last write went well; after one that did not, whether a new one does."""
        return self.fault is None or self.put("probe", bytes(64 * 1024), tag="probe")

    def keys(self) -> Iterator[str]:
        """Every key, oldest first."""
        for key in self._cache.iterkeys():
            if key != "probe":
                yield key

    def forget_tag(self, tag: str) -> int:
        """Remove all entries put under a tag; how many."""
        return self._cache.evict(tag)

    def clear(self) -> int:
        """Remove everything; how many entries."""
        return self._cache.clear()

    def prune(self) -> int:
        """Down to the limit, and without files that a killed process left behind; how many bytes that freed."""
        before = self.bytes()
        self._cache.cull()
        self._cache.check(fix=True)
        return max(0, before - self.bytes())

    def entries(self) -> int:
        return len(self._cache)

    def bytes(self) -> int:
        return self._cache.volume()

    def close(self) -> None:
        self._cache.close()

    def _forget(self, key: str) -> None:
        try:
            self._cache.delete(key)
        except (*_TROUBLES, Refused):
            self._reopen()

    def _reopen(self) -> None:
        """A failed COMMIT leaves its transaction open in this thread's connection: take a new one."""
        try:
            self._cache.close()
        except sqlite3.Error:
            pass


def _seal(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=_SEAL).digest()
