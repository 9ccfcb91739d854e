"""Measures of a ranking for each query, by ir-measures.

MacAvaney, Macdonald & Ounis, "Streamlining Evaluation with ir-measures", ECIR 2022. Condensed
lists: Sakai, "Alternatives to Bpref", SIGIR 2007.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from ir_measures import RR, Judged, Qrel, R, ScoredDoc, iter_calc, nDCG

from hybrid.evaluation.judgements import JudgedQuery
from hybrid.query import MAX_GRADE
from hybrid.ranking import Ranking, Scores

NDCG, MRR, CONDENSED, UNJUDGED = "nDCG@10", "MRR@10", "nDCG@10 judged", "unjudged@10"

_GAINS = {grade: 2**grade - 1 for grade in range(MAX_GRADE + 1)}
"""Given explicitly: dcg='exp-log2' of ir-measures needs Perl and rounds to five digits."""

_MEASURES = {
    NDCG: nDCG(gains=_GAINS) @ 10,
    MRR: RR @ 10,
    "recall@10": R @ 10,
    "recall@100": R @ 100,
    CONDENSED: nDCG(gains=_GAINS, judged_only=True) @ 10,
    UNJUDGED: Judged @ 10,
}

MEASURES = tuple(_MEASURES)


def measure_queries(
    queries: Sequence[JudgedQuery],
    rankings: Mapping[str, Ranking],
    names: Sequence[str] = MEASURES,
) -> Mapping[str, Scores]:
    """Return the named measures of each query, float64 (queries,), in the order of `queries`.

    `rankings` are by the id of the query. nDCG: gain 2^grade-1, discount log2(rank+1). MRR and
    recall: grade 1 and above is relevant. A query without any result has 0 in all measures.
    unjudged@10 is the share of the first ten films that have no grade.
    """
    qrels = [Qrel(q.id, str(film), grade) for q in queries for film, grade in q.grades.items()]
    # ir-measures sorts by score and breaks ties in its own way: ranks keep our order.
    run = [
        ScoredDoc(query.id, str(film), -rank)
        for query in queries
        for rank, film in enumerate(rankings[query.id].ids.tolist(), start=1)
    ]
    rows = {query.id: row for row, query in enumerate(queries)}
    values = {_MEASURES[name]: np.zeros(len(queries)) for name in names}
    for value in iter_calc(list(values), qrels, run):
        values[value.measure][rows[value.query_id]] = value.value
    scores = {name: values[_MEASURES[name]] for name in names}
    if UNJUDGED in names:
        has_result = np.array([len(rankings[query.id]) > 0 for query in queries])
        scores[UNJUDGED] = np.where(has_result, 1 - scores[UNJUDGED], 0.0)
    return scores


def first_relevant(query: JudgedQuery, ranking: Ranking) -> tuple[int, int] | None:
    """Return rank and id of the first relevant film, None if the ranking has none."""
    for rank, film in enumerate(ranking.ids.tolist(), start=1):
        if film in query.relevant:
            return rank, film
    return None
