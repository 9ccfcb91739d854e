"""The command lines, run as a user runs them."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from uuid import uuid4

PREFIX = f"test-{uuid4().hex[:12]}"
"""Of the Elasticsearch indices that this process writes: a cluster may be shared."""

PORTS = range(20_000, 30_000)
"""Below those that systems give to whoever asks for any."""


@dataclass(frozen=True)
class Index:
    """An index that the command line made, and the variables by which it is found."""

    engine: str
    data: Path
    variables: dict[str, str]


def run(*arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command line, give it what is typed, and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        check=False,
        timeout=300,
    )


def run_code(code: str) -> str:
    """Run Python code in a process that has imported nothing yet; return what it printed.

    It must end without an error: what it asserts is asserted.
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(*arguments: str, ready: str, **variables: str) -> Iterator[str]:
    """Run a command line that serves until Ctrl-C; give what it printed up to `ready`."""
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield read_until(process, ready)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()  # nothing happens to one that has ended


def read_until(process: subprocess.Popen[str], end: str, seconds: float = 300) -> str:
    """Return what a process prints up to a line that ends with `end`.

    A process that takes longer is killed. Raises AssertionError where it ends before.
    """
    assert process.stdout
    printed = ""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            printed += line
            if line.endswith(end):
                return printed
    finally:
        timer.cancel()
    raise AssertionError(f"ended with {process.wait()}, expected {end!r} after {printed!r}")


def free_port() -> int:
    """Return a port that nobody listens on, and that no other process of tests gets while this one
    lives."""
    claims = Path(tempfile.gettempdir()) / f"test-ports-{os.getuid()}"
    claims.mkdir(exist_ok=True)
    for port in PORTS:
        claim = os.open(claims / str(port), os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(claim)
        else:
            return port  # the claim stays open, and with it the lock
    raise RuntimeError(f"no port is free from {PORTS.start} to {PORTS.stop}")
