"""Other libraries and this project on the same films, model and queries, in one run.

    make peers
    python -m benchmarks.peers SOURCE QUERIES.jsonl ... --data DIR [--json FILE]

An index of SOURCE is built with the embedding cache of DIR, and served; every peer indexes the same
films, one text and one vector of the same model each, in a process and an environment of its own
(Elasticsearch if its URL is given). A peer is asked in its own process, this project over HTTP.
Each is asked twice: once it is given the vectors of queries, once it encodes them by
sentence-transformers. Films are not embedded while building. FOLDER keeps films and vectors, so
that they are embedded once.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import click
import numpy as np

from benchmarks.load import Client, closed_loop
from benchmarks.peers.corpus import write_films, write_queries
from benchmarks.peers.measure import CLIENTS, SECONDS, WARM_UP, folder_size
from benchmarks.percentiles import Percentiles
from benchmarks.results import machine, write_results
from benchmarks.service import memory, processes, serving
from benchmarks.texts import new_texts
from hybrid.engines.factory import open_query_encoder
from hybrid.errors import InvalidInput
from hybrid.evaluation.evaluate import kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.evaluation.measures import NDCG, measure_queries
from hybrid.query import Filters
from hybrid.ranking import Ranking
from hybrid.settings import Settings
from hybrid.storage.generation import Generation, open_current
from hybrid.terminal.commands import setting
from indexer.embedding.cache import CACHE
from indexer.embedding.model import load_model

ENVIRONMENT = Path(".cache/peers/environment/bin/python")
"""Made by `make peers`."""

PEERS = {
    "LanceDB": "lancedb_hybrid",
    "txtai": "txtai_hybrid",
    "Elasticsearch, RRF": "elasticsearch_rrf",
}
"""Modules beside this one, by the name of the peer."""

LOAD = 3_000
"""Texts for the clients that ask at once."""


@dataclass(frozen=True)
class Result:
    """What was measured of one way to search."""

    name: str
    encoding: str
    version: str
    ndcg: Mapping[str, float]
    latency: Percentiles
    rate: float
    anonymous_mb: float
    resident_mb: float
    build_seconds: float
    disk_mb: float
    without_encoding: Percentiles | None = field(default=None)


def ndcg(
    files: Mapping[str, Sequence[JudgedQuery]], rankings: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Return the mean nDCG@10 of each kind of query of each file, of rankings in their order."""
    found, remaining = {}, iter(rankings)
    for file, queries in files.items():
        ranked = {
            query.id: Ranking(np.array(ids, np.int64), -np.arange(len(ids), dtype=np.float64))
            for query, ids in zip(queries, remaining, strict=False)
        }
        scores = measure_queries(queries, ranked, (NDCG,))[NDCG]
        for kind, rows in kinds(queries).items():
            found[f"{file} {kind}"] = round(float(scores[list(rows)].mean()), 4)
    return found


def path_of(text: str, filters: Filters) -> str:
    """Return the search for a text under filters."""
    fields = filters.model_dump(exclude_defaults=True)
    query = {"q": text} | {"genre" if name == "genres" else name: v for name, v in fields.items()}
    return f"/search?{urlencode(query, doseq=True)}"


async def ask_service(
    client: Client, judged: Sequence[tuple[str, Filters]], others: Sequence[str]
) -> dict[str, Any]:
    """Ask every judged query once, and then the others by several clients at once."""
    paths = [path_of(text, Filters()) for text in others]
    await closed_loop(client, iter(paths[-WARM_UP:]), 1)
    answers = await closed_loop(client, (path_of(*query) for query in judged), 1)
    failures = sorted({answer.status for answer in answers} - {200})
    if failures:
        raise InvalidInput(f"the service answered judged queries with status {failures}")
    start = monotonic()
    loaded = await closed_loop(client, iter(paths[:-WARM_UP]), CLIENTS, SECONDS)
    seconds = monotonic() - start
    client.close()
    bodies = [json.loads(answer.body) for answer in answers]
    encoding = [body["timings_ms"].get("encode", 0.0) / 1000 for body in bodies]
    return {
        "rankings": [[hit["id"] for hit in body["hits"]] for body in bodies],
        "seconds": [answer.seconds for answer in answers],
        "without": [answer.seconds - own for answer, own in zip(answers, encoding, strict=True)],
        "rate": round(sum(answer.status == 200 for answer in loaded) / seconds, 1),
    }


def measure_service(
    data: Path,
    files: Mapping[str, Sequence[JudgedQuery]],
    others: Sequence[str],
    build_seconds: float,
) -> Result:
    """Measure this project, whose index in `data` took some seconds to build."""
    judged = [(query.text, query.filters) for queries in files.values() for query in queries]
    with serving(data, {}) as service:
        found = asyncio.run(ask_service(Client(service.url), judged, others))
        own = [memory(pid) for pid in processes(service.pid)]
    generation = open_current(data)
    return Result(
        "this project, over HTTP",
        "own",
        "",
        ndcg(files, found["rankings"]),
        Percentiles.of(found["seconds"]),
        found["rate"],
        round(sum(each.anonymous for each in own), 1),
        round(sum(each.resident for each in own), 1),
        build_seconds,
        round(folder_size(generation.folder) / 1e6, 1),
        Percentiles.of(found["without"]),
    )


