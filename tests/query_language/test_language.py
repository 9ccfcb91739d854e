"""The language of queries: what is read as a condition, and what stays plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import Movie
from hybrid.query import Filters, Query
from hybrid.query_language.conditions import Conditions
from hybrid.query_language.language import (
    Part,
    Reading,
    conditions_of,
    field_parts,
    genres_in,
    phrases,
    read,
)
from hybrid.query_language.word_forms import word_forms

ALIEN = Movie(
    id=1,
    title="The Alien Queen's Star",
    original_title="L'étoile",
    year=1955,
    genres=("Science Fiction", "Drama"),
    description="A stranger fights zombies. Wars of the stars begin.",
    cast=("Ana Ruiz", "Costa Lima"),
    directors=("Jean-Luc Bo",),
    keywords=("spider-man",),
)


def matches(text: str) -> bool:
    """Return whether the film meets the conditions in a query."""
    return conditions_of(read(text).parts).matches(ALIEN)


@pytest.mark.parametrize(
    "text",
    [
        '"alien queen"',
        '"ALIEN QUEEN\u2019S"',
        '"wars of the stars"',
        '"fights zombies wars"',  # punctuation is no word
        "\u201ealien queen\u201c star",
        "\u00abalien queen\u00bb",
        "title:alien",
        "TITLE:letoile",
        'title:"the alien"',
        "person:ruiz",
        'person:"ana ruiz"',
        'person:"jean luc bo"',
        "genre:drama",
        'genre:"science fiction" genre:DRAMA',
        "year:1955",
        "year:1955,",
        "year:1950s",
        "year:1950..1959",
        "year:1959..1950",
        "year:..1955",
        "year:1955..",
        "-year:1956..",
        "-genre:horror",
        '-person:"ruiz costa"',
        '-title:"queen alien"',
        '-"star wars"',
        "-warp -titanic",
        "-starring",
        "-zom",
    ],
)
def test_what_the_film_meets(text: str) -> None:
    """The film is found by what it has and by the lack of what it has not."""
    assert read(text).parts
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        '"queen alien"',
        '"star wars"',
        '"ruiz costa"',  # one name ends and another begins
        '"star letoile"',
        "title:zombies",
        "person:alien",
        "genre:horror",
        "genre:science",
        "year:1956",
        "year:1960s",
        "year:..1954",
        "-alien",
        "-ALIENS",
        "-zombie",
        "-zombies",
        "-wars",
        "-the",
        "-spider-man",
        "-\u2212x -spider",
        '-"alien queen"',
        "-person:ana",
        '-genre:"Science Fiction"',
        "-year:1950s",
        "-1950s",
        'zombies "fights zombies" -queen',
        "-title:star",
    ],
)
def test_what_the_film_breaks(text: str) -> None:
    """One broken condition is enough."""
    assert not matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain words",
        '"unbalanced',
        'unbalanced"',
        '""',
        '" "',
        '"!?"',
        'a 12" record and a 7" one',
        "it's o'clock",
        "spider-man",
        "alien - queen",
        "alien \u2013 queen",
        "--alien",
        "-",
        '-"',
        "-!?",
        "- alien",
        "title:",
        "title: alien",
        "-title:",
        "title:!",
        "person:",
        "genre:",
        'genre:" "',
        "year:",
        "year:195",
        "year:19551",
        "year:alien",
        "year:..",
        "year:0000",
        "year:1955-1959",
        "mission: impossible",
        "subtitle:alien",
        "re:alien",
        '12"alien queen"',
    ],
)
def test_what_is_plain_text(text: str) -> None:
    """What is not of the language is searched for as it is typed, and nothing is an error."""
    found = read(text)
    assert found.parts == ()
    assert found.plain == " ".join(text.split())


def test_what_is_searched_for() -> None:
    """Words that are required are searched for; exclusions, years and syntax are not."""
    text = 'robots "star wars" -queen title:"the alien" year:1950..1959 -genre:horror person:ruiz'
    assert read(text).plain == "robots star wars the alien ruiz"


@pytest.mark.parametrize(
    ("text", "decade", "plain"),
    [
        ("1950s westerns", "1950s", "westerns"),
        ("best 1980s sci-fi with robots", "1980s", "best sci-fi with robots"),
        ("1940S film noir", "1940S", "film noir"),
        ("films of the 1930s", "1930s", "films of the"),
        ("comedies from 1990s?", "1990s", "comedies from ?"),
        ('"best 1950s westerns" 1960s films', "1960s", "best 1950s westerns films"),
        ("an Irish girl in 1950s New York", None, None),
        ("a strike in the 1970s", None, None),
        ("westerns set in the 1880s", None, None),
        ("1950swesterns", None, None),
        ("1950s", None, None),
        ("1850s films", None, None),
        ("films of the 1930s' crooners", None, None),
        ("1950s filmstar", None, None),
    ],
)
def test_a_decade_beside_a_kind_of_films(text: str, decade: str | None, plain: str | None) -> None:
    """It limits the years; elsewhere it may be when a film is set, and stays plain text."""
    found = read(text)
    years = [part for part in found.parts if part.field == "year"]
    assert [part.value for part in years] == ([decade] if decade else [])
    if decade:
        first = int(decade[:4])
        assert years[0].conditions == (Filters(year_from=first, year_to=first + 9),)
        assert text[slice(*years[0].span or ())] == decade
    assert found.plain == (plain or " ".join(text.split()))


def test_parts_can_be_removed() -> None:
    """Each part says where it stands, and the text without it lacks that condition alone."""
    text = 'robots -"star wars"  genre:drama -title:"a b" end'
    found = read(text)
    assert [text[slice(*part.span or ())] for part in found.parts] == [
        '-"star wars"',
        "genre:drama",
        '-title:"a b"',
    ]
    assert [(part.field, part.value, part.excluded) for part in found.parts] == [
        ("text", "star wars", True),
        ("genre", "drama", False),
        ("title", "a b", True),
    ]
    for part in found.parts:
        assert part.span
        others = [other.conditions for other in found.parts if other != part]
        left = read(found.without(part.span))
        assert [other.conditions for other in left.parts] == others
        assert "robots" in left.plain


def test_fields_say_the_same_as_the_text() -> None:
    """A query by fields has the conditions of a query in the language."""
    query = Query(
        query="robots",
        phrase=("star wars",),
        title=("alien",),
        person=("ana ruiz",),
        exclude=("queen", "lost island", '"sea"', "genre:horror", "year:1950s", "(!) a"),
    )
    text = (
        '"star wars" title:alien person:"ana ruiz" -queen -"lost island" -"sea" -genre:horror '
        '-year:1950s -"(!) a"'
    )
    parts = field_parts(query)
    assert conditions_of(parts) == conditions_of(read(text).parts)
    assert {part.span for part in parts} == {None}


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("zombie", "zombies"),
        ("zombies", "zombie"),
        ("box", "boxes"),
        ("boxes", "box"),
        ("spy", "spies"),
        ("spies", "spy"),
        ("witch", "witches"),
        ("witches", "witch"),
    ],
)
def test_a_word_is_excluded_with_its_plural(word: str, other: str) -> None:
    """Singular and plural exclude each other."""
    assert word in word_forms(word)
    assert other in word_forms(word)


@given(st.text(alphabet='ab1950 -":.\u201c\u201dtitleyargnps!\u00e9\u4e03', max_size=60))
def test_any_text_is_read(text: str) -> None:
    """No text is an error; parts are in order, apart, and each begins after a blank."""
    found = read(text)
    end = 0
    for part in found.parts:
        assert part.span
        assert part.conditions
        start, after = part.span
        assert end <= start < after <= len(text)
        assert start == 0 or text[start - 1].isspace()
        end = after
    assert isinstance(conditions_of(found.parts), Conditions)
    assert bool(conditions_of(found.parts)) == bool(found.parts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("robots", True),
        ("", False),
        ("genre:drama", False),
        ("year:1955 genre:drama -robots -title:alien", False),
        ("  genre:drama  ", False),
        ("genre:drama robots", True),
        ("robots genre:drama", True),
        ("year:1955 robots genre:drama", True),
        ('"star wars"', True),
        ("title:alien", True),
        ("person:ruiz genre:drama", True),
    ],
)
def test_whether_there_are_words_to_rank_by(text: str, words: bool) -> None:
    """Plain words, phrases, titles and people; genres, years and exclusions only limit."""
    assert read(text).has_words == words


@pytest.mark.parametrize(
    ("text", "phrase"),
    [('"star wars"', True), ('-"star wars"', False), ('title:"star wars"', False), ("star", False)],
)
def test_whether_a_phrase_is_required(text: str, phrase: bool) -> None:
    """One of the film's text, which is not excluded."""
    assert read(text).has_phrase == phrase


