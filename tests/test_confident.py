"""Whether anything really matches: thresholds of a build, and what they say of queries."""

from pathlib import Path

import pytest

from hybrid.engines.lexical import tantivy
from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.fusion.confidence import Evidence, is_confident, word_count
from hybrid.movie import Movie
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch
from hybrid.storage.generation import Generation, open_current
from hybrid.storage.manifest import Manifest, MatchThreshold
from indexer.build import BuildOptions, build
from indexer.match_thresholds import LENGTHS, calibrate
from tests import corpus
from tests.fakes import FakeLexical, HashingEncoder
from tests.small import open_small
from tests.stores import build_stores, films_file, open_stores, put

RARE = Movie(
    id=9001,
    title="Zeppelin",
    year=1937,
    description="Quixotic zephyrs jostle a bewildered xylophonist above Vladivostok.",
)
MOVIES = [*corpus.films(300), RARE]

THRESHOLDS = (
    MatchThreshold(words=1, strength=1.0, lead=0.0),
    MatchThreshold(words=3, strength=1.0, lead=0.2),
    MatchThreshold(words=8, strength=0.5, lead=0.1),
)


def lexical_of(generation: Generation) -> TantivyEngine:
    """Open the keyword engine of a generation."""
    return TantivyEngine(generation.file(tantivy.TANTIVY_FOLDER))


@pytest.mark.parametrize(
    ("text", "strength", "lead", "sure"),
    [
        ("heist", 1.0, 0.0, True),
        ("heist", 0.9, 0.9, False),
        ("a heist", 1.0, 0.0, False),
        ("a heist", 1.0, 0.2, True),
        ("a heist - ?!", 1.0, 0.2, True),
        ("a heist in the rain", 0.5, 0.1, True),
        ("a heist in the rain", 0.4, 0.3, False),
        ("one " * 40, 0.5, 0.1, True),
        ("one " * 40, 0.5, 0.05, False),
    ],
)
def test_both_thresholds_of_its_length_must_be_reached(
    text: str, strength: float, lead: float, sure: bool
) -> None:
    """A query has the thresholds of the shortest length that it fits into, else of the longest."""
    assert is_confident(Evidence(strength, lead), text, THRESHOLDS) is sure
    assert is_confident(Evidence(strength, lead, is_title=True), text, THRESHOLDS) is True
    assert is_confident(Evidence(strength, lead), text, ()) is None


def test_words_are_counted_as_typed() -> None:
    """Punctuation is no word."""
    assert word_count("O'Brien's  last-minute heist, 1950!") == 7
    assert word_count("?!") == 0


def test_a_build_calibrates_and_a_change_keeps_it(tmp_path: Path) -> None:
    """The manifest has the thresholds of random words of the catalogue's descriptions; a search of
    the generation says of what one film alone tells that it matches, and of noise that it does not;
    without an opener of the engine, as in earlier versions, nothing is said."""
    source = films_file(tmp_path / "source", MOVIES)
    options = BuildOptions(source.with_name("mapping.toml"), quiet=True, lexical_of=lexical_of)
    data = tmp_path / "data"

    def writer_in(folder: Path, _: str) -> TantivyWriter:
        return TantivyWriter(folder)

    build(source, data, "hashing", HashingEncoder(), writer_in, options)
    manifest = open_current(data).manifest
    assert [threshold.words for threshold in manifest.match] == [1, *(n[-1] for n in LENGTHS)]
    assert all(threshold.strength > 0 for threshold in manifest.match)
    assert manifest.match[0].lead == 0 < min(t.lead for t in manifest.match[1:])
    put(data, Movie(id=9002, title="Later"))
    later = open_current(data).manifest
    assert later.name != manifest.name
    assert later.match == manifest.match
    build_stores(tmp_path / "plain", MOVIES)
    plain = open_current(tmp_path / "plain")
    assert plain.manifest.match == ()
    text = '{"match":[],' + plain.manifest.model_dump_json(exclude={"match"})[1:]
    assert Manifest.model_validate_json(text) == plain.manifest
    search = open_stores(plain)
    assert search.search(SearchQuery(query="captain")).confident is None
    search.close()


@pytest.fixture(scope="module")
def lexical() -> FakeLexical:
    """Give a keyword side that can be away."""
    return FakeLexical(MOVIES)


def test_the_search_says_so(search: HybridSearch, lexical: FakeLexical) -> None:
    """What is in a film is matched, what is in none is not, and films are there all the same; it is
    said of hybrid rankings by both engines alone. Thresholds depend on the catalogue alone."""
    thresholds = calibrate(search)
    assert calibrate(search) == thresholds
    search.match = thresholds
    for text in ("bewildered xylophonist above Vladivostok", "zeppelin"):
        assert search.search(SearchQuery(query=text)).confident is True, text
    for text in ("xqzt wvvkp", "qqq", "how kubernetes certificates renew themselves nightly"):
        answer = search.search(SearchQuery(query=text))
        assert answer.confident is False, text
        assert answer.hits
    for mode in ("keyword", "semantic"):
        assert search.search(SearchQuery(query="zeppelin", mode=mode)).confident is None
    lexical.away = True
    assert search.search(SearchQuery(query="zeppelin jostle")).confident is None
    lexical.away = False


def test_a_small_catalogue_has_no_thresholds(tmp_path: Path) -> None:
    """Where few films are, the tenth of them says nothing."""
    few = open_small(tmp_path, MOVIES[:50], FakeLexical(MOVIES[:50]))
    assert calibrate(few) == ()
    few.close()
