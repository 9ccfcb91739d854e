"""Latency and throughput of searches over HTTP, as multiples of encoding alone.

    python -m benchmarks.latency QUERIES.jsonl ... --data DIR [--data DIR] [--json FILE]

For each DIR a service of its own is started; an index in Elasticsearch needs its URL. Measured are
the start of the service, one client in turns with encoding alone (each text is new; then texts
whose vectors and candidates are cached, with another fusion each time), more clients that ask one
request after another, requests that arrive at random whether others are answered or not, and the
memory of each process after all that.
"""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import monotonic, process_time
from typing import Any, get_args
from urllib.parse import urlencode

import click

from benchmarks.encoding import encode_each, encodings_a_second
from benchmarks.load import REFUSED, Answer, Client, closed_loop, open_loop, poisson
from benchmarks.percentiles import Percentiles
from benchmarks.results import machine, write_results
from benchmarks.service import Service, memory, processes, serving
from benchmarks.texts import new_texts, read_texts
from hybrid.engines.factory import open_query_encoder
from hybrid.engines.protocols import Encoder
from hybrid.errors import InvalidInput
from hybrid.query import FusionMethod
from hybrid.storage.generation import open_current
from hybrid.terminal.commands import setting

CLIENTS = (1, 2, 4, 8, 16, 32)
"""Clients of the closed loop."""

SHARES = (0.25, 0.5, 0.75, 0.9)
"""Rates of the open loop, as shares of the largest throughput of the closed loop."""

BLOCKS = 10
"""Turns of encoding alone and of one client."""

PAUSE = 0.01
"""Seconds of doing nothing before a text, in which others evict the model from the CPU's caches."""

CACHED_TEXTS = 20
"""Texts that are asked again and again where all but the fusion is cached."""

WARM_UP = 50
"""Requests before any that count."""


@dataclass(frozen=True)
class Bench:
    """What is measured: a service, its encoder, and the texts that nobody has asked it yet."""

    client: Client
    encoder: Encoder
    texts: Iterator[str]
    requests: int
    seconds: float

    def paths(self, count: int | None = None) -> Iterator[str]:
        """Yield searches with new texts."""
        return (f"/search?{urlencode({'q': text})}" for text in islice(self.texts, count))


def answered(answers: Sequence[Answer]) -> list[float]:
    """Return the seconds of the answers. Raises InvalidInput if there is none."""
    seconds = [answer.seconds for answer in answers if answer.status == 200]
    if not seconds:
        raise InvalidInput("the service answered none of the requests")
    return seconds


def stages(answers: Sequence[Answer]) -> dict[str, Percentiles]:
    """Return the times of each stage as the service reports them, and of what is around them."""
    found: dict[str, list[float]] = {}
    for answer in answers:
        if answer.status != 200:
            continue
        timings = json.loads(answer.body)["timings_ms"]
        for stage, milliseconds in timings.items():
            found.setdefault(stage, []).append(milliseconds / 1000)
        around = answer.seconds - timings["total"] / 1000
        found.setdefault("HTTP, parsing, serialising", []).append(around)
        without = answer.seconds - timings.get("encode", 0.0) / 1000
        found.setdefault("all but encoding", []).append(without)
    return {stage: Percentiles.of(seconds) for stage, seconds in found.items()}


