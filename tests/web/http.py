"""Requests over a real socket."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from flask import Flask
from werkzeug.serving import make_server

from tests.eventually import eventually


@dataclass(frozen=True)
class Service:
    """A service at a URL, asked with a key if it has one."""

    url: str
    key: str | None = None

    def get(self, path: str, **fields: Any) -> tuple[int, Any]:
        """Return status and JSON; a list of values repeats its field."""
        pairs = [
            (name, str(value))
            for name, values in fields.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        answer = urllib3.request(
            "GET",
            self.url + path,
            fields=pairs,
            headers=self._authorization(),
            retries=False,
            timeout=60,
        )
        return answer.status, json.loads(answer.data)

    def page(self, path: str, **fields: Any) -> tuple[int, str, Mapping[str, str]]:
        """Return status, text and headers of what a browser gets, redirects not followed."""
        headers = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
        address = self.url + path + (f"?{urlencode(fields, doseq=True)}" if fields else "")
        answer = urllib3.request(
            "GET", address, headers=headers, retries=False, redirect=False, timeout=60
        )
        return answer.status, answer.data.decode(), answer.headers

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Return status and JSON; bytes are sent as they are."""
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON of any method; _ in the name of a header stands for -."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = self._authorization() | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        answer = urllib3.request(
            method, self.url + path, body=raw, headers=sent, retries=False, timeout=60
        )
        return answer.status, json.loads(answer.data)

    def raw(self, method: str, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """Return the whole answer to a request without a body, redirects not followed."""
        return urllib3.request(
            method, self.url + path, headers=headers, retries=False, redirect=False, timeout=60
        )

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def connect(self, request: bytes) -> socket.socket:
        """Return a connection over which these bytes were sent, as they are."""
        address = urlsplit(self.url)
        opened = socket.create_connection((address.hostname, address.port), timeout=60)
        opened.sendall(request)
        return opened


def received(connection: socket.socket) -> tuple[int, Any]:
    """Return status and JSON of the answer that comes over a connection, and close it."""
    with connection, HTTPResponse(connection) as answer:
        answer.begin()
        return answer.status, json.loads(answer.read())


@contextmanager
def serving(app: Flask) -> Iterator[Service]:
    """Serve `app` on a free port of this machine; at the end, no request is being answered.

    A browser that leaves may have asked for images, and the search is closed next.
    """
    answering: list[Any] = []

    def counted(environ: Any, start_response: Any) -> Any:
        answering.append(environ)
        try:
            return app(environ, start_response)
        finally:
            answering.pop()

    server = make_server("127.0.0.1", 0, counted, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Service(f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        eventually(lambda: not answering, 30)
