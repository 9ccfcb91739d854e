"""A comparison for the terminal: rankings side by side, and their agreement."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

import click
from wcwidth import ljust

from hybrid.schemas.comparison import CandidateMovie, CompareResponse, Pair, RunHit, RunResponse
from hybrid.terminal.text import printable, shorten

MIN_COLUMN = 24
"""Minimum width of a column; columns that do not fit side by side follow below."""

GAP = 2

RunColumn = tuple[str, RunResponse]


def as_columns(answer: CompareResponse, width: int) -> Iterator[str]:
    """Yield the lines of the comparison, of at most `width` characters, with ANSI styles.

    A film is marked with the ranks it gained or lost against the column to the left.
    """
    runs = list(answer.runs.items())
    across = max(1, min(len(runs), (width + GAP) // (MIN_COLUMN + GAP)))
    for first in range(0, len(runs), across):
        before = runs[first - 1] if first else None
        yield from _columns(answer, before, runs[first : first + across], width)
        yield ""
    yield from _pairs(answer.pairs, answer.query.limit)
    yield ""
    for name, run in runs:
        if run.mode == "hybrid":
            fusion = f"{name}: {run.fusion}, alpha {run.alpha:.2f}, {run.alpha_reason}"
            for line in wrap(fusion, width, subsequent_indent="  "):
                yield click.style(line, dim=True)


def _columns(
    answer: CompareResponse, before: RunColumn | None, runs: Sequence[RunColumn], width: int
) -> Iterator[str]:
    size = (width - GAP * (len(runs) - 1)) // len(runs)
    heads = (" " * GAP).join(ljust(shorten(name, size), size) for name, _ in runs)
    yield click.style(heads.rstrip(), bold=True)
    columns = []
    for name, run in runs:
        cells = [_cell(hit, answer.movies[hit.id], before, size) for hit in run.hits]
        columns.append(cells or [ljust("no film", size)])
        before = name, run
    for row in range(max(map(len, columns))):
        cells = [cells[row] if row < len(cells) else " " * size for cells in columns]
        yield (" " * GAP).join(cells).rstrip()


def _cell(hit: RunHit, movie: CandidateMovie, before: RunColumn | None, size: int) -> str:
    mark = "" if before is None else f"{_move(hit, before)} "
    left = size - (4 if before is None else 8)
    year = f" {movie.year}" if movie.year else ""
    title = shorten(printable(movie.title), left - len(year))
    return f"{hit.rank:>3} {mark}{ljust(title + year, left)}"


def _move(hit: RunHit, before: RunColumn) -> str:
    """Return the film's change of rank against the column to the left, in three characters."""
    rank = next((other.rank for other in before[1].hits if other.id == hit.id), None)
    if rank is None:
        return click.style("+  ", fg="cyan")
    if rank == hit.rank:
        return "=  "
    by = rank - hit.rank
    mark = f"{'↑' if by > 0 else '↓'}{abs(by)}"
    return click.style(f"{mark:<3}", fg="green" if by > 0 else "red")


def _pairs(pairs: Sequence[Pair], limit: int) -> Iterator[str]:
    names = [f"{pair.a}, {pair.b}" for pair in pairs]
    size = min(max(map(len, names)), 40)
    yield f"{'':<{size}}  common   Jaccard    RBO    tau"
    for name, pair in zip(names, pairs, strict=True):
        tau = "-" if pair.kendall_tau is None else f"{pair.kendall_tau:.2f}"
        common = f"{pair.common}/{limit}"
        yield (
            f"{ljust(shorten(name, size), size)}  {common:>6}   {pair.jaccard:7.2f}"
            f"   {pair.rbo:4.2f}   {tau:>4}"
        )
