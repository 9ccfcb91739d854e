"""Who reads while others publish sees no error, and one generation an answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybrid.movie import Movie
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.serving.watcher import GenerationWatcher
from indexer.backends import Backends
from indexer.update import change, delete, upsert
from tests import corpus
from tests.elasticsearch_deployment import Deployment
from tests.readers import reading
from tests.stores import build_stores, open_stores, tools

FILMS = corpus.films(60)


@dataclass(frozen=True)
class Stores:
    """A data folder on one of the engines, and how many publications are made in it."""

    data: Path
    build: Callable[[Sequence[Movie]], object]
    tools: Backends
    watcher: GenerationWatcher
    publications: int


@pytest.fixture(params=["embedded", "elasticsearch"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Give a data folder with a published generation of FILMS."""
    data = tmp_path / "data"
    if request.param == "embedded":
        build_stores(data, FILMS)
        watcher = GenerationWatcher(data, open_stores)
        yield Stores(data, lambda films: build_stores(data, films), tools(), watcher, 20)
        watcher.close()
        return
    deployment: Deployment = request.getfixturevalue("deployment")
    watcher = GenerationWatcher(deployment.data, deployment.open)
    yield Stores(deployment.data, deployment.build, deployment.tools, watcher, 4)
    watcher.close()


def test_readers_during_publications(stores: Stores) -> None:
    """8 readers while films are added, replaced and removed and everything is built anew: no error,
    and every film of an answer is as its generation has it."""
    films = {movie.id: movie for movie in FILMS}
    published = {1: films}

    def faults(search: HybridSearch, answer: SearchResponse) -> list[object]:
        known = published[int(search.generation.split("-")[0])]
        wrong: list[object] = [hit for hit in answer.hits if known.get(hit.id) != hit.movie]
        missing = [answer.generation] if search.generation != answer.generation else []
        return wrong + missing + list(answer.degraded)

    stores.watcher.start()
    with reading(stores.watcher.live, 8, faults) as problems:
        for number in range(2, stores.publications + 2):
            movie = FILMS[number].model_copy(update={"title": f"Captain {number}"})
            if number % 4 == 0:
                films = films | {movie.id: movie}
                published[number] = films
                stores.build([films[film] for film in sorted(films)])
            elif number % 4 == 1:
                films = {film: kept for film, kept in films.items() if film != movie.id}
                published[number] = films
                change(stores.data, delete([movie.id]), stores.tools)
            else:
                new = Movie(id=10_000 + number, title=f"Captain {number}")
                films = films | {movie.id: movie, new.id: new}
                published[number] = films
                change(stores.data, upsert([movie, new]), stores.tools)
            stores.watcher.refresh()
    assert problems == []
    search = stores.watcher.live.acquire()
    assert search.generation.startswith(f"{stores.publications + 1}-")
    assert {movie.id: movie for movie in search.catalogue.all_films()} == films
    stores.watcher.live.release(search)
