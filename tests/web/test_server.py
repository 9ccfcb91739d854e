"""The production server's process: what it must not do before it forks."""

import subprocess
import sys


def test_engines_are_imported_by_the_worker_alone() -> None:
    """The parent imports no engine: threads that one starts on import do not survive the fork, and
    the worker would abort when it stops."""
    code = (
        "import sys, hybrid.web.server\n"
        "engines = {'onnxruntime', 'faiss', 'tantivy', 'elasticsearch'} & set(sys.modules)\n"
        "assert not engines, engines"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
