"""Titles, people and genres by how they begin, for suggestions while a query is typed.

Every word of a text begins a key, so "kane" suggests "Citizen Kane". Keys are short and sorted, so
those with one beginning are adjacent; for a typo every beginning one letter away is looked up.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.storage.arrays import Texts, read_arrays, write_arrays
from hybrid.storage.mapped import mapped
from hybrid.storage.rows import NO_ROWS, Rows, rows_of_ranges
from hybrid.text.title_words import whole_title

Kind = Literal["title", "person", "genre"]

KINDS: Sequence[Kind] = ("title", "person", "genre")

KEY_BYTES = 16
"""Bytes of a key; what is typed beyond them is compared with the whole text."""

LATER = np.int32(1 << 30)
"""Added to the place of an entry where a key is not its first word but an article."""

MIN_TYPO = 4
"""Letters before which a typo is not looked for: nearly everything is a letter away."""

MAX_MATCHES = 1 << 14
"""Keys within one letter that are looked at."""

_LETTERS = " abcdefghijklmnopqrstuvwxyz0123456789"

BLANK = ord(" ")

_ARTICLES = ("the ", "a ", "an ")

EXACT, BEGINS, CONTAINS, MISTYPED = range(4)
"""How an entry matches, the nearest first: it is what is typed, begins with it (apart from an
article), has a later word that does, or would match but for one letter."""


class Match(NamedTuple):
    """An entry that matches: its number, how, and how well it is known."""

    entry: int
    nearness: int
    known: float


@dataclass(frozen=True)
class SuggestionIndex:
    """Entries: first all titles, then all people, then all genres.

    `keys` S16 (k,) ascending; key i is a word of entry `owners[i]`, int32 (k,), of kind `kinds[i]`,
    int8 (k,). `order` int32 (k,) is the place of the entry by how well it is known, the best first,
    plus LATER for a later word. `letters` uint8 are the texts of all entries one after the other,
    UTF-8: entry e is `letters[starts[e]:starts[e + 1]]`; people are in the order of their names.
    `known` float32 (entries,): votes or number of sentences of a film, number of films of a person
    or genre. `firsts` int64 (4,) are the first entries of the three kinds and their total. `films`
    int64 (titles,) ascending is the row of the film of each title; `by_votes` bool (1,) says that
    films are known by their votes. All may be mapped into memory.
    """

    keys: NDArray[np.bytes_]
    owners: NDArray[np.int32]
    kinds: NDArray[np.int8]
    order: NDArray[np.int32]
    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]
    known: NDArray[np.float32]
    firsts: NDArray[np.int64]
    films: Rows
    by_votes: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        titles: Sequence[tuple[int, str]] = (),
        known: Sequence[float] | Rows = (),
        people: Sequence[tuple[str, int]] = (),
        genres: Sequence[tuple[str, int]] = (),
        by_votes: bool = False,
    ) -> Self:
        """Return the index of titles, each with the row of its film, and of people and genres, each
        with its number of films. `known` says of every row how well the film is known."""
        texts = [whole_title(title) for _, title in titles]
        texts += [name for name, _ in people]
        texts += [whole_title(name) for name, _ in genres]
        films = np.array([row for row, _ in titles], np.int64)
        counts = np.array([count for _, count in (*people, *genres)], np.float32)
        all_known = np.concatenate([np.asarray(known, np.float32)[films], counts])
        stored = Texts.of(texts)
        keys, owners, later = _keys(texts)
        places = np.empty(len(texts), np.int32)
        lengths = np.array([len(text) for text in texts], np.int64)
        ranks = np.unique(np.array(texts, object), return_inverse=True)[1] if texts else NO_ROWS
        places[np.lexsort((ranks, lengths, -all_known))] = np.arange(len(texts), dtype=np.int32)
        firsts = np.cumsum([0, len(titles), len(people), len(genres)], dtype=np.int64)
        kinds = (np.searchsorted(firsts, owners, side="right") - 1).astype(np.int8)
        order = places[owners] + np.where(later, LATER, np.int32(0))
        letters, starts, votes = stored.letters, stored.starts, np.array([by_votes])
        return cls(keys, owners, kinds, order, letters, starts, all_known, firsts, films, votes)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the index of a file, mapped into memory."""
        return mapped(file, lambda path: cls(*read_arrays(path)))

    def write(self, file: Path) -> None:
        """Write the index. Raises OSError."""
        write_arrays(file, (getattr(self, field.name) for field in fields(self)))

    def equals(self, other: Self) -> bool:
        """Whether two indices are the same."""
        names = [field.name for field in fields(self)]
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def text(self, entry: int) -> str:
        """Return the text of an entry as it is compared."""
        return self.letters[self.starts[entry] : self.starts[entry + 1]].tobytes().decode()

    def kind(self, entry: int) -> Kind:
        """Return what an entry is."""
        return KINDS[int(np.searchsorted(self.firsts, entry, side="right")) - 1]

    def entries_of_films(self, rows: Rows) -> Rows:
        """Return the entries of the titles of films, given in rows, int64 (n,)."""
        firsts = self.films.searchsorted(rows)
        counts = self.films.searchsorted(rows, side="right") - firsts
        return rows_of_ranges(firsts, counts)

    def entries_of_people(self, names: Sequence[str]) -> Rows:
        """Return the entries of those of the people who are there, int64 (n,)."""
        first, last = self.firsts[1:3].tolist()
        places = [(bisect_left(range(last), n, first, key=self.text), n) for n in names]
        found = [entry for entry, name in places if entry < last and self.text(entry) == name]
        return np.array(found, np.int64)

    def nearest(self, text: bytes, limit: int, skipped: Rows = NO_ROWS) -> list[Match]:
        """Return at most `limit` entries of each kind that begin with a text, best first, without
        those that are `skipped`, int64 ascending."""
        first, last, same = self._range(text)
        return self._best(np.arange(first, last), same, text, limit, skipped)

    def mistyped(self, text: bytes, limit: int, skipped: Rows = NO_ROWS) -> list[Match]:
        """Return at most `limit` entries of each kind that would begin with a text but for one
        letter, as `nearest` does."""
        return self._best(self._mistyped(text[:KEY_BYTES]), 0, b"", limit, skipped)

    def _range(self, text: bytes) -> tuple[int, int, int]:
        """Return the first key that begins with `text`, the end of these keys, and how many of
        them are `text`."""
        key = text[:KEY_BYTES]
        first = int(self.keys.searchsorted(key))
        last = int(self.keys.searchsorted(key.ljust(KEY_BYTES, b"\xff"), side="right"))
        # A key of full length may be the beginning of more.
        whole = len(text) < KEY_BYTES
        same = int(self.keys.searchsorted(key, side="right")) - first if whole else 0
        return first, last, same

    def _mistyped(self, text: bytes) -> Rows:
        """Return the keys that begin with a text one letter away."""
        texts = np.array(sorted(one_letter_away(text)), f"S{KEY_BYTES}")
        last = [text.ljust(KEY_BYTES, b"\xff") for text in texts.tolist()]
        firsts = self.keys.searchsorted(texts)
        counts = self.keys.searchsorted(np.array(last, texts.dtype), side="right") - firsts
        within = np.cumsum(counts) <= MAX_MATCHES
        return rows_of_ranges(firsts[within], counts[within])

    def _best(self, rows: Rows, same: int, text: bytes, limit: int, skipped: Rows) -> list[Match]:
        """Return the best entries of each kind: the nearest, of these the best known.

        `rows` are keys, of which the first `same` are `text` itself. Only entries that contain
        `text` are returned, which may be longer than a key, and none that is `skipped`.
        """
        enough = 2 * limit + int(self._key_counts(skipped).sum())
        found: list[Match] = []
        order, kinds = self.order[rows], self.kinds[rows]
        order[:same][order[:same] < LATER] -= LATER
        for kind in range(len(KINDS)):
            of_kind = np.flatnonzero(kinds == kind)
            # Each entry may be there once for each of its words.
            best = of_kind[_lowest(order[of_kind], enough)]
            if len(skipped):
                best = best[~np.isin(self.owners[rows[best]], skipped)]
            near: dict[int, int] = {}
            owners = self.owners[rows[best]].tolist()
            for entry, place in zip(owners, order[best].tolist(), strict=True):
                how = EXACT if place < 0 else BEGINS if place < LATER else CONTAINS
                near[entry] = min(how, near.get(entry, how))
            texts = {entry: self.text(entry) for entry in near}
            whole = [
                Match(entry, _whole(how, texts[entry], text.decode()), float(self.known[entry]))
                for entry, how in near.items()
                if len(text) <= KEY_BYTES or text.decode() in texts[entry]
            ]
            whole.sort(
                key=lambda m: (m.nearness, -m.known, len(texts[m.entry]), texts[m.entry], m.entry)
            )
            found += whole[:limit]
        return found

    def _key_counts(self, entries: Rows) -> Rows:
        """Return how many keys each entry has, one for each word, int64 (n,)."""
        words = [
            np.count_nonzero(self.letters[start:end] == BLANK) + 1
            for start, end in zip(
                self.starts[entries].tolist(), self.starts[entries + 1].tolist(), strict=True
            )
        ]
        return np.array(words, np.int64)


