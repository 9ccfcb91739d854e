"""Waiting at the start for another process."""

from collections.abc import Callable
from time import monotonic, sleep

import click

INTERVAL = 0.2
"""Seconds between two checks."""


def wait_for(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Return once `ready()` is true, or after `seconds`. `what` is printed on standard error.

    Raises nothing after `seconds`: the caller reports what is missing.
    """
    if not seconds or ready():
        return
    click.echo(f"Waiting up to {seconds:g} s for {what} ...", err=True)
    until = monotonic() + seconds
    while monotonic() < until:
        sleep(INTERVAL)
        if ready():
            return
    click.echo(f"Gave up waiting for {what}.", err=True)
