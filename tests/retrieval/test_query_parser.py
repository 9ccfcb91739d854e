"""Reading queries: what asks and what is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.retrieval.query_parser import MAX_WORDS, parse_query
from hybrid.text.person_names import name_words


@pytest.mark.parametrize(
    ("typed", "wording"),
    [
        ("any good movies about sailors lost at sea", "sailors lost at sea"),
        ("I'm looking for films where a dog saves its owner", "dog saves its owner"),
        ("What's that film with the talking pig?", "talking pig?"),
        ("Do you have Metropolis", "Metropolis"),
        ("do you have the seventh seal", "seventh seal"),
        ("show me chess !", "chess"),
        ("chess films , please", "chess"),
        ("the one called solaris from 1972", "solaris from 1972"),
        ("can you recommend something about chess", "chess"),
        ("submarine movies", "submarine"),
        ("Metropolis movie, please!", "Metropolis"),
        ("Bollywood movie where two families feud", "Bollywood where two families feud"),
        ("the one where a dog saves its owner", "dog saves its owner"),
        ("old chess film about love", "old chess about love"),
        ("old film noir about love", "old film noir about love"),
        ("film student finds a lost reel", "student finds a lost reel"),
        ("ageing film producer", "ageing film producer"),
    ],
)
def test_asking_is_left_out(typed: str, wording: str) -> None:
    """Words that only ask, or only say that films are wanted, are no keywords."""
    assert parse_query(typed).keywords == wording


@pytest.mark.parametrize(
    "typed",
    [
        "some like it hot",
        "the good the bad and the ugly",
        "to have and have not",
        "one flew over the nest",
        "great expectations",
        "something wild",
        "a man escaped",
        "show me",
        "movie",
        "what",
        "?!",
    ],
)
def test_titles_and_bare_words_stay(typed: str) -> None:
    """What begins like a question without asking is meant, and so is a query of nothing else."""
    assert parse_query(typed).keywords == typed


def test_only_naming_may_name_a_title() -> None:
    """After "looking for" a title may follow; after "about" a description does."""
    assert parse_query("looking for solaris").possible_titles == ("looking for solaris", "solaris")
    assert parse_query("movies about chess").possible_titles == ("movies about chess",)
    assert parse_query("solaris").possible_titles == ("solaris",)
    assert parse_query("where can i find solaris").possible_titles[1:] == ("solaris",)
    assert parse_query("find me movies about chess").possible_titles[1:] == ()
    # Words with a gap between them are no title that was typed.
    assert parse_query("looking for silent movies era").possible_titles[1:] == ()


def test_words_beyond_the_limit_are_cut() -> None:
    """The first 160 words count, a character each where there are no blanks, and the parsed tells
    that more were there."""
    assert MAX_WORDS == 160
    long = parse_query("sea " * (MAX_WORDS + 1))
    assert (len(long.text.split()), long.truncated) == (MAX_WORDS, True)
    assert parse_query("sea " * MAX_WORDS).truncated is False
    unspaced = parse_query("\u6d77" * (MAX_WORDS + 1))
    assert (len(unspaced.text), unspaced.truncated) == (MAX_WORDS, True)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Alfred Hitchcock's", "alfred hitchcock"),
        ("J. J. Abrams\u2019s", "jj abrams"),
        ("j j abrams", "jj abrams"),
        ("Jean-Luc Godard", "jean luc godard"),
        ("Pen\u00e9lope N\u00fa\u00f1ez,", "penelope nunez"),
        ("Peter O'Toole", "peter otoole"),
        ("S. A. Corey", "sa corey"),
        ("a j corey", "a j corey"),  # the article, until an initial stands before it
        ("S\u00f8ren Malling", "soren malling"),
    ],
)
def test_names_are_compared_without_how_they_are_written(typed: str, name: str) -> None:
    """Case, accents, special letters, hyphens, initials and possessives make no other name."""
    assert " ".join(word for word, _ in name_words(typed)) == name


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.strip()))
def test_any_text_can_be_read(text: str) -> None:
    """No text is left without words but by its conditions, and nothing is made up."""
    parsed = parse_query(text)
    assert parsed.keywords.strip() or parsed.parts
    assert set(parsed.keywords.split()) <= set(parsed.reading.plain.split())
    if not parsed.parts:
        assert parsed.reading.plain.split() == text.split()
