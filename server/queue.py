"""The render queue: one thread makes tiles, many requests wait for them.

* **Single flight.** Requests for the same tile share one job.
* **Newest first.** What people look at now comes before what they have scrolled past.
* **Window by window.** An even tile needs four windows, a deep link of an older version a dozen. After each the queue
  looks again at what is wanted most, so that nobody waits behind what no one needs any more. (What a window of a newer
  version stands on is made with it, a support a level at most.)
* **Nothing for nobody.** A job whose clients have all hung up is dropped, between two network calls if it runs.
* **An error is for those who were waiting when it struck**; whoever joined later gets an attempt of their own.
* **Bounded.** Too many waiting requests are refused (:class:`Busy`).
* **Idle hands.** While nobody waits, ``foresee()`` may name a window worth having; it yields at once to people.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from model.errors import Cancelled, ElsewhereError
from model.generator import Address, Generator

log = logging.getLogger(__name__)

IDLE_AFTER = 0.4  # seconds of quiet before speculative work begins
LOOK_AGAIN = 2.0  # seconds between two looks for speculative work when there was none


class Busy(ElsewhereError):
    """Too many requests wait already. ``retry_after`` is in seconds."""

    code = "busy"

    def __init__(self, message: str, retry_after: int = 5):
        super().__init__(message)
        self.retry_after = retry_after


class Ticket:
    """One request's place in the queue. ``how`` is ``miss`` (it began the job) or ``join``."""

    def __init__(self, address: Address, how: str, gone: Callable[[], bool]):
        self.address = address
        self.how = how
        self.gone = gone
        self._done = threading.Event()
        self._pixels: np.ndarray | None = None
        self._error: Exception | None = None

    def result(self, timeout: float | None = None) -> np.ndarray:
        """Wait for the pixels, uint8 (256, 256, 3). Raises what went wrong, or TimeoutError."""
        if not self._done.wait(timeout):
            raise TimeoutError(f"tile {self.address} was not made within {timeout} s")
        if self._error is not None:
            raise self._error
        return self._pixels

    def resolve(self, pixels: np.ndarray | None, error: Exception | None = None) -> None:
        self._pixels, self._error = pixels, error
        self._done.set()


class Job:
    """One tile that somebody waits for."""

    def __init__(self, address: Address):
        self.address = address
        self.tickets: list[Ticket] = []
        self.newest = 0  # rises with every request; the highest goes first
        self.made: set[Address] = set()  # its windows that were made on the way


