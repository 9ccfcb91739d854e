"""The OpenAPI document: what it says of errors, ids and fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid.movie import MAX_ID
from hybrid.web.app import create_app
from hybrid.web.errors import codes
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

FILMS = corpus.films(5)

CHANGES = ("put", "delete")


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Any]:
    """Give the document of a service."""
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS))
    yield create_app(search).test_client().get("/openapi.json").get_json()
    search.close()


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield path, method and description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_lists_its_errors(document: Any) -> None:
    """Those of all operations, and those that its id, fields and effects bring; in one schema, with
    the codes that programs can test for."""
    known = codes()
    for path, method, operation in operations(document):
        expected = {400, 401, 408, 413, 414, 421, 429, 431, 503}
        expected |= {422} if operation["parameters"] or "requestBody" in operation else set()
        expected |= {404} if "{movie_id}" in path or path == "/similar" else set()
        expected |= {403, 412} if method in CHANGES else set()
        listed = {int(status) for status in operation["responses"] if status >= "400"}
        assert listed - {403} == (expected & set(known)) - {403}, (path, method)
        assert method not in CHANGES or 403 in listed
        for status in listed:
            response = operation["responses"][str(status)]
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}
            assert all(code in response["description"] for code in known[status])
        assert "Retry-After" in operation["responses"]["503"]["headers"]
    assert document["components"]["schemas"]["Error"]["required"] == ["error"]


def test_an_id_has_its_range(document: Any) -> None:
    """In every URL an id is a whole number up to the largest one."""
    found = [
        parameter["schema"]
        for path, _, operation in operations(document)
        for parameter in operation["parameters"]
        if parameter["in"] == "path"
    ]
    assert found == [{"type": "integer", "minimum": 0, "maximum": MAX_ID}] * 5


def test_fields_of_a_url_have_bounds_and_no_null(document: Any) -> None:
    """Text is not blank and not too long, numbers have a range, and nothing can be null."""
    parameters = document["paths"]["/search"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert "null" not in str(by_name)
    assert by_name["q"]["maxLength"] == 1000
    (q,) = (p for p in document["paths"]["/compare"]["get"]["parameters"] if p["name"] == "q")
    assert (q["schema"]["pattern"], q["schema"]["maxLength"]) == (r"\S", 1000)
    assert (by_name["limit"]["minimum"], by_name["limit"]["maximum"]) == (1, 100)
    assert (by_name["year_from"]["minimum"], by_name["year_from"]["maximum"]) == (1, 9999)
    assert (by_name["rating_to"]["minimum"], by_name["rating_to"]["maximum"]) == (0, 10)
    assert by_name["genre"]["items"]["pattern"] == by_name["actor"]["items"]["pattern"] == r"\S"
    assert all(parameter["description"] for parameter in parameters)


def test_a_body_may_have_one_value_for_a_list(document: Any) -> None:
    """Where a list may be given, one value alone is described, too: the service accepts it."""
    body = document["components"]["schemas"]["SearchQuery"]["properties"]
    for name in ("genre", "phrase", "exclude", "title", "person"):
        one, several = body[name]["anyOf"]
        assert (one["type"], several["type"]) == ("string", "array")
        assert several["items"] == one
        assert several["maxItems"] > 1


def test_references_lead_somewhere(document: Any) -> None:
    """Every reference of the document names a component."""

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from references(child)

    found = set(references(document))
    assert found
    for reference in found:
        _, kind, group, name = reference.split("/")
        assert name in document[kind][group]
