"""Whether a service holds on to memory: many requests, with changes of films among them.

    HYBRID_KEY=KEY python -m benchmarks.soak http://127.0.0.1:8000 QUERIES.jsonl ...

The service must accept changes (HYBRID_WRITES=on) by a key with the scope write, and have time for
all clients (HYBRID_DEADLINE, HYBRID_MAX_WAIT). Half of the texts are new, half are asked again and
again. Prints the memory of its processes as it goes, added up (pages of mapped files count in each
process that has read them), and at the end the slope over the second half, in MB for 100,000
requests, and how many requests were not answered.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import click
import numpy as np
import urllib3

from benchmarks.texts import new_texts, read_texts

CLIENTS = 6

SAMPLES = 40
"""Times that memory is read."""

FILM = 900_000_000
"""The first id of the films that are added and removed."""


def paths(texts: list[str], seed: int) -> Iterator[str]:
    """Yield searches, comparisons, films and pages until all new texts are used up."""
    chance = random.Random(seed)
    for new in new_texts(texts, seed):
        query = urlencode({"q": chance.choice((new, chance.choice(texts)))})
        yield chance.choices(
            (
                f"/search?{query}",
                f"/search?{query}&explain=full&highlight=true",
                f"/?{query}",
                f"/compare?{query}",
                f"/movies/{chance.randrange(40_000)}",
                "/health/ready",
                "/metrics",
            ),
            (60, 4, 8, 2, 20, 3, 3),
        )[0]


def memory(pool: urllib3.HTTPConnectionPool, headers: dict[str, str]) -> float:
    """Return the resident memory of all processes of the service in MB."""
    text = pool.request("GET", "/metrics", headers=headers).data.decode()
    lines = (line for line in text.splitlines() if line.startswith("process_resident_memory"))
    return sum(float(line.split()[-1]) for line in lines) / 2**20


def ask(pool: urllib3.HTTPConnectionPool, texts: list[str], seed: int, count: int) -> int:
    """Send requests one after another; return how many were not answered with 200 or 404."""
    some = paths(texts, seed)
    answers = (pool.request("GET", next(some)).status for _ in range(count))
    return sum(status not in (200, 404) for status in answers)


def change(pool: urllib3.HTTPConnectionPool, number: int, headers: dict[str, str]) -> int:
    """Add a film, or remove the one added before; return 1 if that is not answered with 200."""
    url = f"/movies/{FILM + number // 2}"
    if number % 2:
        answer = pool.request("DELETE", url, headers=headers)
    else:
        film = {"title": f"Soak {number}", "description": "It runs on and on. Nothing leaks."}
        answer = pool.request("PUT", url, json=film, headers=headers)
    return int(answer.status != 200)


@click.command()
@click.argument("url")
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--requests", default=100_000, show_default=True)
@click.option("--changes", default=50, show_default=True)
def main(url: str, queries: tuple[Path, ...], requests: int, changes: int) -> None:
    """Soak the service at URL, which must be of this machine."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise click.UsageError("a service of this machine only")
    headers = {"Authorization": f"Bearer {os.environ['HYBRID_KEY']}"}
    texts = read_texts(queries)
    sizes, failed, changed = [], 0, 0
    with (
        urllib3.HTTPConnectionPool(parts.hostname, parts.port, maxsize=CLIENTS + 1) as pool,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        each = requests // SAMPLES // CLIENTS
        for sample in range(SAMPLES):
            seeds = range(sample * CLIENTS, (sample + 1) * CLIENTS)
            running = [threads.submit(ask, pool, texts, seed, each) for seed in seeds]
            while changed < changes * (sample + 1) // SAMPLES:
                failed += change(pool, changed, headers)
                changed += 1
            failed += sum(done.result() for done in running)
            sizes.append(memory(pool, headers))
            click.echo(f"{(sample + 1) * each * CLIENTS:8} requests {sizes[-1]:8.1f} MB")
    half = sizes[SAMPLES // 2 :]
    slope = np.polyfit(np.arange(len(half)) * each * CLIENTS, half, 1)[0] * 100_000
    click.echo(f"{slope:+.1f} MB for 100,000 requests; {changed} changes; {failed} not answered")


if __name__ == "__main__":
    main()
