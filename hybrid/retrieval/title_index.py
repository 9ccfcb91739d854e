"""The similarity of a query and the titles of films.

Character trigrams tolerate misspellings and words split or joined. A title that begins with the
query's words is similar too: it may not be typed in full yet.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.monitoring.caches import cached
from hybrid.ranking import Scores, distinct
from hybrid.storage.arrays import Texts, read_arrays, write_arrays
from hybrid.storage.mapped import mapped
from hybrid.storage.rows import Rows
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

ROUNDING = 1e-9
"""What a product of floats may be too large by."""

_BLANK, _AFTER_BLANK = "\1", "\2"
"""_BLANK separates the words of a title; no word contains a control character."""

_END = "\0"
"""Sorts before _BLANK, so that a title comes before those that continue it."""

_YEAR = re.compile(r"(18[7-9]|19\d|20\d)\d")


@cached("titles", 1 << 20)
def _title_keys(title: str) -> tuple[str, str]:
    """Return a title's words and whole text. Cached: the next generation has most titles too."""
    return _BLANK.join(title_words(title)), whole_title(title)


@dataclass(frozen=True)
class TitleMatches:
    """Films whose titles are similar to a text: `rows` int64 (n,) ascending, `shares` float64 (n,).

    A share is above 0 and at most 1, where 1 is an exact match. All other films have 0.
    """

    rows: Rows
    shares: Scores

    @classmethod
    def none(cls) -> "TitleMatches":
        """Return no films."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))

    @classmethod
    def best(cls, rows: Rows, shares: Scores) -> "TitleMatches":
        """Return the highest share of each film; `rows` may name a film more than once."""
        order = np.lexsort((-shares, rows))
        rows, shares = rows[order], shares[order]
        first = np.ones(len(rows), np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        return cls(rows[first], shares[first])

    def of(self, rows: Rows) -> Scores:
        """Return the share of the film in each row, float64 (len(rows),)."""
        places = np.searchsorted(self.rows, rows)
        places[places == len(self.rows)] = 0
        if not len(self.rows):
            return np.zeros(len(rows), np.float64)
        return np.where(self.rows[places] == rows, self.shares[places], 0.0)


@dataclass(frozen=True)
class TitleIndex:
    """The trigrams of all titles as posting lists, and the words of all titles in order.

    Titles are numbered by `sizes` int64 (titles,) ascending, the number of distinct trigrams of
    each. `trigrams` int64 (t,) ascending; `starts` int64 (t + 1,): the titles that contain trigram
    i are `postings[starts[i]:starts[i + 1]]`, int32 ascending, so that those of many trigrams are
    at its end. `films` int64 (titles,) is the row of the film that has the title; `by_words` int32
    (titles,) are the titles in the order of their words, `word_keys` these words and `whole_titles`
    the whole text of each; `years` int32 (n,) of each film, 0 without a year. All but `years` may
    be mapped into memory.
    """

    trigrams: NDArray[np.int64]
    starts: NDArray[np.int64]
    postings: NDArray[np.int32]
    sizes: NDArray[np.int64]
    films: Rows
    by_words: NDArray[np.int32]
    word_keys: Texts
    whole_titles: Texts
    years: NDArray[np.int32]

    @classmethod
    def of(cls, titles: Iterable[tuple[int, str]], years: NDArray[np.int32]) -> Self:
        """Return the index of `titles`, each given with the row of its film."""
        entries = sorted((*_title_keys(title), row) for row, title in titles)
        codes, owners = _trigrams([words.replace(_BLANK, "") for words, _, _ in entries])
        order = np.lexsort((owners, codes))
        codes, owners = codes[order], owners[order]
        new = np.ones(len(codes), np.bool_)
        new[1:] = (codes[1:] != codes[:-1]) | (owners[1:] != owners[:-1])
        codes, owners = codes[new], owners[new]
        sizes = np.bincount(owners, minlength=len(entries))
        by_size = np.argsort(sizes, kind="stable")
        by_words = np.empty(len(by_size), np.int32)
        by_words[by_size] = np.arange(len(by_size), dtype=np.int32)
        postings = by_words[owners]
        trigrams, firsts = np.unique(codes, return_index=True)
        return cls(
            trigrams,
            np.append(firsts, len(codes)),
            postings[np.lexsort((postings, codes))],
            sizes[by_size],
            np.array([row for _, _, row in entries], np.int64)[by_size],
            by_words,
            Texts.of([words for words, _, _ in entries]),
            Texts.of([whole for _, whole, _ in entries]),
            years,
        )

    @classmethod
    def read(cls, file: Path, years: NDArray[np.int32]) -> Self:
        """Return the index of a file, mapped into memory; `years` are those of the films."""
        return mapped(file, partial(cls._of_arrays, years))

    @classmethod
    def _of_arrays(cls, years: NDArray[np.int32], file: Path) -> Self:
        trigrams, starts, postings, sizes, films, by_words, *texts = read_arrays(file)
        words, wholes = Texts(*texts[:2]), Texts(*texts[2:])
        return cls(trigrams, starts, postings, sizes, films, by_words, words, wholes, years)

    def write(self, file: Path) -> None:
        """Write all but the years. Raises OSError."""
        write_arrays(file, self.arrays)

    def equals(self, other: "TitleIndex") -> bool:
        """Whether both have the same titles of the same films."""
        return all(map(np.array_equal, self.arrays, other.arrays))

    @property
    def arrays(self) -> Sequence[NDArray[Any]]:
        """All but the years, as a file has them."""
        arrays = self.trigrams, self.starts, self.postings, self.sizes, self.films, self.by_words
        texts = self.word_keys, self.whole_titles
        return (*arrays, *(array for text in texts for array in (text.letters, text.starts)))

    def matches(self, texts: Sequence[str]) -> TitleMatches:
        """Return the films whose title is similar to one of `texts`, with the highest similarity.

        Only the first text can match exactly: the others are parts of it. A year in a text is
        compared with the film's year as well.
        """
        found = [TitleMatches.none()]
        for text in texts:
            whole = whole_title(text) if text == texts[0] else None
            words = title_words(text)
            found.append(self._film_matches(words, whole))
            years = [word for word in words if _YEAR.fullmatch(word)]
            others = [word for word in words if word not in years]
            if years and others:
                whole_without_years = whole and " ".join(
                    word for word in whole.split() if word not in years
                )
                without_years = self._film_matches(others, whole_without_years)
                same_year = np.isin(self.years[without_years.rows], [int(year) for year in years])
                shares = (1 - YEAR_WEIGHT) * without_years.shares + YEAR_WEIGHT * same_year
                found.append(TitleMatches(without_years.rows, shares))
        return TitleMatches.best(
            np.concatenate([matches.rows for matches in found]),
            np.concatenate([matches.shares for matches in found]),
        )

    def begins(self, text: str) -> bool:
        """Return whether a title is `text` or begins with all its words."""
        key = _BLANK.join(title_words(text))
        first = bisect_left(self.word_keys, key.encode())
        return first < bisect_left(self.word_keys, (key + _AFTER_BLANK).encode(), first)

    def titled(self, text: str) -> Rows:
        """Return the films whose title has the same words as `text`, int64 ascending."""
        key = _BLANK.join(title_words(text)).encode()
        first = bisect_left(self.word_keys, key)
        last = bisect_left(self.word_keys, key + _END.encode(), first)
        return distinct(self.films[self.by_words[first:last]])

    def _film_matches(self, words: Sequence[str], whole: str | None) -> TitleMatches:
        """Return the films with a title similar to `words`.

        `whole` is the text that an exact match must equal, None if there cannot be one.
        """
        key = _BLANK.join(words)
        first = bisect_left(self.word_keys, key.encode())
        # The title itself, or one that continues after a blank, the lowest character in keys.
        last = bisect_left(self.word_keys, (key + _AFTER_BLANK).encode(), first)
        beginning = self.by_words[first:last]
        titles, similarity = self._similar_titles("".join(words), beginning)
        begins = titles.searchsorted(beginning)
        similarity[begins] = PREFIX_SIMILARITY + (1 - PREFIX_SIMILARITY) * similarity[begins]
        similarity = np.minimum(similarity, MAX_INEXACT)
        if whole is not None:
            # Equal texts have equal words.
            same = range(first, bisect_left(self.word_keys, (key + _END).encode(), first, last))
            exact = [n for n in same if self.whole_titles[n] == whole.encode()]
            similarity[titles.searchsorted(self.by_words[exact])] = 1.0
        similar = similarity >= MIN_SIMILARITY
        return TitleMatches.best(self.films[titles[similar]], similarity[similar])

    def _similar_titles(
        self, text: str, also: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], Scores]:
        """Return titles, int32 (n,) ascending, and their similarity to `text`, float64 (n,).

        They include those of `also` and every title as similar as MIN_SIMILARITY. The similarity
        is the weighted mean of the share of the text's trigrams that are in the title and of the
        Jaccard index.
        """
        codes = distinct(_trigrams([text])[0])
        # The similarity is at most the share of the text's trigrams that the title has. So a title
        # has at least this many trigrams, and it is at the end of the posting lists.
        fewest = max(ceil(MIN_SIMILARITY * len(codes) - ROUNDING), 1)
        lowest = min([np.searchsorted(self.sizes, fewest), *also])
        titles, common = _count(np.concatenate([*self._postings(codes, np.int32(lowest)), also]))
        counted_once_more = titles.searchsorted(also)
        common[counted_once_more] -= 1
        enough = common >= fewest
        enough[counted_once_more] = True
        titles, common = titles[enough], common[enough]
        jaccard = common / np.maximum(len(codes) + self.sizes[titles] - common, 1)
        containment = common / max(len(codes), 1)
        return titles, CONTAINMENT_WEIGHT * containment + (1 - CONTAINMENT_WEIGHT) * jaccard

    def _postings(self, codes: NDArray[np.int64], lowest: np.int32) -> list[NDArray[np.int32]]:
        """Return the titles from number `lowest` on that contain each trigram."""
        rows = self.trigrams.searchsorted(codes)
        inside = rows < len(self.trigrams)
        rows = rows[inside]
        known = rows[self.trigrams[rows] == codes[inside]]
        starts, ends = self.starts[known].tolist(), self.starts[known + 1].tolist()
        lists = (self.postings[start:end] for start, end in zip(starts, ends, strict=True))
        return [titles[titles.searchsorted(lowest) :] for titles in lists]


def _count(numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the distinct numbers, ascending, and how often each occurs."""
    if not len(numbers):
        return numbers, np.zeros(0, np.int64)
    ordered = np.sort(numbers)
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    return ordered[ends], np.diff(ends, prepend=-1)


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
