"""Runs as they are typed, and the rankings that they get."""

from contextlib import closing
from pathlib import Path

import pytest

from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.evaluation.rankings import rank_queries
from hybrid.query import Fusion, SearchQuery
from hybrid.schemas.runs import Run, parse_runs
from tests.evaluation.judged import FILMS, QUERIES, small
from tests.fakes import FakeLexical


def test_runs_as_they_are_typed() -> None:
    """A mode, a fusion and an alpha, with a name or called what they are."""
    rrf = Fusion(method="rrf", alpha=0.4)
    assert parse_runs(["keyword", "a = hybrid, rrf ,.4", "hybrid,rrf,.4", "x:hybrid,rrf"]) == [
        Run(name="keyword", mode="keyword"),
        Run(name="a", mode="hybrid", fusion=rrf),
        Run(name="hybrid,rrf,.4", mode="hybrid", fusion=rrf),
        Run(name="x", mode="hybrid", fusion=Fusion(method="rrf")),
    ]


def test_without_runs_the_modes_are_measured() -> None:
    """Keyword, semantic and hybrid, with the default fusion."""
    assert [(run.name, run.mode, run.fusion) for run in parse_runs([])] == [
        (mode, mode, Fusion()) for mode in ("keyword", "semantic", "hybrid")
    ]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["magic"], "run 'magic': mode: "),
        ([""], "run '': name: "),
        (["a=hybrid,magic"], "fusion.method: "),
        (["a=hybrid,rrf,2"], "fusion.alpha: is neither a number from 0 to 1"),
        (["a=hybrid,rrf,x"], "fusion.alpha: "),
        (["a=hybrid,rrf,.4,5"], "understand: should be 'prefer', 'filter' or 'off'"),
        (["a=hybrid,rrf,.4,off,5"], "expected keyword, semantic or hybrid"),
        (["a=keyword,rrf"], "expected keyword, semantic or hybrid"),
        (["../a=keyword"], "name: must consist of at most 40 letters"),
        (["a b=keyword"], "name: must consist of at most 40 letters"),
        (["=keyword"], "name: must consist of at most 40 letters"),
        ([f"{'a' * 41}=keyword"], "name: must consist of at most 40 letters"),
        (["a=keyword", "a=semantic"], "two runs are named 'a'"),
    ],
)
def test_runs_that_are_wrong(texts: list[str], problem: str) -> None:
    """The error names the run and the part of it."""
    with pytest.raises(InvalidInput) as error:
        parse_runs(texts)
    assert problem in error.value.message


def test_a_baseline_is_one_of_the_runs() -> None:
    """The error lists them."""
    with pytest.raises(InvalidInput, match="choose from keyword, semantic, hybrid"):
        parse_runs([], "bm25")


def test_rankings_are_those_of_a_search(tmp_path: Path) -> None:
    """Each run gets for each query, filters included, what a search of its mode shows."""
    runs = parse_runs(["keyword", "semantic", "hybrid", "r=hybrid,rrf,.9"])
    with closing(small(tmp_path)) as search:
        found = rank_queries(search, QUERIES, runs)
        for run in runs:
            for query in QUERIES:
                asked = SearchQuery.filtered(query.text, query.filters, run.mode)
                hits = search.search(asked.resolved(run.fusion)).hits
                shown = [hit.id for hit in hits]
                assert found[run.name][query.id].ids.tolist() == shown
    assert found["keyword"]["d"].ids.tolist() == []
    assert found["semantic"]["d"].ids.tolist() == [4]


def test_a_lost_engine_is_no_figure(tmp_path: Path) -> None:
    """A hybrid answer without its keyword side is another ranking: an error, not a measurement."""
    lexical = FakeLexical(FILMS)
    lexical.away = True
    with closing(small(tmp_path, lexical)) as search:
        with pytest.raises(EngineUnavailable, match="keyword engine did not answer query a"):
            rank_queries(search, QUERIES, parse_runs(["hybrid"]))
        with pytest.raises(EngineUnavailable):
            rank_queries(search, QUERIES, parse_runs(["keyword"]))
