"""Starts the processes of a service, restarts one that ends, and stops them.

Processes are forked: the one that starts them loads no engine and has no thread, so that a fork is
safe, and each of them opens for itself. They need not import again what this one has.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from types import FrameType
from typing import Any

from hybrid.errors import HybridError

STOPS = (signal.SIGINT, signal.SIGTERM)

DELAYS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before a process is started again, by how many in a row ended early."""

STEADY = 60.0
"""Seconds after which the end of a process is not early."""

PATIENCE = 40.0
"""Seconds that a process may take to stop: more than a server gives its requests."""

_fork = get_context("fork")

log = logging.getLogger(__name__)


class StartFailed(HybridError):
    """A process of a service ended before it was ready."""

    code = "start_failed"


@dataclass(frozen=True)
class Lifeline:
    """What connects a process with the one that started it."""

    pipe: Connection

    def prepared(self) -> Any:
        """Wait for what the other process prepares for all, and return it."""
        return self.pipe.recv()

    def ready(self) -> None:
        """Say that this process is ready."""
        with suppress(OSError):  # the other one is gone, and so this one will be told to stop
            self.pipe.send(None)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when this process has to stop.

        It is told to, or the one that started it is gone.
        """
        return self.pipe.fileno()


@dataclass(frozen=True)
class Role:
    """What a process is for: it executes `run`.

    `ended` is told the id of the process once it has ended. Those of an `order` are stopped once
    those of a lower one have ended.
    """

    name: str
    run: Callable[[Lifeline], None]
    ended: Callable[[int], None]
    order: int = 0


@dataclass
class _Child:
    """The process that has a role; None while it waits to be started again, when it is `due`."""

    role: Role
    process: BaseProcess | None = None
    pipe: Connection | None = None
    ready: bool = False
    problem: Exception | None = None
    started: float = 0.0
    due: float = 0.0
    early: int = 0

    def hear(self) -> None:
        """Take what the process says: that it is ready, or why it cannot be."""
        with suppress(EOFError, OSError):
            while self.pipe is not None and self.pipe.poll():
                self.problem = self.pipe.recv()
                self.ready = self.problem is None

    def stop(self) -> None:
        """Tell the process to stop; before it is ready, it does not listen."""
        if self.process is not None and not self.ready:
            self.process.terminate()
        if self.pipe is not None:
            self.pipe.close()
            self.pipe = None


class Supervisor:
    """Keeps a process running for each role.

    `prepare` is called while the first ones start, and returns what every process is sent;
    `announce` is called once all are ready, `leave` before they are stopped.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        prepare: Callable[[], object],
        announce: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._children = [_Child(role) for role in roles]
        self._prepare = prepare
        self._prepared: object = None
        self._announce = announce
        self._leave = leave
        self._announced = False
        self._stopping = False

    def run(self) -> None:
        """Return once this process was told to stop and the others have ended.

        Raises what `prepare` raises; what kept a process from becoming ready, or StartFailed, if
        it is the first one of its role.
        """
        with self._stop_at_signals() as woken:
            try:
                for child in self._children:
                    self._start(child)
                self._prepared = self._prepare()
                for child in self._children:
                    self._send_prepared(child)
                while not self._stopping:
                    for child in self._children:
                        self._tend(child)
                    if not self._announced and all(child.ready for child in self._children):
                        self._announced = True
                        self._announce()
                    self._sleep(woken)
            finally:
                self._leave()
                for order in sorted({child.role.order for child in self._children}):
                    self._end([child for child in self._children if child.role.order == order])

    def _tend(self, child: _Child) -> None:
        if child.process is not None:
            child.hear()
            if child.process.exitcode is not None:
                self._bury(child)
        if child.process is None and monotonic() >= child.due:
            self._start(child)
            self._send_prepared(child)

    def _start(self, child: _Child) -> None:
        child.pipe, theirs = Pipe()
        ours = [other.pipe for other in self._children if other.pipe is not None]
        child.process = _fork.Process(target=_run, args=(child.role, theirs, ours))
        child.process.start()
        theirs.close()
        child.started, child.ready, child.problem = monotonic(), False, None

    def _send_prepared(self, child: _Child) -> None:
        if child.pipe is not None:
            with suppress(OSError):  # it has ended
                child.pipe.send(self._prepared)

    def _bury(self, child: _Child) -> None:
        """Note that a process has ended, and when the next one is due."""
        process, problem = child.process, child.problem
        assert process is not None and process.pid is not None  # noqa: S101, PT018, for the types
        child.stop()
        child.process, child.ready = None, False
        child.role.ended(process.pid)
        if not self._announced:
            raise problem or StartFailed(
                f"the {child.role.name} ended before it was ready, with status {process.exitcode}"
            )
        child.early = child.early + 1 if monotonic() < child.started + STEADY else 0
        delay = DELAYS[min(child.early, len(DELAYS) - 1)]
        child.due = monotonic() + delay
        fields = {"status": process.exitcode, "pid": process.pid, "restart_in": delay}
        reason = {"problem": str(problem) if problem else None}
        log.error("the %s ended", child.role.name, extra={**fields, **reason})

    def _sleep(self, woken: int) -> None:
        """Wait until there is something to do."""
        things: list[Connection | int] = [woken]
        due = []
        for child in self._children:
            if child.process is None:
                due.append(child.due)
                continue
            things.append(child.process.sentinel)
            if child.pipe is not None and not child.ready:
                things.append(child.pipe)
        if woken in wait(things, max(0.0, min(due) - monotonic()) if due else None):
            os.read(woken, 4096)

    def _end(self, children: Sequence[_Child]) -> None:
        """Stop processes, and wait until they have ended."""
        for child in children:
            child.hear()
            child.stop()
        until = monotonic() + PATIENCE
        for child in children:
            if child.process is None:
                continue
            child.process.join(max(0.0, until - monotonic()))
            if child.process.exitcode is None:
                log.error("the %s does not stop, and is killed", child.role.name)
                child.process.kill()
                child.process.join()

    @contextmanager
    def _stop_at_signals(self) -> Iterator[int]:
        """Give a descriptor that becomes readable at each signal; stop at those of STOPS."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)

        def stop(_: int, __: FrameType | None) -> None:
            self._stopping = True

        before = {number: signal.signal(number, stop) for number in STOPS}
        signal.set_wakeup_fd(wake)
        try:
            yield woken
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(woken)
            os.close(wake)


def _run(role: Role, pipe: Connection, others: Sequence[Connection]) -> None:
    """Do what the role is for, in the new process."""
    for other in others:
        other.close()  # or that process would not notice when its own is closed
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C goes to all processes of a terminal; the supervisor stops them in their order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        role.run(Lifeline(pipe))
    except EOFError:  # nobody prepares anything any more
        sys.exit(1)
    except (HybridError, OSError) as error:
        with suppress(OSError):
            pipe.send(error)
        sys.exit(1)