class RenderQueue:
    """See the top of this file.

    Parameters
    ----------
    generator : used by the render thread alone
    limit : tickets that may wait
    foresee : names a speculative window, or None; called in the render thread while nobody waits
    on_window : told (address, seconds, speculative) after each window or tile made
    on_event : told ``dropped``, ``failed`` or ``busy`` as they happen
    """

    def __init__(
        self,
        generator: Generator,
        limit: int = 64,
        foresee: Callable[[], Address | None] = lambda: None,
        on_window: Callable[[Address, float, bool], None] = lambda address, seconds, speculative: None,
        on_event: Callable[[str], None] = lambda event: None,
    ):
        self.generator = generator
        self.limit = limit
        self.foresee = foresee
        self.on_window = on_window
        self.on_event = on_event
        self.rendering: Address | None = None  # what the thread is making now
        self.warm = False  # whether the weights are loaded and have made a window
        self.made = 0  # windows and tiles made since the start
        self.tile_seconds = 0.0  # moving average of one new window
        self._windows_per_job = 1.0  # moving average
        self._jobs: dict[Address, Job] = {}
        self._counter = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)

    def start(self) -> "RenderQueue":
        self._thread.start()
        return self

    def submit(self, addresses: Sequence[Address], gone: Callable[[], bool] = lambda: False) -> list[Ticket]:
        """Ask for tiles; all of them or none. ``gone()`` tells whether the client has hung up. Raises Busy."""
        with self._changed:
            if self._closed:
                raise Busy("The server is stopping.", retry_after=10)
            if self._waiting() + len(addresses) > self.limit:
                self._sweep()
            if self._waiting() + len(addresses) > self.limit:
                self.on_event("busy")
                seconds = max(1, min(30, round(self.eta_seconds())))
                raise Busy(f"{self._waiting()} tiles wait already; ask again in {seconds} s.", retry_after=seconds)
            tickets = []
            for address in addresses:
                job = self._jobs.get(address)
                ticket = Ticket(address, "miss" if job is None else "join", gone)
                if job is None:
                    job = self._jobs[address] = Job(address)
                self._counter += 1
                job.newest = self._counter
                job.tickets.append(ticket)
                tickets.append(ticket)
            self._changed.notify_all()
        return tickets

    def waiting(self) -> int:
        """Jobs that somebody waits for."""
        return len(self._jobs)

    def eta_seconds(self) -> float:
        """How long until all that is asked for now will be made, roughly."""
        return len(self._jobs) * self._windows_per_job * self.tile_seconds

    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout: float = 3.0) -> None:
        """Send everybody away and end the thread: at the next pause between two network calls."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                for ticket in job.tickets:
                    ticket.resolve(None, Busy("The server is stopping.", retry_after=10))
            self._jobs.clear()
            self._changed.notify_all()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    # -- the render thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self.generator.warm()
            self.warm = True
        except Exception:
            # Not the end: the base can be looked at, and each tile that needs the weights says what is wrong with them.
            log.exception("The network cannot be used")
        while not self._closed:
            job = self._next()
            if job is not None:
                self._advance(job)
            elif not self._closed:
                self._idle()

    def _next(self) -> Job | None:
        """The newest job that somebody still waits for; None after a moment of quiet."""
        with self._changed:
            self._sweep()
            if not self._jobs and not self._closed:
                self._changed.wait(IDLE_AFTER)
            return max(self._jobs.values(), key=lambda job: job.newest, default=None)

    def _advance(self, job: Job) -> None:
        """Make one window that a job needs, or the tile itself when it needs none but its own."""
        present = list(job.tickets)  # whom an error of this attempt concerns

        def check() -> None:
            if self._closed or all(ticket.gone() for ticket in list(job.tickets)):
                raise Cancelled("nobody waits for this tile any more")

        try:
            needed = self.generator.needs(job.address)
            # A store that loses what it is given (a tiny memory, a full disk) must not keep us here for ever: what was
            # made once for this job is not made again on its own, but within the tile.
            window = next((each for each in needed if each != job.address and each not in job.made), None)
            self._make(window or job.address, check, speculative=False)
        except Cancelled:
            return  # the sweep drops the job, unless somebody joined meanwhile
        except Exception as error:  # whatever it is, somebody waits for an answer
            self._fail(job, present, error)
            return
        if window is not None:
            job.made.add(window)
        else:
            self._windows_per_job += 0.1 * (len(job.made) + 1 - self._windows_per_job)

    def _make(self, address: Address, check: Callable[[], None], speculative: bool) -> None:
        """Make one window or tile, and hand it to whoever waits for it, for whatever reason it was made."""
        self.rendering = address
        began = time.perf_counter()
        try:
            pixels = self.generator.pixels(address, check)
        finally:
            self.rendering = None
        seconds = time.perf_counter() - began
        self.made += 1
        if address.z % 2:  # an even tile is a mean of windows, and takes a window's time or none
            self.tile_seconds += (seconds - self.tile_seconds) * (0.2 if self.tile_seconds else 1.0)
        self.on_window(address, seconds, speculative)
        with self._changed:
            job = self._jobs.pop(address, None)
            for ticket in job.tickets if job else ():
                ticket.resolve(pixels)

    def _fail(self, job: Job, present: list[Ticket], error: Exception) -> None:
        self.on_event("failed")
        if not isinstance(error, ElsewhereError):
            log.exception("Tile %s could not be made", job.address)
        with self._changed:
            for ticket in present:
                ticket.resolve(None, error)
            job.tickets = [ticket for ticket in job.tickets if ticket not in present]
            job.made.clear()
            if not job.tickets and self._jobs.get(job.address) is job:
                del self._jobs[job.address]

    def _sweep(self) -> None:
        """Forget clients that have hung up, and jobs without clients. The lock is held."""
        for job in list(self._jobs.values()):
            for ticket in job.tickets[:]:
                if ticket.gone():
                    job.tickets.remove(ticket)
                    ticket.resolve(None, Cancelled("the client has hung up"))
            if not job.tickets:
                del self._jobs[job.address]
                self.on_event("dropped")

    def _waiting(self) -> int:
        return sum(len(job.tickets) for job in self._jobs.values())

    def _idle(self) -> None:
        """Nobody waits: make one window ahead, or sleep until somebody comes."""

        def check() -> None:
            # Whoever waits for this very window is served soonest by finishing it.
            if self._closed or any(wanted != address for wanted in tuple(self._jobs)):
                raise Cancelled("somebody waits")

        address = None
        try:
            address = self.foresee()
            if address is not None:
                self._make(address, check, speculative=True)
        except Cancelled:
            pass
        except Exception:
            log.exception("Speculative work on %s failed", address)
        if address is None:
            with self._changed:
                if not self._jobs and not self._closed:
                    self._changed.wait(LOOK_AGAIN)
