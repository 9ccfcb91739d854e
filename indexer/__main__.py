"""`python -m indexer`: build an index from a file of films."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid.commands import Commands, setting
from hybrid.generation import REJECTS, Semantic
from hybrid.settings import Settings

if TYPE_CHECKING:
    from indexer.build import Built


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Index films for the search by words and by meaning."""


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@click.option(
    "--engine",
    type=click.Choice(["elasticsearch"]),
    expose_value=False,
    help="engine of the keyword side  [default: elasticsearch]",
)
@setting("elasticsearch_url")
@setting("model")
@click.option("--limit", type=click.IntRange(min=1), help="read no more than so many records")
@click.option("--quiet", is_flag=True, help="show no progress")
def build(
    source: Path,
    data: str | None,
    elasticsearch_url: str | None,
    model: str | None,
    limit: int | None,
    quiet: bool,
) -> None:
    """Index the films of SOURCE and publish the index.

    SOURCE is Kaggle's "IMDb movies.csv", the IMDB-1000 CSV, or Wikipedia films as JSON lines, plain
    or gzipped. Embeddings are kept in the data folder: what was embedded once never is again.
    """
    settings = Settings.load(data=data, elasticsearch_url=elasticsearch_url, model=model)
    from hybrid.encoder import load_encoder
    from hybrid.wiring import lexical_writer
    from indexer.build import build as build_index

    built = build_index(
        source,
        settings.data,
        settings.model,
        load_encoder(settings.model),
        lambda generation, deployment: lexical_writer(settings, generation, deployment),
        limit,
        quiet,
    )
    _report(built)


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
        f"keyword      Elasticsearch index {manifest.lexical.index}"
    )
    for name, digest in manifest.files.items():
        click.echo(f"size         {digest.size / 1e6:>9.1f}  MB {name}")
    for stage, seconds in built.seconds.items():
        click.echo(f"seconds      {seconds:>9.1f}  {stage}")
    for warning in built.warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)
    if cleaned.rejects:
        click.echo(f"Why each record was rejected: {built.folder / REJECTS}")
    click.echo(f"Published generation {manifest.name} in {built.folder.parents[1]}.")


def _semantic(semantic: Semantic) -> str:
    if semantic.engine == "exact":
        return "exact scan: too few sentences to train an IVFPQ index"
    return (
        f"IVFPQ of {semantic.lists} lists and {semantic.sub_quantisers} sub-quantisers of 4 bits, "
        f"nprobe {semantic.nprobe}: recall@10 {semantic.recall_at_10:.4f}"
    )


if __name__ == "__main__":
    main(prog_name="python -m indexer")
