"""The service against its own OpenAPI document: requests that Schemathesis derives from it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import schemathesis.generation.jsonschema.builder  # now: after browser tests it fails, lazily
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.web.http import Service
from tests.web.keys import key_in
from tests.web.production import production

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "50"))
"""Requests of each operation; 3,000 for a thorough run."""

OPERATIONS = (
    ("/search", "GET"),
    ("/search", "POST"),
    ("/compare", "GET"),
    ("/compare", "POST"),
    ("/explain/{movie_id}", "GET"),
    ("/similar", "POST"),
    ("/suggest", "GET"),
    ("/movies/{movie_id}/similar", "GET"),
    ("/movies/{movie_id}", "GET"),
    ("/movies/{movie_id}", "PUT"),
    ("/movies/{movie_id}", "DELETE"),
    ("/health/live", "GET"),
    ("/health/ready", "GET"),
    ("/metrics", "GET"),
)

WITHOUT_FIELDS = ("/health/live", "/health/ready", "/metrics")
"""Paths of operations that no request contradicts."""


@pytest.fixture(scope="module")
def writable(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service whose films may be changed, with a key."""
    folder = Path(shutil.copytree(embedded, tmp_path_factory.mktemp("schemathesis") / "index"))
    data = folder / "data"
    key = key_in(data, "write")
    with production(HYBRID_DATA=str(data), HYBRID_WRITES="on") as running:
        yield replace(running.service, key=key)


@pytest.fixture(scope="module")
def schema(writable: Service) -> Any:
    """Give the document that the service serves."""
    return schemathesis.openapi.from_url(f"{writable.url}/openapi.json")


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
    schema: Any, writable: Service, path: str, method: str, mode: GenerationMode
) -> None:
    """No request gets an error 5xx, or an answer of another status, type or schema than documented;
    what contradicts the document is refused, and other methods get 405.

    Not all that agrees with it is accepted: no schema says that year_from is not after year_to.
    """
    # A film is cleaned like those of a file: an empty string as its year means that it has none.
    excluded: list[Any] = [positive_data_acceptance]
    excluded += [negative_data_rejection] if method == "PUT" else []
    authorization = {"Authorization": f"Bearer {writable.key}"}

    @given(case=schema[path][method].as_strategy(mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=excluded, headers=authorization)

    check()
