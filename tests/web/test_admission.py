"""Admission: which requests get a thread, and which would wait too long for one."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from threading import Event

import pytest

from hybrid.monitoring.metrics import WAITING
from hybrid.serving.writes import AT_ONCE
from hybrid.web import admission
from hybrid.web.admission import PROBES, Lane, Lanes, Overloaded
from tests.eventually import eventually


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Give a clock at 0."""
    return Clock()


@pytest.fixture
def lane(clock: Clock) -> Iterator[Lane]:
    """Give a lane of two threads in which nothing waits longer than a second."""
    with closing(Lane("test", 2, 1.0, clock)) as opened:
        yield opened


def hold(lane: Lane, release: Event) -> "Future[bool]":
    """Occupy a thread until `release` is set; return once it is occupied."""
    started = Event()

    def work() -> bool:
        started.set()
        return release.wait(60)

    future = lane.submit(work)
    assert started.wait(60)
    return future


def occupy(lane: Lane, clock: Clock, service_time: float) -> Event:
    """Occupy both threads, after requests that took `service_time`; return what releases them."""
    for _ in range(200):

        def work() -> None:
            clock.seconds += service_time

        lane.submit(work).result(60)
    release = Event()
    for _ in range(2):
        hold(lane, release)
    return release


def test_requests_are_refused_that_are_expected_to_wait_too_long(lane: Lane, clock: Clock) -> None:
    """With a mean of .8 s and two threads, the first two would wait .4 and .8 s, a third 1.2 s."""
    release = occupy(lane, clock, 0.8)
    admitted = [lane.submit(lambda: "done") for _ in range(2)]
    with pytest.raises(Overloaded) as error:
        lane.submit(lambda: "done")
    assert error.value.retry_after == 2
    assert (lane.waiting, lane.in_flight, lane.refused) == (2, 2, 1)
    release.set()
    assert [future.result(60) for future in admitted] == ["done", "done"]


def test_requests_that_waited_too_long_are_not_computed(lane: Lane, clock: Clock) -> None:
    """However short the wait that was expected: nobody wants so late an answer."""
    release = occupy(lane, clock, 0.0)
    computed = []
    future = lane.submit(lambda: computed.append(1))
    clock.seconds += 1.1
    release.set()
    with pytest.raises(Overloaded):
        future.result(60)
    assert computed == []
    assert (lane.waiting, lane.refused) == (0, 1)


def test_an_idle_thread_takes_any_request(lane: Lane, clock: Clock) -> None:
    """A request that need not wait is admitted, however long those before it took."""
    occupy(lane, clock, 30.0).set()
    eventually(lambda: lane.in_flight == 0, 30)
    assert lane.submit(lambda: "done").result(60) == "done"


def test_cancelled_requests_leave_the_queue(lane: Lane, clock: Clock) -> None:
    """They make room for others, and are not computed."""
    release = occupy(lane, clock, 0.8)
    computed = []
    for _ in range(50):
        assert lane.submit(lambda: computed.append(1)).cancel()
    assert lane.waiting == 0
    release.set()
    eventually(lambda: lane.in_flight == 0, 30)
    assert lane.submit(lambda: "done").result(60) == "done"
    assert computed == []


def test_failed_requests_leave_their_thread(lane: Lane) -> None:
    """An error reaches whoever waits, and the next request is computed."""

    def fail() -> None:
        raise KeyError("x")

    for _ in range(10):
        with pytest.raises(KeyError):
            lane.submit(fail).result(60)
    eventually(lambda: lane.in_flight == 0, 30)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/search", "search"),
        ("GET", "/", "search"),
        ("GET", "/movies/7", "search"),
        ("GET", "/tiles/7", "asset"),
        ("GET", "/static/shared/base.css", "asset"),
        ("POST", "/compare", "compare"),
        ("GET", "/explain/7", "compare"),
        ("PUT", "/movies/7", "write"),
        ("DELETE", "/movies/7", "write"),
        *(("GET", path, path) for path in PROBES),
    ],
)
def test_each_kind_of_request_has_a_lane(method: str, path: str, name: str) -> None:
    """What costs more, waits for a disk, or must always be answered takes no threads of others."""
    with closing(Lanes(1.0)) as lanes:
        assert lanes.lane_of(method, path).name == name


def test_workers_share_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those for searches and comparisons each has its part, at least one; a search waits as long
    as is set, what is not a search as long as its kind may."""
    monkeypatch.setattr(admission, "SEARCH_THREADS", 5)
    for workers, search, compare in ((1, 5, 2), (2, 3, 1), (9, 1, 1)):
        with closing(Lanes(3.5, workers)) as lanes:
            threads = {lane.name: (lane.threads, lane.max_wait) for lane in lanes}
        assert threads["search"] == (search, 3.5)
        assert threads["compare"] == (compare, 3.5)
        assert threads["write"] == (2 * AT_ONCE + 1, 1.0)
        assert threads["asset"] == (1, 5.0)
        assert [threads[path] for path in PROBES] == [(1, 5.0)] * 3


def test_a_monitor_sees_who_waits(clock: Clock) -> None:
    """The gauge of a lane counts requests until they begin, or are cancelled."""
    with closing(Lane("gauge-of-a-test", 1, 60.0, clock)) as lane:
        waiting = WAITING.labels("gauge-of-a-test")._value.get
        release = Event()
        hold(lane, release)
        assert waiting() == 0
        queued = [lane.submit(lambda: "done") for _ in range(3)]
        assert waiting() == 3
        assert queued[2].cancel()
        assert waiting() == 2
        release.set()
        assert queued[1].result(60) == "done"
        assert waiting() == 0


@pytest.mark.parametrize(("wait", "seconds"), [(0.2, 1), (1.0, 1), (1.01, 2)])
def test_a_refused_request_may_come_back_soon(wait: float, seconds: int) -> None:
    """After whole seconds, at least one."""
    assert Overloaded(wait).retry_after == seconds


def test_nothing_is_refused_before_it_is_known_how_long_it_takes(lane: Lane) -> None:
    """However many wait."""
    release = Event()
    for _ in range(2):
        hold(lane, release)
    queued = [lane.submit(lambda: "done") for _ in range(20)]
    release.set()
    assert {future.result(60) for future in queued} == {"done"}


def test_closed_lanes_take_nothing() -> None:
    """Every lane is closed: no thread stays behind."""
    lanes = Lanes(1.0)
    lanes.close()
    for lane in lanes:
        with pytest.raises(RuntimeError, match="shutdown"):
            lane.submit(lambda: None)


def test_the_latest_request_weighs_a_tenth(lane: Lane, clock: Clock) -> None:
    """After one of 10 s and one of no time the mean is 9 s: with two threads, the next that has to
    wait would wait for 4.5 s."""
    for seconds in (10.0, 0.0):

        def work(seconds: float = seconds) -> None:
            clock.seconds += seconds

        lane.submit(work).result(60)
        eventually(lambda: lane.in_flight == 0, 30)
    release = Event()
    for _ in range(2):
        hold(lane, release)
    with pytest.raises(Overloaded) as error:
        lane.submit(lambda: None)
    assert error.value.retry_after == 5
    release.set()


def test_one_worker_has_all_threads() -> None:
    """Unless it is said how many there are."""
    with closing(Lanes(1.0)) as lanes:
        threads = {lane.name: lane.threads for lane in lanes}
    assert (threads["search"], threads["compare"]) == (admission.SEARCH_THREADS, 2)
