"""What every semantic engine promises. A new engine joins by a line in `semantic`."""

from collections.abc import Callable
from functools import cache

import faiss
import numpy as np
import pytest

from hybrid.engines.protocols import SemanticEngine
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import (
    EXACT_SENTENCES,
    IvfPqEngine,
    Selector,
    Unindexed,
    id_selector,
    sub_quantisers,
)
from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.ranking import FilmSet
from hybrid.storage.filter_columns import FilterValues, UnmergedColumns
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.vectors import QueryVector, Vectors
from indexer.semantic_index.recall import best_scores
from indexer.semantic_index.train import index_of as trained
from tests import corpus

NONE = Filters()

DIMENSION = 64


def unit(vectors: Vectors) -> Vectors:
    """Return the rows at length 1."""
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled.astype(np.float32)


class World:
    """Films with random sentence vectors, and the plain truth about them."""

    def __init__(self, movies: list[Movie], seed: int = 5) -> None:
        random = np.random.default_rng(seed)
        counts = random.integers(0, 6, len(movies))
        counts[:3] = 2
        centres = random.standard_normal((40, DIMENSION))
        rows = centres[random.integers(0, 40, counts.sum())]
        self.vectors = unit((rows + random.standard_normal(rows.shape)).astype(np.float32))
        self.vectors[2:4] = self.vectors[:2]  # the second film says what the first says
        self.movies = movies
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.columns = UnmergedColumns.of(map(FilterValues.of, movies))
        self.sentences = SentenceVectors.contiguous(self.vectors, counts)
        near = self.vectors[random.integers(0, len(rows), 60)]
        self.queries = unit(near + random.standard_normal(near.shape) / DIMENSION**0.5)

    def truth(self, vector: Vectors, filters: Filters) -> list[tuple[float, int]]:
        """Return (score, id) of every film with a vector, the best first, by plain numpy."""
        cosines = self.vectors.astype(float) @ vector.astype(float)
        found = [
            (float(cosines[self.starts[film_row] : self.starts[film_row + 1]].max()), film)
            for film_row, film in self.matching(filters)
        ]
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    @cache  # noqa: B019, one world lasts as long as the tests
    def matching(self, filters: Filters) -> list[tuple[int, int]]:
        """Return (film_row, id) of every film with a vector that matches."""
        return [
            (film_row, movie.id)
            for film_row, movie in enumerate(self.movies)
            if self.sentences.counts[film_row] and filters.matches(movie)
        ]


WORLD = World(corpus.films(2500))


def exact(world: World) -> SemanticEngine:
    """Make the brute-force engine."""
    return ExactEngine(world.sentences, world.columns)


def in_pieces(world: World, number: int = 5) -> SentenceVectors:
    """Return the vectors in pieces that hold their films in any order, with rows of no film."""
    random = np.random.default_rng(9)
    holders = random.integers(0, number, len(world.movies))
    pieces: list[Vectors] = []
    firsts = np.zeros(len(world.movies), np.int64)
    rows = 0
    for piece in range(number):
        film_rows = random.permutation(np.flatnonzero(holders == piece))
        parts = [unit(random.standard_normal((3, DIMENSION)).astype(np.float32))]
        rows += 3
        for film_row in film_rows.tolist():
            firsts[film_row] = rows
            parts.append(world.vectors[world.starts[film_row] : world.starts[film_row + 1]])
            rows += len(parts[-1])
        pieces.append(np.ascontiguousarray(np.concatenate(parts)))
    return SentenceVectors(tuple(pieces), firsts, world.sentences.counts)


def exact_in_pieces(world: World) -> SemanticEngine:
    """Make the brute-force engine over several files."""
    return ExactEngine(in_pieces(world), world.columns)


@cache
def index_of(world: World) -> "faiss.IndexIVF":
    """Return the IVFPQ index of these films."""
    return trained(world.sentences, world.columns.ids)


