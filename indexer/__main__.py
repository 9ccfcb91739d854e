"""`python -m indexer`: build an index from a file of films."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from hybrid.commands import Commands, setting
from hybrid.errors import GenerationUnusable
from hybrid.generation import GENERATIONS, FileDigest, LexicalName, open_current, published
from hybrid.movie import MAX_ID
from hybrid.settings import Settings
from indexer.report import (
    report_build,
    report_change,
    report_rejects,
    report_verified,
    report_warnings,
)

if TYPE_CHECKING:
    from indexer.build import Built

SAMPLE = Path(__file__).parent / "sample" / "films.csv"

DEMO_DATA = "data/demo"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Index films for the search by words and by meaning."""


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@click.option(
    "--engine",
    type=click.Choice(get_args(LexicalName)),
    help="engine of the keyword side  [default: elasticsearch if its address is given]",
)
@setting("elasticsearch_url")
@setting("model")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="TOML file that says what the columns of a file of your own are",
)
@click.option("--limit", type=click.IntRange(min=1), help="read no more than so many records")
@click.option("--quiet", is_flag=True, help="show no progress")
def build(
    source: Path,
    engine: LexicalName | None,
    mapping: Path | None,
    limit: int | None,
    quiet: bool,
    **given: str | None,
) -> None:
    """Index the films of SOURCE and publish the index.

    SOURCE is Kaggle's "IMDb movies.csv", TMDB's "tmdb_5000_movies.csv", the IMDB-1000 CSV, films of
    Wikipedia as JSON lines, any CSV, JSON lines or Parquet file with a --mapping, or the word
    "sample" for the films that come with this project. Embeddings are kept in the data folder:
    what was embedded once never is again.
    """
    settings = Settings.load(**given)
    report_build(_build(_file(source), settings, engine, mapping, limit, quiet))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="TOML file of its columns")
@click.option("--limit", type=click.IntRange(min=1), help="read no more than so many records")
def inspect(file: Path, mapping: Path | None, limit: int | None) -> None:
    """Show what is recognised in FILE and its first films as they would be indexed.

    Where nothing is, a mapping to start from is written into the current folder.
    """
    from indexer.inspect import inspected

    click.echo(inspected(file, mapping, limit))


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@click.option("--mapping", type=click.Path(path_type=Path), help="TOML file of its columns")
@click.option("--keep-missing", is_flag=True, help="keep films that SOURCE does not hold")
@click.option("--quiet", is_flag=True, help="show no progress")
def update(
    source: Path, mapping: Path | None, keep_missing: bool, quiet: bool, **given: str | None
) -> None:
    """Make the published index hold the films of SOURCE.

    Only what is new or changed is embedded and written; films that SOURCE does not hold any more
    are removed. Films keep their ids. The model is that of the index.
    """
    from indexer.source_file import read_films
    from indexer.tools import tools_of
    from indexer.update import as_in_source, change

    settings = _settings_of_an_index(given)
    read = read_films(_file(source), mapping=mapping)
    films = as_in_source(read.cleaned.movies, read.cleaned.numbered, keep_missing)
    changed = change(settings.data, films, tools_of(settings, quiet=quiet), read)
    report_change(changed)
    rejected = len(read.cleaned.rejects)
    if rejected and changed.published:
        report_rejects(settings.data / GENERATIONS / changed.manifest.name)
    elif rejected:
        click.echo(f"{rejected:,} records were rejected: `python -m indexer inspect` tells why.")


@main.command()
@setting("data")
@setting("elasticsearch_url")
def upsert(**given: str | None) -> None:
    """Add films, or replace those of the same id.

    They are read from standard input: a JSON object, or one a line, with the fields that
    GET /movies/ID shows.
    """
    from indexer.by_hand import films_of
    from indexer.tools import tools_of
    from indexer.update import change
    from indexer.update import upsert as upserted

    settings = _settings_of_an_index(given)
    movies = films_of(sys.stdin.buffer.read())
    report_change(change(settings.data, upserted(movies), tools_of(settings)))


@main.command()
@click.argument(
    "ids", type=click.IntRange(min=0, max=MAX_ID), nargs=-1, required=True, metavar="ID..."
)
@setting("data")
@setting("elasticsearch_url")
def delete(ids: tuple[int, ...], **given: str | None) -> None:
    """Remove the films of these ids, which are never used again."""
    from indexer.tools import tools_of
    from indexer.update import change
    from indexer.update import delete as deleted

    settings = _settings_of_an_index(given)
    report_change(change(settings.data, deleted(ids), tools_of(settings)))


