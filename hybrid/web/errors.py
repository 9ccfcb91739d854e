"""Every error of the service in one shape: {"error": {"code", "message", "fields"}}.

Browsers get a page that says the same, where an address is not one for programs.
"""

import logging
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import render_template, request
from pydantic import ValidationError

from hybrid import errors
from hybrid.validation import one_line, problems

ResponseModel = tuple[dict[str, Any] | str, int, dict[str, str]]

STATUS = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.WritesOff: 403,
    errors.EngineUnavailable: 503,
    errors.BuildFailed: 503,
    errors.AnotherWriter: 503,
    errors.NotDurable: 503,
    errors.TooManyChanges: 503,
    errors.GenerationUnusable: 503,
}

HTTP_ERRORS = {
    400: ("malformed", "the body is not JSON, or broke off: send a whole JSON object"),
    404: ("not_found", "there is nothing at {path}: /openapi.json lists what there is"),
    405: ("method_not_allowed", "{path} does not take {method}"),
    413: ("too_large", "the request is larger than 64 KiB"),
}

SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string", "description": "stable name of the kind of error"},
                "message": {"type": "string", "description": "what is wrong and what to do"},
                "fields": {
                    "type": "object",
                    "description": "name of a field -> what is wrong with it",
                    "additionalProperties": {"type": "string"},
                },
            },
        }
    },
}


def register(app: APIFlask) -> None:
    """Give every error of `app` the one shape."""
    app.config["HTTP_ERROR_SCHEMA"] = app.config["VALIDATION_ERROR_SCHEMA"] = SCHEMA
    app.error_processor(_http_error)
    app.register_error_handler(errors.HybridError, _hybrid_error)
    app.register_error_handler(Exception, _unexpected)


TITLES = {
    404: "There is nothing here",
    500: "Something went wrong",
    503: "The search does not answer",
}
"""Of the pages that browsers get."""


def _shape(
    code: str, message: str, fields: dict[str, str], status: int, headers: dict[str, str]
) -> ResponseModel:
    headers = headers | {"Vary": "Accept"}
    if _is_for_people():
        title = TITLES.get(status, "This cannot be done")
        page = render_template("error.html", title=title, status=status, message=message)
        return page, status, headers
    return {"error": {"code": code, "message": message, "fields": fields}}, status, headers


def _is_for_people() -> bool:
    """Tell whether a browser asked for a page, or for what is at no address at all."""
    kinds = ("application/json", "text/html")
    wants_page = request.accept_mimetypes.best_match(kinds) == "text/html"
    return wants_page and request.blueprint in (None, "pages")


def _http_error(error: HTTPError) -> ResponseModel:
    """Shape what the framework refused: a field that does not validate, or a request as such."""
    if isinstance(error.__cause__, ValidationError):
        found = problems(error.__cause__)
        return _shape("invalid_input", one_line(found), found, error.status_code, {})
    status = error.status_code
    code, message = HTTP_ERRORS.get(status, ("http_error", str(error.message)))
    message = message.format(path=request.path, method=request.method)
    return _shape(code, message, {}, status, _allowed(error))


def _allowed(error: HTTPError) -> dict[str, str]:
    """Return the header that says which methods the path takes, if that is what was wrong."""
    allowed = dict(error.headers).get("Allow")
    return {"Allow": str(allowed)} if allowed else {}


def retry_after(status: int) -> dict[str, str]:
    """Return the header that says in how many seconds to try again, if that may help."""
    return {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def _hybrid_error(error: errors.HybridError) -> ResponseModel:
    status = STATUS.get(type(error), 500)
    return _shape(error.code, error.message, error.fields, status, retry_after(status))


def _unexpected(error: Exception) -> ResponseModel:
    """Tell the log everything and the user nothing but that it happened."""
    logging.getLogger(__name__).error("%s %s", request.method, request.path, exc_info=error)
    message = "something went wrong in the service; its log tells what"
    return _shape("internal_error", message, {}, 500, {})