def probing(world: World, nprobe: int) -> IvfPqEngine:
    """Make the IVFPQ engine with `nprobe` lists probed where there is no filter."""
    return IvfPqEngine(index_of(world), nprobe, ExactEngine(world.sentences, world.columns))


def ivfpq(world: World) -> SemanticEngine:
    """Make the IVFPQ engine, all lists probed."""
    return probing(world, index_of(world).nlist)


def ivfpq_of_one_list(world: World) -> SemanticEngine:
    """Make the IVFPQ engine, one list probed."""
    return probing(world, 1)


COMPLETE = [exact, exact_in_pieces, ivfpq]


@pytest.fixture(scope="module", params=COMPLETE)
def complete(request: pytest.FixtureRequest) -> SemanticEngine:
    """Give every engine that looks at all films, filter or not, filled with the same films."""
    make: Callable[[World], SemanticEngine] = request.param
    return make(WORLD)


@pytest.fixture(scope="module", params=[*COMPLETE, ivfpq_of_one_list])
def semantic(request: pytest.FixtureRequest) -> SemanticEngine:
    """Give every engine in turn, filled with the same films."""
    make: Callable[[World], SemanticEngine] = request.param
    return make(WORLD)


def recall(engine: SemanticEngine, filters: Filters) -> float:
    """Return the mean share of the true ten best films that are the engine's ten best."""
    shares = []
    for vector in WORLD.queries:
        truth = {film for _, film in WORLD.truth(vector, filters)[:10]}
        found = engine.search(QueryVector(vector), filters, 100).ids[:10].tolist()
        shares.append(len(truth & set(found)) / 10)
    return float(np.mean(shares))


def test_filters_hold_as_defined(semantic: SemanticEngine) -> None:
    """Under 300 random filters exactly the films that match are found, all that can be, and hardly
    one of the best ten is missed."""
    missed = wanted = 0
    for n, filters in enumerate(filter(None, corpus.filters(300))):
        vector = WORLD.queries[n % len(WORLD.queries)]
        truth = WORLD.truth(vector, filters)
        found = semantic.search(QueryVector(vector), filters, 50)
        allowed = {film for _, film in truth}
        assert set(found.ids.tolist()) <= allowed, filters
        assert len(found) == min(50, len(truth)), filters
        best = {film for _, film in truth[:10]}
        missed, wanted = missed + len(best - set(found.ids.tolist())), wanted + len(best)
    assert missed <= 0.01 * wanted


def test_only_films_of_a_set_are_found(semantic: SemanticEngine) -> None:
    """With a set of films, whatever its size and with or without filters, the answer is the best of
    its films alone; ids that are unknown or without a vector do not matter."""
    choose = np.random.default_rng(4)
    for size, filters in zip((0, 1, 20, 900, 2400) * 4, corpus.filters(20), strict=True):
        ids = np.unique([*choose.choice(WORLD.columns.ids, size, replace=False), 2, 2**60])
        among, vector = FilmSet(ids), WORLD.queries[size % 60]
        inside = set(ids.tolist())
        truth = [pair for pair in WORLD.truth(vector, filters) if pair[1] in inside]
        for _ in range(2):  # the second time from a cache
            found = semantic.search(QueryVector(vector), filters, 100_000, among)
            # Films of almost equal scores may change places: the truth is rounded otherwise.
            assert sorted(found.ids.tolist()) == sorted(film for _, film in truth)
            assert found.scores.tolist() == pytest.approx([score for score, _ in truth], abs=1e-6)
        unlike = semantic.search(QueryVector(vector), filters, 100_000, FilmSet(ids[:3]))
        assert unlike.ids.tolist() == [film for _, film in truth if film in ids[:3]]


WIDE = Filters(genres=corpus.GENRES[:6])
"""Leaves too many sentences to scan them all."""


