"""``python -m server``: see ``python -m server --help``."""

import os

# OpenMP's threads spin while they wait for each other, and spinning collapses as soon as anything else runs: beside a
# loaded web server that is 2.5 network calls a second in place of 7 to 8. Must be said before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from model.memory import keep_what_is_freed
from server.cli import main

if __name__ == "__main__":
    keep_what_is_freed()
    main(prog_name="python -m server")
