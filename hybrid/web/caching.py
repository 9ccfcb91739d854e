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
        if request.blueprint in NEVER_KEPT or response.status_code >= 400:
            response.cache_control.no_store = True
        else:
            # Kept by the browser, which asks each time whether it still holds.
            response.cache_control.private = True
            response.cache_control.no_cache = True
        return response
