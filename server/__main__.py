"""``python -m server``: see ``python -m server --help``."""

import ctypes
import os

# OpenMP's threads spin while they wait for each other, and spinning collapses as soon as anything else runs: beside a
# loaded web server that is 2.5 network calls a second in place of 7 to 8. Must be said before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from server.cli import main


def keep_what_is_freed() -> None:
    """glibc gives a window's large arrays back to the system, and the next one begins with 14,000 page faults."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another libc
        return
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    mallopt(mmap_threshold, 32 << 20)
    mallopt(trim_threshold, 1 << 30)


if __name__ == "__main__":
    keep_what_is_freed()
    main(prog_name="python -m server")
