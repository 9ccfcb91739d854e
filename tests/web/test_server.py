"""The production server's process: what it must not do before it forks."""

from tests.command import run_code
from tests.web.http import Service


def test_engines_are_imported_by_the_worker_alone() -> None:
    """The parent imports no engine: threads that one starts on import do not survive the fork, and
    the worker would abort when it stops."""
    code = (
        "import sys, hybrid.web.server\n"
        "engines = {'onnxruntime', 'faiss', 'tantivy', 'elasticsearch'} & set(sys.modules)\n"
        "assert not engines, engines"
    )
    run_code(code)


def test_an_address_is_read_up_to_a_bound(service: Service) -> None:
    """The longest query fits into an address; one without end is refused before it is read."""
    status, answer = service.get("/search", q="\U0001f9ff" * 1000)
    assert status == 200
    assert len(answer["query"]["query"]) == 1000
    status, text, _ = service.page("/search?q=" + "x" * 100_000)
    assert 400 <= status < 500
    assert "Traceback" not in text
