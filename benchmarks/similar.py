"""How well similar films are found, and how fast: `python -m benchmarks.similar --data DIR`.

Nobody has judged which films are alike, so two things stand in: films whose title continues that of
another one ("The Godfather Part II"), which should be among the first 20 of it, though titles are
not compared; and the genres that the first 10 films share with the film (Jaccard index).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from time import perf_counter
from typing import NamedTuple

import click
import numpy as np

from hybrid.movie import name_keys
from hybrid.query import SimilarQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.similar import similar
from hybrid.text.title_words import whole_title
from hybrid.wiring import open_search

SERIES, FIRST = 6, 20
"""Films of a series at most, and the places in which they count as found."""

RUNS: Sequence[Mapping[str, object]] = (
    {"mode": "keyword"},
    {"mode": "semantic"},
    *({"fusion": "attainable", "alpha": alpha} for alpha in (0.2, 0.3, 0.4, 0.5, 0.7)),
    *({"fusion": fusion, "alpha": 0.5} for fusion in ("min_max", "z_score", "dbsf", "rrf")),
)


class Series(NamedTuple):
    """A film, and the others whose title begins with all of its title."""

    film: int
    others: Sequence[int]


def series(search: HybridSearch) -> Iterator[Series]:
    """Yield the films that have sequels, by their titles; of two words or more, to be of one."""
    titles: dict[int, str] = {}
    by_word: dict[str, list[int]] = {}
    for film, (_, _, title, _) in search.catalogue.search_columns().items():
        titles[film] = whole_title(title)
        by_word.setdefault(titles[film].split(" ")[0], []).append(film)
    for film, title in titles.items():
        if " " not in title:
            continue
        same = by_word[title.split(" ")[0]]
        others = [other for other in same if titles[other].startswith(f"{title} ")]
        if 1 <= len(others) <= SERIES:
            yield Series(film, others)


def genre_agreement(search: HybridSearch, film: int, found: Sequence[int]) -> float:
    """Return the mean Jaccard index of the genres of a film and of those found."""
    own = set(name_keys(search.movie(film).genres))
    others = [set(name_keys(search.movie(other).genres)) for other in found]
    return float(np.mean([len(own & other) / len(own | other) for other in others]))


@click.command(help=__doc__)
@click.option("--data", required=True)
@click.option("--films", default=200, show_default=True, help="number of films with sequels")
def main(data: str, films: int) -> None:
    """Print a table of the runs."""
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        sample = random.Random(1).sample(list(series(search)), films)
        print(f"{len(sample)} films with sequels, {search.duplicates.count()} groups of duplicates")
        print(f"{'':32} sequels in {FIRST}   genres of 10   ms: median, 95th percentile")
        for run in RUNS:
            recalls, agreements, times = [], [], []
            for film, others in sample:
                query = SimilarQuery.model_validate({"id": film, "limit": FIRST, **run})
                start = perf_counter()
                found = [hit.id for hit in similar(search, query).hits]
                times.append(1000 * (perf_counter() - start))
                recalls.append(len(set(found) & set(others)) / len(others))
                if found and search.movie(film).genres:
                    agreements.append(genre_agreement(search, film, found[:10]))
            name = " ".join(map(str, run.values()))
            median, slow = np.percentile(times, (50, 95))
            print(
                f"{name:32} {np.mean(recalls):13.3f} {np.mean(agreements):14.3f}"
                f" {median:8.1f} {slow:8.1f}"
            )


if __name__ == "__main__":
    main()
