"""The similarity of a query and the titles of films.

Character trigrams tolerate misspellings and words split or joined. A title that begins with the
query's words is similar too: it may not be typed in full yet.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.monitoring.metrics import cached
from hybrid.ranking import Scores
from hybrid.text.title_words import title_words, whole_title

MIN_SIMILARITY = 0.4
"""Lower similarities are chance and count as 0."""

CONTAINMENT_WEIGHT = 0.7
"""Weight of the share of the query's trigrams that are in the title; the rest is Jaccard's."""

PREFIX_SIMILARITY = 0.8
"""The lowest similarity of a title that begins with the query's words."""

MAX_INEXACT = 0.95
"""The highest similarity without an exact match: "Fog" is not "The Fog"."""

YEAR_WEIGHT = 0.25
"""Weight of the year if a query contains a year and a title."""

_BLANK, _AFTER_BLANK = "\1", "\2"
"""_BLANK separates the words of a title; no word contains a control character."""

_YEAR = re.compile(r"(18[7-9]|19\d|20\d)\d")


@cached("titles", 1 << 20)
def _title_keys(title: str) -> tuple[str, str]:
    """Return a title's words and whole text. Cached: the next generation has most titles too."""
    return _BLANK.join(title_words(title)), whole_title(title)


@dataclass(frozen=True)
class TitleIndex:
    """The trigrams of all titles as posting lists, and the words of all titles in order.

    `trigrams` int64 (t,) ascending; `starts` int64 (t + 1,): the titles that contain trigram i are
    `postings[starts[i]:starts[i + 1]]`, int32; `sizes` int64 (titles,), the number of distinct
    trigrams of each; `films` int64 (titles,), the row of the film that has the title; `word_keys`
    the words of all titles, ascending, and `whole_titles` their whole text; `years` int32 (n,) of
    each film, 0 without a year. Titles are numbered in the order of `word_keys`.
    """

    trigrams: NDArray[np.int64]
    starts: NDArray[np.int64]
    postings: NDArray[np.int32]
    sizes: NDArray[np.int64]
    films: NDArray[np.int64]
    word_keys: tuple[str, ...]
    whole_titles: tuple[str, ...]
    years: NDArray[np.int32]

    @classmethod
    def of(cls, titles: Iterable[tuple[int, str]], years: NDArray[np.int32]) -> "TitleIndex":
        """Return the index of `titles`, each given with the row of its film."""
        entries = sorted((*_title_keys(title), row) for row, title in titles)
        codes, owners = _trigrams([words.replace(_BLANK, "") for words, _, _ in entries])
        order = np.lexsort((owners, codes))
        codes, owners = codes[order], owners[order]
        new = np.ones(len(codes), np.bool_)
        new[1:] = (codes[1:] != codes[:-1]) | (owners[1:] != owners[:-1])
        codes, owners = codes[new], owners[new]
        trigrams, firsts = np.unique(codes, return_index=True)
        return cls(
            trigrams,
            np.append(firsts, len(codes)),
            owners.astype(np.int32),
            np.bincount(owners, minlength=len(entries)),
            np.array([row for _, _, row in entries], np.int64),
            tuple(words for words, _, _ in entries),
            tuple(whole for _, whole, _ in entries),
            years,
        )

    def shares(self, texts: Sequence[str]) -> Scores:
        """Return the similarity of each film's title and the most similar of `texts`.

        float64 (n,), 0 to 1, where 1 is an exact match. Only the first text can match exactly: the
        others are parts of it. A year in a text is compared with the film's year as well.
        """
        shares = np.zeros(len(self.years), np.float64)
        for text in texts:
            whole = whole_title(text) if text == texts[0] else None
            words = title_words(text)
            shares = np.maximum(shares, self._film_similarity(words, whole))
            years = [word for word in words if _YEAR.fullmatch(word)]
            others = [word for word in words if word not in years]
            if years and others:
                whole_without_years = whole and " ".join(
                    word for word in whole.split() if word not in years
                )
                without_years = self._film_similarity(others, whole_without_years)
                same_year = np.isin(self.years, [int(year) for year in years])
                with_years = (1 - YEAR_WEIGHT) * without_years + YEAR_WEIGHT * same_year * (
                    without_years > 0
                )
                shares = np.maximum(shares, with_years)
        return shares

    def _film_similarity(self, words: Sequence[str], whole: str | None) -> Scores:
        """Return the similarity of `words` and the most similar title of each film, float64 (n,).

        Below `MIN_SIMILARITY` it is 0. `whole` is the text that an exact match must equal, None
        if there cannot be one.
        """
        similarity = self._title_similarity("".join(words))
        key = _BLANK.join(words)
        first = bisect_left(self.word_keys, key)
        # The title itself, or one that continues after a blank, the lowest character in keys.
        last = bisect_left(self.word_keys, key + _AFTER_BLANK)
        similarity[first:last] = (
            PREFIX_SIMILARITY + (1 - PREFIX_SIMILARITY) * similarity[first:last]
        )
        similarity = np.where(
            similarity >= MIN_SIMILARITY, np.minimum(similarity, MAX_INEXACT), 0.0
        )
        for title in range(first, last):
            if self.whole_titles[title] == whole:
                similarity[title] = 1.0
        of_films = np.zeros(len(self.years), np.float64)
        np.maximum.at(of_films, self.films, similarity)
        return of_films

    def _title_similarity(self, text: str) -> Scores:
        """Return the similarity of `text` and each title by their trigrams, float64 (titles,).

        It is the weighted mean of the share of the text's trigrams that are in the title and of
        the Jaccard index.
        """
        codes = np.unique(_trigrams([text])[0])
        rows = np.searchsorted(self.trigrams, codes)
        inside = rows < len(self.trigrams)
        rows = rows[inside]
        known = rows[self.trigrams[rows] == codes[inside]]
        lists = [self.postings[self.starts[row] : self.starts[row + 1]] for row in known]
        common = np.bincount(np.concatenate([*lists, self.postings[:0]]), minlength=len(self.sizes))
        jaccard = common / np.maximum(len(codes) + self.sizes - common, 1)
        containment = common / max(len(codes), 1)
        similarity: Scores = CONTAINMENT_WEIGHT * containment + (1 - CONTAINMENT_WEIGHT) * jaccard
        return similarity


def _trigrams(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the trigrams of all texts as numbers, and for each the number of its text.

    Both int64 (trigrams,). The ends of a text count as characters, so a single letter has a
    trigram too.
    """
    text = "".join(f"\0{part}\0" for part in texts)
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    owners = np.repeat(np.arange(len(texts)), [len(part) + 2 for part in texts])
    codes = letters[:-2] << 42 | letters[1:-1] << 21 | letters[2:]
    within = owners[:-2] == owners[2:]
    return codes[within], owners[:-2][within]
