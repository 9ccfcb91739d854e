"""Between uvicorn, which is ASGI, and the application, which is WSGI and runs in threads.

No thread waits for a client: a request is read before it gets a thread, and its response is
complete before any of it is sent.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO
from time import monotonic
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.wrappers import Response

from hybrid.web.admission import Lanes, Overloaded
from hybrid.web.app import MAX_BODY
from hybrid.web.errors import OVERLOADED
from hybrid.web.overload import Headers, Refusal
from hybrid.web.refusals import REFUSALS
from hybrid.web.request_search import ARRIVED

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gateway:
    """An ASGI application that runs a WSGI application in threads.

    `refusal_of` returns what a request gets that would wait too long, by its scope.
    """

    def __init__(
        self,
        app: WSGIApplication,
        lanes: Lanes,
        refusal_of: Callable[[Scope], Refusal],
    ) -> None:
        self._app = app
        self._lanes = lanes
        self._refusal_of = refusal_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless its client leaves first."""
        body = await _read(scope, receive)
        if body is None:
            return
        lane = self._lanes.lane_of(scope["method"], scope["path"])
        try:
            answer = lane.submit(partial(self._run, scope, body, monotonic()))
            response = await _unless_gone(asyncio.wrap_future(answer), receive)
        except Overloaded as error:
            REFUSALS.note(503, OVERLOADED[0])
            retry = (b"Retry-After", b"%d" % error.retry_after)
            refusal = self._refusal_of(scope)
            await _send(send, 503, [*refusal.headers, retry], refusal.body)
            return
        if response is not None:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
            await _send(send, response.status_code, headers, response.get_data())

    def _run(self, scope: Scope, body: bytes, arrived: float) -> Response:
        environ = _environ(scope, body, arrived)
        return Response.from_app(self._app, environ, buffered=True)


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Return the body, of one that is too long only a part; None if the client left."""
    body, more = bytearray(), _announced(scope) <= MAX_BODY
    while more and len(body) <= MAX_BODY:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        body += event["body"]
        more = event["more_body"]
    return bytes(body)


def _announced(scope: Scope) -> int:
    """Return the Content-Length, 0 without one."""
    return int(dict(scope["headers"]).get(b"content-length", 0))


async def _unless_gone(answer: asyncio.Future[Response], receive: Receive) -> Response | None:
    """Return the response; None if the client left, and then what has not begun never does."""
    gone = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        gone.cancel()
        answer.cancel()


async def _left(receive: Receive) -> None:
    """Return once the client has left; what it still sends is discarded."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _environ(scope: Scope, body: bytes, arrived: float) -> dict[str, Any]:
    """Return the request as PEP 3333 has it."""
    # A client that has already left has no address.
    (host, port), (client, _) = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        ARRIVED: arrived,
    }
    for raw, value in scope["headers"]:
        # The environ has the same name for `a_b` as for `a-b`.
        if b"_" not in raw and raw != b"transfer-encoding":
            name = raw.decode("latin-1").upper().replace("-", "_")
            key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    length = environ.pop("HTTP_CONTENT_LENGTH", str(len(body)))
    return environ | {"CONTENT_LENGTH": length}
