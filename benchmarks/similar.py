"""How well similar films are found, and how fast: `python -m benchmarks.similar --data DIR`.

With --halves, how the sentences of a film are best combined: every other sentence of a film of six
or more searches for the rest of it, among all films.

Nobody has judged which films are alike, so two things stand in: films whose title continues that of
another one ("The Godfather Part II"), which should be among the first 20 of it, though titles are
not compared; and the genres that the first 10 films share with the film (Jaccard index).
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import click
import numpy as np

from hybrid.movie import name_keys
from hybrid.query import SimilarQuery
from hybrid.ranking import Scores
from hybrid.retrieval.likeness import WEIGHTS
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.similar import similar
from hybrid.storage.rows import Rows
from hybrid.text.title_words import whole_title
from hybrid.vectors import Vectors
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


SENTENCES, FOUND = 6, 10
"""Sentences of a film that is halved at least, and the places in which it counts as found."""


@dataclass(frozen=True)
class Plots:
    """The sentences of f films: `vectors` float32 (sentences, d), those of film i from row
    `starts[i]`, int64 (f,), on."""

    vectors: Vectors
    starts: Rows

    @classmethod
    def of(cls, films: Sequence[Vectors]) -> "Plots":
        """Return the plots of films given by the vectors of their sentences."""
        counts = np.array([len(vectors) for vectors in films])
        return cls(np.concatenate(films), np.cumsum(counts) - counts)

    def best(self, asked: Vectors, weights: Sequence[float]) -> Scores:
        """Return the weighted sum of each film's highest cosines; those that it lacks count 0."""
        cosines = self.vectors @ asked
        counts = np.diff([*self.starts, len(cosines)])
        owners = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((-cosines, owners))
        ranks = np.arange(len(order)) - self.starts[owners]
        counted = ranks < len(weights)
        weighted = cosines[order][counted] * np.array(weights)[ranks[counted]]
        return np.bincount(owners[counted], weighted).astype(np.float64)

    def nearest(self, asked: Vectors) -> Scores:
        """Return the highest cosine of each film's sentences with each of k, float32 (f, k)."""
        found: Scores = np.maximum.reduceat(self.vectors @ asked.T, self.starts)
        return found

    def means(self, asked: Vectors) -> Scores:
        """Return the cosine of the mean of each film's sentences."""
        means = np.add.reduceat(self.vectors, self.starts)
        cosines: Scores = (means @ asked) / np.linalg.norm(means, axis=1)
        return cosines


def direction(vectors: Vectors) -> Vectors:
    """Return the mean of sentences at length 1."""
    mean = vectors.mean(axis=0)
    unit: Vectors = mean / np.linalg.norm(mean)
    return unit


COMBINATIONS: Mapping[str, Callable[[Plots, Vectors], Scores]] = {
    "their mean, with the best three sentences": lambda plots, asked: plots.best(
        direction(asked), WEIGHTS
    ),
    "their mean, with the best sentence": lambda plots, asked: plots.best(direction(asked), (1.0,)),
    "each, with its nearest sentence, on average": lambda plots, asked: plots.nearest(asked).mean(
        axis=1
    ),
    "the two nearest of them, on average": lambda plots, asked: np.sort(plots.nearest(asked))[
        :, -2:
    ].mean(axis=1),
    "the nearest of them": lambda plots, asked: plots.nearest(asked).max(axis=1),
    "the first, with the best three sentences": lambda plots, asked: plots.best(asked[0], WEIGHTS),
    "their mean, with the mean of the film": lambda plots, asked: plots.means(direction(asked)),
}


def print_halves(search: HybridSearch, films: int) -> None:
    """Print how well the combinations find the other half of a film."""
    vectors = {
        film: search.engines.semantic.vectors_of(film)
        for film in search.catalogue.columns.ids.tolist()
    }
    told = {film: rows for film, rows in vectors.items() if len(rows)}
    long = [film for film, rows in told.items() if len(rows) >= SENTENCES]
    sample = random.Random(2).sample(long, min(films, len(long)))
    plots = Plots.of(list(told.values()))
    places = {film: place for place, film in enumerate(told)}
    print(f"{f'{len(sample)} films of {SENTENCES} sentences or more':44}    MRR  found in {FOUND}")
    for name, combine in COMBINATIONS.items():
        ranks = []
        for film in sample:
            asked, rest = told[film][::2], Plots.of([told[film][1::2]])
            scores = combine(plots, asked)
            scores[[places[twin] for twin in search.duplicates.of_film(film)]] = -1.0
            ranks.append(1 + np.count_nonzero(scores > combine(rest, asked)))
        found = np.array(ranks)
        print(f"{name:44} {np.mean(1 / found):6.3f} {np.mean(found <= FOUND):12.3f}")


@click.command(help=__doc__)
@click.option("--data", required=True)
@click.option("--films", default=200, show_default=True, help="number of films that are asked with")
@click.option("--halves", is_flag=True, help="compare combinations of sentences instead")
def main(data: str, films: int, halves: bool) -> None:
    """Print a table of the runs."""
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        if halves:
            print_halves(search, films)
            return
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