def test_which_genres_are_named() -> None:
    """In parts of any kind, in their order; years and phrases name none."""
    parts = read('genre:drama "star wars" year:1955 -genre:horror').parts
    assert genres_in(parts) == ["drama", "horror"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("year:1950", Filters(year_from=1950, year_to=1950)),
        ("year:1959..1950", Filters(year_from=1950, year_to=1959)),
        ("year:1950..", Filters(year_from=1950)),
        ("year:..1959", Filters(year_to=1959)),
        ("year:0000..1950", None),
        ("year:19501959", None),
        ("year:0000s", None),
    ],
)
def test_which_years_are_meant(text: str, limits: Filters | None) -> None:
    """One year, a range in either order, or one that is open at an end; no other figures."""
    parts = read(text).parts
    assert [part.conditions for part in parts] == ([(limits,)] if limits else [])


def test_a_film_that_others_should_be_like_is_not_searched_for() -> None:
    """Nor is what a part excludes; what films gain by stays as it is typed."""
    text = "movies like Alien 80s -robots"
    parts = (
        Part("like", "Alien", False, (), (7, 17)),
        Part("year", "80s", False, (Filters(year_from=1980),), (18, 21), preferred=True),
        Part("text", "robots", True, phrases("robots"), (22, 29)),
    )
    reading = Reading.of(text, parts[::-1])
    assert reading.plain == "movies 80s"
    assert reading.parts == parts


def test_no_conditions_exclude_nothing() -> None:
    """A query without any has no part in them; either kind alone is one."""
    year = Filters(year_from=1955, year_to=1955)
    assert Conditions().matches(ALIEN)
    assert not Conditions()
    assert Conditions((year,)).matches(ALIEN)
    assert not Conditions(excluded=(year,)).matches(ALIEN)
    assert Conditions((year,))
    assert Conditions(excluded=(year,))
