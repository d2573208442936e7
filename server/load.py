"""Many clients at once, for the benchmark; runs in a process of its own, so it imports nothing of the server's."""

import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit


def ask(url: str, paths: list[str], connections: int, seconds: float) -> list[float]:
    """Ask for tiles in turn over so many connections for so long; the seconds that each answer took."""
    address = urlsplit(url)
    latencies: list[list[float]] = [[] for _ in range(connections)]

    def loop(mine: list[float], start: int) -> None:
        connection = HTTPConnection(address.hostname, address.port, timeout=60)
        end, number = time.perf_counter() + seconds, start
        while (began := time.perf_counter()) < end:
            connection.request("GET", paths[number % len(paths)])
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{paths[number % len(paths)]} answered {answer.status}")
            mine.append(time.perf_counter() - began)
            number += 1
        connection.close()

    threads = [threading.Thread(target=loop, args=(mine, start)) for start, mine in enumerate(latencies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [latency for mine in latencies for latency in mine]
