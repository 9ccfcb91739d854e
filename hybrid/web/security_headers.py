"""HTTP headers that restrict what a browser may load and send."""

from apiflask import APIFlask
from flask import Response

UNUSED_FEATURES = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "microphone",
    "midi",
    "payment",
    "usb",
)
"""What no page may use, nor anything in it."""


def security_headers(poster_host: str | None) -> dict[str, str]:
    """Return the headers. Images may come from `poster_host`."""
    images = f"'self' https://{poster_host}" if poster_host else "'self'"
    return {
        # Nothing from elsewhere, no inline script or style: markup in the text of a film has no
        # effect even if a template fails to escape it.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"font-src 'self'; img-src {images}; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # Other hosts, such as the poster host, must not see the query.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
        # No other origin gets a handle of a window, or may embed an image or read a response.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # Hosts of posters rarely say that they may be embedded, as require-corp wants.
        "Cross-Origin-Embedder-Policy": "unsafe-none" if poster_host else "require-corp",
    }


def register(app: APIFlask, poster_host: str | None) -> None:
    """Add the headers to all responses of `app`."""
    headers = security_headers(poster_host)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(headers)
        return response
