"""The deadline of a request begins when it arrives."""

from pathlib import Path
from time import monotonic

import pytest

from hybrid.web.app import create_app
from hybrid.web.request_search import ARRIVED
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

FILMS = corpus.films(20)


@pytest.mark.parametrize(
    "path",
    ["/search?q=captain", "/compare?q=captain", "/explain/{film}?q=captain", "/?q=captain"],
)
def test_waiting_for_a_thread_uses_the_time_up(tmp_path: Path, path: str) -> None:
    """A request whose whole time has passed by then asks no engine; one that came later does."""
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS), seconds=30)
    client = create_app(search).test_client()
    url = path.format(film=FILMS[0].id)
    for waited, status in ((31, 503), (1, 200)):
        environ = {ARRIVED: monotonic() - waited}
        assert client.get(url, environ_overrides=environ).status_code == status
    search.close()
