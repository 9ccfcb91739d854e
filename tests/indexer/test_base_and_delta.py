"""A base with a delta answers as one index of the same films would."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.retrieval.suggestions import Suggestions
from hybrid.retrieval.titles import Titles
from hybrid.search import HybridSearch
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current, published
from hybrid.vectors import QueryVector
from indexer.background_merge import merge_delta
from indexer.generations.manifest import BaseStore
from indexer.generations.publish import Digests
from indexer.merge import write_base
from indexer.update import change, match_source, rollback
from tests import corpus
from tests.fakes import HashingEncoder
from tests.stores import build_stores, of_source, open_stores, put, remove, tools

FILMS = corpus.films(150)
NEW = corpus.films(18, seed=8)
OTHERS = [
    film.model_copy(
        update={"id": number, "title": f"New {film.title}", "cast": (f"Anna {film.id}",)}
    )
    for number, film in zip([0, 2, 5, 1000, 2**40, *range(302, 341, 3)], NEW, strict=True)
]
FILTERS = [*filter(None, corpus.filters(12)), Filters(year_from=1800)]
"""Under a filter all lists of a FAISS index are probed, without one as many as its recall needs."""
QUERIES = corpus.queries(12)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of FILMS."""
    folder = tmp_path_factory.mktemp("base") / "data"
    build_stores(folder, FILMS)
    return folder


def answers(search: HybridSearch) -> Iterator[object]:
    """Yield what engines, titles and columns say of the films, to the last bit."""
    columns, semantic = search.catalogue.columns, search.engines.semantic
    yield columns.ids.tolist()
    for numbers in columns.numbers.values():
        yield numbers.tolist()
    for names in columns.names.values():
        yield {key: (names.spelling(key), rows.tolist()) for key, rows in names.items()}
    yield [film.model_dump() for film in search.catalogue.all_films()]
    yield search.catalogue.contents()
    yield search.duplicates.groups
    yield [search.catalogue.person_in(f"by anna {film.id} today") for film in [*OTHERS, *FILMS]]
    titles = Titles.of(search.catalogue)
    for text in [*QUERIES, *(film.title for film in [*FILMS[:20], *OTHERS])]:
        matches = titles.matches([text])
        yield text, columns.ids[matches.rows].tolist(), matches.shares.tolist()
    for typed in ("a", "an", "anna", "new", "changed 1", "captain", "captian", "western", "xyz"):
        for one in Suggestions.of(search.catalogue).matches(typed, 6):
            film = columns.ids[one.row].tolist() if one.row >= 0 else None
            yield typed, one._replace(row=0), film
    for number, text in enumerate(QUERIES):
        weights = ((1.0,), (0.6, 0.2, 0.2))[number % 2]
        vector = QueryVector(HashingEncoder().encode([text])[0], weights)
        for filters in FILTERS:
            found = semantic.search(vector, filters, 10_000)
            yield text, filters, found.ids.tolist(), found.scores.tolist()
        found = semantic.search(vector, Filters(), 30)
        assert found.scores.tolist() == semantic.score(vector, found.ids).tolist()
        scores = semantic.score(vector, columns.ids)
        yield np.nan_to_num(scores, nan=-9).tolist()
        yield semantic.best_sentences(vector, columns.ids)[1].tolist()
        yield semantic.explain(vector, columns.ids)


def assert_as_one(data: Path, films: Sequence[Movie]) -> None:
    """What is published answers as a new build of these films does."""
    anew = data.with_name("anew")
    shutil.rmtree(anew, ignore_errors=True)
    build_stores(anew, films)
    opened = open_stores(open_current(data)), open_stores(open_current(anew))
    for found, expected in zip(*map(answers, opened), strict=True):
        assert found == expected
    for search in opened:
        search.close()


