"""`python -m hybrid`: search in the terminal, or serve over HTTP."""

import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from hybrid.access.commands import keys
from hybrid.query import (
    SIMILAR_TO,
    Query,
    RankedQuery,
    SearchQuery,
    Selection,
    SimilarQuery,
    SuggestQuery,
)
from hybrid.schemas.facets import Facets
from hybrid.schemas.requests import CompareURL
from hybrid.schemas.search import Hit, SearchResponse, SimilarResponse
from hybrid.settings import Settings
from hybrid.terminal.commands import Commands, Decorated, setting

SIDE_BY_SIDE = ("keyword", "hybrid", "semantic")
"""The rankings that are shown in the terminal: the fused one between its two sides."""

MIN_WIDTH = 80
"""Width of a comparison, in characters, where the terminal is narrower or there is none."""


SHOWN_VALUES = 20
"""Values of a facet that are shown in the terminal."""

NOT_IN_TERMINAL = ("text", "highlight", "explain")
"""Fields without an option: the text is an argument, and the terminal shows none of the others."""


def query_fields(model: type[Query]) -> Callable[[Decorated], Decorated]:
    """Add the argument TEXT and an option for each other field of `model`."""
    required = model.model_fields["text"].is_required()
    argument = click.argument("text") if required else click.argument("text", default="")

    def add(command: Decorated) -> Decorated:
        return argument(selection_fields(model)(command))

    return add


def selection_fields(model: type[Selection]) -> Callable[[Decorated], Decorated]:
    """Add an option for each field of `model` that is shown in the terminal."""
    schema = model.model_json_schema(by_alias=False)["properties"]
    names = [name for name in model.model_fields if name not in NOT_IN_TERMINAL]

    def add(command: Decorated) -> Decorated:
        for name in reversed(names):
            command = _option(name, schema[name])(command)
        return command

    return add


def _option(name: str, schema: Mapping[str, Any]) -> Callable[[Decorated], Decorated]:
    """Return the option of a field with this JSON schema."""
    types = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    lists = [kind for kind in types if kind.get("type") == "array"]  # beside one value of it
    kind = (lists or types)[0] if lists or len(types) == 1 else {}
    number = int if kind.get("type") == "integer" else str
    default = f"  [default: {schema['default']}]" if schema.get("default") else ""
    return click.option(
        f"--{name.replace('_', '-')}",
        type=click.Choice(kind["enum"]) if "enum" in kind else number,
        help=f"{schema['description']}{default}",
        multiple=kind.get("type") == "array",
    )


def set_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the command line sets, by name."""
    return {name: value for name, value in options.items() if value is not None}


json_option = click.option(
    "--json", "as_json", is_flag=True, help="print the JSON of the HTTP service"
)


def judgement_options(command: Decorated) -> Decorated:
    """Add the options that name judged queries."""
    file = click.Path(path_type=Path)
    formats = "judged queries: JSON lines, CSV of query,docid,rating, or TREC topics"
    command = click.option("--qrels", type=file, help="judgements of TREC topics")(command)
    return click.option("--queries", type=file, required=True, help=formats)(command)


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="seed of all random numbers: folds, intervals, tests",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search films by words and by meaning."""


main.add_command(keys)


@main.command()
@query_fields(SearchQuery)
@json_option
@setting("data")
@setting("elasticsearch_url")
def search(
    text: str, as_json: bool, data: str | None, elasticsearch_url: str | None, **fields: Any
) -> None:
    """Search for TEXT and print the best films; without TEXT list films, best known first."""
    query = SearchQuery.model_validate({"query": text} | set_options(fields))
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url)
    from hybrid.browse import find
    from hybrid.wiring import open_search

    with closing(open_search(settings)) as films:
        answer = find(films, query)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer)


