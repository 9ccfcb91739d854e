"""The OpenAPI document: what APIFlask derives from the code, and what it does not know of.

APIFlask knows fields and successful responses. Added are the errors of each operation, the range of
an id in a URL, and the headers of responses; taken away are nulls, which a URL cannot have.
"""

from collections.abc import Iterator
from typing import Any

from apiflask import APIFlask

from hybrid.movie import MAX_ID
from hybrid.web.errors import SCHEMA, codes
from hybrid.web.request_log import REQUEST_ID

Json = dict[str, Any]

EVERYWHERE = (400, 401, 403, 408, 413, 414, 421, 429, 431, 503)
"""Statuses of errors that do not depend on the operation, as far as the service has such errors."""

WITH_FIELDS = (422,)
OF_A_FILM = (404,)
OF_A_CHANGE = (412,)

ONLY_CHANGES = 403
"""Status that reads do not have while no error but `writes_off` has it."""

FILM_ID = {
    "in": "path",
    "name": "movie_id",
    "required": True,
    "description": "id of a film",
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_ID},
}


def register(app: APIFlask) -> None:
    """Complete the document of `app`."""
    app.spec_processor(_complete)  # type: ignore[arg-type] # it is a dict, as the format is JSON


def _complete(document: Json) -> Json:
    components = document["components"]
    schemas = components["schemas"]
    for replaced in ("ValidationError", "HTTPError"):
        schemas.pop(replaced, None)
    schemas["Error"] = SCHEMA
    components["headers"] = {
        "RequestId": _header(
            "string", f"id of the request: its own header {REQUEST_ID}, or a new id"
        )
    }
    for path, method, operation in _operations(document):
        parameters = [_parameter(one) for one in operation.get("parameters", ())]
        operation["parameters"] = parameters
        operation["responses"] = _responses(path, method, operation)
    return document


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _parameter(parameter: Json) -> Json:
    if parameter["in"] == "path":
        return FILM_ID
    schema = dict(parameter["schema"])
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    lists = [kind for kind in kinds if kind.get("type") == "array"]
    kinds = lists or kinds  # one value is a list in a URL
    if schema.get("default", ...) is None:
        del schema["default"]
    if len(kinds) == 1:
        schema |= kinds[0]
    elif kinds:
        schema["anyOf"] = kinds
    described = {"description": schema.pop("description")} if "description" in schema else {}
    return parameter | described | {"schema": schema}


def _responses(path: str, method: str, operation: Json) -> Json:
    """Return the successful responses of an operation, and its errors."""
    known = codes()
    statuses = [*EVERYWHERE]
    changes = method in ("put", "delete")
    if operation["parameters"] or "requestBody" in operation:
        statuses += WITH_FIELDS
    if "{movie_id}" in path or path == "/similar":  # its body may name a film
        statuses += OF_A_FILM
    if changes:
        statuses += OF_A_CHANGE
    elif known[ONLY_CHANGES] == ["writes_off"]:
        statuses.remove(ONLY_CHANGES)
    good = {status: one for status, one in operation["responses"].items() if status < "400"}
    bad = {str(status): _error(status, known[status]) for status in statuses if status in known}
    every = good | dict(sorted(bad.items()))
    request_id = {REQUEST_ID: {"$ref": "#/components/headers/RequestId"}}
    return {
        status: one | {"headers": one.get("headers", {}) | request_id}
        for status, one in every.items()
    }


def _error(status: int, names: list[str]) -> Json:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    error: Json = {"description": f"error.code is {' or '.join(names)}", "content": content}
    if status == 503:
        error["headers"] = {"Retry-After": _header("integer", "seconds after which to try again")}
    return error


def _header(kind: str, description: str) -> Json:
    return {"description": description, "schema": {"type": kind}}
