"""The table and the picture of how an index grows, from the results of `benchmarks.growth`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log10
from typing import Any
from xml.sax.saxutils import escape

Catalogue = Mapping[str, Any]
"""What was measured of one catalogue."""

WIDTH, HEIGHT = 860, 470

LEFT, RIGHT, TOP, BOTTOM = 70, 230, 20, 40
"""Margins of the plot; at its right are the names of the lines."""

COLOURS = ("#2a5db0", "#b0492a", "#2f7d4f", "#7a4aa8", "#8a6d1f", "#1f7f8a", "#6b6b6b")

NAME_GAP = 16
"""The least distance of two names."""

LINES: Mapping[str, Callable[[Catalogue], float]] = {
    "build, cached": lambda found: found["build"]["seconds"],
    "update of 100 films": lambda found: found["update"]["seconds"],
    "verify": lambda found: found["verify"]["seconds"],
    "start to first answer": lambda found: found["start"],
    "PUT acknowledged": lambda found: found["put"]["acknowledged"]["p50"] / 1000,
    "search, new texts": lambda found: found["search"]["new"]["p50"] / 1000,
    "encoding alone": lambda found: found["search"]["encoding"]["p50"] / 1000,
}
"""The lines of the picture: names, and seconds."""


def growth_rows(catalogues: Sequence[Catalogue]) -> Iterator[Sequence[object]]:
    """Yield the rows of the table, with what was measured of each catalogue in a column."""
    for name, value in CELLS.items():
        yield (name, *(value(found) for found in catalogues))


def _build_stages(found: Catalogue) -> str:
    stages = found["build"]["stages"]
    return ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in stages.items() if seconds >= 1)


def _times(times: Mapping[str, float]) -> str:
    return f"{times['p50']:.1f}, {times['p95']:.1f}"


def _p95_ratio(beside: Mapping[str, Mapping[str, float]]) -> float:
    return beside["puts"]["p95"] / beside["nothing"]["p95"]


def _command(run: Mapping[str, float]) -> str:
    return f"{run['seconds']:.1f}, {run['cpu_seconds']:.1f}, {run['own_mb']:.0f}"


def _disk(disk: Mapping[str, float]) -> str:
    parts = "vectors", "text", "others"
    return ", ".join(f"{disk[f'{part}_mb']:,.0f}" for part in parts)


CELLS: Mapping[str, Callable[[Catalogue], str]] = {
    "sentences": lambda found: f"{found['sentences']:,}",
    "build: s, s of CPU, own MB": lambda found: _command(found["build"]),
    "of that, s": _build_stages,
    "disk, MB: vectors, text, all else": lambda found: _disk(found["disk"]),
    "lists, of which probed": lambda found: (
        f"{found['semantic']['lists']}, {found['semantic']['nprobe']}"
    ),
    "recall@10 of judged queries": lambda found: f"{found['recall_at_10']:.4f}",
    "start to first answer, s": lambda found: f"{found['start']:.2f}",
    "encoding alone, p50 and p95 ms": lambda found: _times(found["search"]["encoding"]),
    "search, new texts, p50 and p95 ms": lambda found: _times(found["search"]["new"]),
    "p50 ÷ encoding alone": lambda found: f"{found['search']['multiples']['new_p50']:.2f}",
    "titles, p50 and p95 ms": lambda found: _times(found["search"]["stages"]["titles"]),
    "keyword, p50 and p95 ms": lambda found: _times(found["search"]["stages"]["keyword"]),
    "semantic, p50 and p95 ms": lambda found: _times(found["search"]["stages"]["semantic"]),
    "first suggestion, ms": lambda found: f"{found['first_suggestion_ms']:.0f}",
    "suggestion, p50 and p95 ms": lambda found: _times(found["suggestion"]),
    "own memory of a worker, MB": lambda found: f"{found['memory'][0]['anonymous_mb']:.0f}",
    "PUT acknowledged, p50 and p95 ms": lambda found: _times(found["put"]["acknowledged"]),
    "PUT shown, p50 and p95 ms": lambda found: _times(found["put"]["shown"]),
    "search before PUTs, p50 and p95 ms": lambda found: _times(found["search_beside"]["nothing"]),
    "search beside PUTs, p50 and p95 ms": lambda found: _times(found["search_beside"]["puts"]),
    "p95 ÷ before": lambda found: f"{_p95_ratio(found['search_beside']):.2f}",
    "update of 100 films: s, s of CPU, own MB": lambda found: _command(found["update"]),
    "verify: s, s of CPU, own MB": lambda found: _command(found["verify"]),
}
"""The rows of the table: what they are, and how a cell is written."""


def growth_picture(catalogues: Sequence[Catalogue]) -> str:
    """Return the picture: seconds by the number of films, both on logarithmic scales, in SVG."""
    films = [found["films"] for found in catalogues]
    seconds = {name: [value(found) for found in catalogues] for name, value in LINES.items()}
    every = [each for values in seconds.values() for each in values]
    bottom, top = int(log10(min(every)) // 1), int(-(-log10(max(every)) // 1))

    def x(count: float) -> float:
        span = log10(films[-1] / films[0]) or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * log10(count / films[0]) / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - log10(value)) / (top - bottom)

    parts = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(10**p):.1f}" y2="{y(10**p):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y(10**p) + 5:.1f}" class="axis">{_seconds(p)}</text>'
        for p in range(bottom, top + 1)
    ]
    parts += [
        f'<text x="{x(count):.1f}" y="{HEIGHT - 12}" class="films">{count:,}</text>'
        for count in films
    ]
    lowest = float(HEIGHT)
    names = sorted(seconds, key=lambda name: seconds[name][-1])
    for name, colour in zip(names, COLOURS, strict=True):
        points = zip(films, seconds[name], strict=True)
        line = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in points)
        lowest = min(y(seconds[name][-1]) + 5, lowest - NAME_GAP)
        parts.append(
            f'<polyline points="{line}" stroke="{colour}"/>'
            f'<text x="{WIDTH - RIGHT + 10}" y="{lowest:.1f}" fill="{colour}">{name}</text>'
        )
    described = "; ".join(
        f"{name}: {', '.join(f'{value:.3g} s' for value in values)}"
        for name, values in seconds.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="14" role="img" aria-labelledby="t d">\n'
        '<title id="t">Seconds by the number of films</title>\n'
        f'<desc id="d">Of {", ".join(f"{count:,}" for count in films)} films. '
        f"{escape(described)}</desc>\n"
        "<style>line { stroke: #ddd } polyline { fill: none; stroke-width: 2.5 } "
        ".axis { text-anchor: end; fill: #556 } .films { text-anchor: middle; fill: #556 }</style>"
        f'\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _seconds(power: int) -> str:
    return f"{10**power:,} s" if power >= 0 else f"{10 ** (power + 3):,} ms"
