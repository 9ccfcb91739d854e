"""The service against its own OpenAPI document: requests that Schemathesis derives from it."""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.web.http import Service

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "50"))
"""Requests of each operation; 3,000 for a thorough run."""

OPERATIONS = (
    ("/search", "GET"),
    ("/search", "POST"),
    ("/compare", "GET"),
    ("/compare", "POST"),
    ("/explain/{movie_id}", "GET"),
    ("/movies/{movie_id}", "GET"),
    ("/movies/{movie_id}", "PUT"),
    ("/movies/{movie_id}", "DELETE"),
    ("/health/live", "GET"),
    ("/health/ready", "GET"),
    ("/metrics", "GET"),
)

WITHOUT_FIELDS = ("/health/live", "/health/ready", "/metrics")
"""Paths of operations that no request contradicts."""

pytestmark = pytest.mark.parametrize("index", ["embedded"], indirect=True)


@pytest.fixture
def schema(service: Service) -> Any:
    """Give the document that the service serves."""
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


def test_every_operation_is_tested(schema: Any) -> None:
    """The list above names all operations of the document."""
    found = {(one.ok().path, one.ok().method.upper()) for one in schema.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.timeout(60 + 2 * EXAMPLES)
@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        (path, method, mode)
        for path, method in OPERATIONS
        for mode in GenerationMode
        if mode.is_positive or path not in WITHOUT_FIELDS
    ],
)
def test_every_answer_is_one_that_the_document_describes(
    schema: Any, path: str, method: str, mode: GenerationMode
) -> None:
    """No request gets an error 5xx, or an answer of another status, type or schema than documented;
    what contradicts the document is refused, and other methods get 405.

    Not all that agrees with it is accepted: no schema says that year_from is not after year_to.
    """
    # A film is cleaned like those of a file: an empty string as its year means that it has none.
    excluded: list[Any] = [positive_data_acceptance]
    excluded += [negative_data_rejection] if method == "PUT" else []

    @given(case=schema[path][method].as_strategy(mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=excluded)

    check()
