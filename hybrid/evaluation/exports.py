"""An evaluation as JSON, and as TREC run and qrels files."""

import json
from dataclasses import asdict
from typing import Any

from hybrid.evaluation.evaluate import Evaluation, Win
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.evaluation.measures import first_relevant
from hybrid.evaluation.significance import CONFIDENCE, RESAMPLES


def as_json(evaluation: Evaluation) -> str:
    """Return all results, also of each query."""
    queries = evaluation.judgements.queries
    document = {
        "queries_file": evaluation.judgements.file.name,
        "generation": evaluation.generation,
        "seed": evaluation.seed,
        "confidence": CONFIDENCE / 100,
        "resamples": RESAMPLES,
        "notes": list(evaluation.notes),
        "kinds": dict(evaluation.sizes),
        "runs": [run.model_dump() for run in evaluation.runs],
        "measures": list(evaluation.measures),
        "means": {
            kind: {
                run: {name: asdict(estimates[name]) for name in evaluation.measures}
                for run, estimates in by_run.items()
            }
            for kind, by_run in evaluation.means.items()
        },
        "comparisons": [asdict(row) for row in evaluation.comparisons],
        "wins": [_win_fields(win) for win in evaluation.wins],
        "queries": [_query_fields(evaluation, row, query) for row, query in enumerate(queries)],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _win_fields(win: Win) -> dict[str, Any]:
    return {
        "query": win.query.id,
        "run": win.run,
        "other": win.other,
        "gain": win.gain,
        "of_run": asdict(win.of_run),
        "of_other": asdict(win.of_other),
    }


def _query_fields(evaluation: Evaluation, row: int, query: JudgedQuery) -> dict[str, Any]:
    runs = {}
    for run, scores in evaluation.scores.items():
        values = {name: float(scores[name][row]) for name in evaluation.measures}
        first = first_relevant(query, evaluation.rankings[run][query.id])
        runs[run] = values | {"first_relevant_rank": first and first[0]}
    return {
        "id": query.id,
        "kind": query.kind,
        "text": query.text,
        "filters": query.filters.model_dump(exclude_defaults=True),
        "runs": runs,
    }


def as_trec_run(evaluation: Evaluation, run: str) -> str:
    """Return a run file: query Q0 film rank score tag.

    trec_eval sorts by score and breaks ties in its own way, so the score is a count down to 1.
    """
    return "".join(
        f"{query} Q0 {film} {rank} {len(ranking) + 1 - rank} {run}\n"
        for query, ranking in evaluation.rankings[run].items()
        for rank, film in enumerate(ranking.ids.tolist(), start=1)
    )


def as_trec_qrels(evaluation: Evaluation) -> str:
    """Return the judgements of the queries as a qrels file: query 0 film grade."""
    return "".join(
        f"{query.id} 0 {film} {grade}\n"
        for query in evaluation.judgements.queries
        for film, grade in query.grades.items()
    )
