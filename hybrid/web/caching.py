"""What browsers and proxies may keep of the responses that do not say so themselves."""

from flask import Flask, Response, request

NEVER_KEPT = ("api", "health")
"""Blueprints whose responses are of one moment: the next generation may answer otherwise."""


def register(app: Flask) -> None:
    """Give every response of `app` a Cache-Control."""

    @app.after_request
    def limit(response: Response) -> Response:
        if "Cache-Control" in response.headers:
            return response
        outdated_soon = request.blueprint in NEVER_KEPT or response.status_code >= 400
        # The others are kept by the browser, which asks each time whether they still hold.
        response.headers["Cache-Control"] = "no-store" if outdated_soon else "private, no-cache"
        return response
