"""Writes docs/performance.md and its pictures from the results of the benchmarks.

    python -m benchmarks.performance_report

Each benchmark's results are a file of `benchmarks/results/`, written by its option --json. The
tables are put between the marks of the page; the text around them is written by hand.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click

from benchmarks.growth_report import growth_picture, growth_rows

Results = Mapping[str, Any]
"""What a file of results holds."""

FOLDER = Path(__file__).parent / "results"

DOCS = Path(__file__).parents[1] / "docs"

WIDTH, ROW, LEFT = 860, 26, 300
"""Of the picture: its width, the height of a bar with its gap, and where bars begin."""


def table(head: Sequence[str], rows: Iterator[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def measured_on(results: Results) -> str:
    """Return when and on what something was measured, in a sentence."""
    on, packages = results["machine"], results["versions"]
    names = ", ".join(f"{name} {version}" for name, version in packages.items())
    return (
        f"Measured on {results['date']}: {on['processor']}, {on['cores']} cores, "
        f"{on['memory_gb']} GB, {on['system']}, Python {on['python']}; {names}; "
        f"load of the machine before {on['load_before']:g}."
    )


def latency_table(results: Results) -> str:
    """Return the tables of the benchmark of latency."""
    return "\n\n".join(_of_engine(engine) for engine in results["results"]["engines"])


def _of_engine(engine: Mapping[str, Any]) -> str:
    alone = engine["encoding"]["p50"]

    def rows() -> Iterator[Sequence[object]]:
        yield ("encoding alone", *_times(engine["encoding"], alone))
        after = "encoding alone, each text after 10 ms of nothing"
        yield (after, *_times(engine["encoding_after_pause"], alone))
        yield ("new texts", *_times(engine["new"], alone))
        yield ("all but the fusion cached", *_times(engine["cached"], alone))
        for stage, times in engine["stages"].items():
            yield (f"new texts: {stage}", *_times(times, alone))

    def loads() -> Iterator[Sequence[object]]:
        for row in engine["closed"]:
            yield (
                f"{row['clients']} clients",
                row["rate"],
                f"{row['share_of_encoding']:.0%}",
                *_loaded(row),
            )
        for row in engine["open"]:
            share = row["rate"] / engine["encodings_a_second"]
            yield f"{row['offered']} arrive a second", row["rate"], f"{share:.0%}", *_loaded(row)

    processes = ", ".join(f"{each['anonymous_mb']:.0f} MB" for each in engine["memory"])
    return "\n\n".join(
        (
            f"**{engine['engine'].capitalize()} engine**, {engine['films']:,} films with "
            f"{engine['sentences']:,} sentences. Ready {engine['start']:.2f} s after its start; "
            f"own memory of its processes afterwards: {processes}.",
            table(("one client", "p50 ms", "p95 ms", "p99 ms", "p50 ÷ encoding"), rows()),
            f"Encoding alone, on all cores: {engine['encodings_a_second']:.1f} a second.",
            table(
                ("load", "answers a second", "of encoding", "p50 ms", "p95 ms", "p99 ms", "others"),
                loads(),
            ),
        )
    )


def _times(times: Mapping[str, float], alone: float) -> Sequence[object]:
    return (
        *(f"{times[name]:.2f}" for name in ("p50", "p95", "p99")),
        f"{times['p50'] / alone:.2f}",
    )


def _loaded(row: Mapping[str, Any]) -> Sequence[object]:
    others = [f"{row[name]} {name}" for name in ("refused", "degraded", "failed") if row[name]]
    times = row["latency"]
    return (
        *(f"{times[name]:.1f}" for name in ("p50", "p95", "p99")),
        ", ".join(others) or "none",
    )


def faiss_table(results: Results) -> str:
    """Return the table of settings of FAISS."""
    settings = results["results"]["settings"]
    exact = settings[0]["latency"]["p50"]

    def rows() -> Iterator[Sequence[object]]:
        for each in settings:
            share = each["share_of_float32"]
            yield (
                each["name"],
                f"`{each['factory']}`" if each["factory"] else "",
                each["nprobe"] or "",
                f"{each['recall_at_10']:.3f}",
                f"{each['latency']['p50']:.2f}",
                f"{exact / each['latency']['p50']:.1f}",
                each["megabytes"] or "",
                f"1/{1 / share:.1f}" if share else "",
            )

    return table(
        ("setting", "index", "nprobe", "recall@10", "p50 ms", "times faster", "MB", "of float32"),
        rows(),
    )


def filters_table(results: Results) -> str:
    """Return the table of filters."""

    def rows() -> Iterator[Sequence[object]]:
        for each in results["results"]["shares"]:
            yield (
                f"{each['share']:.1%}",
                f"{each['films']:,.0f}",
                f"{each['recall_at_10']:.4f}",
                f"{each['semantic']['p50']:.2f}",
                f"{each['semantic']['p95']:.2f}",
                f"{each['exact']['p50']:.2f}",
            )

    return table(
        ("allowed", "films", "recall@10", "p50 ms", "p95 ms", "exact scan, p50 ms"), rows()
    )


def peers_table(results: Results) -> str:
    """Return the table of peers."""
    found = results["results"]["all"]
    kinds = list(found[0]["ndcg"])

    def rows() -> Iterator[Sequence[object]]:
        for each in found:
            yield (
                f"{each['name']} {each['version']}".strip(),
                each["encoding"],
                *(f"{each['ndcg'][kind]:.3f}" for kind in kinds),
                f"{each['latency']['p50']:.1f}",
                f"{each['latency']['p95']:.1f}",
                each["rate"],
                f"{each['anonymous_mb']:.0f}",
                f"{each['build_seconds']:.1f}",
                f"{each['disk_mb']:.0f}",
            )

    return table(
        (
            "",
            "vectors",
            *kinds,
            "p50 ms",
            "p95 ms",
            "a second, 8 clients",
            "own memory MB",
            "build s",
            "disk MB",
        ),
        rows(),
    )


def encoders_table(results: Results) -> str:
    """Return the table of ways to embed a query, and what 1.00 in it stands for."""
    ways = results["results"]["ways"]
    first = next(iter(ways.values()))
    times = ("p50_ms", "p95_ms", "cpu_ms")
    rates = [name for name in first if name.startswith(("threads_", "processes_"))]

    def rows() -> Iterator[Sequence[object]]:
        for name, way in ways.items():
            yield (
                name,
                f"{way['least_cosine']:.5f}",
                *(f"{way[key] / first[key]:.2f}" for key in (*times, *rates)),
                f"{way['open_s']:.2f}",
                f"{way['anonymous_mb']:.0f}",
            )

    head = ("", "cosine", "p50", "p95", "CPU", *rates, "to open, s", "own memory, MB")
    tokenizing = ", ".join(
        f"{value:.0f} µs {name}" for name, value in results["results"]["tokenizing_us"].items()
    )
    return (
        f"{table([name.replace('_', ': ') for name in head], rows())}\n\n"
        f"{results['results']['queries']} queries; 1.00 is {first['p50_ms']:.2f} ms (p50), "
        f"{first['p95_ms']:.2f} ms (p95), {first['cpu_ms']:.2f} ms of CPU and "
        f"{first['threads_1']:.0f} texts a second in one thread. Tokenising takes {tokenizing}."
    )


def growth_table(results: Results) -> str:
    """Return the table of catalogues of several sizes."""
    catalogues = results["results"]["catalogues"]
    head = ("films", *(f"{found['films']:,}" for found in catalogues))
    return table(head, growth_rows(catalogues))


TABLES: Mapping[str, Callable[[Results], str]] = {
    "latency": latency_table,
    "faiss_settings": faiss_table,
    "filters": filters_table,
    "peers": peers_table,
    "encoders": encoders_table,
    "growth": growth_table,
}
"""The name of a benchmark and of its file and mark -> its tables."""


def figures(found: Mapping[str, Results]) -> str:
    """Return the table of the figures that count most, each with the benchmark that prints it."""
    return table(("what", "measured", "by `python -m`"), _figures(found))


def _figures(found: Mapping[str, Results]) -> Iterator[Sequence[object]]:
    for engine in found["latency"]["results"]["engines"] if "latency" in found else ():
        name, times = engine["engine"], engine["multiples"]
        peak = max(row["share_of_encoding"] for row in engine["closed"] if row["clients"] == 8)
        by = "`benchmarks.latency`"
        both = f"{times['new_p50']:.2f}, {times['new_p95']:.2f}"
        yield f"{name}: a new query, p50 and p95 ÷ p50 of encoding alone", both, by
        yield f"{name}: answers a second of 8 clients, of encoding on all cores", f"{peak:.0%}", by
        cached = f"{times['cached_p50']:.2f}"
        yield f"{name}: all but the fusion cached, ÷ encoding alone", cached, by
        own = f"{engine['memory'][0]['anonymous_mb']:.0f} MB"
        yield f"{name}: own memory of the largest process", own, by
        yield f"{name}: cold start to ready", f"{engine['start']:.2f} s", by
    if "peers" in found:
        for name, times in found["peers"]["results"]["ratios"].items():
            both = f"{times['p50']:.2f}, {times['rate']:.2f}"
            yield f"{name} vectors: its p50 ÷ ours, our rate ÷ its", both, "`benchmarks.peers`"
    if "faiss_settings" in found:
        settings, by = found["faiss_settings"]["results"]["settings"], "`benchmarks.faiss_settings`"
        share, faster = settings[-1]["share_of_float32"], _faster(settings)
        yield "index ÷ float32 vectors; times faster than exact", f"1/{1 / share:.1f}; {faster}", by
    if "filters" in found:
        shares = found["filters"]["results"]["shares"]
        recalls = ", ".join(f"{each['recall_at_10']:.4f}" for each in shares)
        allowed = ", ".join(f"{each['share']:g}" for each in shares)
        yield f"recall@10 where filters allow {allowed}", recalls, "`benchmarks.filters`"


def _faster(settings: Sequence[Mapping[str, Any]]) -> str:
    return f"{settings[0]['latency']['p50'] / settings[-1]['latency']['p50']:.1f}"


def picture(found: Mapping[str, Results]) -> str:
    """Return the picture: what a query takes and how many are answered, as bars in SVG."""
    groups = list(_bars(found))
    parts, y = [], 30
    for title, bars in groups:
        parts.append(f'<text x="20" y="{y}" class="head">{escape(title)}</text>')
        largest = max(value for _, value in bars)
        for name, value in bars:
            y += ROW
            width = (WIDTH - LEFT - 90) * value / largest
            kind = "own" if name.startswith(("this project", "encoding")) else "other"
            parts.append(
                f'<text x="{LEFT - 10}" y="{y}" class="name">{escape(name)}</text>'
                f'<rect x="{LEFT}" y="{y - 13}" width="{width:.1f}" height="17" class="{kind}"/>'
                f'<text x="{LEFT + width + 8:.1f}" y="{y}">{value:.1f}</text>'
            )
        y += 2 * ROW
    described = "; ".join(
        f"{title}: {', '.join(f'{name} {value:.1f}' for name, value in bars)}"
        for title, bars in groups
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - ROW}" '
        'font-family="system-ui, sans-serif" font-size="14" role="img" aria-labelledby="t d">\n'
        '<title id="t">Latency and throughput beside encoding alone and beside peers</title>\n'
        f'<desc id="d">{escape(described)}</desc>\n'
        "<style>text { fill: #223 } .head { font-weight: 600 } .name { text-anchor: end } "
        ".own { fill: #2a5db0 } .other { fill: #b9b9ae }</style>\n"
        f'<rect width="{WIDTH}" height="{y - ROW}" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bars(found: Mapping[str, Results]) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    if "latency" in found:
        engines = found["latency"]["results"]["engines"]
        bars = [("encoding alone", engines[0]["encoding"]["p50"])]
        for engine in engines:
            bars.append((f"this project, {engine['engine']}", engine["new"]["p50"]))
            bars.append((f"this project, {engine['engine']}, cached", engine["cached"]["p50"]))
        yield "One query over HTTP, p50 in milliseconds", bars
    if "peers" in found:
        everyone = found["peers"]["results"]["all"]
        own = [each for each in everyone if each["encoding"] == "own"]
        yield (
            "Beside peers, each with its own encoding: p50 in milliseconds",
            [(each["name"], each["latency"]["p50"]) for each in own],
        )
        yield (
            "Beside peers: answers a second, 8 clients",
            [(each["name"], each["rate"]) for each in own],
        )


def pictures(found: Mapping[str, Results]) -> Mapping[str, str]:
    """Return the pictures of these results, by the names of their files."""
    drawn = {"performance.svg": picture(found)}
    if "growth" in found:
        drawn["growth.svg"] = growth_picture(found["growth"]["results"]["catalogues"])
    return drawn


def read(folder: Path) -> dict[str, Results]:
    """Return the results that there are in a folder, by the name of the benchmark."""
    files = {name: folder / f"{name}.json" for name in TABLES}
    return {
        name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()
    }


def page_of(page: str, found: Mapping[str, Results]) -> str:
    """Return the page with the tables of these results. Raises UsageError if marks are missing."""
    page = filled(page, "figures", figures(found))
    for name, content in found.items():
        page = filled(page, name, f"{TABLES[name](content)}\n\n{measured_on(content)}")
    return page


def filled(page: str, name: str, text: str) -> str:
    """Return the page with this text between the marks of a name. Raises UsageError without."""
    mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not mark.search(page):
        raise click.UsageError(f"the page has no marks of {name}")
    return mark.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


@click.command()
@click.option("--results", default=FOLDER, type=click.Path(path_type=Path, exists=True))
@click.option("--docs", default=DOCS, type=click.Path(path_type=Path, exists=True))
def main(results: Path, docs: Path) -> None:
    """Write the tables and the pictures of docs/performance.md from the files of results."""
    found, file = read(results), docs / "performance.md"
    file.write_text(page_of(file.read_text("utf-8"), found), encoding="utf-8")
    for name, drawn in pictures(found).items():
        (docs / name).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
