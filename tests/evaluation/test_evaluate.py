"""What is made of the measures: means by kind, comparisons, wins and notes."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hybrid.errors import InvalidInput
from hybrid.evaluation.evaluate import Estimate, evaluate
from hybrid.evaluation.judgements import Judgements
from hybrid.schemas.runs import parse_runs
from tests.evaluation.judged import QUERIES, evaluated, judged, small


def test_means_by_kind(tmp_path: Path) -> None:
    """Each kind has the mean of its queries, and all come last."""
    found = evaluated(tmp_path, "keyword", "semantic")
    assert found.sizes == {"plot": 1, "title": 1, "words": 2, "all": 4}
    for run in ("keyword", "semantic"):
        scores = found.scores[run]["nDCG@10"]
        assert found.means["words"][run]["nDCG@10"].mean == pytest.approx(scores[:2].mean())
        estimate = found.means["all"][run]["nDCG@10"]
        assert estimate.mean == pytest.approx(scores.mean())
        assert estimate.low <= estimate.mean <= estimate.high
    assert found.means["title"]["keyword"]["nDCG@10"] == Estimate(1, 1, 1)


def test_pairs(tmp_path: Path) -> None:
    """Later runs are compared with earlier ones, or all with the baseline, in both nDCGs."""
    found = evaluated(tmp_path)
    pairs = [(row.run, row.baseline) for row in found.comparisons if row.measure == "nDCG@10"]
    assert pairs == [("semantic", "keyword"), ("hybrid", "keyword"), ("hybrid", "semantic")]
    found = evaluated(tmp_path, baseline="semantic")
    assert [(row.measure, row.run) for row in found.comparisons] == [
        ("nDCG@10", "keyword"),
        ("nDCG@10", "hybrid"),
        ("nDCG@10 judged", "keyword"),
        ("nDCG@10 judged", "hybrid"),
    ]
    assert evaluated(tmp_path, "keyword").comparisons == []


def test_equal_runs_are_equal(tmp_path: Path) -> None:
    """The same ranking twice: no difference, p 1, no win."""
    found = evaluated(tmp_path, "a=hybrid", "b=hybrid")
    row = found.comparisons[0]
    assert (row.difference, row.p, row.p_holm) == (Estimate(0, 0, 0), 1, 1)
    assert (row.better, row.equal, row.worse) == (0, 4, 0)
    assert found.wins == []


def test_wins(tmp_path: Path) -> None:
    """The film without a description is found by its words alone: that query is won, with both
    nDCG and the first relevant film's place and title."""
    found = evaluated(tmp_path, "keyword", "semantic")
    win = next(win for win in found.wins if win.query.id == "c")
    assert (win.run, win.other) == ("keyword", "semantic")
    assert (win.of_run.ndcg, win.of_run.rank, win.of_run.title) == (1, 1, "Untold")
    assert (win.of_other.ndcg, win.of_other.rank, win.of_other.title) == (0, None, None)
    gains = [win.gain for win in found.wins if win.run == "keyword"]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    np.testing.assert_array_equal(
        sorted(found.differences("keyword", "semantic"))[::-1][: len(gains)], gains
    )


def test_judgements_of_another_index_are_refused(tmp_path: Path) -> None:
    """Where no relevant film is in the index the figures would all be 0; some are noted."""
    strange = Judgements.of(tmp_path, [judged("a", "x", {77: 1, 1: 0}), judged("b", "y", {78: 1})])
    runs = parse_runs(["keyword"])
    with closing(small(tmp_path)) as search:
        with pytest.raises(InvalidInput, match="no relevant film is in this index"):
            evaluate(search, strange, runs)
        known = judged("c", "captain", {1: 1})
        found = evaluate(search, Judgements.of(tmp_path, [*strange.queries, known]), runs)
    assert found.notes == [
        "not in this index: 2 of 3 relevant films",
        "few queries have films judged 0: unjudged films count as not relevant",
    ]
    assert "nDCG@10 judged" not in found.measures


def test_one_kind_needs_no_column(tmp_path: Path) -> None:
    """Queries of one kind are all queries."""
    assert evaluated(tmp_path, "keyword", queries=QUERIES[:2]).sizes == {"all": 2}
