"""Waiting at the start for what another process provides."""

from collections.abc import Callable
from time import monotonic, sleep

import click

INTERVAL = 0.2
"""Seconds between two looks."""


def wait_for(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Return once `ready` is true, or after `seconds`; say on standard error what is waited for.

    Giving up raises nothing: whoever needs what is missing reports it.
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
