"""Evaluations and tunings as tables for the terminal."""

from collections.abc import Iterator
from itertools import groupby
from textwrap import shorten

from hybrid.evaluation.evaluate import Evaluation, PairwiseTest, QueryResult, Win
from hybrid.evaluation.judgements import ALL
from hybrid.evaluation.significance import CONFIDENCE
from hybrid.evaluation.tuning import Tuning
from hybrid.fusion.preferences import Preferences
from hybrid.terminal.text import printable


def as_table(evaluation: Evaluation) -> str:
    """Return the means by kind, the paired tests and the largest wins."""
    name = evaluation.judgements.file.name
    queries = evaluation.sizes[ALL]
    lines = [f"{queries:,} judged queries of {name} on generation {evaluation.generation}"]
    lines += [f"note: {note}" for note in evaluation.notes]
    for measure in evaluation.measures:
        lines += ["", *_means(evaluation, measure)]
    for measure, rows in groupby(evaluation.comparisons, lambda row: row.measure):
        lines += ["", *_comparisons(measure, list(rows))]
    for (run, other), wins in groupby(evaluation.wins, lambda win: (win.run, win.other)):
        lines += ["", f"{run} beats {other} by most: nDCG@10 and rank of the first relevant film"]
        lines += [_win(win) for win in wins]
    return "\n".join(lines)


def as_tuning(tuning: Tuning) -> str:
    """Return the choice of each fold, its gain on held-out queries, and the best preferences."""
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
    prior = f", prior {preferences.prior}" if preferences.prior else ""
    weight = f"text weight {preferences.text_weight}"
    return f"{preferences.fusion}, alpha {preferences.alpha}, {weight}{prior}"


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


def _comparisons(measure: str, rows: list[PairwiseTest]) -> Iterator[str]:
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
    query = f"{win.query.id}  {shorten(printable(win.query.text), 60, placeholder=' ...')}"
    return f"  {win.gain:+.3f}  {_result(win.of_run)}  {_result(win.of_other)}   {query}"


def _result(result: QueryResult) -> str:
    return f"{result.ndcg:.3f} at {result.rank or '-':<3}"