def test_a_wide_filter_is_wide() -> None:
    """The filter of the tests below is one under which the IVFPQ index itself is searched."""
    allowed = WORLD.columns.allowed(WIDE)
    assert EXACT_SENTENCES < WORLD.sentences.counts[allowed].sum() < len(WORLD.vectors)


def test_recall_without_a_filter(complete: SemanticEngine) -> None:
    """Recall@10 against plain numpy stays above .98."""
    assert recall(complete, NONE) > 0.98


def test_a_filter_costs_no_result(semantic: SemanticEngine) -> None:
    """Under a filter recall is as high, and the list as long as asked for, however few lists are
    probed without one."""
    assert recall(semantic, WIDE) > 0.98
    matching = len(WORLD.truth(WORLD.queries[0], WIDE))
    for depth in (100, 100_000):
        found = semantic.search(QueryVector(WORLD.queries[0]), WIDE, depth)
        assert len(found) == min(depth, matching)


@pytest.mark.parametrize("nprobe", [1, 3])
def test_without_a_filter_as_many_lists_are_probed_as_asked_for(nprobe: int) -> None:
    """The films found are those with a sentence in the `nprobe` nearest lists, and no others."""
    index = index_of(WORLD)
    assert nprobe < index.nlist
    list_of_each = index.quantizer.assign(WORLD.vectors, 1)[:, 0]
    films = np.repeat(WORLD.columns.ids, WORLD.sentences.counts)
    for vector in WORLD.queries[:10]:
        probed = index.quantizer.assign(vector[np.newaxis], nprobe)[0]
        found = probing(WORLD, nprobe).search(QueryVector(vector), NONE, 100_000)
        assert set(found.ids.tolist()) == set(films[np.isin(list_of_each, probed)].tolist())


@pytest.mark.parametrize("filters", [NONE, WIDE])
def test_ivfpq_looks_at_films_that_its_index_lacks(filters: Filters) -> None:
    """Films that are new or changed are found by what they are now, with a filter and without."""
    rows = np.arange(0, len(WORLD.columns.ids), 7)
    ids = WORLD.columns.ids[rows]
    index = faiss.clone_index(index_of(WORLD))
    index.remove_ids(faiss.IDSelectorBatch(ids[::2]))
    exact_engine = ExactEngine(WORLD.sentences, WORLD.columns)
    engine = IvfPqEngine(index, index.nlist, exact_engine, Unindexed(ids[1::2], rows))
    for vector in WORLD.queries[:5]:
        expected = {film for _, film in WORLD.truth(vector, filters)}
        assert expected & set(ids.tolist())
        found = engine.search(QueryVector(vector), filters, 100_000)
        assert set(found.ids.tolist()) == expected


def test_ivfpq_finds_the_film_of_id_0() -> None:
    """The lowest id that a film can have."""
    films = [film.model_copy(update={"id": n}) for n, film in enumerate(corpus.films(300))]
    world = World(films)
    found = ivfpq(world).search(QueryVector(world.vectors[0]), NONE, 5)
    assert found.ids[0] == 0


