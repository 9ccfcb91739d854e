"""The command lines, run as a user runs them."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

PREFIX = f"test-{uuid4().hex[:12]}"
"""Of the Elasticsearch indices that this run of the tests writes: a cluster may be shared."""


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


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
