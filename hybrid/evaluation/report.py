"""An evaluation as a table for the terminal, as JSON and as TREC run files."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from textwrap import shorten
from typing import Any

from hybrid.commands import clear
from hybrid.evaluation.judgements import ALL, JudgedQuery
from hybrid.evaluation.measures import first_relevant
from hybrid.evaluation.results import Comparison, Evaluation, Place, Win
from hybrid.evaluation.significance import CONFIDENCE, RESAMPLES
from hybrid.evaluation.tuning import Tuning
from hybrid.preferences import Preferences


def as_table(evaluation: Evaluation) -> str:
    """Return the means by kind, the comparisons and the greatest wins, for a terminal."""
    name = evaluation.judgements.file.name
    queries = evaluation.sizes[ALL]
    lines = [f"{queries:,} judged queries of {name} on generation {evaluation.generation}"]
    lines += [f"note: {note}" for note in evaluation.notes]
    for measure in evaluation.measures:
        lines += ["", *_means(evaluation, measure)]
    for measure, rows in groupby(evaluation.comparisons, lambda row: row.measure):
        lines += ["", *_comparisons(evaluation, measure, list(rows))]
    for (run, other), wins in groupby(evaluation.wins, lambda win: (win.run, win.other)):
        lines += ["", f"{run} beats {other} by most: nDCG@10 and rank of the first relevant film"]
        lines += [_win(win) for win in wins]
    return "\n".join(lines)


def as_tuning(tuning: Tuning) -> str:
    """Return what each fold chose, what the choices gain held out, and what follows from it."""
    name = tuning.judgements.file.name
    lines = [
        f"{len(tuning.judgements.queries):,} judged queries of {name} in {len(tuning.folds)} folds",
        *(f"note: {note}" for note in tuning.judgements.notes),
        "",
        f"{'held out':12}{'queries':>8}  {'chosen on the others':44}{'current':>9}{'chosen':>9}",
    ]
    for number, fold in enumerate(tuning.folds, start=1):
        lines.append(
            f"fold {number:<7}{len(fold.queries):>8,}  {_preferences(fold.chosen):44}"
            f"{fold.before:>9.3f}{fold.after:>9.3f}"
        )
    gain = tuning.gain
    lines += [
        f"{'all':12}{len(tuning.judgements.queries):>8,}  {'':44}"
        f"{tuning.before:>9.3f}{tuning.after:>9.3f}",
        "",
        f"held-out gain in nDCG@10: {gain.mean:+.3f}, {CONFIDENCE} % interval {gain.low:+.3f} to "
        f"{gain.high:+.3f}, p {tuning.p:.4f}",
        f"current: {_preferences(tuning.current)}",
        f"best on all queries: {_preferences(tuning.best)}",
    ]
    return "\n".join(lines)


def _preferences(preferences: Preferences) -> str:
    return f"{preferences.fusion}, alpha {preferences.alpha}, text weight {preferences.text_weight}"


def _means(evaluation: Evaluation, measure: str) -> Iterator[str]:
    width = max(len(run.name) for run in evaluation.runs) + 2
    heads = [f"{kind} ({size:,})" for kind, size in evaluation.sizes.items()]
    widths = [max(len(head), 5) + 2 for head in heads]
    head = "".join(f"{head:>{size}}" for head, size in zip(heads, widths, strict=True))
    yield f"{measure:<{max(width, 16)}}{head}   {CONFIDENCE} % interval"
    for run in evaluation.runs:
        estimates = [evaluation.means[kind][run.name][measure] for kind in evaluation.sizes]
        cells = zip(estimates, widths, strict=True)
        row = "".join(f"{estimate.mean:>{size}.3f}" for estimate, size in cells)
        low, high = estimates[-1].low, estimates[-1].high
        yield f"{run.name:<{max(width, 16)}}{row}   {low:.3f} to {high:.3f}"


def _comparisons(evaluation: Evaluation, measure: str, rows: list[Comparison]) -> Iterator[str]:
    names = [f"{row.run} - {row.baseline}" for row in rows]
    width = max(16, *(len(name) for name in (*names, measure)))
    yield (
        f"{measure:<{width}}  difference   {CONFIDENCE} % interval         p  p (Holm)"
        "  better  equal  worse"
    )
    for name, row in zip(names, rows, strict=True):
        gain = row.difference
        yield (
            f"{name:<{width}}  {gain.mean:>+10.3f}   {gain.low:+.3f} to {gain.high:+.3f}"
            f"    {row.p:.4f}    {row.p_holm:.4f}"
            f"  {row.better:>6,}  {row.equal:>5,}  {row.worse:>5,}"
        )


def _win(win: Win) -> str:
    query = f"{win.query.id}  {shorten(clear(win.query.text), 60, placeholder=' ...')}"
    return f"  {win.gain:+.3f}  {_place(win.of_run)}  {_place(win.of_other)}   {query}"


def _place(place: Place) -> str:
    return f"{place.ndcg:.3f} at {place.rank or '-':<3}"


def as_json(evaluation: Evaluation) -> str:
    """Return everything that was measured, query by query too."""
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
        "queries": [_query(evaluation, place, query) for place, query in enumerate(queries)],
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


def _query(evaluation: Evaluation, place: int, query: JudgedQuery) -> dict[str, Any]:
    runs = {}
    for run, scores in evaluation.scores.items():
        values = {name: float(scores[name][place]) for name in evaluation.measures}
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

    trec_eval orders by score alone and has its own order of ties: the score counts down instead.
    """
    return "".join(
        f"{query} Q0 {film} {rank} {len(ranking) + 1 - rank} {run}\n"
        for query, ranking in evaluation.rankings[run].items()
        for rank, film in enumerate(ranking.ids.tolist(), start=1)
    )


def as_trec_qrels(evaluation: Evaluation) -> str:
    """Return the judgements that the run files are to be measured by: query 0 film grade."""
    return "".join(
        f"{query.id} 0 {film} {grade}\n"
        for query in evaluation.judgements.queries
        for film, grade in query.grades.items()
    )
