"""What the processes of one service, its workers, know of each other.

They share a little memory, which they inherit from the process that starts them, and a folder.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from time import monotonic, sleep

from hybrid.storage.generation import number_of

ABSENT = 2**62
"""In place of a number of connections or of a generation: this worker does not serve."""

LOOK = 0.02
"""Seconds between two looks at what the other workers serve."""

TURN = "TURN"
"""The file that is locked by the worker that opens a generation."""


class WorkerTable:
    """The connections of each worker, and the number of the generation that it serves.

    Each worker writes its own two cells, of 64 bits, and reads those of all.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        cells = memoryview(mmap(-1, 2 * 8 * workers)).cast("q")
        self.connections, self.generations = cells[:workers], cells[workers:]
        for number in range(workers):
            self.leave(number)

    def leave(self, number: int) -> None:
        """Note that a worker does not serve, so that nobody waits for it."""
        self.connections[number] = self.generations[number] = ABSENT


class Worker:
    """One of the workers of a service; without a table the only one.

    `folder` is for files that workers share while the service runs.
    """

    def __init__(
        self, number: int = 0, table: WorkerTable | None = None, folder: Path | None = None
    ) -> None:
        self.of = table.workers if table else 1
        self.folder = folder
        self._number = number
        self._table = table

    def opens(self) -> None:
        """Note that this worker opens a generation for the first time: others wait until it has."""
        if self._table:
            self._table.generations[self._number] = 0

    def accepts(self) -> None:
        """Note that this worker accepts connections from now on."""
        if self._table:
            self._table.connections[self._number] = 0

    def serves(self, generation: str) -> None:
        """Note the generation that this worker serves from now on."""
        if self._table:
            self._table.generations[self._number] = number_of(generation)

    def connected(self, more: int) -> None:
        """Note that this worker has so many connections more, or fewer."""
        if self._table:
            self._table.connections[self._number] += more

    @property
    def has_most(self) -> bool:
        """Whether another worker has fewer connections."""
        if self._table is None:
            return False
        return self._table.connections[self._number] > min(self._table.connections)

    def wait_for_all(self, generation: str, seconds: float) -> bool:
        """Wait until all workers serve this generation or a later one; return whether they do."""
        if self._table is None:
            return True
        until = monotonic() + seconds
        while min(self._table.generations) < number_of(generation):
            if monotonic() >= until:
                return False
            sleep(LOOK)
        return True

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Open a generation inside: one worker after the other, so that the others search."""
        if self.folder is None:
            yield
            return
        with (self.folder / TURN).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the system unlocks it if the worker dies
            yield
