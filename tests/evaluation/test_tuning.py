"""Tuning: what is learned is measured on queries it was not learned from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hybrid.errors import InvalidInput
from hybrid.evaluation import tuning as tuning_module
from hybrid.evaluation.judgements import JudgedQuery, Judgements
from hybrid.evaluation.tables import as_tuning
from hybrid.evaluation.tuning import Tuning, _all, _parts, tune
from hybrid.fusion.preferences import Preferences
from hybrid.query import Filters, FusionMethod, SearchQuery
from hybrid.search import HybridSearch
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

MOVIES = [movie for movie in corpus.films(200) if movie.description]


@pytest.fixture
def few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 80 preferences be tried instead of 960: how they are chosen does not depend on it."""
    monkeypatch.setattr(tuning_module, "ALPHAS", ("auto", 0.0, 0.5, 1.0))
    monkeypatch.setattr(tuning_module, "TEXT_WEIGHTS", (0.55, 1.0))
    monkeypatch.setattr(tuning_module, "PRIORS", (0.0, 0.2))


few = pytest.mark.usefixtures("few_choices")


@pytest.mark.parametrize(("votes", "number"), [(True, 5 * 12 * 4 * 4), (False, 5 * 12 * 4)])
def test_what_is_tried(search: HybridSearch, votes: bool, number: int) -> None:
    """Every fusion with every alpha, from words alone to meaning alone and chosen for each query,
    with each weight of the text and, where films have votes, of these."""
    candidates = search.retrieve(SearchQuery(query="captain"))
    if not votes:
        candidates = replace(candidates, known=np.zeros(len(candidates.ids)))
    tried = _all([candidates])
    assert len(tried) == len(set(tried)) == number
    assert {choice.fusion for choice in tried} == set(get_args(FusionMethod))
    assert {choice.alpha for choice in tried} == {"auto", *(step / 10 for step in range(11))}
    assert {choice.text_weight for choice in tried} == {0.55, 0.7, 0.85, 1.0}
    assert {choice.prior for choice in tried} == ({0.0, 0.05, 0.1, 0.2} if votes else {0.0})


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give a search over 200 films."""
    found = open_small(tmp_path_factory.mktemp("small"), MOVIES, FakeLexical(MOVIES))
    yield found
    found.close()


def judgements(count: int, seed: int = 3) -> Judgements:
    """Make queries of five words of a film's description, two a film, that look for the film."""
    random = np.random.default_rng(seed)
    queries = []
    for number in range(count):
        movie = MOVIES[number // 2]
        words = (movie.description or "").replace(".", "").split()
        text = " ".join(random.permutation(words)[:5])
        queries.append(JudgedQuery(f"q{number}", "all", text, Filters(), {movie.id: 1}))
    return Judgements.of(Path("made.jsonl"), queries)


def test_folds_hold_every_query_once_and_never_part_a_film() -> None:
    """Each query is held out once; queries that look for one film are held out together."""
    queries = judgements(60).queries
    parts = _parts(queries, 5, seed=1)
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    for part in parts:
        films = {film for number in part for film in queries[number].relevant}
        others = {
            film for number in set(range(60)) - set(part) for film in queries[number].relevant
        }
        assert not films & others


@few
def test_bad_preferences_are_found_out(search: HybridSearch, tmp_path: Path) -> None:
    """From preferences that rank by a side that knows little, tuning finds better ones, says by how
    much, and what it writes is read."""
    search.preferences = Preferences(fusion="rrf", alpha=1.0)
    try:
        tuning = tune(search, judgements(80), folds=4)
    finally:
        search.preferences = Preferences()
    assert tuning.adopted
    assert tuning.gain.low > 0
    assert tuning.p < 0.05
    assert tuning.after - tuning.before == pytest.approx(tuning.gain.mean)
    assert Preferences.load(tuning.best.save(tmp_path).parent) == tuning.best


@few
def test_the_weight_of_votes_is_learned(tmp_path: Path) -> None:
    """Of films that tell the same, where the wanted ones have the most votes: tuning says how much
    votes count, and a search with its preferences finds them first."""
    twins = [
        movie.model_copy(update={"id": movie.id + shift, "title": f"{movie.id}", "votes": votes})
        for movie in MOVIES[:30]
        for shift, votes in ((0, 3), (10_000, 50_000))
    ]
    judged = Judgements.of(
        Path("made.jsonl"),
        [
            replace(query, grades={10_000 + film: 1 for film in query.grades})
            for query in judgements(24).queries
        ],
    )
    search = open_small(tmp_path, twins, FakeLexical(twins))
    tuning = tune(search, judged, folds=3)
    assert tuning.adopted
    assert tuning.best.prior > 0
    assert f"prior {tuning.best.prior}" in as_tuning(tuning)
    search.preferences = tuning.best
    query = judged.queries[0]
    best = search.search(SearchQuery(query=query.text, explain="summary")).hits[0]
    assert best.id in query.grades
    assert best.why is not None
    assert best.why.fusion.prior > 0
    search.close()


@few
def test_what_is_best_already_stays(search: HybridSearch) -> None:
    """Preferences that tuning itself arrived at are not changed for a gain that may be luck."""
    search.preferences = tune(search, judgements(80), folds=4).best
    try:
        again = tune(search, judgements(80), folds=4)
    finally:
        search.preferences = Preferences()
    assert again.best == again.current
    assert not again.adopted


@few
def test_folds_are_measured_without_what_they_say(search: HybridSearch) -> None:
    """The figure over all queries is that of the folds, each held out, and is what is reported."""
    tuning = tune(search, judgements(40), folds=4)
    assert len(tuning.folds) == 4
    assert sum(len(fold.queries) for fold in tuning.folds) == 40
    weighted = sum(len(fold.queries) * fold.after for fold in tuning.folds) / 40
    assert tuning.after == pytest.approx(weighted)
    report = as_tuning(tuning)
    assert f"held-out gain in nDCG@10: {tuning.gain.mean:+.3f}" in report
    assert report.count("\nfold ") == 4


def test_few_queries_teach_nothing(search: HybridSearch) -> None:
    """Too few different films to learn from is an error that says how many it takes."""
    with pytest.raises(InvalidInput, match="look for 9 different films: judge queries for at"):
        tune(search, judgements(18))


@few
def test_equal_seeds_tune_alike(search: HybridSearch) -> None:
    """The folds, the gain and its interval depend on nothing but the seed."""

    def once(seed: int) -> Tuning:
        return tune(search, judgements(40), folds=3, seed=seed)

    first = once(7)
    assert first == once(7)
    assert [fold.queries for fold in first.folds] != [fold.queries for fold in once(8).folds]
