"""`python -m hybrid`: search in the terminal, or serve over HTTP."""

import os
import textwrap
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, get_args

import click

from hybrid.fusion.preferences import Preferences
from hybrid.query import FusionMethod, GenreMatch, Mode
from hybrid.schemas.requests import CompareURL, SearchRequest
from hybrid.schemas.search import Hit, SearchResponse
from hybrid.settings import Settings
from hybrid.terminal.commands import Commands, Decorated, setting

SIDE_BY_SIDE = ("keyword", "hybrid", "semantic")
"""The rankings that are shown in the terminal: what both sides make of it between them."""

LEAST_WIDTH = 80
"""Characters of a line, where the terminal has fewer or there is none."""


def field(name: str, kind: Any = None, multiple: bool = False) -> Callable[[Decorated], Decorated]:
    """Return the option of a search field: its help and default come from `SearchRequest`."""
    described = SearchRequest.model_fields[name]
    default = f"  [default: {described.default}]" if described.default else ""
    choices = click.Choice(get_args(kind)) if get_args(kind) else kind
    return click.option(
        f"--{name.replace('_', '-')}",
        type=choices,
        help=f"{described.description}{default}",
        multiple=multiple,
    )


def asked_for(command: Decorated) -> Decorated:
    """Add what is searched for, and the options that say which films may be found."""
    for option in (
        field("year_to", int),
        field("year_from", int),
        field("genre_match", GenreMatch),
        field("genre", multiple=True),
        click.argument("text"),
    ):
        command = option(command)
    return command


def judged(command: Decorated) -> Decorated:
    """Add the options that name judged queries."""
    file = click.Path(path_type=Path)
    formats = "judged queries: JSON lines, CSV of query,docid,rating, or TREC topics"
    command = click.option("--qrels", type=file, help="judgements of TREC topics")(command)
    return click.option("--queries", type=file, required=True, help=formats)(command)


