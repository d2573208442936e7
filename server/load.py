"""Many clients at once, for the benchmark; runs in a process of its own, so it imports nothing of the server's."""

import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit


def ask(url: str, paths: list[str], connections: int, seconds: float, per_second: float = 0) -> list[float]:
    """Ask for tiles in turn over so many connections for so long; the seconds that each answer took.

    ``per_second`` is a steady rate of all connections together; 0 asks again as soon as an answer is there.
    """
    address = urlsplit(url)
    latencies: list[list[float]] = [[] for _ in range(connections)]

    def loop(mine: list[float], start: int) -> None:
        connection = HTTPConnection(address.hostname, address.port, timeout=60)
        due, number = time.perf_counter(), start
        end = due + seconds
        while (began := time.perf_counter()) < end:
            if per_second:
                due += connections / per_second
                if due > began:
                    time.sleep(due - began)
                    began = due
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
