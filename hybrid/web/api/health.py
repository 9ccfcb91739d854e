"""The state of this process for monitors: alive, ready, metrics."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field

from hybrid.engines.breaker import State
from hybrid.monitoring.metrics import CACHE_METRICS, registry
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch
from hybrid.web.request_search import live, request_search

health = APIBlueprint("health", __name__)

TEXT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"description": "Metrics in the text format of Prometheus", "content": {"text/plain": {}}}
}
"""The answer of /metrics, for OpenAPI."""


class LiveResponse(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyResponse(BaseModel):
    """Whether searches are answered, and by which engines."""

    status: Literal["ready", "degraded"]
    generation: str
    movies: int
    engines: dict[str, Annotated[str, Field(description="ok, or what is wrong")]]
    keyword_breaker: State = Field(
        description="closed: searches ask the keyword engine; open: they do not, because it kept "
        "failing; half-open: a probe is under way"
    )
    problems: tuple[str, ...] = Field(
        description="why the generation served is not the published one or not complete, and what "
        "is wrong with ranking.toml"
    )


@health.get("/health/live")
@health.output(LiveResponse)
def alive() -> LiveResponse:
    """Report that the process answers."""
    return LiveResponse()


@health.get("/health/ready")
@health.output(ReadyResponse)
def ready() -> ReadyResponse:
    """Report which engines answer. Without the keyword engine the service is degraded, not down."""
    search, served = request_search(), live()
    keyword_problem = search.keyword_problem()
    checks = served.publication_problem, served.store_problem, served.preferences_problem
    problems = tuple(problem for problem in checks if problem)
    return ReadyResponse(
        status="degraded" if problems or keyword_problem else "ready",
        generation=search.generation,
        movies=len(search.catalogue),
        engines={"keyword": keyword_problem or "ok", "semantic": "ok"},
        keyword_breaker=search.retriever.keyword.breaker.state,
        problems=problems,
    )


WORKERS = Gauge("hybrid_workers", "Processes that answer requests", multiprocess_mode="livesum")
PUBLISHED_SERVED = Gauge(
    "hybrid_published_served",
    "1 if the generation served is the published one",
    multiprocess_mode="livemin",
)
STORES_WHOLE = Gauge(
    "hybrid_stores_whole",
    "1 if the last check found all files and films of the generation served",
    multiprocess_mode="livemin",
)
STORES_CHECKED = Gauge(
    "hybrid_stores_checked_timestamp_seconds",
    "Unix time of the last check of the files and films",
    multiprocess_mode="livemin",
)
PREFERENCES_USED = Gauge(
    "hybrid_preferences_used",
    "1 if films are ranked by ranking.toml, 0 if that file is wrong",
    multiprocess_mode="livemin",
)
BREAKER_OPEN = Gauge(
    "hybrid_keyword_breaker_open",
    "1 if searches do not ask the keyword engine because it kept failing",
    multiprocess_mode="livemax",
)
for healthy in (PUBLISHED_SERVED, STORES_WHOLE, PREFERENCES_USED):
    healthy.set(1)  # a worker that starts is no reason for an alert
STORES_CHECKED.set_to_current_time()


def update_metrics(served: LiveSearch) -> None:
    """Set the metrics of this process that are not counted as things happen."""
    search = served.acquire()
    try:
        BREAKER_OPEN.set(search.retriever.keyword.breaker.problem is not None)
    finally:
        served.release(search)
    WORKERS.set(1)
    PUBLISHED_SERVED.set(served.publication_problem is None)
    STORES_WHOLE.set(served.store_problem is None)
    PREFERENCES_USED.set(served.preferences_problem is None)
    if served.checked_at is not None:
        STORES_CHECKED.set(served.checked_at)
    CACHE_METRICS.update()


@health.get("/metrics")
@health.doc(responses=TEXT)
def metrics() -> Response:
    """Return the metrics for Prometheus."""
    update_metrics(live())
    text = generate_latest(registry(_Metrics(request_search())))
    return Response(text, content_type=CONTENT_TYPE_LATEST)


class _Metrics(Collector):
    """The metrics of the search of this process at one moment."""

    def __init__(self, search: HybridSearch) -> None:
        self._search = search

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        yield InfoMetricFamily(
            "hybrid_generation", "The generation served", {"generation": self._search.generation}
        )
        yield GaugeMetricFamily("hybrid_films", "Films served", len(self._search.catalogue))
        yield GaugeMetricFamily(
            "hybrid_keyword_engine_up",
            "1 if the keyword engine answers",
            self._search.keyword_problem() is None,
        )
