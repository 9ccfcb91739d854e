"""What a ranking is worth for each query, by ir-measures.

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
"""Handed over, as dcg='exp-log2' of ir-measures needs Perl and rounds to five digits."""

_MEASURES = {
    NDCG: nDCG(gains=_GAINS) @ 10,
    MRR: RR @ 10,
    "recall@10": R @ 10,
    "recall@100": R @ 100,
    CONDENSED: nDCG(gains=_GAINS, judged_only=True) @ 10,
    UNJUDGED: Judged @ 10,
}

MEASURES = tuple(_MEASURES)


def measured(
    queries: Sequence[JudgedQuery],
    ranking: Mapping[str, Ranking],
    names: Sequence[str] = MEASURES,
) -> Mapping[str, Scores]:
    """Return the named measures of each query, float64 (queries,), in the order of `queries`.

    nDCG: gain 2^grade-1, discount log2(rank+1). MRR and recall: relevant is grade 1 and more. A
    query for which nothing was found has 0 throughout. unjudged@10 is the share of the films
    shown, ten at most, that have no grade.
    """
    qrels = [Qrel(q.id, str(film), grade) for q in queries for film, grade in q.grades.items()]
    # The measures sort by score, and ties otherwise than we do: ranks keep our order.
    run = [
        ScoredDoc(query.id, str(film), -rank)
        for query in queries
        for rank, film in enumerate(ranking[query.id].ids.tolist(), start=1)
    ]
    places = {query.id: place for place, query in enumerate(queries)}
    found = {_MEASURES[name]: np.zeros(len(queries)) for name in names}
    for value in iter_calc(list(found), qrels, run):
        found[value.measure][places[value.query_id]] = value.value
    scores = {name: found[_MEASURES[name]] for name in names}
    if UNJUDGED in names:
        shown = np.array([len(ranking[query.id]) > 0 for query in queries])
        scores[UNJUDGED] = np.where(shown, 1 - scores[UNJUDGED], 0.0)
    return scores


def first_relevant(query: JudgedQuery, ranking: Ranking) -> tuple[int, int] | None:
    """Return rank and id of the first relevant film, None where no film of the ranking is one."""
    for rank, film in enumerate(ranking.ids.tolist(), start=1):
        if film in query.relevant:
            return rank, film
    return None