def _whole(nearness: int, text: str, typed: str) -> int:
    """Return how a text matches what is typed, which may be longer than a key."""
    same = nearness == BEGINS and text in (typed, *(article + typed for article in _ARTICLES))
    return EXACT if same else nearness


def _lowest(order: NDArray[np.int32], count: int) -> Rows:
    """Return where the lowest `count` numbers are."""
    if len(order) <= count:
        return np.arange(len(order))
    return np.argpartition(order, count - 1)[:count]


def _keys(
    texts: Iterable[str],
) -> tuple[NDArray[np.bytes_], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the keys of all texts, ascending, the text of each, and whether it is a later word."""
    keys: list[bytes] = []
    owners: list[int] = []
    later: list[bool] = []
    for owner, text in enumerate(texts):
        start, begins = 0, True
        while True:
            keys.append(text[start : start + KEY_BYTES].encode()[:KEY_BYTES])
            owners.append(owner)
            later.append(not begins)
            # The word after an article begins the text, too.
            begins = begins and text.startswith(_ARTICLES, start)
            start = text.find(" ", start) + 1
            if not start:
                break
    array = np.array(keys, f"S{KEY_BYTES}")
    order = np.argsort(array, kind="stable")
    return array[order], np.array(owners, np.int32)[order], np.array(later, np.bool_)[order]


def one_letter_away(text: bytes) -> set[bytes]:
    """Return the texts that `text` may have been meant to begin with, but for one letter.

    A letter was left out, typed too much, wrong, or swapped with the next one.
    """
    letters = [letter.encode() for letter in _LETTERS]
    n = len(text)
    swapped = {
        text[:i] + text[i + 1 : i + 2] + text[i : i + 1] + text[i + 2 :] for i in range(n - 1)
    }
    less = {text[:i] + text[i + 1 :] for i in range(n)}
    wrong = {text[:i] + letter + text[i + 1 :] for i in range(n) for letter in letters}
    more = {text[:i] + letter + text[i:] for i in range(n + 1) for letter in letters}
    near = swapped | {t for t in less if len(t) >= MIN_TYPO - 1} | wrong | more
    return {t[:KEY_BYTES].strip() for t in near} - {text}
