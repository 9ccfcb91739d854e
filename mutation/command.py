"""The command line: all mutants of some modules, or a sample of the mutants of all."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date

import click

from mutation import accepted as accepting
from mutation.mutants import Faults, Mutant
from mutation.report import Result, Share, diffs, reasons, shares, stale, survivors
from mutation.runs import RESULTS, TestsFail, test_all
from mutation.sample import REQUIRED, SIZE, draw_sample, min_killed
from mutation.targets import ROOT, Target, read_targets
from mutation.trials import VARIABLES


@click.group()
def main() -> None:
    """Put small faults into the code, one at a time, and report those that no test notices."""
    os.environ |= VARIABLES
    for each in (signal.SIGTERM, signal.SIGINT):  # which a shell ignores for what it runs beside
        signal.signal(each, lambda *_: sys.exit(1))  # after cleaning up


@main.command("all")
@click.argument("modules", nargs=-1)
def whole(modules: Sequence[str]) -> None:
    """Test all mutants of these modules, or of all that modules.toml lists."""
    targets = _targets(modules)
    accepted = accepting.read_accepted()
    mutants = [mutant for faults in _faults(targets).values() for mutant in faults]
    results = _results(mutants, targets)
    chosen = {entry: why for entry, why in accepted.items() if not modules or entry[0] in modules}
    remaining = survivors(results, accepted)
    entries = accepting.to_toml(result.mutant for result in remaining)
    RESULTS.joinpath("survivors.toml").write_text(entries, encoding="utf-8")
    for line in (
        *diffs(remaining),
        *reasons(stale(results, chosen)),
        "",
        *shares(results, accepted),
    ):
        click.echo(line)


@main.command()
@click.option("--size", default=SIZE, show_default=True)
@click.option("--seed", help="Seed of the sample, by default the commit.")
def sample(size: int, seed: str | None) -> None:
    """Test a sample of all mutants; fail if the tests kill too few."""
    targets = read_targets()
    accepted = accepting.read_accepted()
    seed = seed or _seed()
    results = _results(draw_sample(_faults(targets), accepted, size, seed), targets)
    for line in diffs(survivors(results, accepted)):
        click.echo(line)
    killed, required = Share.of(results, accepted).killed, min_killed(size)
    click.echo(f"{killed} of {size} mutants are killed (seed {seed})")
    if killed < required:
        raise click.ClickException(
            f"at least {required} must be, as {REQUIRED:.0%} of all are: see CONTRIBUTING.md, "
            "'Mutation testing'"
        )


def _results(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> list[Result]:
    try:
        return test_all(mutants, targets)
    except TestsFail as error:
        raise click.ClickException(str(error)) from error


def _targets(modules: Collection[str]) -> dict[str, Target]:
    try:
        return read_targets(modules)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _faults(targets: Collection[str]) -> dict[str, Faults]:
    return {name: Faults(name, (ROOT / name).read_text("utf-8")) for name in targets}


def _seed() -> str:
    """Return the seed of a sample: the commit or, outside a repository, the date."""
    command = ["git", "rev-parse", "HEAD"]
    with suppress(FileNotFoundError):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return date.today().isoformat()
