"""What all tests share: a tiny network, an application in this process, a real server in another."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from model.memory import keep_what_is_freed

ROOT = Path(__file__).resolve().parent.parent

# Tests run beside each other and beside whatever else the machine does; the tiny network gains nothing from threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
keep_what_is_freed()
# Worker threads end with the tests; nothing of a developer's own configuration may leak in.
for _name in [name for name in os.environ if name.startswith("ELSEWHERE_")]:
    del os.environ[_name]


def pytest_collection_modifyitems(items):
    """Quick claims first, then those that need a process, a browser, the shipped weights."""
    weight = {"gis": 1, "slow": 2, "shipped": 3, "browser": 4}
    items.sort(key=lambda item: max((weight.get(mark.name, 0) for mark in item.iter_markers()), default=0))


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """A checkpoint of the smallest preset with random weights: milliseconds a window, pixels that differ everywhere."""
    import torch

    from model.checkpoint import save
    from model.network import PRESETS, Network
    from model.residual import Whitening
    from model.sampler import SamplerConfig

    folder = tmp_path_factory.mktemp("weights") / "tiny"
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(1)
    network = Network(PRESETS["tiny"])
    with torch.no_grad():
        for parameter in network.parameters():  # also the layers that training starts at zero
            parameter.add_(0.02 * torch.randn_like(parameter))
    torch.random.set_rng_state(generator_state)
    save(folder, network, Whitening([[5.0, 0.1, 0.02, 0.02]]), SamplerConfig(times=(999, 499), supports=True),
         {"name": "tiny"})
    return folder


@pytest.fixture(scope="session")
def plains_config():
    """Of a tiny network that is shown gullies, and fields on plains alone."""
    from dataclasses import replace

    from model.network import PRESETS

    return replace(PRESETS["tiny"], fine=(8, 8), creases=(1.6,), relief=True, gullies=True, rim=32, parcels=True,
                   cover=True, land_use=True, plains=True)


@pytest.fixture
def tiny_generator(tiny_weights):
    """A generator of the built-in worlds on the tiny network, nothing stored."""
    from model.generator import Generator
    from model.worlds import Worlds

    return Generator(Worlds(None), weights=tiny_weights, threads=1)


@pytest.fixture
def settings(tmp_path, tiny_weights):
    """Settings of a server of one test's own."""
    from server.settings import Settings

    return Settings(
        cache_dir=tmp_path / "cache", data_dir=tmp_path / "data", weights=str(tiny_weights), threads=1, foresight=0
    )


@pytest.fixture
def app(settings):
    """An application in this process, with its render thread."""
    from server.app import create_app

    app = create_app(settings)
    yield app
    app.extensions["elsewhere"].close()


@pytest.fixture
def client(app):
    return app.test_client()


class Server:
    """A real ``python -m server serve`` on a free port; ``url`` has no slash at its end."""

    def __init__(self, folder: Path, weights: Path, *options: str, environ: dict[str, str] | None = None):
        self.folder = Path(folder)
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "server", "serve", "--port", "0", "--cache-dir", str(self.folder / "cache"),
                "--data-dir", str(self.folder / "data"), "--threads", "1", "--foresight", "0", *options,
            ],
            cwd=ROOT,
            env={**os.environ, "ELSEWHERE_WEIGHTS": str(weights), **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        self._opened = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._opened.wait(60) or not self.url:
            self.kill()
            raise RuntimeError("the server did not open:\n" + "".join(self.log))

    def _read(self) -> None:
        for line in self.process.stdout:
            self.log.append(line)
            found = re.search(r"open:\s+(http://\S+?)/?\s", line)
            if found:
                self.url = found[1]
                self._opened.set()
        self._opened.set()

    def get(self, path: str, **kwargs) -> requests.Response:
        kwargs.setdefault("timeout", 60)
        return requests.get(self.url + path, **kwargs)

    def stop(self, number: int = signal.SIGINT, timeout: float = 20) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self._collect(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        self.process.kill()
        self._collect(20)

    def _collect(self, timeout: float) -> int:
        status = self.process.wait(timeout)
        self._reader.join(5)
        self.process.stdout.close()
        return status


@pytest.fixture(scope="session")
def live_server(tiny_weights, tmp_path_factory):
    """One real server for all tests that only ask it things."""
    server = Server(tmp_path_factory.mktemp("live"), tiny_weights)
    yield server
    server.stop()


@pytest.fixture
def make_server(tiny_weights, tmp_path):
    """Start real servers: ``make_server("a")`` keeps its things in a folder of that name, and finds them again."""
    servers = []

    def start(name: str = "server", *options: str, environ: dict[str, str] | None = None) -> Server:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        servers.append(Server(folder, tiny_weights, *options, environ=environ))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
