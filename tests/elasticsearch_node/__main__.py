"""`python -m tests.elasticsearch_node`: a node by hand, until Ctrl-C."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.elasticsearch_node import node


def main() -> None:
    """Start a node and wait."""
    parser = argparse.ArgumentParser(prog="python -m tests.elasticsearch_node", description=__doc__)
    parser.add_argument("--port", type=int, default=9200, help="default: %(default)s")
    parser.add_argument("--data", type=Path, help="keep the data here (default: nowhere)")
    options = parser.parse_args()
    if lacking := node.missing():
        sys.exit(lacking)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as temporary:
        work = options.data or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        started = node.start(work.absolute(), options.port)
        print(f"Elasticsearch answers on {started.url} (Ctrl-C stops)", flush=True)
        try:
            started.process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            started.stop()


if __name__ == "__main__":
    main()
