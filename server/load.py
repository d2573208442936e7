"""Many clients at once, for the benchmark; runs in a process of its own, so it imports nothing of the server's.

It shares the machine with the server that it measures. Python's own HTTP client would take more of it than the answers
do, so requests are bytes made beforehand and of an answer only the status and the length are read.
"""

import re
import socket
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LARGEST = 1 << 20  # bytes of an answer


class Client:
    """One connection that stays open."""

    def __init__(self, host: str, port: int):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.buffer = memoryview(bytearray(_LARGEST))

    def get(self, request: bytes) -> None:
        """Send a request and read its answer to the last byte. Raises RuntimeError unless it is a whole 200."""
        self.socket.sendall(request)
        got, end = 0, -1
        while end < 0 or got < end:
            read = self.socket.recv_into(self.buffer[got:])
            if not read:
                raise RuntimeError(f"{request[:80]!r} was answered {got} bytes of {end}")
            got += read
            if end < 0:
                end = _whole(bytes(self.buffer[: min(got, 4096)]), request)
        if got != end:
            raise RuntimeError(f"{request[:80]!r} was answered {got} bytes instead of {end}")

    def close(self) -> None:
        self.socket.close()


def _whole(head: bytes, request: bytes) -> int:
    """Bytes of the whole answer that begins so; -1 while its head is not there yet."""
    headed = head.find(b"\r\n\r\n")
    if headed < 0:
        return -1
    length = _LENGTH.search(head, 0, headed + 2)
    if not head.startswith(b"HTTP/1.1 200 ") or not length:
        raise RuntimeError(f"{request[:80]!r} was answered {head[:80]!r}")
    return headed + 4 + int(length[1])


def ask(url: str, paths: list[str], connections: int, seconds: float, per_second: float = 0) -> list[float]:
    """Ask for tiles in turn over so many connections for so long; the seconds that each answer took.

    ``per_second`` is a steady rate of all connections together; 0 asks again as soon as an answer is there. Raises
    RuntimeError when an answer was not a whole 200.
    """
    address = urlsplit(url)
    requests = [f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode() for path in paths]
    latencies: list[list[float]] = [[] for _ in range(connections)]
    faults: list[Exception] = []

    def loop(mine: list[float], start: int) -> None:
        try:
            with closing(Client(address.hostname, address.port)) as client:
                due, number = time.perf_counter(), start
                end = due + seconds
                while (began := time.perf_counter()) < end:
                    if per_second:
                        due += connections / per_second
                        if due > began:
                            time.sleep(due - began)
                            began = due
                    client.get(requests[number % len(requests)])
                    mine.append(time.perf_counter() - began)
                    number += 1
        except Exception as fault:  # a thread's error would be lost, and the numbers would be of fewer clients
            faults.append(fault)

    threads = [threading.Thread(target=loop, args=(mine, start)) for start, mine in enumerate(latencies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} of {connections} clients failed") from faults[0]
    return [latency for mine in latencies for latency in mine]
