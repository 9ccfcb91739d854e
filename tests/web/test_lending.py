"""The search that a request uses is released when the request ends."""

from pathlib import Path
from sqlite3 import ProgrammingError

import pytest

from hybrid.serving.live_search import LiveSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

FILMS = corpus.films(5)


@pytest.mark.parametrize(
    ("path", "status"), [("/search?q=captain", 200), ("/movies/0", 404), ("/?q=captain", 200)]
)
def test_an_outdated_search_is_closed_after_its_last_request(
    tmp_path: Path, path: str, status: int
) -> None:
    """Whether the request succeeded or not, nothing of a generation stays open for it."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    before = open_small(tmp_path / "before", FILMS, FakeLexical(FILMS))
    after = open_small(tmp_path / "after", FILMS, FakeLexical(FILMS))
    live = LiveSearch(before)
    response = create_app(live).test_client().get(path)
    assert response.status_code == status
    assert before.movie(FILMS[0].id) == FILMS[0]
    live.swap(after)
    with pytest.raises(ProgrammingError, match="closed"):
        before.catalogue.highest_id()  # films that were shown are kept in memory
    live.close()
