"""What a monitor reads of this process, in the text format of Prometheus."""

from collections.abc import Iterator
from typing import Any

from apiflask import APIBlueprint
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from hybrid.errors import EngineUnavailable
from hybrid.live import Live
from hybrid.search import HybridSearch
from hybrid.web.lending import lent_search, live

metrics = APIBlueprint("metrics", __name__)

TEXT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"description": "Gauges, a line each", "content": {"text/plain": {}}}
}
"""The answer, as OpenAPI has it."""


class _Figures(Collector):
    """The figures of one moment."""

    def __init__(self, served: Live, search: HybridSearch) -> None:
        self._live = served
        self._search = search

    def collect(self) -> Iterator[Metric]:
        """Give each figure."""
        yield InfoMetricFamily(
            "hybrid_generation", "The generation served", {"generation": self._search.generation}
        )
        yield GaugeMetricFamily("hybrid_films", "Films served", len(self._search.catalogue))
        yield GaugeMetricFamily(
            "hybrid_published_served",
            "1 if the generation served is the published one",
            self._live.trouble is None,
        )
        yield GaugeMetricFamily(
            "hybrid_stores_whole",
            "1 if the last look found all files and films of the generation served",
            self._live.fault is None,
        )
        if self._live.looked_at is not None:
            yield GaugeMetricFamily(
                "hybrid_stores_checked_timestamp_seconds",
                "Unix time of the last look at the files and films",
                self._live.looked_at,
            )
        yield GaugeMetricFamily(
            "hybrid_keyword_engine_up", "1 if the keyword engine answers", answers(self._search)
        )


def answers(search: HybridSearch) -> bool:
    """Whether the keyword engine does."""
    try:
        search.lexical.check()
    except EngineUnavailable:
        return False
    return True


@metrics.get("/metrics")
@metrics.doc(responses=TEXT)
def figures() -> Response:
    """Return the figures of this process for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Figures(live(), lent_search()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
