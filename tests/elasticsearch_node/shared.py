"""One node for all processes of a test run.

A keeper process starts the node and stops it once nobody uses it any more. Users hold a lock that
the system releases when a process ends, however it ends, so no node is left behind.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.elasticsearch_node import node
from tests.locks import locked


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Give the URL of the node that all users of `folder` share; the first of them starts it.

    Raises RuntimeError where it does not start.
    """
    folder.mkdir(exist_ok=True)
    url = folder / "url"
    with locked(folder / "users", shared=True):
        with locked(folder / "start"):
            if not url.exists():
                _start_keeper(folder)
        yield url.read_text()


def _start_keeper(folder: Path) -> None:
    """Start a keeper and wait until its node answers."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the users
    )
    assert keeper.stdout
    with keeper.stdout as output:
        if not output.readline():
            raise RuntimeError(f"Elasticsearch does not start: see {folder / 'node.log'}")
    keeper.returncode = 0  # Python would warn of a process that is not waited for


def _keep(folder: Path) -> None:
    """Run a node until it has no users."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url = folder / "url"
    with node.running(folder) as started:
        url.write_text(started.url)
        print("ready", flush=True)
        with locked(folder / "users"):
            url.unlink()
            started.stop(signal.SIGKILL)  # at once: nobody needs its data


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