seeded = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="of what is drawn at random: folds, intervals, tests",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search films by words and by meaning."""


@main.command()
@asked_for
@field("mode", Mode)
@field("fusion", FusionMethod)
@field("alpha")
@field("limit", int)
@click.option("--json", "as_json", is_flag=True, help="print what the HTTP service answers")
@setting("data")
@setting("elasticsearch_url")
def search(
    text: str, as_json: bool, data: str | None, elasticsearch_url: str | None, **fields: Any
) -> None:
    """Search for TEXT and print the best films."""
    asked = {name: value for name, value in fields.items() if value is not None}
    body = SearchRequest.model_validate({"query": text} | asked)
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url)
    query = body.as_query(Preferences.load(settings.data).default)
    from hybrid.wiring import open_search

    with closing(open_search(settings)) as films:
        answer = films.search(query)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer)


@main.command()
@asked_for
@field("limit", int)
@click.option(
    "--run",
    metavar="NAME:MODE[,FUSION[,ALPHA]]",
    multiple=True,
    default=SIDE_BY_SIDE,
    help="a ranking to show, as in mine:hybrid,rrf,0.4; repeated, 2 to 8  "
    f"[default: {', '.join(SIDE_BY_SIDE)}]",
)
@click.option("--json", "as_json", is_flag=True, help="print what the HTTP service answers")
@setting("data")
@setting("elasticsearch_url")
def compare(
    text: str, as_json: bool, data: str | None, elasticsearch_url: str | None, **fields: Any
) -> None:
    """Show rankings of TEXT side by side, what moves between them, and how far they agree.

    Marks are against the column to the left: places gained or lost, = the same, + not in it.
    """
    asked = {name: value for name, value in fields.items() if value is not None}
    address = CompareURL.model_validate({"q": text} | asked)
    query, runs = address.as_query(), address.as_runs()
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url)
    from hybrid.comparison.compare import compare as compare_runs
    from hybrid.comparison.table import as_columns
    from hybrid.wiring import open_search

    with closing(open_search(settings)) as films:
        answer = compare_runs(films, query, runs)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
        return
    _notes(answer.warnings, answer.degraded)
    width = max(get_terminal_size((LEAST_WIDTH, 24)).columns, LEAST_WIDTH)
    for line in as_columns(answer, width):
        click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


@main.command()
@setting("data")
@setting("elasticsearch_url")
@setting("host")
@setting("port")
@setting("wait")
def serve(**given: Any) -> None:
    """Serve the index over HTTP until Ctrl-C."""
    settings = Settings.load(**given)
    from hybrid.web.server import serve as serve_forever

    serve_forever(settings)


@main.command()
@judged
@click.option(
    "--run",
    "runs",
    metavar="[NAME=]MODE[,FUSION[,ALPHA]]",
    multiple=True,
    help="a ranking to measure, as in mine=hybrid,rrf,0.4; may be repeated  "
    "[default: keyword, semantic, hybrid]",
)
@click.option("--baseline", metavar="NAME", help="compare each run with this  [default: all pairs]")
@click.option(
    "--wins",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="queries to show that one run wins by most over another",
)
@click.option("--json", type=click.Path(path_type=Path), help="write everything to this file")
@click.option("--trec", type=click.Path(path_type=Path), help="write run files to this folder")
@click.option("--html", type=click.Path(path_type=Path), help="write a page with charts")
@seeded
@setting("data")
@setting("elasticsearch_url")
def evaluate(
    queries: Path,
    qrels: Path | None,
    runs: tuple[str, ...],
    baseline: str | None,
    wins: int,
    json: Path | None,
    trec: Path | None,
    html: Path | None,
    seed: int,
    **given: str | None,
) -> None:
    """Measure rankings on judged queries: nDCG@10, MRR@10, recall, and what is chance."""
    settings = Settings.load(**given)
    _needs_ir_measures()
    from hybrid.evaluation.evaluate import evaluate as measure
    from hybrid.evaluation.formats import read_judgements
    from hybrid.evaluation.outputs import Outputs
    from hybrid.evaluation.tables import as_table
    from hybrid.schemas.runs import parse_runs
    from hybrid.wiring import open_search

    outputs = Outputs(json, trec, html)
    outputs.check()
    chosen = parse_runs(runs, baseline)
    judgements = read_judgements(queries, qrels)
    with closing(open_search(settings)) as films:
        evaluation = measure(films, judgements, chosen, baseline, wins, seed)
    outputs.write(evaluation)
    click.echo(as_table(evaluation))


@main.command()
@judged
@click.option(
    "--folds",
    type=click.IntRange(min=2, max=50),
    default=5,
    show_default=True,
    help="parts that the queries are cut into: each is measured by what was chosen on the others",
)
@click.option("--dry-run", is_flag=True, help="write nothing")
@seeded
@setting("data")
@setting("elasticsearch_url")
def tune(
    queries: Path,
    qrels: Path | None,
    folds: int,
    dry_run: bool,
    seed: int,
    **given: str | None,
) -> None:
    """Learn fusion, alpha and the weight of the text from judged queries.

    What was learned is written to the data folder only if it gains on queries that it was not
    learned from, more than chance would give. A running service uses it at once.
    """
    settings = Settings.load(**given)
    _needs_ir_measures()
    from hybrid.evaluation.formats import read_judgements
    from hybrid.evaluation.tables import as_tuning
    from hybrid.evaluation.tuning import tune as learn
    from hybrid.wiring import open_search

    judgements = read_judgements(queries, qrels)
    with closing(open_search(settings)) as films:
        tuning = learn(films, judgements, folds, seed)
    click.echo(as_tuning(tuning))
    if not tuning.adopted:
        click.echo("The current preferences stay.")
    elif dry_run:
        click.echo("Nothing was written (--dry-run).")
    else:
        click.echo(f"Written to {tuning.best.save(settings.data)}.")


def _needs_ir_measures() -> None:
    if find_spec("ir_measures") is None:
        raise click.ClickException("this needs ir-measures: `make install` installs it")


def _notes(warnings: Sequence[str], degraded: Sequence[str]) -> None:
    for warning in warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)
    if degraded:
        missing = " and ".join(degraded)
        click.secho(f"note: the {missing} engine does not answer", fg="yellow", err=True)


def _print(answer: SearchResponse) -> None:
    _notes(answer.warnings, answer.degraded)
    if not answer.hits:
        click.echo("No film found. Try other words, or fewer filters.")
    for hit in answer.hits:
        click.echo(_line(hit))
        if hit.semantic.sentence:
            click.echo(textwrap.indent(textwrap.shorten(hit.semantic.sentence, 160), "      "))
    click.echo(
        f"{len(answer.hits)} of {answer.total.value} candidates, "
        f"{answer.timings_ms['total']:.0f} ms; alpha {answer.alpha:.2f}, {answer.alpha_reason}"
    )


def _line(hit: Hit) -> str:
    title = click.style(hit.movie.title, bold=True)
    year = f" ({hit.movie.year})" if hit.movie.year else ""
    genres = f"  {', '.join(hit.movie.genres)}" if hit.movie.genres else ""
    return f"{hit.rank:3}.  {hit.score:.3f}  {title}{year}{genres}  {_places(hit)}"


def _places(hit: Hit) -> str:
    """Say where each side ranks the film."""
    keyword, semantic = hit.keyword.rank or "-", hit.semantic.rank or "-"
    return click.style(f"[keyword {keyword}, semantic {semantic}]", dim=True)
