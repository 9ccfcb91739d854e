"""How build, memory, disk, start, search, recall and changes grow with the number of films.

    python -m benchmarks.growth SOURCE QUERIES.jsonl ... --data DIR [--films N ...] [--json FILE]

The catalogues are made of the films of SOURCE, whose sentences must be in the embedding cache of
DIR, as `benchmarks/resampled.py` says: nothing is embedded but what the changes add. Each is built
in a folder of its own beside DIR with the embedded engine, served, changed, updated and verified,
and then removed. Own memory is `RssAnon` of a process at its most, looked at fifty times a second.
New texts of queries take turns with encoding alone; in the end one client searches for others,
before films are put one after the other and meanwhile. Recall@10 is that of the judged queries
against the exact scan, as the service searches. `start` is until the first search is answered;
`first suggestion` is the first one after that.
"""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from threading import Event
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import click
import numpy as np

from benchmarks.changes import FIRST_ID, search_until
from benchmarks.changes import Service as Changes
from benchmarks.encoding import encode_each
from benchmarks.latency import Bench, memories, one_client
from benchmarks.load import Answer, Client, closed_loop
from benchmarks.percentiles import Percentiles
from benchmarks.resampled import Origin, write_catalogue
from benchmarks.results import machine, write_results
from benchmarks.service import serving
from benchmarks.texts import new_texts, read_texts
from hybrid.access.keys import KeyFolder
from hybrid.engines.factory import open_query_encoder, open_semantic, open_sentences
from hybrid.errors import InvalidInput
from hybrid.query import Filters
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import CATALOGUE, PIECES, open_current
from hybrid.terminal.commands import setting
from hybrid.vectors import QueryVector
from indexer.embedding.cache import CACHE
from indexer.embedding.model import load_model
from indexer.semantic_index.recall import best_scores

FILMS = (36_266, 100_000, 300_000, 1_000_000)
"""Sizes of the catalogues, unless others are asked for."""

STARTS = 3
"""Starts of the service, of which the median counts."""

PUTS = 40
"""Films that are put one after the other."""

SEARCHES, FRESH = 200, 3_000
"""New texts that are searched for before films are put, and all with those meanwhile."""

UPDATED = 100
"""Films that an update from a file changes."""

LOOK = 0.02
"""Seconds between two looks at the memory of a process."""

ROUNDING = 1e-5
"""The most that two ways of computing the same cosine may differ."""

WARM_UP = 50
"""Requests before any that count."""

WRONG = re.compile(r"^(\w+) +wrong ", re.MULTILINE)
"""A part of an index in which `verify` found something wrong."""