def build_index(source: Path, cache: Path, data: Path) -> tuple[Generation, float]:
    """Build an index of `source`, whose sentences are cached; return it, and the seconds.

    Raises InvalidInput if it fails.
    """
    shutil.copyfile(cache, data / CACHE)
    command = [sys.executable, "-m", "indexer", "build", str(source), "--data", str(data)]
    start = monotonic()
    done = subprocess.run(
        [*command, "--engine", "embedded", "--quiet"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InvalidInput(done.stderr)
    return open_current(data), round(monotonic() - start, 2)


def run_peer(module: str, what: str, folder: Path, model: str, url: str | None) -> dict[str, Any]:
    """Measure a peer in its own process. Raises InvalidInput with what it said if it fails."""
    done = subprocess.run(
        [str(ENVIRONMENT), "-m", f"benchmarks.peers.{module}", what, str(folder), model],
        env=os.environ | ({"ELASTICSEARCH_URL": url} if url else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InvalidInput(f"{module} {what}: {done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure_peer(
    name: str,
    folder: Path,
    model: str,
    files: Mapping[str, Sequence[JudgedQuery]],
    url: str | None,
) -> Iterator[Result]:
    """Yield what was measured of a peer, given vectors and encoding by itself."""
    built = run_peer(PEERS[name], "build", folder, model, url)
    for what in ("given", "own"):
        found = run_peer(PEERS[name], what, folder, model, url)
        yield Result(
            name,
            what,
            built["version"],
            ndcg(files, found["rankings"]),
            Percentiles.of(found["seconds"]),
            found["rate"],
            found["anonymous_mb"],
            found["resident_mb"],
            built["build_seconds"],
            built["disk_mb"],
        )


def line(result: Result) -> str:
    """Return what was measured, in a line."""
    of_kinds = "  ".join(f"{kind} {value:.3f}" for kind, value in result.ndcg.items())
    return (
        f"{result.name:24} {result.encoding:6} p50 {result.latency.p50:7.1f} ms"
        f"  p95 {result.latency.p95:7.1f} ms  {result.rate:7.1f} a second"
        f"  own memory {result.anonymous_mb:7.1f} MB  build {result.build_seconds:6.1f} s"
        f"  disk {result.disk_mb:6.1f} MB\n    {of_kinds}"
    )


def ratios(ours: Result, peers: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Return how many times as long as this project each peer takes, and our rate over its.

    Given the vectors, a peer is compared with what this project takes beside encoding.
    """
    found = {}
    for peer in peers:
        own = peer.encoding == "own"
        base = ours.latency if own or ours.without_encoding is None else ours.without_encoding
        found[f"{peer.name}, {peer.encoding}"] = {
            "p50": round(peer.latency.p50 / base.p50, 2),
            "rate": round(ours.rate / peer.rate, 2),
        }
    return found


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@click.option(
    "--folder",
    default=Path(".cache/peers/films"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="keeps the films and their vectors",
)
@click.option("--peer", "names", type=click.Choice(list(PEERS)), multiple=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the results here")
def main(
    source: Path,
    queries: tuple[Path, ...],
    folder: Path,
    names: tuple[str, ...],
    file: Path | None,
    **given: Any,
) -> None:
    """Measure this project and its peers on the films of SOURCE, with the judged QUERIES."""
    if not ENVIRONMENT.exists():
        raise click.UsageError("make the environment of the peers first: make peers")
    before, settings = machine(), Settings.load(**given)
    files = {each.stem: read_judgements(each).queries for each in queries}
    judged = [(query.text, query.filters) for some in files.values() for query in some]
    others = list(islice(new_texts([text for text, _ in judged]), LOAD))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        generation, seconds = build_index(source, settings.data / CACHE, Path(temporary))
        click.echo(f"embedding of whole films: {write_films(folder, generation)}")
        write_queries(folder, judged, others, open_query_encoder(generation))
        ours = measure_service(Path(temporary), files, others, seconds)
        click.echo(line(ours))
    model, found = str(load_model(generation.manifest.model.name).folder), []
    for name in names or PEERS:
        if name.startswith("Elasticsearch") and settings.elasticsearch_url is None:
            click.echo(f"{name}: not measured without --elasticsearch-url")
            continue
        for result in measure_peer(name, folder, model, files, settings.elasticsearch_url):
            click.echo(line(result))
            found.append(result)
    compared = ratios(ours, found)
    for name, times in compared.items():
        click.echo(f"{name:32} p50 over ours {times['p50']:.2f}, our rate over its {times['rate']}")
    write_results(file, "peers", before, {"all": [ours, *found], "ratios": compared})


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.peers")
