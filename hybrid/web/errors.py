"""Every error of the service in one shape: {"error": {"code", "message", "fields"}}.

Browsers get an HTML page that says the same, except at the URLs of the JSON API.
"""

import logging
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import render_template, request
from pydantic import ValidationError
from werkzeug.datastructures import MIMEAccept

from hybrid import errors
from hybrid.validation import one_line, problems
from hybrid.web.request_log import note_error, request_id

ErrorResponse = tuple[dict[str, Any] | str, int, dict[str, str]]
"""Body, status, headers."""

STATUS = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.WritesOff: 403,
    errors.KeyRequired: 401,
    errors.ScopeMissing: 403,
    errors.ForeignHost: 421,
    errors.CrossSite: 403,
    errors.PreconditionFailed: 412,
    errors.EngineUnavailable: 503,
    errors.BuildFailed: 503,
    errors.AnotherWriter: 503,
    errors.NotDurable: 503,
    errors.TooManyChanges: 503,
    errors.GenerationUnusable: 503,
}

HTTP_ERRORS = {
    400: ("malformed", "the body is not JSON, or incomplete: send a whole JSON object"),
    404: ("not_found", "there is nothing at {path}: /openapi.json lists all paths"),
    405: ("method_not_allowed", "{path} does not accept {method}"),
    413: ("too_large", "the request is larger than 64 KiB"),
}

SERVER_ERRORS = {
    400: ("malformed", "the request is incomplete or not HTTP: send a whole one"),
    408: ("too_slow", "the request did not arrive in time: send it again, faster"),
    414: ("url_too_long", "the URL is longer than 32 KiB: send a body by POST instead"),
    431: ("headers_too_large", "the headers are larger than 32 KiB: send fewer or shorter ones"),
    503: ("too_many_clients", "all connections of the service are in use: try again"),
}
"""Errors of the server, which the application does not see."""

OVERLOADED = ("overloaded", "the service has more requests than it can answer in time: try again")
"""Code and message of the error 503 for a request that would wait too long."""

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


def codes() -> dict[int, list[str]]:
    """Return the codes of all errors by their status."""
    pairs = [(status, error.code) for error, status in STATUS.items()]
    for table in (HTTP_ERRORS, SERVER_ERRORS):
        pairs += [(status, code) for status, (code, _) in table.items()]
    pairs.append((503, OVERLOADED[0]))
    by_status: dict[int, list[str]] = {}
    for status, code in sorted(set(pairs)):
        by_status.setdefault(status, []).append(code)
    return by_status


def register(app: APIFlask) -> None:
    """Make every error response of `app` have this shape."""
    app.config["HTTP_ERROR_SCHEMA"] = app.config["VALIDATION_ERROR_SCHEMA"] = SCHEMA
    app.error_processor(_http_error)
    app.register_error_handler(errors.HybridError, _hybrid_error)
    app.register_error_handler(Exception, _unexpected)


TITLES = {
    401: "This needs a key",
    404: "Not found",
    500: "Something went wrong",
    503: "The search is not available right now",
}
"""Titles of the error pages by status."""


def _response(
    code: str, message: str, fields: dict[str, str], status: int, headers: dict[str, str]
) -> ErrorResponse:
    note_error(code)
    headers = headers | {"Vary": "Accept"}
    if _wants_page():
        title = TITLES.get(status, "That did not work")
        page = render_template(
            "error.html", title=title, status=status, message=message, fields=fields
        )
        return page, status, headers
    return error_body(code, message, fields), status, headers


def error_body(code: str, message: str, fields: dict[str, str]) -> dict[str, Any]:
    """Return an error in the one shape."""
    return {"error": {"code": code, "message": message, "fields": fields}}


def _wants_page() -> bool:
    """Whether a browser requests a page, or a URL that does not exist."""
    return prefers_page(request.accept_mimetypes) and request.blueprint in (None, "pages")


def prefers_page(accepted: MIMEAccept) -> bool:
    """Return whether a client rather has HTML than JSON, as browsers do."""
    return accepted.best_match(("application/json", "text/html")) == "text/html"


def _http_error(error: HTTPError) -> ErrorResponse:
    """Return the response to what the framework refused: an invalid field or a bad request."""
    if isinstance(error.__cause__, ValidationError):
        by_field = problems(error.__cause__)
        return _response("invalid_input", one_line(by_field), by_field, error.status_code, {})
    status = error.status_code
    code, message = HTTP_ERRORS.get(status, ("http_error", str(error.message)))
    message = message.format(path=request.path, method=request.method)
    return _response(code, message, {}, status, _allow_header(error))


def _allow_header(error: HTTPError) -> dict[str, str]:
    """Return the header that lists the methods of the path, if the method was wrong."""
    methods = dict(error.headers).get("Allow")
    return {"Allow": str(methods)} if methods else {}


def retry_after(status: int) -> dict[str, str]:
    """Return the header that says when to try again, if that may help."""
    return {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def _challenge(status: int) -> dict[str, str]:
    """Return the header that says how to send a key, if one is needed.

    A browser that wants a page asks its user for one.
    """
    if status != HTTPStatus.UNAUTHORIZED:
        return {}
    scheme = "Basic" if _wants_page() else "Bearer"
    return {"WWW-Authenticate": f'{scheme} realm="films"'}


def _hybrid_error(error: errors.HybridError) -> ErrorResponse:
    status = STATUS.get(type(error), 500)
    headers = retry_after(status) | _challenge(status)
    return _response(error.code, error.message, error.fields, status, headers)


def _unexpected(error: Exception) -> ErrorResponse:
    """Write the error to the log; the response says only that there was one."""
    logging.getLogger(__name__).error(
        "internal error",
        exc_info=error,
        extra={"method": request.method, "path": request.path},
    )
    message = f"something went wrong in the service: see its log at request_id {request_id()}"
    return _response("internal_error", message, {}, 500, {})
