"""What has been freed is kept for the next window."""

import ctypes


def keep_what_is_freed() -> None:
    """glibc gives a window's large arrays back to the system, and the next one begins with 14,000 page faults."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another libc
        return
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    mallopt(mmap_threshold, 32 << 20)
    mallopt(trim_threshold, 1 << 30)
