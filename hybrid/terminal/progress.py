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
