"""The production server as the command line starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.command import free_port, read_until
from tests.web.http import Service


@dataclass(frozen=True)
class Production:
    """A running server: where it answers, and its process."""

    service: Service
    process: subprocess.Popen[str]


@contextmanager
def production(*prefix: str, **variables: str) -> Iterator[Production]:
    """Start the server with these variables, by a command before it if need be; stop it by Ctrl-C,
    unless it has stopped by then. Either way it must end without an error."""
    with subprocess.Popen(
        [*prefix, *command("serve", "--port", str(port := free_port()))],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            read_until(process, f"ready: http://127.0.0.1:{port}/ (Ctrl-C stops)\n")
            yield Production(Service(f"http://127.0.0.1:{port}"), process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                status = process.wait(timeout=30)
            finally:
                process.kill()  # nothing happens to one that has ended
    assert status == 0


def command(*arguments: str) -> Sequence[str]:
    """Return the words of a `python -m hybrid` command."""
    return [sys.executable, "-m", "hybrid", *arguments]
