"""The metrics of a service, as a monitor reads them."""

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tests.web.http import Service


class Scrape(NamedTuple):
    """The value of each series, by its name and labels."""

    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def value(self, name: str, **labels: str) -> float:
        """Return the value of one series, 0 if there is none yet."""
        return self.values.get((name, frozenset(labels.items())), 0.0)


def scrape(service: Service) -> Scrape:
    """Return the present metrics."""
    text = service.raw("GET", "/metrics").data.decode()
    return Scrape(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )
