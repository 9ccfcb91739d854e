"""Reports of the commands on the terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid.storage.generation import GENERATIONS, REJECTS
from hybrid.storage.manifest import Lexical, Manifest, QueryEncoder, Semantic

if TYPE_CHECKING:
    from indexer.audit import Audit
    from indexer.build import BuildResult
    from indexer.encoder_loss import EncoderLoss
    from indexer.films.clean import Outcome
    from indexer.films.film_file import SourceFile
    from indexer.tidy import CacheSize
    from indexer.update import UpdateResult
    from indexer.verify import VerifyReport


def report_build(result: "BuildResult") -> None:
    """Print what became of the records, the sizes of the stores, and the time of each stage."""
    manifest, cleaned = result.manifest, result.cleaned
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
    _report_cuts(cleaned)
    embedded = result.embedded
    cached = len(manifest.models) * embedded.distinct - embedded.encoded
    click.echo(
        f"sentences    {embedded.texts:>9,}  {embedded.distinct:,} distinct, "
        f"{embedded.encoded:,} embedded now, {cached:,} from the cache\n"
        f"semantic     {_semantic(manifest.semantic)}\n"
        f"keyword      {_keyword(manifest.lexical)}\n"
        f"model        {_models(manifest)}\n"
        f"encoder      {_encoder(manifest.model.queries)}"
    )
    sizes: Counter[str] = Counter()
    for name, digest in manifest.files.items():
        sizes[name.partition("/")[0]] += digest.size
    for name, size in sizes.items():
        click.echo(f"size         {size / 1e6:>9.1f}  MB {name}")
    for stage, seconds in result.seconds.items():
        click.echo(f"seconds      {seconds:>9.1f}  {stage}")
    if result.discarded:
        click.echo(f"by hand      {result.discarded:>9,}  changes discarded")
    report_warnings(result.warnings)
    if cleaned.rejects or cleaned.cuts:
        report_rejects(result.folder)
    click.echo(f"Published generation {manifest.name} in {result.folder.parents[1]}.")


def _report_cuts(cleaned: "Outcome") -> None:
    for field, number in Counter(cut.field for cut in cleaned.cuts).items():
        click.echo(f"cut          {number:>9,}  {field}: too long, the beginning kept")


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


def _models(manifest: Manifest) -> str:
    """Return the models with their weights beside each other."""
    return ", ".join(
        model.name
        + (f":{model.weight:.3g}" if manifest.beside else "")
        + (" (centred)" if model.centred else "")
        for model in manifest.models
    )


def _encoder(queries: QueryEncoder) -> str:
    if queries.overlap_at_10 is None:
        return f"queries in {queries.precision}"
    return (
        f"queries in {queries.precision}: cosine to float32 {queries.mean_cosine:.4f} (at least "
        f"{queries.least_cosine:.4f}), overlap@10 {queries.overlap_at_10:.4f}"
    )


def report_change(result: "UpdateResult") -> None:
    """Print what was changed, and how long it took."""
    report_warnings(result.warnings)
    if result.kept or result.discarded:
        click.echo(f"by hand      {result.kept:>9,}  changes kept, {result.discarded:,} discarded")
    name, seconds = result.manifest.name, sum(result.seconds.values())
    if not result.published:
        click.echo(f"Nothing changed: generation {name} has all {result.unchanged:,} films.")
        return
    embedded = result.embedded
    click.echo(
        f"added        {result.added:>9,}\n"
        f"changed      {result.changed:>9,}\n"
        f"removed      {result.removed:>9,}\n"
        f"unchanged    {result.unchanged:>9,}\n"
        f"sentences    {embedded.texts:>9,}  {embedded.encoded:,} embedded now\n"
        f"semantic     {_semantic(result.manifest.semantic)}\n"
        f"encoder      {_encoder(result.manifest.model.queries)}\n"
        f"Published generation {name} after {seconds:.1f} s."
    )


def report_update(result: "UpdateResult", source: "SourceFile", data: Path) -> None:
    """Print what an update from a file changed, and where its rejects are explained."""
    report_change(result)
    _report_cuts(source.cleaned)
    rejected, cut = len(source.cleaned.rejects), len(source.cleaned.cuts)
    if (rejected or cut) and result.published:
        report_rejects(data / GENERATIONS / result.manifest.name)
    elif rejected or cut:
        click.echo(
            f"{rejected:,} records were rejected and {cut:,} fields cut: "
            "`python -m indexer inspect` shows why."
        )


def report_losses(losses: "Sequence[EncoderLoss]", queries: int) -> None:
    """Print what the encoder of queries costs in each mode, on how many judged queries."""
    if not losses:
        click.echo("nDCG@10      queries are embedded in float32, which costs nothing")
    for loss in losses:
        click.echo(
            f"nDCG@10      {loss.mode}: {loss.int8:.4f} instead of {loss.float32:.4f} in float32 "
            f"({loss.int8 - loss.float32:+.4f} on {queries:,} judged queries)"
        )


def report_tidied(before: "CacheSize", after: "CacheSize") -> None:
    """Print the size of the cache of embeddings before and after."""
    for name, size in (("before", before), ("after", after)):
        click.echo(f"{name:<12} {size.entries:>9,}  sentences, {size.size / 1e6:,.1f} MB")


def report_verified(report: "VerifyReport") -> None:
    """Print what was checked, and what is wrong."""
    click.echo(f"generation {report.generation}")
    for check in report.checks:
        state = "skipped" if check.skipped else "wrong" if check.findings else "ok"
        click.echo(f"{check.name:<12} {state:<8} {check.covers}")
        for finding in check.findings:
            click.secho(f"             {finding}", fg="red")


def report_rejects(folder: Path) -> None:
    """Print which file has the reasons of the rejects and cuts."""
    click.echo(f"Why each record was rejected or cut: {folder / REJECTS}")


def report_warnings(warnings: Iterable[str]) -> None:
    """Print what went wrong though the command succeeded."""
    for warning in warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)


def report_audit(audit: "Audit") -> None:
    """Print the curve of recall and time by the number of probes."""
    semantic = audit.semantic
    click.echo(
        f"{audit.sentences:,} sentences in {semantic.lists} lists, {semantic.sub_quantisers} "
        f"sub-quantisers of 4 bits\n\n  nprobe  recall@10       ms"
    )
    for point in audit.curve:
        used = "  as searched" if point.nprobe == semantic.nprobe else ""
        click.echo(f"{point.nprobe:8}{point.recall_at_10:11.4f}{point.milliseconds:9.2f}{used}")
    click.echo(f"   exact     1.0000{audit.exact_milliseconds:9.2f}")
