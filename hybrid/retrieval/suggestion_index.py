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
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import Rows
from hybrid.text.title_words import whole_title

Kind = Literal["title", "person", "genre"]

KINDS: Sequence[Kind] = ("title", "person", "genre")

KEY_BYTES = 16
"""Bytes of a key; what is typed beyond them is compared with the whole text."""

MIN_TYPO = 4
"""Letters before which a typo is not looked for: nearly everything is a letter away."""

MAX_MATCHES = 1 << 16
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

    `keys` S16 (k,) ascending; key i is a word of entry `owners[i]`, int32 (k,), a later one where
    `later[i]`, bool (k,). `letters` are the texts of all entries one after the other, UTF-8: entry
    e is `letters[starts[e]:starts[e + 1]]`. `known` float32 (entries,): votes, or number of
    sentences where no film has votes; number of films of a person or genre. `firsts` are the first
    entries of the three kinds and their total. `films` int64 (titles,) is the row of the film of
    each title, `genres` are the names of genres as they are shown.
    """

    keys: NDArray[np.bytes_]
    owners: NDArray[np.int32]
    later: NDArray[np.bool_]
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
                _known(catalogue)[films],
                np.array([count for _, count in people], np.float32),
                np.array([genre.films for genre in genres], np.float32),
            ]
        )
        keys, owners, later = _keys(texts)
        encoded = [text.encode() for text in texts]
        starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        ends = np.cumsum([0, len(titles), len(people), len(genres)]).tolist()
        names = tuple(genre.name for genre in genres)
        letters = b"".join(encoded)
        return cls(keys, owners, later, letters, starts, known, tuple(ends), films, names)

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
        found = self._best(*self._range(text), text, limit)
        if len(found) < limit and len(text) >= MIN_TYPO:
            seen = {match.entry for match in found}
            nearly = self._mistyped(text[:KEY_BYTES], limit)
            found += [match for match in nearly if match.entry not in seen]
        return found

    def _range(self, text: bytes) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Return the owner of each key that begins with `text`, and how it matches."""
        key = text[:KEY_BYTES]
        first = int(self.keys.searchsorted(key))
        last = int(self.keys.searchsorted(key.ljust(KEY_BYTES, b"\xff"), side="right"))
        nearness = np.where(self.later[first:last], CONTAINS, BEGINS).astype(np.int8)
        if len(text) < KEY_BYTES:
            # However well known others are, it is among those looked at.
            same = int(self.keys.searchsorted(key, side="right")) - first
            nearness[:same][nearness[:same] == BEGINS] = EXACT
        return self.owners[first:last], nearness

    def _mistyped(self, text: bytes, limit: int) -> list[Match]:
        """Return the entries that begin with a text one letter away, best first."""
        texts = np.array(sorted(one_letter_away(text)), f"S{KEY_BYTES}")
        last = [text.ljust(KEY_BYTES, b"\xff") for text in texts.tolist()]
        firsts = self.keys.searchsorted(texts)
        counts = self.keys.searchsorted(np.array(last, texts.dtype), side="right") - firsts
        within = np.cumsum(counts) <= MAX_MATCHES
        firsts, counts = firsts[within], counts[within]
        shifts = firsts - (np.cumsum(counts) - counts)
        owners = self.owners[np.arange(counts.sum()) + np.repeat(shifts, counts)]
        return self._best(owners, np.full(len(owners), MISTYPED, np.int8), b"", limit)

    def _best(
        self, owners: NDArray[np.int32], nearness: NDArray[np.int8], text: bytes, limit: int
    ) -> list[Match]:
        """Return the best entries of each kind: the nearest, of these the best known.

        Only those that contain `text`, which may be longer than a key.
        """
        found: list[Match] = []
        kinds = np.searchsorted(self.firsts, owners, side="right") - 1
        for kind in range(len(KINDS)):
            rows = np.flatnonzero(kinds == kind)
            # Each entry may be there once for each of its words.
            rows = _lowest(self._order(owners, nearness, rows), rows, 2 * limit)
            near: dict[int, int] = {}
            for entry, how in zip(owners[rows].tolist(), nearness[rows].tolist(), strict=True):
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

    def _order(
        self, owners: NDArray[np.int32], nearness: NDArray[np.int8], rows: Rows
    ) -> NDArray[np.float64]:
        """Return a number for each row, lower for what is nearer and, of these, better known."""
        known = self.known[owners[rows]].astype(np.float64)
        return nearness[rows] - known / (known + 1)


def _whole(nearness: int, text: str, typed: str) -> int:
    """Return how a text matches what is typed, which may be longer than a key."""
    same = nearness == BEGINS and text in (typed, *(article + typed for article in _ARTICLES))
    return EXACT if same else nearness


def _known(catalogue: Catalogue) -> NDArray[np.float32]:
    """Return how well each film is known: its votes, or sentences where no film has votes.

    A source says most about the films that most people know.
    """
    votes = np.array(catalogue.votes(), np.float32)
    return votes if votes.any() else catalogue.sentences.counts.astype(np.float32)


def _lowest(order: NDArray[np.float64], rows: Rows, count: int) -> Rows:
    """Return the rows of the lowest `count` numbers; of equal ones those that come first."""
    if len(rows) <= count:
        return rows
    highest = np.partition(order, count - 1)[count - 1]
    return np.concatenate([rows[order < highest], rows[order == highest][:count]])


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