@given(
    changed=st.sets(st.integers(0, 149), max_size=20),
    gone=st.sets(st.integers(0, 149), max_size=20),
    added=st.sets(st.integers(0, len(OTHERS) - 1), max_size=len(OTHERS)),
    twins=st.sets(st.integers(0, 30), max_size=4),
    gone_again=st.booleans(),
    merged=st.booleans(),
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_base_and_delta_are_one(
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    changed: set[int],
    gone: set[int],
    added: set[int],
    twins: set[int],
    gone_again: bool,
    merged: bool,
) -> None:
    """Whatever came, went or changed, and whether it was merged: the same ids, columns, titles,
    names and scores as a new build of these films has, cosines bit for bit."""
    copy = Path(shutil.copytree(data, tmp_path_factory.mktemp("copy") / "data"))
    films = {film.id: film for film in FILMS}
    for number in changed:
        other = {"title": f"Changed {number}", "genres": ("Western",), "year": 1966, "votes": 7}
        text = FILMS[(number * 7 + 1) % 150].description
        films[FILMS[number].id] = FILMS[number].model_copy(update=other | {"description": text})
    films |= {OTHERS[number].id: OTHERS[number] for number in added}
    for number in twins:
        films[2000 + number] = FILMS[number].model_copy(update={"id": 2000 + number})
    put(copy, *films.values())
    if gone:
        remove(copy, *(FILMS[number].id for number in gone))
        films = {i: film for i, film in films.items() if i not in {FILMS[n].id for n in gone}}
    if gone_again and added:
        last = OTHERS[max(added)].id
        remove(copy, last)
        del films[last]
    if merged:
        merge_delta(copy, tools(), always=True)
    assert_as_one(copy, [films[film] for film in sorted(films)])


def test_a_film_that_returns(data: Path, tmp_path: Path) -> None:
    """A film of the base that was removed or changed may become again what it was."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    remove(copy, FILMS[3].id)
    put(copy, FILMS[4].model_copy(update={"title": "Else", "description": None}))
    put(copy, FILMS[3], FILMS[4])
    assert_as_one(copy, FILMS)
    merge_delta(copy, tools(), always=True)
    assert_as_one(copy, FILMS)
    assert open_current(copy).manifest.counts.hand_changes == 0


def test_a_merge_leaves_the_way_back(data: Path, tmp_path: Path) -> None:
    """It is no change: the generation before the last change is the one to go back to."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    put(copy, OTHERS[0])
    before = published(copy)[1]
    merged = merge_delta(copy, tools(), always=True)
    assert merged is not None
    assert [entry.name for entry in published(copy)] == [merged.name, before.name]
    rollback(copy, tools())
    assert_as_one(copy, FILMS)


def test_an_id_is_not_used_again_after_a_merge(data: Path, tmp_path: Path) -> None:
    """That of a film which came and went while the base was written counts as used."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    put(copy, OTHERS[0])

    def interrupted(source: Generation, folder: Path) -> tuple[BaseStore, Digests]:
        put(copy, OTHERS[0].model_copy(update={"id": 2**41}))
        remove(copy, 2**41)
        return write_base(source, folder)

    with patch("indexer.background_merge.write_base", interrupted):
        assert merge_delta(copy, tools(), always=True) is not None
    with closing(Catalogue(open_current(copy).folder)) as catalogue:
        assert catalogue.highest_id() == 2**41


@pytest.mark.parametrize("merged", [False, True])
def test_films_are_the_same_while_both_are_there(tmp_path: Path, merged: bool) -> None:
    """Of two films that are one in the base, one is removed, or becomes another."""
    twins = [film.model_copy(update={"id": 3000 + film.id}) for film in FILMS[:9]]
    build_stores(tmp_path / "data", [*FILMS, *twins])
    remove(tmp_path / "data", twins[0].id, FILMS[1].id)
    other = twins[2].model_copy(update={"title": "Else"})
    put(tmp_path / "data", other)
    if merged:
        merge_delta(tmp_path / "data", tools(), always=True)
    assert_as_one(tmp_path / "data", [FILMS[0], *FILMS[2:], twins[1], other, *twins[3:]])
    with closing(open_stores(open_current(tmp_path / "data"))) as search:
        assert FILMS[3].id in search.duplicates.groups
        assert not search.duplicates.groups.keys() & {FILMS[0].id, twins[1].id, other.id}


def test_nothing_is_merged_without_need(data: Path, tmp_path: Path) -> None:
    """An empty delta, or a small one unless that is asked for, stays."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    assert merge_delta(copy, tools(), always=True) is None
    put(copy, OTHERS[0])
    assert merge_delta(copy, tools()) is None
    assert merge_delta(copy, tools(), always=True) is not None


def test_very_many_changes_write_a_base_at_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of a large part of the films leaves no delta."""
    monkeypatch.setattr("indexer.merge.LEAST", 10)
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    done = change(copy, match_source(of_source(FILMS[20:]), False, False), tools())
    assert (done.removed, done.manifest.delta.outdated) == (20, 0)
    assert_as_one(copy, FILMS[20:])


def test_a_change_shares_the_base(data: Path, tmp_path: Path) -> None:
    """A change writes nothing that is as large as the catalogue: it shares each such file."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    put(copy, OTHERS[0])
    after, before = open_current(copy), published(copy)[1]
    shared = {"catalogue.sqlite", "columns.arrays", "titles.arrays", "vectors-0.npy"}
    for name in shared | {"sentences.faiss", "encoder/model.onnx"} & after.manifest.files.keys():
        assert after.file(name).samefile(copy / "generations" / before.name / name)