async def one_client(bench: Bench) -> dict[str, Any]:
    """Measure encoding alone and one client in turns, so that both see the same machine."""
    encoding: list[float] = []
    paused: list[float] = []
    answers: list[Answer] = []
    for _ in range(BLOCKS):
        some = list(islice(bench.texts, bench.requests // BLOCKS))
        encoding += encode_each(bench.encoder, some)
        paths = (f"/search?{urlencode({'q': text})}" for text in some)
        answers += await closed_loop(bench.client, paths, 1)
        others = islice(bench.texts, bench.requests // BLOCKS)
        paused += encode_each(bench.encoder, others, PAUSE)
    cached = await closed_loop(bench.client, cached_paths(bench), 1)
    alone, new = Percentiles.of(encoding), Percentiles.of(answered(answers))
    again = Percentiles.of(answered(cached[CACHED_TEXTS:]))
    return {
        "encoding": alone,
        "encoding_after_pause": Percentiles.of(paused),
        "new": new,
        "cached": again,
        "stages": stages(answers),
        "stages_cached": stages(cached[CACHED_TEXTS:]),
        "multiples": {
            "new_p50": round(new.p50 / alone.p50, 3),
            "new_p95": round(new.p95 / alone.p50, 3),
            "cached_p50": round(again.p50 / alone.p50, 3),
        },
    }


def cached_paths(bench: Bench) -> Iterator[str]:
    """Yield each of a few texts, and then all of them again with other fusions."""
    chance, texts = random.Random(0), list(islice(bench.texts, CACHED_TEXTS))
    for text in texts:
        yield f"/search?{urlencode({'q': text})}"
    for number in range(bench.requests):
        fusion = chance.choice(get_args(FusionMethod))
        query = {"q": texts[number % len(texts)], "fusion": fusion, "alpha": chance.random()}
        yield f"/search?{urlencode(query)}"


async def closed(bench: Bench, known: Sequence[str]) -> dict[str, Any]:
    """Measure clients that ask one request after another, in turns with encoding on all cores."""
    encodings: list[float] = []
    rows: list[dict[str, Any]] = []
    for clients in CLIENTS:
        encodings.append(encodings_a_second(bench.encoder, known, bench.seconds / 2))
        bench.client.close()  # the service has closed what was idle for so long
        start, used = monotonic(), process_time()
        answers = await closed_loop(bench.client, bench.paths(), clients, bench.seconds)
        seconds, used = monotonic() - start, process_time() - used
        row = {"clients": clients, **loaded(answers, seconds)}
        rows.append(row | {"client_cpu_ms": round(1000 * used / len(answers), 3)})
    alone = median(encodings)
    for row in rows:
        row["share_of_encoding"] = round(row["rate"] / alone, 3)
    return {"encodings_a_second": round(alone, 1), "closed": rows}


async def opened(bench: Bench, rates: Sequence[float]) -> list[dict[str, Any]]:
    """Measure requests that arrive at random at each of the rates."""
    rows = []
    for rate in rates:
        arrivals = poisson(rate, bench.seconds)
        answers = await open_loop(bench.client, bench.paths(), arrivals)
        rows.append({"offered": round(rate, 1), **loaded(answers, bench.seconds)})
    return rows


def loaded(answers: Sequence[Answer], seconds: float) -> dict[str, Any]:
    """Return answers a second, their percentiles, and how many requests ended otherwise.

    An answer without one of the engines is degraded; it counts as answered.
    """
    times = answered(answers)
    refused = sum(answer.status == REFUSED for answer in answers)
    bodies = (json.loads(answer.body) for answer in answers if answer.status == 200)
    return {
        "rate": round(len(times) / seconds, 1),
        "latency": Percentiles.of(times),
        "refused": refused,
        "degraded": sum(bool(body["degraded"]) for body in bodies),
        "failed": len(answers) - len(times) - refused,
    }


async def measure(bench: Bench, known: Sequence[str], rates: Sequence[float]) -> dict[str, Any]:
    """Measure a service; give all that was measured."""
    await closed_loop(bench.client, bench.paths(WARM_UP), 1)
    encode_each(bench.encoder, known[:WARM_UP])
    results = await one_client(bench)
    results |= await closed(bench, known)
    peak = max(row["rate"] for row in results["closed"])
    results["open"] = await opened(bench, rates or [share * peak for share in SHARES])
    bench.client.close()
    return results


def memories(service: Service) -> list[dict[str, Any]]:
    """Return the memory of each process of the service, the one with most of its own first."""
    found = [memory(pid) for pid in processes(service.pid)]
    found.sort(key=lambda each: -each.anonymous)
    return [{"anonymous_mb": each.anonymous, "resident_mb": each.resident} for each in found]


def starts(data: Path, variables: Mapping[str, str], count: int) -> list[float]:
    """Start the service again and again; return the seconds until it was ready."""
    seconds = []
    for _ in range(count):
        with serving(data, variables) as service:
            seconds.append(round(service.start, 3))
    return seconds


def lines(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was measured of one engine, in lines."""
    new_p50, new_p95, cached_p50 = results["multiples"].values()
    yield f"\n{results['engine']} engine, {results['films']:,} films"
    yield f"{'cold start to ready':34} {results['start']:8.2f} s"
    for process in results["memory"]:
        yield f"{'memory of a process, its own':34} {process['anonymous_mb']:8.1f} MB"
    yield f"{'encoding alone':34} {results['encoding']}"
    yield f"{'  after 10 ms of nothing':34} {results['encoding_after_pause']}"
    yield f"{'one client, new texts':34} {results['new']}"
    yield f"{'  as multiples of encoding p50':34} p50 {new_p50:8.2f}  p95 {new_p95:8.2f}"
    yield f"{'one client, all but fusion cached':34} {results['cached']}"
    yield f"{'  as multiple of encoding p50':34} p50 {cached_p50:8.2f}"
    for stage, percentiles in results["stages"].items():
        yield f"  {stage:32} {percentiles}"
    yield f"encoding alone on all cores {results['encodings_a_second']:8.1f} a second"
    for row in results["closed"]:
        name = f"{row['clients']} clients"
        yield f"{name:12}{row['rate']:7.1f} a second ({row['share_of_encoding']:.0%})  {_tail(row)}"
    for row in results["open"]:
        name = f"{row['offered']} arrive"
        yield f"{name:12}{row['rate']:7.1f} a second         {_tail(row)}"


def _tail(row: Mapping[str, Any]) -> str:
    return f"{row['latency']}" + "".join(
        f"  {row[outcome]} {outcome}" for outcome in ("refused", "degraded", "failed")
    )


@click.command()
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    "folders",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="folder of an index; may be repeated",
)
@setting("elasticsearch_url")
@click.option("--requests", default=500, show_default=True, help="of one client")
@click.option("--seconds", default=10.0, show_default=True, help="of each number of clients")
@click.option("--rate", "rates", multiple=True, type=float, help="arrivals a second; repeated")
@click.option("--starts", "count", default=5, show_default=True, help="starts of the service")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the results here")
def main(  # noqa: PLR0913, PLR0917 (click passes each option)
    queries: tuple[Path, ...],
    folders: tuple[Path, ...],
    elasticsearch_url: str | None,
    requests: int,
    seconds: float,
    rates: tuple[float, ...],
    count: int,
    file: Path | None,
) -> None:
    """Measure a service of the index in each folder, with the texts of QUERIES."""
    before, known = machine(), read_texts(queries)
    variables = {"HYBRID_ELASTICSEARCH_URL": elasticsearch_url} if elasticsearch_url else {}
    engines = []
    for data in folders:
        generation = open_current(data)
        described = generation.manifest
        results: dict[str, Any] = {
            "engine": described.lexical.engine,
            "films": described.counts.movies,
            "sentences": described.counts.sentences,
        }
        times = starts(data, variables, count)
        results |= {"start": median(times), "starts": times}
        with serving(data, variables) as service:
            client = Client(service.url)
            bench = Bench(
                client, open_query_encoder(generation), new_texts(known), requests, seconds
            )
            results |= asyncio.run(measure(bench, known, rates))
            results["memory"] = memories(service)
        for line in lines(results):
            click.echo(line)
        engines.append(results)
    write_results(file, "latency", before, {"engines": engines})


if __name__ == "__main__":
    main()
