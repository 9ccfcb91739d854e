"""Titles, people and genres by how they begin, for suggestions while a query is typed.

Every word of a text begins a key, so "kane" suggests "Citizen Kane". Keys are short and sorted, so
those with one beginning are adjacent; for a typo every beginning one letter away is looked up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.retrieval.genre_names import genres_of
from hybrid.retrieval.known_films import KnownFilms
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.rows import Rows
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
    plus LATER for a later word. `letters` are the texts of all entries one after the other, UTF-8:
    entry e is `letters[starts[e]:starts[e + 1]]`. `known` float32 (entries,): votes, or number of
    sentences where no film has votes; number of films of a person or genre. `firsts` are the first
    entries of the three kinds and their total. `films` int64 (titles,) is the row of the film of
    each title, `genres` are the names of genres as they are shown.
    """

    keys: NDArray[np.bytes_]
    owners: NDArray[np.int32]
    kinds: NDArray[np.int8]
    order: NDArray[np.int32]
    letters: bytes
    starts: NDArray[np.int64]
    known: NDArray[np.float32]
    firsts: tuple[int, int, int, int]
    films: Rows
    genres: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "SuggestionIndex":
        """Return the index of a catalogue."""
        titles, people = list(catalogue.titles()), list(catalogue.people())
        genres = genres_of(catalogue)
        texts = [whole_title(title) for _, title in titles]
        texts += [name for name, _ in people]
        texts += [whole_title(genre.name) for genre in genres]
        films = np.array([row for row, _ in titles], np.int64)
        known = np.concatenate(
            [
                np.maximum(KnownFilms.of(catalogue).counts[films], 0).astype(np.float32),
                np.array([count for _, count in people], np.float32),
                np.array([genre.films for genre in genres], np.float32),
            ]
        )
        keys, owners, later = _keys(texts)
        places = np.empty(len(texts), np.int32)
        best_known = np.lexsort((np.array([len(text) for text in texts]), -known))
        places[best_known] = np.arange(len(texts), dtype=np.int32)
        encoded = [text.encode() for text in texts]
        starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        ends = np.cumsum([0, len(titles), len(people), len(genres)]).tolist()
        kinds = (np.searchsorted(ends, owners, side="right") - 1).astype(np.int8)
        order = places[owners] + np.where(later, LATER, np.int32(0))
        names = tuple(genre.name for genre in genres)
        letters = b"".join(encoded)
        return cls(keys, owners, kinds, order, letters, starts, known, tuple(ends), films, names)

    def text(self, entry: int) -> str:
        """Return the text of an entry as it is compared."""
        return self.letters[self.starts[entry] : self.starts[entry + 1]].decode()

    def kind(self, entry: int) -> Kind:
        """Return what an entry is."""
        return KINDS[int(np.searchsorted(self.firsts, entry, side="right")) - 1]

    def matches(self, typed: str, limit: int) -> list[Match]:
        """Return at most `limit` entries of each kind that begin with what is typed, best first.

        If there are fewer than `limit`, with those that would but for one letter.
        """
        text = whole_title(typed).encode()
        if not text:
            return []
        first, last, same = self._range(text)
        found = self._best(np.arange(first, last), same, text, limit)
        if len(found) < limit and len(text) >= MIN_TYPO:
            seen = {match.entry for match in found}
            nearly = self._best(self._mistyped(text[:KEY_BYTES]), 0, b"", limit)
            found += [m._replace(nearness=MISTYPED) for m in nearly if m.entry not in seen]
        return found

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
        firsts, counts = firsts[within], counts[within]
        rows: Rows = np.arange(counts.sum()) + np.repeat(
            firsts - np.cumsum(counts) + counts, counts
        )
        return rows

    def _best(self, rows: Rows, same: int, text: bytes, limit: int) -> list[Match]:
        """Return the best entries of each kind: the nearest, of these the best known.

        `rows` are keys, of which the first `same` are `text` itself. Only entries that contain
        `text` are returned, which may be longer than a key.
        """
        found: list[Match] = []
        order, kinds = self.order[rows], self.kinds[rows]
        order[:same][order[:same] < LATER] -= LATER
        for kind in range(len(KINDS)):
            of_kind = np.flatnonzero(kinds == kind)
            # Each entry may be there once for each of its words.
            best = of_kind[_lowest(order[of_kind], 2 * limit)]
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
            whole.sort(key=lambda m: (m.nearness, -m.known, len(texts[m.entry]), texts[m.entry]))
            found += whole[:limit]
        return found


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
