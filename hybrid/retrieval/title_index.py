"""How near a query is to a film's title.

Character trigrams forgive misspellings and words cut or joined; a title that begins with the
query's words is what somebody types who does not type all of it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hybrid.ranking import Scores
from hybrid.text.title_words import title_words, whole_title

NEAR = 0.4
"""Below, what a query shares with a title is chance: it counts as nothing."""

OWN_SHARE = 0.7
"""The part of the query's own trigrams in a title's share; the rest is the Jaccard index."""

BEGINS_SHARE = 0.8
"""The least share of a title that begins with the query's words."""

NEARLY = 0.95
"""The largest share of a title that is not typed to the letter: "Fog" is not "The Fog"."""

YEAR_SHARE = 0.25
"""What the year is worth where a query names one beside the title."""

_BLANK, _AFTER_BLANK = "\1", "\2"
"""Stands between the words of a title; no word holds a control character."""

_YEAR = re.compile(r"(18[7-9]|19\d|20\d)\d")


@lru_cache(maxsize=1 << 20)
def _compared(title: str) -> tuple[str, str]:
    """Return a title's words and whole text. Most titles are in the next generation, too."""
    return _BLANK.join(title_words(title)), whole_title(title)


@dataclass(frozen=True)
class TitleIndex:
    """The trigrams of all titles as postings, and their words in order.

    `trigrams` int64 (t,) ascending; `starts` int64 (t + 1,): the titles that hold trigram i are
    `postings[starts[i]:starts[i + 1]]`, int32; `sizes` int64 (titles,), the number of different
    trigrams of each; `films` int64 (titles,), the place of the film that bears it; `beginnings`
    the words of all titles, ascending, and `wholes` their whole text; `years` int32 (n,) of each
    film, 0 without one. Titles are numbered in the order of `beginnings`.
    """

    trigrams: NDArray[np.int64]
    starts: NDArray[np.int64]
    postings: NDArray[np.int32]
    sizes: NDArray[np.int64]
    films: NDArray[np.int64]
    beginnings: tuple[str, ...]
    wholes: tuple[str, ...]
    years: NDArray[np.int32]

    @classmethod
    def of(cls, titles: Iterable[tuple[int, str]], years: NDArray[np.int32]) -> "TitleIndex":
        """Index every title, given with the place of its film."""
        worded = sorted((*_compared(title), place) for place, title in titles)
        codes, owners = _trigrams([words.replace(_BLANK, "") for words, _, _ in worded])
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
            np.bincount(owners, minlength=len(worded)),
            np.array([place for _, _, place in worded], np.int64),
            tuple(words for words, _, _ in worded),
            tuple(whole for _, whole, _ in worded),
            years,
        )

    def shares(self, texts: Sequence[str]) -> Scores:
        """Return how near the nearest of `texts` is to each film's title, float64 (n,), 0 to 1.

        1 is the title to the letter, of the first text only: the others are what is left of it. A
        year in a text is compared with the film's too.
        """
        shares = np.zeros(len(self.years), np.float64)
        for text in texts:
            whole = whole_title(text) if text == texts[0] else None
            words = title_words(text)
            shares = np.maximum(shares, self._near(words, whole))
            years = [word for word in words if _YEAR.fullmatch(word)]
            others = [word for word in words if word not in years]
            if years and others:
                dateless = whole and " ".join(w for w in whole.split() if w not in years)
                near = self._near(others, dateless)
                of_year = np.isin(self.years, [int(year) for year in years])
                dated = (1 - YEAR_SHARE) * near + YEAR_SHARE * of_year * (near > 0)
                shares = np.maximum(shares, dated)
        return shares

    def _near(self, words: Sequence[str], whole: str | None) -> Scores:
        """Return how near `words` are to the nearest title of each film, 0 below `NEAR`.

        `whole` is what is typed to the letter, None where nothing is.
        """
        alike = self._alike("".join(words))
        begun = _BLANK.join(words)
        first = bisect_left(self.beginnings, begun)
        # The title itself, or one that goes on after a blank, the lowest of all characters here.
        last = bisect_left(self.beginnings, begun + _AFTER_BLANK)
        alike[first:last] = BEGINS_SHARE + (1 - BEGINS_SHARE) * alike[first:last]
        alike = np.where(alike >= NEAR, np.minimum(alike, NEARLY), 0.0)
        for title in range(first, last):
            if self.wholes[title] == whole:
                alike[title] = 1.0
        near = np.zeros(len(self.years), np.float64)
        np.maximum.at(near, self.films, alike)
        return near

    def _alike(self, key: str) -> Scores:
        """Return the weighted mean of Jaccard index and share of `key`'s trigrams, each title's."""
        codes = np.unique(_trigrams([key])[0])
        places = np.searchsorted(self.trigrams, codes)
        inside = places < len(self.trigrams)
        places = places[inside]
        known = places[self.trigrams[places] == codes[inside]]
        held = [self.postings[self.starts[place] : self.starts[place + 1]] for place in known]
        common = np.bincount(np.concatenate([*held, self.postings[:0]]), minlength=len(self.sizes))
        jaccard = common / np.maximum(len(codes) + self.sizes - common, 1)
        own = common / max(len(codes), 1)
        alike: Scores = OWN_SHARE * own + (1 - OWN_SHARE) * jaccard
        return alike


def _trigrams(keys: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the trigrams of all keys as numbers, and the place of the key each comes from.

    A key's ends count as characters, so that one of a single letter has a trigram too.
    """
    text = "".join(f"\0{key}\0" for key in keys)
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    owners = np.repeat(np.arange(len(keys)), [len(key) + 2 for key in keys])
    codes = letters[:-2] << 42 | letters[1:-1] << 21 | letters[2:]
    within = owners[:-2] == owners[2:]
    return codes[within], owners[:-2][within]
