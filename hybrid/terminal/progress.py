"""Progress bars of long work, on standard error."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TypeVar

import click

T = TypeVar("T")


def progress(items: Iterable[T], label: str) -> AbstractContextManager[Iterable[T]]:
    """Return `items` under a progress bar, which is hidden where there is no terminal."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(items, label=label, file=sys.stderr, hidden=hidden)


@contextmanager
def stage(label: str, hidden: bool) -> Iterator[None]:
    """Show that something began whose length is not known; a terminal sees its seconds, too."""
    start = monotonic()
    terminal = sys.stderr.isatty()
    if not hidden:
        click.echo(f"{label} ...", file=sys.stderr, nl=not terminal)
    yield
    if not hidden and terminal:
        click.echo(f"\r{label}  {monotonic() - start:.1f} s", file=sys.stderr)


@contextmanager
def tally(label: str, unit: str, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds to a count whose total is not known, shown with its rate.

    Where there is no terminal, only the label is printed.
    """
    start, count, terminal = monotonic(), 0, sys.stderr.isatty()

    def advance(more: int) -> None:
        nonlocal count
        count += more
        if terminal and not hidden:
            rate = count / max(monotonic() - start, 1e-3)
            click.echo(
                f"\r{label}  {count:,} {unit}, {rate:,.0f} {unit}/s", file=sys.stderr, nl=False
            )

    if not hidden and not terminal:
        click.echo(f"{label} ...", file=sys.stderr)
    yield advance
    if not hidden and terminal:
        click.echo(file=sys.stderr)


@contextmanager
def counter(total: int, label: str, unit: str, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds to a count, shown with `total`, its rate and the time left.

    Where there is no terminal, only the label is printed.
    """
    start = monotonic()

    def rate_shown(rate: float | None) -> str | None:
        return None if rate is None else f"{rate:,.0f} {unit}/s"

    with click.progressbar(
        length=total,
        label=f"{label} {total:,} {unit}",
        file=sys.stderr,
        hidden=hidden,
        show_pos=True,
        item_show_func=rate_shown,
    ) as bar:
        yield lambda count: bar.update(count, (bar.pos + count) / (monotonic() - start))
