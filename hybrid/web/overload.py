"""The response to a request that would wait too long.

It is made once: most of them are sent when there is least time for them.
"""

import json
from typing import Any, NamedTuple

from apiflask import APIFlask
from flask import render_template
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from hybrid.web.errors import OVERLOADED, error_body, prefers_page
from hybrid.web.security_headers import security_headers

Headers = list[tuple[bytes, bytes]]


class Refusal(NamedTuple):
    """Headers and body of a response."""

    headers: Headers
    body: bytes


def _refusal(body: str, content_type: str, poster_host: str | None) -> Refusal:
    encoded = body.encode()
    headers = {
        **security_headers(poster_host),
        "Content-Type": content_type,
        "Content-Length": str(len(encoded)),
        "Vary": "Accept",
    }
    return Refusal([(name.encode(), value.encode()) for name, value in headers.items()], encoded)


IN_JSON = _refusal(json.dumps(error_body(*OVERLOADED, {})), "application/json", None)


class Overload:
    """What a request gets that is refused: a page for a browser that requests one, else JSON."""

    def __init__(self, app: APIFlask) -> None:
        self._routes = app.url_map.bind("")
        with app.test_request_context():
            page = render_template(
                "error.html",
                status=503,
                title="Too many searches right now",
                message="please try again in a few seconds",
                fields={},
            )
        self._page = _refusal(page, "text/html; charset=utf-8", app.config["POSTER_HOST"])

    def __call__(self, scope: dict[str, Any]) -> Refusal:
        """Return the refusal of a request, an ASGI scope."""
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        if not prefers_page(parse_accept_header(accept, MIMEAccept)):
            return IN_JSON
        try:
            endpoint, _ = self._routes.match(scope["path"], scope["method"])
        except HTTPException:  # no such URL, or not by this method
            return IN_JSON
        return self._page if endpoint.startswith("pages.") else IN_JSON