@main.command()
@setting("data")
@setting("elasticsearch_url")
def rollback(**given: str | None) -> None:
    """Publish the generation before the published one again.

    One generation is kept to go back to, and the one left is removed: there is no way forward
    again. A service that runs notices by itself.
    """
    from indexer.tools import tools_of
    from indexer.update import rollback as go_back

    settings = _settings_of_an_index(given)
    left, name, warnings = go_back(settings.data, tools_of(settings))
    report_warnings(warnings)
    click.echo(f"Went back from generation {left} to {name}.")


@main.command()
@click.option(
    "--repair", "mend", is_flag=True, help="write both engines again if anything is wrong"
)
@click.option("--full", is_flag=True, help="look at every film's content and vectors")
@setting("data")
@setting("elasticsearch_url")
def verify(mend: bool, full: bool, **given: str | None) -> None:
    """Compare the published index with itself: every film in every store, and nothing more.

    The exit code is 1 if anything is wrong, and could not be repaired.
    """
    from indexer.repair import repair
    from indexer.tools import tools_of
    from indexer.verify import verify as compare

    settings = _settings_of_an_index(given)
    tools = tools_of(settings)
    found = compare(settings.data, tools, full)
    report_verified(found)
    if mend and not found.clean:
        manifest, warnings = repair(settings.data, tools, found.wrong_vectors)
        report_warnings(warnings)
        click.echo(f"Repaired: published generation {manifest.name}.")
        found = compare(settings.data, tools, full)
        report_verified(found)
    elif not found.clean:
        click.echo("Mend it with `python -m indexer verify --repair`.")
    if not found.clean:
        sys.exit(1)


@main.command()
@setting("data")
@setting("host")
@setting("port")
def demo(data: str | None, **given: str | None) -> None:
    """Index the films that come with this project, once, and serve them.

    The index is in data/demo, unless told otherwise, on the embedded engine.
    """
    # The folder of one's own index is not the demo's, unless it is named for this.
    settings = Settings.load(data=data or os.environ.get("HYBRID_DATA", DEMO_DATA), **given)
    from hybrid.web.server import check_address, serve

    check_address(settings.host, settings.port)
    if not _holds_sample(settings.data):
        click.echo("Indexing the films that come with this project; loading the model first ...")
        _build_elsewhere(settings)
    address = f"http://{settings.host}:{settings.port}"
    click.echo(
        f"\nOpen {address}/ in a browser, or ask from another terminal:\n\n"
        f"  curl '{address}/search?q=a+rich+girl+falls+for+a+penniless+artist&limit=3'\n"
        f"  curl '{address}/search?q=warriors+defend+a+village&genre=drama&year_to=1960'\n"
    )
    serve(settings)


def _file(source: Path) -> Path:
    """Return the file that a SOURCE names: a file of that name comes before the films that come
    along."""
    return SAMPLE if source == Path("sample") and not source.exists() else source


def _settings_of_an_index(given: Mapping[str, str | None]) -> Settings:
    """Return the settings; raise GenerationUnusable where nothing is published yet to change."""
    settings = Settings.load(**given)
    published(settings.data)
    return settings


def _build_elsewhere(settings: Settings) -> None:
    """Index the sample in a process of its own: this one forks the service, and the threads that
    engines leave behind would not be there in the fork, which waits for them for ever."""
    command = ["build", str(SAMPLE), "--engine", "embedded", "--data", str(settings.data)]
    done = subprocess.run([sys.executable, "-m", "indexer", *command], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _holds_sample(data: Path) -> bool:
    """Tell whether the published index is whole, and of the sample as it is now."""
    try:
        manifest = open_current(data).manifest
    except GenerationUnusable:
        return False
    return manifest.source_sha256 == FileDigest.of(SAMPLE).sha256


def _build(
    source: Path,
    settings: Settings,
    engine: LexicalName | None,
    mapping: Path | None,
    limit: int | None,
    quiet: bool,
) -> "Built":
    from hybrid.wiring import lexical_writer
    from indexer.build import build as build_index
    from indexer.model import load_model

    chosen = engine or ("elasticsearch" if settings.elasticsearch_url else "embedded")
    return build_index(
        source,
        settings.data,
        settings.model,
        load_model(settings.model),
        lambda folder, deployment: lexical_writer(settings, chosen, folder, deployment),
        mapping,
        limit,
        quiet,
    )


if __name__ == "__main__":
    main(prog_name="python -m indexer")