def test_ivfpq_evaluates_a_filter_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another one by itself."""
    made: list[Filters] = []
    make = IvfPqEngine._make_selector

    def counting(self: IvfPqEngine, filters: Filters, among: FilmSet | None) -> Selector:
        made.append(filters)
        return make(self, filters, among)

    monkeypatch.setattr(IvfPqEngine, "_make_selector", counting)
    engine = probing(WORLD, 1)
    other = Filters(year_from=1950)
    for filters in (WIDE, WIDE, other, WIDE, other):
        engine.search(QueryVector(WORLD.queries[0]), filters, 10)
    assert made == [WIDE, other]


def test_any_genre_and_all_genres_are_different_filters(semantic: SemanticEngine) -> None:
    """One engine asked for any and for all of the same genres gives each its own films."""
    for match in ("any", "all", "any"):
        filters = Filters(genres=corpus.GENRES[:2], genre_match=match)
        found = semantic.search(QueryVector(WORLD.queries[0]), filters, 100_000).ids.tolist()
        assert found == [film for _, film in WORLD.truth(WORLD.queries[0], filters)]


def test_scores_are_complete_and_exact(semantic: SemanticEngine) -> None:
    """`score` gives every film its true cosine, the same that `search` gives, NaN without one."""
    ids = np.array([movie.id for movie in WORLD.movies], np.int64)
    for vector in WORLD.queries[:10]:
        truth = {film: score for score, film in WORLD.truth(vector, NONE)}
        scores = dict(
            zip(ids.tolist(), semantic.score(QueryVector(vector), ids).tolist(), strict=True)
        )
        for film, score in scores.items():
            if film in truth:
                assert score == pytest.approx(truth[film], abs=1e-6)
            else:
                assert np.isnan(score)
        found = semantic.search(QueryVector(vector), NONE, 50)
        assert [scores[i] for i in found.ids.tolist()] == found.scores.tolist()


def test_best_sentence_is_the_one_that_scores(semantic: SemanticEngine) -> None:
    """The sentence named for a film is the first that has its score; -1 where there is none."""
    ids = np.array([movie.id for movie in WORLD.movies], np.int64)
    vector = WORLD.queries[3]
    scores, numbers = semantic.best_sentences(QueryVector(vector), ids)
    assert np.array_equal(scores, semantic.score(QueryVector(vector), ids), equal_nan=True)
    for film_row, number in enumerate(numbers.tolist()):
        rows = WORLD.vectors[WORLD.starts[film_row] : WORLD.starts[film_row + 1]]
        assert number == (int((rows @ vector).argmax()) if len(rows) else -1)


def test_ties_go_to_the_lower_id(semantic: SemanticEngine) -> None:
    """Two films with the same sentence have the same score to the bit; the lower id is first."""
    first, second = WORLD.movies[0].id, WORLD.movies[1].id
    found = semantic.search(QueryVector(WORLD.vectors[0]), NONE, 10)
    assert found.ids[:2].tolist() == [first, second]
    assert found.scores[0] == found.scores[1]
    assert semantic.search(QueryVector(WORLD.vectors[0]), NONE, 1).ids.tolist() == [first]


def test_nothing_to_find_is_an_empty_list(semantic: SemanticEngine) -> None:
    """A filter that no film passes gives an empty ranking and no error."""
    found = semantic.search(QueryVector(WORLD.queries[0]), Filters(genres=("Western",)), 10)
    assert len(found) == 0
    assert found.ids.dtype == np.int64


def test_unknown_ids_have_no_score(semantic: SemanticEngine) -> None:
    """Ids that are not there, below, between and above those that are, score NaN."""
    unknown = np.array([0, 2, 2**60], np.int64)
    assert np.isnan(semantic.score(QueryVector(WORLD.queries[0]), unknown)).all()
    scores, numbers = semantic.best_sentences(QueryVector(WORLD.queries[0]), unknown)
    assert np.isnan(scores).all()
    assert numbers.tolist() == [-1, -1, -1]
    assert len(semantic.score(QueryVector(WORLD.queries[0]), unknown[:0])) == 0


def test_more_asked_than_there_is(complete: SemanticEngine) -> None:
    """A depth beyond the number of films gives every film that has a vector, once."""
    found = complete.search(QueryVector(WORLD.queries[0]), NONE, 100_000)
    assert sorted(found.ids.tolist()) == sorted(i for _, i in WORLD.truth(WORLD.queries[0], NONE))


def test_films_of_many_sentences_leave_room_for_others() -> None:
    """The list is as long as asked for even where one film's sentences fill the candidates."""
    movies = [Movie(id=i, title="x") for i in range(60)]
    counts = np.array([3000, *[5] * 59])
    vectors = unit(np.random.default_rng(1).standard_normal((counts.sum(), 16)).astype(np.float32))
    vectors[:3000] = unit(vectors[:3000] * 0.05 + vectors[0])
    sentences = SentenceVectors.contiguous(vectors, counts)
    columns = UnmergedColumns.of(map(FilterValues.of, movies))
    index = trained(sentences, columns.ids)
    engine = IvfPqEngine(index, index.nlist, ExactEngine(sentences, columns))
    assert len(engine.search(QueryVector(vectors[0]), NONE, 40)) == 40


