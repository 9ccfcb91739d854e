"""The breaker and the bulkhead of the keyword engine."""

import logging
from collections.abc import Callable, Iterator
from threading import Event, get_ident

import pytest

from hybrid.engines.breaker import FAILURES, Breaker
from hybrid.engines.bulkhead import Bulkhead
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.errors import EngineUnavailable
from tests.eventually import eventually


class Probe:
    """A probe that fails as long as it is told to, and can be held up."""

    def __init__(self) -> None:
        self.error: Exception | None = EngineUnavailable("still away")
        self.runs = 0
        self.go_on = Event()
        self.go_on.set()

    def __call__(self) -> None:
        """Run once."""
        self.runs += 1
        assert self.go_on.wait(60)
        if self.error:
            raise self.error


@pytest.fixture
def probe() -> Probe:
    """Give a probe that fails."""
    return Probe()


@pytest.fixture
def breaker(probe: Probe) -> Iterator[Breaker]:
    """Give a breaker that probes without a pause."""
    made = Breaker(probe, pause=0.001)
    yield made
    probe.go_on.set()
    made.close()


def fail(breaker: Breaker, times: int = FAILURES) -> None:
    """Report failures in a row."""
    for n in range(times):
        breaker.failed(f"away {n}")


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    """One fewer do not, and an answer between them counts them from the beginning."""
    fail(breaker, FAILURES - 1)
    breaker.succeeded()
    fail(breaker, FAILURES - 1)
    assert (breaker.state, breaker.problem) == ("closed", None)
    breaker.failed("away for good")
    assert breaker.state != "closed"
    assert breaker.problem


def test_it_closes_once_a_probe_succeeds(
    breaker: Breaker, probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    """Probes go on while they fail, whatever they raise; both changes are logged, and nothing
    else; then it counts from the beginning."""
    caplog.set_level(logging.INFO)
    fail(breaker)
    eventually(lambda: probe.runs > 3)
    probe.error = ValueError("broken otherwise")
    eventually(lambda: breaker.problem == "broken otherwise")
    probe.error = None
    eventually(lambda: breaker.problem is None)
    eventually(lambda: len(caplog.messages) == 2)
    assert breaker.state == "closed"
    assert [message.split(",")[0] for message in caplog.messages] == [
        "breaker open",
        "breaker closed",
    ]
    assert "away 4" in caplog.messages[0]
    fail(breaker, FAILURES - 1)
    assert breaker.state == "closed"


def test_it_is_half_open_during_a_probe(breaker: Breaker, probe: Probe) -> None:
    """One probe runs at a time, and what requests report meanwhile changes nothing."""
    probe.go_on.clear()
    fail(breaker)
    eventually(lambda: breaker.state == "half-open")
    breaker.succeeded()
    fail(breaker)
    assert (breaker.state, probe.runs) == ("half-open", 1)
    assert breaker.problem


def test_it_probes_no_more_once_it_is_stopped(breaker: Breaker, probe: Probe) -> None:
    """Nor does it begin to."""
    probe.go_on.clear()
    fail(breaker)
    eventually(lambda: probe.runs == 1)
    breaker.close()
    probe.go_on.set()
    eventually(lambda: breaker.state == "open")
    stopped = Breaker(probe, pause=0)
    stopped.close()
    fail(stopped)
    assert (stopped.state, probe.runs) == ("closed", 1)


def refuse(_: Deadline) -> None:
    """Stand for an engine that does not answer."""
    raise EngineUnavailable("away")


def waiting(event: Event) -> Callable[[Deadline], str]:
    """Return a request that is answered once the event is set."""

    def request(_: Deadline) -> str:
        assert event.wait(60)
        return "answer"

    return request


def test_nothing_waits_behind_requests_that_hang(breaker: Breaker) -> None:
    """Once all threads are busy a request is refused at once; a thread that ends is free again."""
    bulkhead, event = Bulkhead(2, breaker), Event()
    held = [bulkhead.ask(waiting(event), NEVER) for _ in range(2)]
    with pytest.raises(EngineUnavailable, match="earlier"):
        bulkhead.ask(waiting(event), NEVER).result()
    event.set()
    assert [pending.result() for pending in held] == ["answer", "answer"]
    for _ in range(5):
        with pytest.raises(EngineUnavailable, match="away"):
            bulkhead.ask(refuse, NEVER).result()
        bulkhead.breaker.succeeded()
    assert bulkhead.ask(waiting(event), NEVER).result() == "answer"
    bulkhead.close()


def test_a_request_is_waited_for_until_its_deadline(breaker: Breaker) -> None:
    """And not longer, although its thread still runs."""
    bulkhead, event = Bulkhead(1, breaker), Event()
    pending = bulkhead.ask(waiting(event), Deadline.after(0.5))
    with pytest.raises(EngineUnavailable, match="in time"):
        pending.result()
    event.set()
    assert pending.future.result() == "answer"
    with pytest.raises(EngineUnavailable, match="no time"):
        bulkhead.ask(waiting(event), Deadline(0)).result()
    bulkhead.close()


def test_a_request_may_run_in_the_thread_that_asks(breaker: Breaker) -> None:
    """Its answer or its error is there at once; it takes a place like others, and counts as they
    do."""
    bulkhead, event = Bulkhead(1, breaker), Event()
    assert bulkhead.ask_here(lambda _: get_ident(), NEVER).result() == get_ident()
    held = bulkhead.ask(waiting(event), NEVER)
    with pytest.raises(EngineUnavailable, match="earlier"):
        bulkhead.ask_here(waiting(event), NEVER).result()
    event.set()
    assert held.result() == "answer"
    refused = [bulkhead.ask_here(refuse, NEVER) for _ in range(FAILURES)]
    assert breaker.problem is not None
    with pytest.raises(EngineUnavailable, match="away"):
        refused[0].result()
    bulkhead.close()


@pytest.mark.parametrize(("fair", "opens"), [(22, True), (23, False)])
def test_an_engine_fails_only_if_it_had_time(
    breaker: Breaker, fair: float, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that comes late leaves it no time, which is not its failure. Of 30 s it has 22.5."""
    monkeypatch.setattr("hybrid.engines.bulkhead.FAIR", fair)
    monkeypatch.setattr("hybrid.engines.deadline.monotonic", lambda: 0.0)
    bulkhead = Bulkhead(2, breaker)
    for _ in range(FAILURES):
        with pytest.raises(EngineUnavailable, match="away"):
            bulkhead.ask(refuse, Deadline(30)).result()
    assert (breaker.problem is not None) is opens
    if opens:
        with pytest.raises(EngineUnavailable, match="not asked"):
            bulkhead.ask(refuse, Deadline(30)).result()
    bulkhead.close()