@main.command()
@click.argument("film", metavar="[ID]", type=click.IntRange(min=0), required=False)
@click.option("--text", metavar="TEXT", help=SIMILAR_TO)
@selection_fields(RankedQuery)
@json_option
@setting("data")
@setting("elasticsearch_url")
def similar(
    film: int | None,
    text: str | None,
    as_json: bool,
    data: str | None,
    elasticsearch_url: str | None,
    **fields: Any,
) -> None:
    """Print the films that are most like the one of this ID, or like a text."""
    if (film is None) == (text is None):
        raise click.UsageError("give either the ID of a film or --text")
    query = SimilarQuery.model_validate({"id": film, "query": text} | set_options(fields))
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url)
    from hybrid.similar import similar as find_similar
    from hybrid.wiring import open_search

    with closing(open_search(settings)) as films:
        answer = find_similar(films, query)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer)


@main.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 20), default=8, show_default=True)
@json_option
@setting("data")
@setting("elasticsearch_url")
def suggest(
    text: str, limit: int, as_json: bool, data: str | None, elasticsearch_url: str | None
) -> None:
    """Print the titles, people and genres that begin like TEXT, or nearly."""
    query = SuggestQuery.model_validate({"q": text, "limit": limit})
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url)
    from hybrid.suggest import suggest as find_suggestions
    from hybrid.wiring import open_search

    with closing(open_search(settings)) as films:
        answer = find_suggestions(films, query)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
        return
    for one in answer.suggestions:
        fact = f" ({one.year})" if one.year else f", {one.films} films" if one.films else ""
        click.echo(f"{one.kind:7} {one.text}{fact}")


@main.command()
@query_fields(Query)
@click.option(
    "--run",
    metavar="NAME:MODE[,FUSION[,ALPHA]]",
    multiple=True,
    default=SIDE_BY_SIDE,
    help="a ranking to show, as in mine:hybrid,rrf,0.4; repeated, 2 to 8  "
    f"[default: {', '.join(SIDE_BY_SIDE)}]",
)
@json_option
@setting("data")
@setting("elasticsearch_url")
def compare(
    text: str, as_json: bool, data: str | None, elasticsearch_url: str | None, **fields: Any
) -> None:
    """Show rankings of TEXT side by side, what moves between them, and how far they agree.

    Marks compare with the column to the left: ranks gained or lost, = the same, + not in it.
    """
    query = CompareURL.model_validate({"q": text} | set_options(fields))
    runs = query.as_runs()
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
    width = max(get_terminal_size((MIN_WIDTH, 24)).columns, MIN_WIDTH)
    for line in as_columns(answer, width):
        click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


@main.command()
@setting("data")
@setting("elasticsearch_url")
@setting("host")
@setting("port")
@setting("workers")
@setting("wait")
def serve(**settings: Any) -> None:
    """Serve the index over HTTP until Ctrl-C."""
    loaded = Settings.load(**settings)
    from hybrid.web.server import serve as serve_forever

    serve_forever(loaded)


@main.command()
@judgement_options
@click.option(
    "--run",
    "runs",
    metavar="[NAME=]MODE[,FUSION[,ALPHA[,UNDERSTAND]]]",
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
    help="number of queries to show that one run wins by most over another",
)
@click.option("--json", type=click.Path(path_type=Path), help="write everything to this file")
@click.option("--trec", type=click.Path(path_type=Path), help="write run files to this folder")
@click.option("--html", type=click.Path(path_type=Path), help="write a page with charts")
@seed_option
@setting("data")
@setting("elasticsearch_url")
def evaluate(
    queries: Path,
    qrels: Path | None,
    runs: tuple[str, ...],
    baseline: str | None,
    wins: int,
    seed: int,
    **options: Any,
) -> None:
    """Measure rankings on judged queries: nDCG@10, MRR@10, recall, and their significance."""
    outputs = {name: options.pop(name) for name in ("json", "trec", "html")}
    settings = Settings.load(**options)
    _require_ir_measures()
    from hybrid.evaluation.evaluate import evaluate as measure
    from hybrid.evaluation.formats import read_judgements
    from hybrid.evaluation.outputs import Outputs
    from hybrid.evaluation.tables import as_table
    from hybrid.schemas.runs import parse_runs
    from hybrid.wiring import open_search

    files = Outputs(**outputs)
    files.check()
    parsed_runs = parse_runs(runs, baseline)
    judgements = read_judgements(queries, qrels)
    with closing(open_search(settings)) as films:
        evaluation = measure(films, judgements, parsed_runs, baseline, wins, seed)
    files.write(evaluation)
    click.echo(as_table(evaluation))


