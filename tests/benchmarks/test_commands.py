"""Every benchmark is a command that says what it measures."""

import importlib
import pkgutil

import click
import pytest
from click.testing import CliRunner

import benchmarks

COMMANDS = [
    f"benchmarks.{module.name}" + (".__main__" if module.ispkg else "")
    for module in pkgutil.iter_modules(benchmarks.__path__)
]
SHARED = {
    f"benchmarks.{name}"
    for name in (
        "encoding",
        "growth_report",
        "load",
        "percentiles",
        "resampled",
        "results",
        "service",
        "texts",
    )
}
"""Modules that benchmarks share: they have no command."""


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - SHARED))
def test_help(name: str) -> None:
    """`--help` of every benchmark works, and describes it."""
    command = importlib.import_module(name).main
    assert isinstance(command, click.Command)
    shown = CliRunner().invoke(command, ["--help"])
    assert shown.exit_code == 0, shown.output
    assert command.help
