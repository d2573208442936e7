"""One process, many threads: waitress in front of the application, a clean end on SIGINT and SIGTERM.

waitress, because it is pure Python, keeps connections in one loop and not in one thread each, and tells a view when
its client hangs up (``channel_request_lookahead``).
"""

import contextlib
import logging
import os
import signal
import sys

import waitress

from model.errors import ElsewhereError
from server import doorstep
from server.app import create_app
from server.settings import Settings

SPARE_THREADS = 16  # beyond those that may wait for renders: stored tiles and previews never wait behind them

# Views run Python between the network's calls; at the default of 5 ms each of a window's hundreds of calls may wait
# that long for its turn, and rendering under load falls to a fraction (docs/PERFORMANCE.md).
SWITCH_INTERVAL = 0.0005  # seconds


class CannotListen(ElsewhereError):
    """The port is taken, or not ours to take."""

    code = "cannot_listen"


def serve(settings: Settings, tell=print) -> None:
    """Serve until SIGINT or SIGTERM. Raises StoreUnusable, BadCheckpoint, CannotListen."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # its depth is ours to report, in /api/status
    sys.setswitchinterval(SWITCH_INTERVAL)
    app = create_app(settings)
    here = app.extensions["elsewhere"]
    with contextlib.closing(here):
        server = _listen(app, settings)
        _end_on_signals(here)
        here.generator.pixels(here.generator.address("earth", 0, 0, 0, 0))  # decode the base now, not for a visitor
        port = getattr(server, "effective_port", settings.port)
        tell(f"\n  Elsewhere is open:  {settings.public_url or _local_url(settings.host, port)}\n")
        tell(f"  Tiles are kept in {settings.cache_dir}/, people's worlds in {settings.data_dir}/. Ctrl-C ends it.\n")
        sys.stdout.flush()
        server.run()
    tell("Elsewhere is closed.")


def _listen(app, settings: Settings):
    shortcut = app.extensions["elsewhere"].shortcut
    try:
        sockets = {}
        server = waitress.create_server(
            app,
            map=sockets,
            host=settings.host,
            port=settings.port,
            threads=settings.queue_limit + SPARE_THREADS,
            channel_request_lookahead=1,
            connection_limit=1000,
            asyncore_use_poll=True,
            max_request_body_size=settings.upload_limit,
            ident=shortcut.server,
            clear_untrusted_proxy_headers=False,  # server.addresses decides whom to believe
        )
        doorstep.install(sockets, shortcut)
        return server
    except OSError as error:
        where, why = f"{settings.host}:{settings.port}", error.strerror or error
        raise CannotListen(f"Cannot listen on {where} ({why}). Take another port: --port 8001") from None


def _end_on_signals(here) -> None:
    """Both signals end the server at once: waiting requests are sent away, the window in the making is given up."""

    def end(number, frame) -> None:
        signal.signal(number, lambda *again: os._exit(130))  # whoever insists is obeyed; the store bears it
        here.queue.close(timeout=0)
        raise SystemExit(0)  # waitress's loop takes it as the wish to stop

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)


def _local_url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
