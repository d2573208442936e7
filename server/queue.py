"""The render queue: a few threads make tiles, many requests wait for them.

* **Single flight.** Requests for the same tile share one job, and no window is made twice at once.
* **Newest first.** What people look at now comes before what they have scrolled past.
* **Window by window.** An even tile needs four windows, a deep link one a level. After each a thread looks again at
  what is wanted most, so that nobody waits behind what no one needs any more, and no thread for what another makes.
* **Nothing for nobody.** A job whose clients have all hung up is dropped, between two network calls if it runs.
* **An error is for those who were waiting when it struck**; whoever joined later gets an attempt of their own.
* **Bounded.** Too many waiting requests are refused (:class:`Busy`).
* **Idle hands.** While nobody waits, ``foresee()`` may name a window worth having; it yields at once to people.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from model.errors import Cancelled, ElsewhereError
from model.generator import Address, Generator, Needed

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
        self.made: set[Needed] = set()  # what was made for it on the way


class RenderQueue:
    """See the top of this file.

    Parameters
    ----------
    generator : its ``workers`` are how many threads there are
    limit : tickets that may wait
    foresee : names a speculative window, or None; called in one of the threads while nobody waits
    on_window : told (what, seconds, speculative) after each window, support or tile made
    on_event : told ``dropped``, ``failed`` or ``busy`` as they happen
    """

    def __init__(
        self,
        generator: Generator,
        limit: int = 64,
        foresee: Callable[[], Needed | None] = lambda: None,
        on_window: Callable[[Needed, float, bool], None] = lambda needed, seconds, speculative: None,
        on_event: Callable[[str], None] = lambda event: None,
    ):
        self.generator = generator
        self.limit = limit
        self.foresee = foresee
        self.on_window = on_window
        self.on_event = on_event
        self.warm = False  # whether the weights are loaded and have made a window
        self.made = 0  # windows, supports and tiles made since the start
        self.tile_seconds = 0.0  # moving average of one new window, on its share of the processor
        self._windows_per_job = 1.0  # moving average
        self._jobs: dict[Address, Job] = {}
        self._counter = 0
        self._closed = False
        self._changed = threading.Condition()
        self._changes = 0  # so that nobody who looked before one sleeps through it
        self._making: list[Needed] = []  # what the threads are making now, the longest under way first
        self._tried = threading.Event()  # whether the weights can be used is known
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"render-{number}", daemon=True)
            for number in range(generator.workers)
        ]

    def start(self) -> "RenderQueue":
        for thread in self._threads:
            thread.start()
        return self

    @property
    def rendering(self) -> Address | None:
        """What a thread is making now, the longest under way of them."""
        making = next(iter(self._making), None)
        return getattr(making, "shown", making)

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
            self._tell()
        return tickets

    def waiting(self) -> int:
        """Jobs that somebody waits for."""
        return len(self._jobs)

    def eta_seconds(self) -> float:
        """How long until all that is asked for now will be made, roughly."""
        return len(self._jobs) * self._windows_per_job * self.tile_seconds / len(self._threads)

    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def close(self, timeout: float = 3.0) -> None:
        """Send everybody away and end the threads: at the next pause between two network calls."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                for ticket in job.tickets:
                    ticket.resolve(None, Busy("The server is stopping.", retry_after=10))
            self._jobs.clear()
            self._tell()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _tell(self) -> None:
        """Wake whoever waits for something to change. The lock is held."""
        self._changes += 1
        self._changed.notify_all()

    # -- the render threads ----------------------------------------------------------------------------------------

    def _run(self, number: int) -> None:
        if number == 0:
            self._warm()
        self._tried.wait()
        while not self._closed:
            with self._changed:
                self._sweep()
                jobs = sorted(self._jobs.values(), key=lambda job: job.newest, reverse=True)
                seen = self._changes
            # Two can look at once, and want the same; who is too late to begin with it looks again.
            if any(self._advance(job) for job in jobs):
                continue
            if self._sleep(seen) and not jobs and number == 0:
                self._idle(seen)

    def _sleep(self, seen: int, seconds: float = IDLE_AFTER) -> bool:
        """A moment, unless something has changed since; whether nothing did."""
        with self._changed:
            return self._changes == seen and not self._closed and not self._changed.wait(seconds)

    def _warm(self) -> None:
        try:
            self.generator.warm()
            self.warm = True
        except Exception:
            # Not the end: the base can be looked at, and each tile that needs the weights says what is wrong with them.
            log.exception("The network cannot be used")
        self._tried.set()

    def _advance(self, job: Job) -> bool:
        """Make one window that a job needs, or the tile itself when it needs none but its own; False if all that it
        needs now is being made."""
        present = list(job.tickets)  # whom an error of this attempt concerns

        def check() -> None:
            if self._closed or all(ticket.gone() for ticket in list(job.tickets)):
                raise Cancelled("nobody waits for this tile any more")

        try:
            for needed in self._wanted(job):
                if self._make(needed, check, job):
                    break
            else:
                return False
        except Cancelled:
            return True  # the sweep drops the job, unless somebody joined meanwhile
        except Exception as error:  # whatever it is, somebody waits for an answer
            self._fail(job, present, error)
            return True
        if needed != job.address:
            job.made.add(needed)
        else:
            self._windows_per_job += 0.1 * (len(job.made) + 1 - self._windows_per_job)
        return True

    def _wanted(self, job: Job) -> list[Needed]:
        """What a job needs next: any of these, for none of them stands on another."""
        # A store that loses what it is given (a tiny memory, a full disk) must not keep us here for ever: what was
        # made once for this job is not made again on its own, but within the tile.
        needed = [each for each in self.generator.needs(job.address) if each != job.address and each not in job.made]
        return [each for each in needed if each.z == needed[0].z] or [job.address]

    def _make(self, needed: Needed, check: Callable[[], None], job: Job | None = None) -> bool:
        """Make a window, support or tile for a job, or ahead for nobody, and hand it to whoever waits for it, for
        whatever reason it was made; False if another thread is at it, or has done the job."""
        with self._claimed(needed, job) as mine:
            if not mine:
                return False
            began = time.perf_counter()
            pixels = self.generator.make(needed, check)
            seconds = time.perf_counter() - began
            self.on_window(needed, seconds, job is None)
            with self._changed:
                self.made += 1
                if needed.z % 2:  # an even tile is a mean of windows, and takes a window's time or none
                    self.tile_seconds += (seconds - self.tile_seconds) * (0.2 if self.tile_seconds else 1.0)
                waited = self._jobs.pop(needed, None)
                for ticket in waited.tickets if waited else ():
                    ticket.resolve(pixels)
        return True

    @contextmanager
    def _claimed(self, needed: Needed, job: Job | None) -> Iterator[bool]:
        """Whether this thread may make it, and no other meanwhile."""
        with self._changed:
            mine = needed not in self._making and (job is None or self._jobs.get(job.address) is job)
            if mine:
                self._making.append(needed)
        try:
            yield mine
        finally:
            if mine:
                with self._changed:
                    self._making.remove(needed)
                    self._tell()

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

    def _idle(self, seen: int) -> None:
        """Nobody waits: make one window ahead, or sleep until somebody comes."""

        def check() -> None:
            # Whoever waits for this very window is served soonest by finishing it.
            if self._closed or any(wanted != needed for wanted in tuple(self._jobs)):
                raise Cancelled("somebody waits")

        needed = None
        try:
            needed = self.foresee()
            if needed is not None:
                self._make(needed, check)
        except Cancelled:
            pass
        except Exception:
            log.exception("Speculative work on %s failed", needed)
        if needed is None:
            self._sleep(seen, LOOK_AGAIN)