STAGE = re.compile(r"^seconds +([0-9.]+)  (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """A command: its seconds, those of processors in it, the most memory of its own in MB, and what
    it printed."""

    seconds: float
    cpu_seconds: float
    own_mb: float
    printed: str

    def costs(self) -> dict[str, float]:
        """Return what it cost."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "own_mb": self.own_mb}


def run(arguments: Sequence[str], wrong: Collection[str] = ()) -> Run:
    """Run a command of the indexer. Raises InvalidInput with what it said if it fails, unless it
    finds no more wrong than these parts of an index."""
    with tempfile.TemporaryFile("w+") as out:
        start, most, used = monotonic(), 0.0, os.times()
        process = subprocess.Popen(
            [sys.executable, "-m", "indexer", *arguments], stdout=out, stderr=out
        )
        while process.poll() is None:
            most = max(most, own_memory(process.pid))
            sleep(LOOK)
        seconds, now = monotonic() - start, os.times()
        out.seek(0)
        printed = out.read()
    cpu = now.children_user + now.children_system - used.children_user - used.children_system
    found = WRONG.findall(printed)
    if process.returncode and not (found and set(found) <= set(wrong)):
        raise InvalidInput(printed)
    return Run(round(seconds, 2), round(cpu, 2), round(most, 1), printed)


def own_memory(pid: int) -> float:
    """Return a process's own memory in MB, 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0.0
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def built(source: Path, data: Path) -> dict[str, Any]:
    """Build an index; return the seconds of each stage, and its memory."""
    done = run(["build", str(source), "--data", str(data), "--engine", "embedded", "--quiet"])
    stages = {stage: float(seconds) for seconds, stage in STAGE.findall(done.printed)}
    described = open_current(data).manifest
    return {
        "films": described.counts.movies,
        "sentences": described.counts.sentences,
        "build": done.costs() | {"stages": stages},
        "semantic": described.semantic.model_dump(),
        "disk": disk(data),
    }


def disk(data: Path) -> dict[str, float]:
    """Return the MB of the generation: of vectors, of the text of films, and of all else."""
    generation = open_current(data)
    sizes = {name: digest.size for name, digest in generation.manifest.files.items()}
    vectors = sum(size for name, size in sizes.items() if name.startswith(PIECES))
    with closing(sqlite3.connect(generation.file(CATALOGUE))) as catalogue:
        (text,) = catalogue.execute(
            "SELECT total(length(CAST(film AS BLOB))) FROM documents"
        ).fetchone()
    others = sum(sizes.values()) - vectors - text
    return {
        "vectors_mb": round(vectors / 1e6, 1),
        "text_mb": round(text / 1e6, 1),
        "others_mb": round(others / 1e6, 1),
        "others_share": round(others / (vectors + text), 3),
    }


def recall(data: Path, texts: Sequence[str], depth: int) -> float:
    """Return the recall@10 of the semantic engine for these texts, 0 to 1."""
    generation = open_current(data)
    vectors = np.concatenate([open_query_encoder(generation).encode([text]) for text in texts])
    with closing(Catalogue(generation.folder)) as catalogue:
        engine = open_semantic(generation, catalogue)
        best = best_scores(open_sentences(generation, catalogue), vectors)
        shares = [
            (engine.search(QueryVector(vector), Filters(), depth).scores[:10] >= least).mean()
            for vector, least in zip(vectors, best.min(axis=1) - ROUNDING, strict=True)
        ]
    return round(float(np.mean(shares)), 4)


def started(data: Path, text: str) -> list[float]:
    """Start the service again and again; return the seconds until a search was answered."""
    seconds = []
    for _ in range(STARTS):
        with serving(data, {}) as service:
            (answer,) = ask(Client(service.url), "/search", text)
            seconds.append(round(service.start + answer, 3))
    return seconds


def ask(client: Client, path: str, *texts: str) -> list[float]:
    """Ask for each text; return the seconds. Raises InvalidInput unless all are answered."""

    async def answered() -> Sequence[Answer]:
        paths = (f"{path}?{urlencode({'q': text})}" for text in texts)
        answers = await closed_loop(client, paths, 1)
        client.close()
        return answers

    answers = asyncio.run(answered())
    if any(answer.status != 200 for answer in answers):
        raise InvalidInput(f"{path} was not answered: {answers[-1].body.decode()}")
    return [answer.seconds for answer in answers]


def served(data: Path, texts: Sequence[str], requests: int) -> dict[str, Any]:
    """Measure a service whose films are changed in the end."""
    encoder = open_query_encoder(open_current(data))
    _, key = KeyFolder(data / "keys").create(("write",), "benchmark")
    starts = started(data, texts[0])
    with serving(data, {"HYBRID_WRITES": "on"}) as service:
        (first,) = ask(Client(service.url), "/suggest", texts[0][:5])
        suggestions = ask(Client(service.url), "/suggest", *(text[:5] for text in texts))
        bench = Bench(Client(service.url), encoder, new_texts(texts), requests, 0.0)
        search = asyncio.run(searched(bench, texts))
        memory = memories(service)
        changing = changed(Changes(service.url, key), list(islice(new_texts(texts, 1), FRESH)))
    return {
        "start": median(starts),
        "first_suggestion_ms": round(1000 * first, 1),
        "suggestion": Percentiles.of(suggestions),
        "search": {name: search[name] for name in ("encoding", "new", "stages", "multiples")},
        "memory": memory,
        **changing,
    }


def changed(service: Changes, texts: Sequence[str]) -> dict[str, Any]:
    """Put films one after the other, and search for new texts before that and meanwhile."""
    before, meanwhile = texts[:SEARCHES], texts[SEARCHES:]
    calm = [service.search(text) / 1000 for text in before]
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        searches = pool.submit(search_until, stop, service, meanwhile)
        try:
            puts = [service.put_shown(film) for film in range(FIRST_ID, FIRST_ID + PUTS)]
        finally:
            stop.set()
        busy = [milliseconds / 1000 for milliseconds in searches.result()]
    return {
        "put": {
            "acknowledged": Percentiles.of([each.acknowledged / 1000 for each in puts]),
            "shown": Percentiles.of([each.shown / 1000 for each in puts]),
        },
        "search_beside": {"nothing": Percentiles.of(calm), "puts": Percentiles.of(busy)},
    }


async def searched(bench: Bench, texts: Sequence[str]) -> dict[str, Any]:
    """Measure one client and encoding alone, in turns, after a few that do not count."""
    await closed_loop(bench.client, bench.paths(WARM_UP), 1)
    encode_each(bench.encoder, texts[:WARM_UP])
    results = await one_client(bench)
    bench.client.close()
    return results


def updated(source: Path, data: Path) -> dict[str, Any]:
    """Update the index from a file in which some films differ; verify it."""
    changed = source.with_name("changed.jsonl")
    with source.open(encoding="utf-8") as lines, changed.open("w", encoding="utf-8") as out:
        for number, line in enumerate(lines):
            if number % 331 == 0 and number < 331 * UPDATED:
                film = json.loads(line)
                film["extract"] = f"Film {number} has another beginning. {film['extract'] or ''}"
                out.write(json.dumps(film) + "\n")
            else:
                out.write(line)
    update = run(["update", str(changed), "--data", str(data), "--discard-changes", "--quiet"])
    # The vectors of the sentences that were made are not those that the model gives.
    verified = run(["verify", "--data", str(data)], wrong={"vectors"})
    return {
        "update": update.costs(),
        "verify": verified.costs(),
    }


def measured(
    origin: Origin, films: int, settings: Settings, texts: Sequence[str], requests: int
) -> dict[str, Any]:
    """Return what a catalogue of so many films costs."""
    with tempfile.TemporaryDirectory(dir=settings.data.parent) as folder:
        data, source = Path(folder) / "data", Path(folder) / "films.jsonl"
        data.mkdir()
        shutil.copyfile(settings.data / CACHE, data / CACHE)
        start = monotonic()
        write_catalogue(origin, films, source, data / CACHE)
        click.echo(f"{films:,} films written in {monotonic() - start:.0f} s")
        results = built(source, data)
        click.echo(json.dumps(results))
        results["recall_at_10"] = recall(data, texts, settings.depth)
        results |= served(data, texts, requests)
        return results | updated(source, data)


def lines(found: Mapping[str, Any]) -> Sequence[str]:
    """Return what was measured of one catalogue, in lines."""
    build, search, put = found["build"], found["search"], found["put"]
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in build["stages"].items())
    return (
        f"\n{found['films']:,} films, {found['sentences']:,} sentences",
        f"build            {costs(build)}: {stages}",
        f"disk             {found['disk']}",
        f"recall@10        {found['recall_at_10']:9.4f}  {found['semantic']}",
        f"start            {found['start']:9.2f} s to the first answer",
        f"first suggestion {found['first_suggestion_ms']:9.1f} ms, then {found['suggestion']}",
        f"encoding alone   {search['encoding']}",
        f"search           {search['new']}  {search['multiples']}",
        *(f"  {stage:14} {times}" for stage, times in search["stages"].items()),
        f"own memory       {found['memory'][0]['anonymous_mb']:9.1f} MB",
        f"PUT acknowledged {put['acknowledged']}",
        f"PUT shown        {put['shown']}",
        f"search before    {found['search_beside']['nothing']}",
        f"  beside PUTs    {found['search_beside']['puts']}",
        f"update           {costs(found['update'])}",
        f"verify           {costs(found['verify'])}",
    )


def costs(run: Mapping[str, float]) -> str:
    """Return what a command cost, for a line."""
    return f"{run['seconds']:9.1f} s, {run['cpu_seconds']:.1f} s of CPU, {run['own_mb']:.0f} MB"


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@setting("data")
@click.option("--films", "sizes", multiple=True, type=int, help="films of a catalogue; repeated")
@click.option("--requests", default=300, show_default=True, help="new texts that are searched for")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the results here")
def main(
    source: Path,
    queries: tuple[Path, ...],
    sizes: tuple[int, ...],
    requests: int,
    file: Path | None,
    **given: str | None,
) -> None:
    """Measure larger and larger catalogues made of the films of SOURCE, with the texts of QUERIES.

    If FILE has results already, those of other sizes stay there.
    """
    before, settings, texts = machine(), Settings.load(**given), read_texts(queries)
    fingerprint = load_model(settings.model, settings.models).fingerprint
    origin = Origin.read(source, settings.data / CACHE, fingerprint)
    found = {each["films"]: each for each in _earlier(file)}
    for films in sizes or FILMS:
        results = measured(origin, films, settings, texts, requests)
        for line in lines(results):
            click.echo(line)
        found[results["films"]] = results
        catalogues = [found[number] for number in sorted(found)]
        write_results(file, "growth", before, {"catalogues": catalogues})


def _earlier(file: Path | None) -> Sequence[Mapping[str, Any]]:
    """Return the results that a file has already."""
    if file is None or not file.exists():
        return ()
    catalogues: Sequence[Mapping[str, Any]] = json.loads(file.read_text("utf-8"))["results"][
        "catalogues"
    ]
    return catalogues


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.growth")
