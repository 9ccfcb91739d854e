"""Any order of changes, builds, crashes, rollbacks and restarts, against a dictionary.

FAULTS_STEPS is the number of steps of one run, FAULTS_RUNS the number of runs.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import indexer.merge
from hybrid.errors import NotFound
from hybrid.movie import Movie
from hybrid.storage.generation import Generation, open_current, published
from indexer.background_merge import merge_delta
from indexer.generations.manifest import BaseStore
from indexer.generations.publish import Digests
from indexer.merge import write_base
from indexer.update import change, delete, rollback, upsert
from tests import corpus
from tests.faults.injection import counted
from tests.stores import build_stores, follow_films, follow_stores, put, remove, tools
from tests.stores_agree import assert_holds

RUNS = int(os.environ.get("FAULTS_RUNS", "6"))
STEPS = int(os.environ.get("FAULTS_STEPS", "15"))

FILMS = corpus.films(150)
NUMBERS = st.integers(0, len(FILMS) - 1)
TITLES = st.sampled_from(["Captain", "Mirror", "The Winter River"])
PLOTS = st.sampled_from([None, "A captain.", "A mirror. In winter. By the river.", "Nothing else"])


class Crash(BaseException):
    """Stands for the death of the process: nothing runs after it."""


class Stores(RuleBasedStateMachine):
    """A data folder, the films that it should hold, those of the last source, and both as they were
    in the generation before."""

    taken = 0
    """Steps of all runs so far."""

    @initialize(count=st.integers(1, len(FILMS)))
    def begin(self, count: int) -> None:
        """Build a first index."""
        self.folder = Path(tempfile.mkdtemp())
        self.data = self.folder / "data"
        self.films = {movie.id: movie for movie in FILMS[:count]}
        self.source = self.films
        self.before: tuple[dict[int, Movie], dict[int, Movie]] | None = None
        build_stores(self.data, self.films.values())
        self.follower = follow_stores(self.data)

    def becomes(self, films: dict[int, Movie], source: dict[int, Movie] | None = None) -> None:
        """Note that something may have been published, of a source or by hand."""
        before = self.films, self.source
        self.films, self.source = films, self.source if source is None else source
        if (self.films, self.source) != before:
            self.before = before

    def changed_by_hand(self) -> dict[int, Movie | None]:
        """Return the films that are not as in the last source, as they are there."""
        ids = self.films.keys() | self.source.keys()
        differ = [i for i in ids if self.films.get(i) != self.source.get(i)]
        return {i: self.source.get(i) for i in differ}

    @rule(number=NUMBERS, title=TITLES, plot=PLOTS)
    def put_a_film(self, number: int, title: str, plot: str | None) -> None:
        """Add a film, or replace it."""
        movie = FILMS[number].model_copy(update={"title": title, "description": plot})
        put(self.data, movie)
        self.becomes(self.films | {movie.id: movie})

    @rule(number=NUMBERS)
    def delete_a_film(self, number: int) -> None:
        """Remove a film, if it is there."""
        film = FILMS[number].id
        try:
            remove(self.data, film)
        except NotFound:
            assert film not in self.films
        else:
            self.becomes({i: movie for i, movie in self.films.items() if i != film})

    @rule(first=NUMBERS, count=st.integers(1, 150))
    def follow_a_source(self, first: int, count: int) -> None:
        """Make it hold the films of a source."""
        films = FILMS[first : first + count]
        follow_films(self.data, films)
        source = {movie.id: movie for movie in films}
        self.becomes(source, source)

    @rule(first=NUMBERS, count=st.integers(1, 150))
    def follow_a_source_and_keep_changes(self, first: int, count: int) -> None:
        """Make it hold the films of a source but for those that were changed by hand."""
        films = FILMS[first : first + count]
        follow_films(self.data, films, hand_changes="keep")
        source, by_hand = {movie.id: movie for movie in films}, self.changed_by_hand()
        followed = {i: movie for i, movie in source.items() if i not in by_hand}
        self.becomes(followed | {i: self.films[i] for i in by_hand if i in self.films}, source)

    @rule(first=NUMBERS, count=st.integers(1, 150))
    def build(self, first: int, count: int) -> None:
        """Build it anew."""
        films = FILMS[first : first + count]
        build_stores(self.data, films)
        self.before = self.films, self.source
        self.films = self.source = {movie.id: movie for movie in films}

    @precondition(lambda self: self.before is not None)
    @rule()
    def go_back(self) -> None:
        """Go back to the generation before."""
        rollback(self.data, tools())
        assert self.before is not None
        (self.films, self.source), self.before = self.before, None

    @rule(number=NUMBERS, step=st.integers(1, 120), removes=st.booleans())
    def crash(self, number: int, step: int, removes: bool) -> None:
        """Die at a step of a change: it happened or it did not."""
        movie = FILMS[number].model_copy(update={"title": "Crashed"})
        removes = removes and movie.id in self.films
        choose = delete([movie.id]) if removes else upsert([movie])

        def die(number: int, kind: str) -> None:
            if number >= step:
                raise Crash

        name = published(self.data)[0].name
        try:
            with counted(self.data, die):
                change(self.data, choose, tools())
        except Crash:
            pass
        if published(self.data)[0].name != name:
            others = {i: film for i, film in self.films.items() if i != movie.id}
            self.becomes(others if removes else others | {movie.id: movie})

    @rule()
    def merge(self) -> None:
        """Merge what changed: nothing changes, and the way back stays."""
        merge_delta(self.data, tools(), always=True)

    @rule(number=NUMBERS, other=NUMBERS, title=TITLES, plot=PLOTS, back=st.booleans())
    def change_during_a_merge(
        self, number: int, other: int, title: str, plot: str | None, back: bool
    ) -> None:
        """Go back, add a film and remove one while a new base is written."""

        def interrupted(source: Generation, folder: Path) -> tuple[BaseStore, Digests]:
            if back and self.before:
                self.go_back()
            self.put_a_film(number, title, plot)
            self.delete_a_film(other)
            return write_base(source, folder)

        with patch("indexer.background_merge.write_base", interrupted):
            merge_delta(self.data, tools(), always=True)

    @rule(step=st.integers(1, 120))
    def crash_in_a_merge(self, step: int) -> None:
        """Die at a step of a merge: nothing changes."""

        def die(number: int, kind: str) -> None:
            if number >= step:
                raise Crash

        with counted(self.data, die), suppress(Crash):
            merge_delta(self.data, tools(), always=True)

    @rule()
    def restart(self) -> None:
        """Serve from a new process."""
        self.follower.close()
        self.follower = follow_stores(self.data)

    @invariant()
    def all_stores_agree(self) -> None:
        """What is published and served is what it should be."""
        Stores.taken += 1
        if hasattr(self, "films"):
            assert_holds(open_current(self.data), self.films.values())
            self.follower.refresh()
            search = self.follower.live.acquire()
            assert {movie.id: movie for movie in search.catalogue.all_films()} == self.films
            assert search.catalogue.hand_changes() == self.changed_by_hand()
            self.follower.live.release(search)
            assert self.follower.live.publication_problem is None

    def teardown(self) -> None:
        """Remove the folder."""
        if hasattr(self, "folder"):
            self.follower.close()
            shutil.rmtree(self.folder)


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    """Tell how many steps it were. Some changes are so many that the base is written anew."""
    with patch.object(indexer.merge, "LEAST", 20):
        yield
    print(f"{Stores.taken} steps in runs of {STEPS} at most")


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
