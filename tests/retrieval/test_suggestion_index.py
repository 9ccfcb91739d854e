"""The suggestion index against plain comparisons of texts."""

import random
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import Movie
from hybrid.retrieval.genre_names import genres_of
from hybrid.retrieval.suggestion_index import (
    BEGINS,
    CONTAINS,
    EXACT,
    MIN_TYPO,
    MISTYPED,
    Match,
    SuggestionIndex,
    one_letter_away,
)
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import write_catalogue
from hybrid.text.title_words import whole_title
from tests import corpus

MOVIES = [
    *(film.model_copy(update={"votes": None}) for film in corpus.films(300)),
    Movie(id=9001, title="The Mirror", votes=5, cast=("Greta Garbo", "Łukasz Żal")),
    Movie(id=9002, title="Mirror", votes=90_000, cast=("Greta Garbo",), genres=("Mirror Play",)),
    Movie(id=9003, title="A Mirror Too Large", votes=70_000, directors=("Mira Mirrorsky",)),
    Movie(id=9004, title="Über uns das All", original_title="Above Us Only Sky", votes=3),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SuggestionIndex]:
    """Give the index of those films."""
    file = tmp_path_factory.mktemp("suggestions")
    write_catalogue(file, [(movie, ()) for movie in MOVIES])
    catalogue = Catalogue(file)
    yield whole(catalogue)
    catalogue.close()


def whole(catalogue: Catalogue) -> SuggestionIndex:
    """Return one index of the titles, people and genres of a catalogue."""
    votes = np.maximum(catalogue.columns.numbers["votes"], 0)
    return SuggestionIndex.of(
        list(catalogue.titles()),
        votes if votes.any() else catalogue.sentences.counts,
        catalogue.people(),
        [(genre.name, genre.films) for genre in genres_of(catalogue)],
    )


def matches(index: SuggestionIndex, typed: str, limit: int) -> list[Match]:
    """Return the entries that begin with what is typed or, if there are few, would but for a letter
    of it."""
    text = whole_title(typed).encode()
    found = index.nearest(text, limit) if text else []
    if len(found) < limit and len(text) >= MIN_TYPO:
        seen = {match.entry for match in found}
        nearly = (m._replace(nearness=MISTYPED) for m in index.mistyped(text, limit))
        found += [match for match in nearly if match.entry not in seen]
    return found


def nearness(text: str, typed: str) -> int | None:
    """Return how `text` matches, by comparing its words."""
    words = text.split()
    starts = {" ".join(words[n:]): n for n in reversed(range(len(words)))}
    first = 1 if words[0] in ("the", "a", "an") else 0
    near = [
        (EXACT if rest == typed else BEGINS) if n in (0, first) else CONTAINS
        for rest, n in starts.items()
        if rest.startswith(typed)
    ]
    return min(near, default=None)


def test_beginnings_are_those_of_plain_comparison(index: SuggestionIndex) -> None:
    """Whatever beginning of a word of a text is typed, exactly the texts with it are found, each as
    near as it is; of a kind the nearest come first, and of these the best known."""
    choose, texts = random.Random(5), [index.text(e) for e in range(index.firsts[-1])]
    for _ in range(300):
        text = choose.choice(texts)
        start = choose.choice([0, *(n + 1 for n, letter in enumerate(text) if letter == " ")])
        typed = text[start : start + choose.randint(1, 30)].strip()
        expected = {e: n for e, t in enumerate(texts) if (n := nearness(t, typed)) is not None}
        found = [m for m in matches(index, typed, 10_000) if m.nearness != MISTYPED]
        assert {match.entry: match.nearness for match in found} == expected
        for first, last in zip(index.firsts, index.firsts[1:], strict=False):
            order = [(m.nearness, -m.known) for m in found if first <= m.entry < last]
            assert order == sorted(order)
        few = [m for m in matches(index, typed, 3) if m.nearness != MISTYPED]
        for first, last in zip(index.firsts, index.firsts[1:], strict=False):
            every = [(m.nearness, -m.known) for m in found if first <= m.entry < last]
            some = [(m.nearness, -m.known) for m in few if first <= m.entry < last]
            assert some == every[:3]


def test_one_wrong_letter_is_forgiven(index: SuggestionIndex) -> None:
    """A letter left out, doubled, wrong or swapped still finds the text, whichever it is."""
    choose = random.Random(3)
    for typed in ("orchestra", "greta garbo", "mirror play", "lighthouse"):
        whole = {match.entry for match in matches(index, typed, 10_000)}
        assert whole
        for _ in range(40):
            n, letter = choose.randrange(len(typed) - 1), choose.choice(string.ascii_lowercase)
            for wrong in (
                typed[:n] + typed[n + 1 :],
                typed[:n] + letter + typed[n + 1 :],
                typed[:n] + letter + typed[n:],
                typed[:n] + typed[n + 1] + typed[n] + typed[n + 2 :],
            ):
                found = {match.entry for match in matches(index, wrong, 10_000)}
                assert len(wrong.strip()) < MIN_TYPO or whole & found, wrong


@given(st.text(string.ascii_lowercase, min_size=4, max_size=12))
def test_a_letter_away_is_a_letter_away(text: str) -> None:
    """Every text that is looked for differs by one letter."""
    for near in one_letter_away(text.encode()):
        other = near.decode()
        same = 0
        while same < min(len(text), len(other)) and text[same] == other[same]:
            same += 1
        ends = {text[same + 1 :] == other[same:], text[same:] == other[same + 1 :]}
        ends |= {text[same + 1 :] == other[same + 1 :]}
        ends |= {text[same + 2 :] == other[same + 2 :] and sorted(text) == sorted(other)}
        assert True in ends or other != other.strip() or text.startswith(other[:-1])


def test_the_best_known_come_first(index: SuggestionIndex) -> None:
    """What is exactly typed is first, an article apart; then votes decide, not length."""
    found = [m for m in matches(index, "mirror", 2) if index.kind(m.entry) == "title"]
    assert [index.text(match.entry) for match in found] == ["mirror", "the mirror"]
    found = [m for m in matches(index, "mirr", 3) if index.kind(m.entry) == "title"]
    assert [index.text(m.entry) for m in found[:3]] == [
        "mirror",
        "a mirror too large",
        "the mirror",
    ]
    people = [m for m in matches(index, "g", 9) if index.kind(m.entry) == "person"]
    assert [(index.text(m.entry), m.known) for m in people] == [("greta garbo", 2)]


def test_typed_as_people_type(index: SuggestionIndex) -> None:
    """Case, accents and punctuation do not matter; both titles of a film are there."""
    for typed in ("UBER", "über uns", "Above us", "lukasz", "ŻAL", "greta, gar", "mirror-play"):
        assert matches(index, typed, 1), typed
    for typed in ("", " ", "!?", "xyzzyx", "\U0001f3ac"):
        assert matches(index, typed, 5) == [], typed


def test_without_votes_the_longest_descriptions_are_best_known(tmp_path: Path) -> None:
    """Where no film has votes, a source says most about what people know."""
    movies = [Movie(id=n, title=f"Lantern {n}", year=1950) for n in range(4)]
    spans = [((0, 1),) * count for count in (1, 3, 0, 2)]
    write_catalogue(tmp_path, list(zip(movies, spans, strict=True)))
    index = whole(Catalogue(tmp_path))
    found = matches(index, "lant", 4)
    assert [index.text(m.entry)[-1] for m in found] == ["1", "3", "0", "2"]
    assert np.array_equal(np.sort(index.known[:4]), [0, 1, 2, 3])
