"""What a command says of what it did."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid.storage.generation import REJECTS
from hybrid.storage.manifest import Lexical, Semantic

if TYPE_CHECKING:
    from indexer.build import BuildResult
    from indexer.tidy import CacheSize
    from indexer.update import UpdateResult
    from indexer.verify import VerifyReport


def report_build(built: "BuildResult") -> None:
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
    if built.discarded:
        click.echo(f"by hand      {built.discarded:>9,}  changes discarded")
    report_warnings(built.warnings)
    if cleaned.rejects:
        report_rejects(built.folder)
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


def report_change(changed: "UpdateResult") -> None:
    """Say what was changed, and what it took."""
    report_warnings(changed.warnings)
    if changed.kept or changed.discarded:
        click.echo(
            f"by hand      {changed.kept:>9,}  changes kept, {changed.discarded:,} discarded"
        )
    name, seconds = changed.manifest.name, sum(changed.seconds.values())
    if not changed.published:
        click.echo(f"Nothing changed: generation {name} has all {changed.unchanged:,} films.")
        return
    embedded = changed.embedded
    click.echo(
        f"added        {changed.added:>9,}\n"
        f"changed      {changed.changed:>9,}\n"
        f"removed      {changed.removed:>9,}\n"
        f"unchanged    {changed.unchanged:>9,}\n"
        f"sentences    {embedded.texts:>9,}  {embedded.encoded:,} embedded now\n"
        f"semantic     {_semantic(changed.manifest.semantic)}\n"
        f"Published generation {name} after {seconds:.1f} s."
    )


def report_tidied(before: "CacheSize", after: "CacheSize") -> None:
    """Say how large the cache of embeddings was and is."""
    for name, size in (("before", before), ("after", after)):
        click.echo(f"{name:<12} {size.entries:>9,}  sentences, {size.size / 1e6:,.1f} MB")


def report_verified(verified: "VerifyReport") -> None:
    """Say what was looked at and what is wrong with it."""
    click.echo(f"generation {verified.generation}")
    for check in verified.checks:
        state = "skipped" if check.skipped else "wrong" if check.findings else "ok"
        click.echo(f"{check.name:<12} {state:<8} {check.covers}")
        for finding in check.findings:
            click.secho(f"             {finding}", fg="red")


def report_rejects(folder: Path) -> None:
    """Say where it is told why records are no films."""
    click.echo(f"Why each record was rejected: {folder / REJECTS}")


def report_warnings(warnings: Iterable[str]) -> None:
    """Say what went wrong without keeping the work from being done."""
    for warning in warnings:
        click.secho(f"note: {warning}", fg="yellow", err=True)
