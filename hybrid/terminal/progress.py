"""The rankings that runs get for judged queries."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

import click

T = TypeVar("T")


def progress(things: Iterable[T], label: str) -> AbstractContextManager[Iterable[T]]:
    """Return `things` under a progress bar, where somebody looks."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(things, label=label, file=sys.stderr, hidden=hidden)