@main.command()
@judgement_options
@click.option(
    "--folds",
    type=click.IntRange(min=2, max=50),
    default=5,
    show_default=True,
    help="number of folds: each is measured with what was learned from the others",
)
@click.option("--dry-run", is_flag=True, help="report, but write nothing")
@seed_option
@setting("data")
@setting("elasticsearch_url")
def tune(
    queries: Path,
    qrels: Path | None,
    folds: int,
    dry_run: bool,
    seed: int,
    **options: str | None,
) -> None:
    """Learn fusion, alpha, the weight of the text and that of votes from judged queries.

    The result is written to the data folder only if it gains significantly on queries that it was
    not learned from. A running service uses it at once.
    """
    settings = Settings.load(**options)
    _require_ir_measures()
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


def _require_ir_measures() -> None:
    if find_spec("ir_measures") is None:
        raise click.ClickException("this needs ir-measures: `make install` installs it")


def _notes(warnings: Sequence[str], degraded: Sequence[str]) -> None:
    for warning in warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)
    if degraded:
        missing = " and ".join(degraded)
        click.secho(f"note: the {missing} engine does not answer", fg="yellow", err=True)


def _print(answer: "SearchResponse | SimilarResponse") -> None:
    _notes(answer.warnings, answer.degraded)
    parts = answer.understood.parts if isinstance(answer, SearchResponse) else ()
    for part in parts:
        kind = "without" if part.excluded else "preferably" if part.preferred else "only"
        click.secho(f"{kind} {part.field}: {part.value}", dim=True)
    if not answer.hits:
        click.echo("No film found. Try other words, or fewer filters.")
    elif isinstance(answer, SearchResponse) and answer.confident is False:
        click.echo("Nothing really matches; the nearest films are:")
    for hit in answer.hits:
        click.echo(_line(hit, ranks=answer.alpha is not None))
        if hit.semantic.sentence:
            click.echo(textwrap.indent(textwrap.shorten(hit.semantic.sentence, 160), "      "))
    if isinstance(answer, SearchResponse) and answer.facets:
        _print_facets(answer.facets)
    films = "films that match" if answer.total.scope == "filters" else "candidates"
    alpha = "" if answer.alpha is None else f"; alpha {answer.alpha:.2f}, {answer.alpha_reason}"
    milliseconds = answer.timings_ms["total"]
    click.echo(f"{len(answer.hits)} of {answer.total.value} {films}, {milliseconds:.0f} ms{alpha}")


def _print_facets(facets: Facets) -> None:
    """Print the counts of the list if there is a text, else of all films."""
    scope, counts = "candidates", facets.candidates
    if counts is None:
        scope, counts = "all films that match", facets.filters
    for facet, values in (counts or {}).items():
        shown = ", ".join(f"{one.value} {one.count:,}" for one in values[:SHOWN_VALUES])
        more = f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
        click.secho(f"{facet} of {scope}: {shown or 'none'}{more}", dim=True)


def _line(hit: Hit, ranks: bool) -> str:
    """Return the film, and its rank on each side if it was searched for."""
    title = click.style(hit.movie.title, bold=True)
    year = f" ({hit.movie.year})" if hit.movie.year else ""
    genres = f"  {', '.join(hit.movie.genres)}" if hit.movie.genres else ""
    in_lists = f"  {_ranks(hit)}" if ranks else ""
    return f"{hit.rank:3}.  {hit.score:.3f}  {title}{year}{genres}{in_lists}"


def _ranks(hit: Hit) -> str:
    """Return the rank of the film on each side."""
    keyword, semantic = hit.keyword.rank or "-", hit.semantic.rank or "-"
    return click.style(f"[keyword {keyword}, semantic {semantic}]", dim=True)
