"""A service of its own for a benchmark: started, timed until it is ready, its memory read."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep

from hybrid.errors import InvalidInput

POLL = 0.005
"""Seconds between requests until the service is ready."""

START_SECONDS = 120.0


@dataclass(frozen=True)
class Service:
    """A service at `url`, whose first process has this `pid`; `start` is its seconds to ready."""

    url: str
    pid: int
    start: float


@dataclass(frozen=True)
class Memory:
    """Memory of a process in MB: `anonymous` is its own, `resident` counts mapped files too."""

    anonymous: float
    resident: float


@contextmanager
def serving(data: Path, variables: Mapping[str, str]) -> Iterator[Service]:
    """Serve an index on a free port. Raises InvalidInput with what the service said if it fails."""
    port = free_port()
    command = [sys.executable, "-m", "hybrid", "serve", "--data", str(data), "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        start = monotonic()
        process = subprocess.Popen(
            command, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            while not _ready(port):
                if process.poll() is not None or monotonic() > start + START_SECONDS:
                    log.seek(0)
                    said = log.read().decode(errors="replace")
                    raise InvalidInput(f"the service did not start: {said}")
                sleep(POLL)
            yield Service(f"http://127.0.0.1:{port}", process.pid, monotonic() - start)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def processes(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text("ascii").split())
    return found


def memory(pid: int) -> Memory:
    """Return the memory of a process."""
    counted = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return Memory(_megabytes(counted, "Anonymous"), _megabytes(counted, "Rss"))


def _megabytes(counted: str, name: str) -> float:
    kilobytes = re.search(rf"^{name}: *(\d+) kB$", counted, re.MULTILINE)
    return round(int(kilobytes[1]) / 1024, 1) if kilobytes else 0.0
