"""A bulkhead: an engine that hangs holds up threads of its own, and nothing waits behind them.

An engine that computes in this process cannot hang, and may be asked without another thread.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, Generic, TypeVar

from hybrid.engines.breaker import Breaker
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.errors import EngineUnavailable

SHARE = 0.75
"""The engine's share of the time left whenever it is asked. The rest is for what follows."""

FAIR = 0.05
"""Seconds that an engine must have had before no answer counts as its failure."""

T = TypeVar("T")


@dataclass(frozen=True)
class Pending(Generic[T]):
    """What an engine was asked for."""

    future: Future[T]
    deadline: Deadline

    def result(self) -> T:
        """Return the answer. Raises EngineUnavailable if there is none by the deadline."""
        try:
            return self.future.result(None if self.deadline == NEVER else self.deadline.left)
        except TimeoutError:
            raise EngineUnavailable("the keyword engine did not answer in time") from None


class Bulkhead:
    """Asks the keyword engine at most `threads` times at once. Safe to share between threads."""

    def __init__(self, threads: int, breaker: Breaker) -> None:
        self.breaker = breaker
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="keyword")
        self._free = BoundedSemaphore(threads)

    def ask(self, request: Callable[[Deadline], T], deadline: Deadline) -> Pending[T]:
        """Run `request` in a thread; it is given a part of the time left and ends within it.

        It is refused if no time is left, if the breaker is not closed or if all threads are busy:
        then the result is an EngineUnavailable, at once.
        """
        return self._ask(self._pool.submit, request, deadline)

    def ask_here(self, request: Callable[[Deadline], T], deadline: Deadline) -> Pending[T]:
        """Run `request` in this thread, and return its answer. It is refused as it is by `ask`, but
        nothing ends it in time."""
        return self._ask(_answered, request, deadline)

    def close(self) -> None:
        """Stop the threads, each once its request has ended."""
        self.breaker.close()
        self._pool.shutdown(wait=False)

    def _ask(
        self,
        submit: Callable[..., Future[T]],
        request: Callable[[Deadline], T],
        deadline: Deadline,
    ) -> Pending[T]:
        refusal = self._refusal(deadline)
        if refusal is None:
            until = deadline.part(SHARE)
            return Pending(submit(self._run, request, until), until)
        refused: Future[T] = Future()
        refused.set_exception(refusal)
        return Pending(refused, deadline)

    def _refusal(self, deadline: Deadline) -> EngineUnavailable | None:
        """Return why the engine cannot be asked, or None and take a place."""
        if not deadline.left:
            return EngineUnavailable("the keyword engine was not asked: no time was left")
        problem = self.breaker.problem
        if problem is not None:
            return EngineUnavailable(f"the keyword engine is not asked for now: {problem}")
        if not self._free.acquire(blocking=False):
            return EngineUnavailable("the keyword engine has not answered earlier searches yet")
        return None

    def _run(self, request: Callable[[Deadline], T], deadline: Deadline) -> T:
        fair = deadline.left > FAIR
        try:
            answer = request(deadline)
        except EngineUnavailable as error:
            if fair:
                self.breaker.failed(error.message)
            raise
        else:
            self.breaker.succeeded()
            return answer
        finally:
            self._free.release()


def _answered(run: Callable[..., T], *arguments: Any) -> Future[T]:
    """Return what `run` returns or raises as a future."""
    future: Future[T] = Future()
    try:
        future.set_result(run(*arguments))
    except EngineUnavailable as error:
        future.set_exception(error)
    return future