def test_pieces_hold_what_one_file_holds() -> None:
    """Rows are read from the right file, whatever lies where."""
    film_rows = np.random.default_rng(2).permutation(len(WORLD.movies))
    whole, pieces = WORLD.sentences, in_pieces(WORLD)
    assert whole.total() == pieces.total() == len(WORLD.vectors)
    assert np.array_equal(
        whole.vectors(whole.sentence_rows(film_rows)),
        pieces.vectors(pieces.sentence_rows(film_rows)),
    )


def test_the_truth_that_recall_is_measured_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ten best scores of many queries at once are those of one scan each."""
    monkeypatch.setattr("indexer.semantic_index.recall.BLOCK", 300)
    found = best_scores(in_pieces(WORLD), WORLD.queries)
    for query, scores in zip(WORLD.queries, found, strict=True):
        truth = [score for score, _ in WORLD.truth(query, NONE)[:10]]
        assert sorted(scores.tolist(), reverse=True) == pytest.approx(truth, abs=1e-5)


@pytest.mark.parametrize("ids", [[0], [7, 8, 9, 4095], [1, 2**28, 2**28 + 9], [3, 2**62], []])
def test_selector_holds_its_ids(ids: list[int]) -> None:
    """A FAISS selector, bitmap or set, holds the ids it was made of and no others."""
    selector = id_selector(np.array(ids, np.int64))
    for probe in {0, 1, 2, 3, 6, 7, 8, 9, 10, 4094, 4095, 4096, 2**28, 2**62, *ids}:
        assert selector.is_member(probe) == (probe in ids)


@pytest.mark.parametrize(
    ("dimension", "expected"), [(384, 96), (768, 192), (6, 1), (30, 6), (7, 1)]
)
def test_sub_quantisers_divide_the_dimension(dimension: int, expected: int) -> None:
    """Any model's dimension can be indexed."""
    assert sub_quantisers(dimension) == expected
    assert dimension % sub_quantisers(dimension) == 0


def test_explanations_are_the_sentences_that_count(semantic: SemanticEngine) -> None:
    """The best first, as many as there are weights; cosines times weights add up to the score."""
    ids = WORLD.columns.ids[:300]
    for weights in ((1.0,), (0.6, 0.2, 0.2)):
        meaning = QueryVector(WORLD.queries[3], weights)
        explained = semantic.explain(meaning, ids)
        (_, numbers), counts = semantic.best_sentences(meaning, ids), np.diff(WORLD.starts)[:300]
        truth = zip(numbers.tolist(), semantic.score(meaning, ids), counts.tolist(), strict=True)
        for sentences, (first, score, count) in zip(explained, truth, strict=True):
            assert len(sentences) == min(len(weights), count)
            assert [number for number, _ in sentences][:1] == [first][: len(sentences)]
            total = sum(w * c for w, (_, c) in zip(weights, sentences, strict=False))
            assert total == pytest.approx(score) or not sentences
    assert list(semantic.explain(meaning, np.array([0]))) == [[]]


def test_vectors_of_a_film_are_those_of_its_sentences(semantic: SemanticEngine) -> None:
    """They come in the order of the sentences; none for a film without one, or an unknown film."""
    for film_row, movie in enumerate(WORLD.movies[:50]):
        start, end = WORLD.starts[film_row : film_row + 2]
        assert semantic.vectors_of(movie.id).tolist() == WORLD.vectors[start:end].tolist()
    assert semantic.vectors_of(77777777).shape == (0, DIMENSION)
