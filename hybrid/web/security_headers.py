"""HTTP headers that restrict what a browser may load and send."""

from apiflask import APIFlask
from flask import Response


def security_headers(poster_host: str | None) -> dict[str, str]:
    """Return the headers. Images may come from `poster_host`."""
    images = f"'self' https://{poster_host}" if poster_host else "'self'"
    return {
        # Nothing from elsewhere, no inline script or style: markup in the text of a film has no
        # effect even if a template fails to escape it.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; connect-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # Other hosts, such as the poster host, must not see the query.
        "Referrer-Policy": "same-origin",
    }


def register(app: APIFlask, poster_host: str | None) -> None:
    """Add the headers to all responses of `app`."""
    headers = security_headers(poster_host)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(headers)
        return response
