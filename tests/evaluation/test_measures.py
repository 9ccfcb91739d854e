"""The measures against sums written out by hand."""

from math import log2
from pathlib import Path

import numpy as np
import pytest

from hybrid.evaluation.measures import MEASURES, first_relevant, measure_queries
from tests.evaluation.judged import judged, ranked

QUERY = judged("q 1", "x", {1: 3, 2: 0, 3: 1, 4: 2})


def one(*films: int) -> dict[str, float]:
    """Return the measures of one ranking for the query."""
    scores = measure_queries([QUERY], {QUERY.id: ranked(*films)})
    return {name: float(values[0]) for name, values in scores.items()}


def test_ndcg_is_the_sum_written_out() -> None:
    """Gain 2^grade-1, discount log2(rank+1), over the best order: not the grade itself."""
    ideal = 7 / log2(2) + 3 / log2(3) + 1 / log2(4)
    expected = (1 / log2(3) + 7 / log2(5)) / ideal
    assert one(99, 3, 2, 1)["nDCG@10"] == pytest.approx(expected, abs=1e-12)
    linear = (1 / log2(3) + 3 / log2(5)) / (3 / log2(2) + 2 / log2(3) + 1 / log2(4))
    assert abs(expected - linear) > 0.01


def test_condensed_ndcg_takes_unjudged_films_out() -> None:
    """Judged films move up past unjudged ones, also from behind the tenth rank."""
    ideal = 7 / log2(2) + 3 / log2(3) + 1 / log2(4)
    expected = (1 / log2(2) + 7 / log2(4)) / ideal
    unjudged = range(100, 111)
    assert one(*unjudged, 3, 2, 1)["nDCG@10 judged"] == pytest.approx(expected, abs=1e-12)
    assert one(*unjudged, 3, 2, 1)["nDCG@10"] == 0


@pytest.mark.parametrize(
    ("rank", "mrr", "at_10", "at_100"),
    [(1, 1, 1 / 3, 1 / 3), (10, 0.1, 1 / 3, 1 / 3), (11, 0, 0, 1 / 3), (100, 0, 0, 1 / 3)],
)
def test_mrr_and_recall(rank: int, mrr: float, at_10: float, at_100: float) -> None:
    """Film 3 is one of three relevant ones, of grade 1; film 2, of grade 0, is none."""
    films = [*range(1000, 1000 + rank - 1), 3]
    films[0] = 2 if rank > 1 else 3
    found = one(*films)
    assert found["MRR@10"] == pytest.approx(mrr)
    assert found["recall@10"] == pytest.approx(at_10)
    assert found["recall@100"] == pytest.approx(at_100)


def test_unjudged_is_a_share_of_what_is_shown() -> None:
    """Of the first ten, or of those that there are; grade 0 is judged."""
    assert one(2, 50, 51, 1)["unjudged@10"] == pytest.approx(0.5)
    assert one(*range(50, 60), 1, 2, 3)["unjudged@10"] == pytest.approx(1)


def test_nothing_found_is_nought_and_not_missing() -> None:
    """A query without an answer counts in the mean."""
    assert one() == dict.fromkeys(MEASURES, 0.0)
    other = judged("r", "y", {1: 1})
    scores = measure_queries([QUERY, other], {"q 1": ranked(), "r": ranked(1)})
    assert scores["nDCG@10"].tolist() == [0, 1]
    assert np.mean(scores["MRR@10"]) == pytest.approx(0.5)


def test_ties_stand_as_we_rank_them() -> None:
    """Equal scores of ours are not ordered anew, as trec_eval would by the name of the film."""
    query = judged("q", "x", {1: 1})
    for films in ([9, 1], [1, 9], [10, 1], [1, 10]):
        found = measure_queries([query], {"q": ranked(*films)})
        assert found["MRR@10"][0] == pytest.approx(1 / (films.index(1) + 1))


def test_the_order_of_queries_is_kept() -> None:
    """Scores stand in the order of the queries, whatever the library's is."""
    queries = [judged(name, "x", {1: 1}) for name in ("z", "a", "10", "9")]
    rankings = {"z": ranked(1), "a": ranked(), "10": ranked(5, 1), "9": ranked(6, 7, 1)}
    found = measure_queries(queries, rankings)
    np.testing.assert_allclose(found["MRR@10"], [1, 0, 1 / 2, 1 / 3])


def test_grades_up_to_the_highest(tmp_path: Path) -> None:
    """The highest grade gains 1,023 and a film of it comes first in the best order."""
    query = judged("q", "x", {1: 10, 2: 9})
    found = measure_queries([query], {"q": ranked(2, 1)})["nDCG@10"][0]
    assert found == pytest.approx((511 + 1023 / log2(3)) / (1023 + 511 / log2(3)), abs=1e-12)


def test_first_relevant() -> None:
    """Rank and film of the first of grade 1 or more."""
    assert first_relevant(QUERY, ranked(2, 9, 4, 1)) == (3, 4)
    assert first_relevant(QUERY, ranked(2, 9)) is None
