"""`python -m indexer`: build an index from a file of films."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from hybrid.commands import Commands, setting
from hybrid.errors import GenerationUnusable
from hybrid.generation import (
    REJECTS,
    FileDigest,
    Lexical,
    LexicalName,
    Semantic,
    open_current,
    published,
)
from hybrid.settings import Settings

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
    bundled = source == Path("sample") and not source.exists()
    settings = Settings.load(**given)
    _report(_build(SAMPLE if bundled else source, settings, engine, mapping, limit, quiet))


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
@setting("data")
def rollback(**given: str | None) -> None:
    """Publish the generation before the published one again.

    One generation is kept to go back to; a service that runs notices by itself.
    """
    from indexer import publish

    data = Settings.load(**given).data
    published(data)
    with publish.only_writer(data):
        left, name = publish.rollback(data)
    click.echo(f"Went back from generation {left} to {name}.")


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


def _report(built: "Built") -> None:
    """Say what became of every record, where it is, and what it took."""
    manifest, cleaned = built.manifest, built.cleaned
    counts = manifest.counts
    click.echo(
        f"\nread         {counts.records:>9,}  records of {manifest.source} ({cleaned.format})\n"
        f"films        {counts.movies:>9,}  of them {counts.without_description:,} without a "
        f"description, {counts.without_year:,} without a year\n"
        f"duplicates   {counts.duplicates:>9,}  exact, the first kept\n"
        f"rejected     {counts.rejected:>9,}"
    )
    for kind, number in Counter(reject.kind for reject in cleaned.rejects).most_common():
        click.echo(f"             {number:>9,}  {kind}")
    for name, number in cleaned.emptied.items():
        click.echo(f"emptied      {number:>9,}  {name}: no number")
    embedded = built.embedded
    cached = embedded.distinct - embedded.encoded
    click.echo(
        f"sentences    {embedded.texts:>9,}  {embedded.distinct:,} distinct, "
        f"{embedded.encoded:,} embedded now, {cached:,} from the cache\n"
        f"semantic     {_semantic(manifest.semantic)}\n"
        f"keyword      {_keyword(manifest.lexical)}"
    )
    sizes: Counter[str] = Counter()
    for name, digest in manifest.files.items():
        sizes[name.partition("/")[0]] += digest.size
    for name, size in sizes.items():
        click.echo(f"size         {size / 1e6:>9.1f}  MB {name}")
    for stage, seconds in built.seconds.items():
        click.echo(f"seconds      {seconds:>9.1f}  {stage}")
    for warning in built.warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)
    if cleaned.rejects:
        click.echo(f"Why each record was rejected: {built.folder / REJECTS}")
    click.echo(f"Published generation {manifest.name} in {built.folder.parents[1]}.")


def _keyword(lexical: Lexical) -> str:
    if lexical.engine == "embedded":
        return "embedded engine"
    return f"Elasticsearch index {lexical.index}"


def _semantic(semantic: Semantic) -> str:
    if semantic.engine == "exact":
        return "exact scan: too few sentences to train an IVFPQ index"
    return (
        f"IVFPQ of {semantic.lists} lists and {semantic.sub_quantisers} sub-quantisers of 4 bits, "
        f"nprobe {semantic.nprobe}: recall@10 {semantic.recall_at_10:.4f}"
    )


if __name__ == "__main__":
    main(prog_name="python -m indexer")
