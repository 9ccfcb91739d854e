"""What every answer tells a browser to keep to."""

from apiflask import APIFlask
from flask import Response


def register(app: APIFlask, poster_host: str | None) -> None:
    """Give every answer of `app` the headers; pictures may come from `poster_host` too."""
    images = f"'self' https://{poster_host}" if poster_host else "'self'"
    headers = {
        # No script, style or picture from anywhere else, and none inside a page: what a film's
        # text smuggles in stays text even where a template failed to escape it.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; connect-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # A query is nobody else's business, least of all the poster host's.
        "Referrer-Policy": "same-origin",
    }

    @app.after_request
    def keep_to(response: Response) -> Response:
        response.headers.update(headers)
        return response
