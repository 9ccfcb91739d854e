"""What is checked of every request before it is routed: its host, its origin and its key."""

from apiflask import APIFlask
from flask import current_app, g, request

from hybrid.access.access import Access
from hybrid.access.keys import Scope

PROBES = frozenset({"health.alive", "health.ready"})
"""Endpoints that answer everybody: monitors and orchestrators ask by address and without a key."""

STATIC = "static"
"""The endpoint of scripts and styles, which hold no data. Error pages need them without a key."""

CHANGES = frozenset({"PUT", "PATCH", "DELETE"})


def register(app: APIFlask, access: Access) -> None:
    """Check all requests to `app`, also those to what does not exist."""
    app.extensions["access"] = access
    app.before_request(_check)


def key_id() -> str | None:
    """Return the id of the key of this request, None if it needed none."""
    found: str | None = g.get("key_id")
    return found


def _check() -> None:
    if request.endpoint in PROBES:
        return
    access: Access = current_app.extensions["access"]
    access.check_host(request.headers.get("Host", request.host))
    if request.method in CHANGES:
        access.check_origin(request.headers.get("Origin"), request.headers.get("Host", ""))
    scope = _scope(access)
    if scope:
        g.key_id = access.authorize(_token(), scope).id


def _scope(access: Access) -> Scope | None:
    """Return the scope that the request needs, None if it needs no key."""
    if request.method in CHANGES:
        # Without writes a change is refused anyway, and a key would not help.
        return "write" if current_app.extensions["writes"] else None
    return None if access.reads_open or request.endpoint == STATIC else "read"


def _token() -> str | None:
    """Return the key that was sent: as a bearer token or, as browsers do, as a password."""
    sent = request.authorization
    if sent and sent.type == "basic":
        return sent.password
    return sent.token if sent and sent.type == "bearer" else None
