"""Reading queries: what asks and what is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.retrieval.query_parser import MAX_WORDS, read
from hybrid.text.person_names import name_words


@pytest.mark.parametrize(
    ("typed", "wording"),
    [
        ("any good movies about sailors lost at sea", "sailors lost at sea"),
        ("I'm looking for films where a dog saves its owner", "dog saves its owner"),
        ("What's that film with the talking pig?", "talking pig?"),
        ("Do you have Metropolis", "Metropolis"),
        ("the one called solaris from 1972", "solaris from 1972"),
        ("can you recommend something about chess", "chess"),
        ("submarine movies", "submarine"),
        ("Metropolis movie, please!", "Metropolis"),
        ("Bollywood movie where two families feud", "Bollywood where two families feud"),
        ("film student finds a lost reel", "student finds a lost reel"),
        ("ageing film producer", "ageing film producer"),
    ],
)
def test_asking_is_left_out(typed: str, wording: str) -> None:
    """Words that only ask, or only say that films are wanted, are no keywords."""
    assert read(typed).wording == wording


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
    assert read(typed).wording == typed


def test_only_naming_may_name_a_title() -> None:
    """After "looking for" a title may follow; after "about" a description does."""
    assert read("looking for solaris").titles == ("looking for solaris", "solaris")
    assert read("movies about chess").titles == ("movies about chess",)
    assert read("solaris").titles == ("solaris",)
    assert read("where can i find solaris").titles[1:] == ("solaris",)
    assert read("find me movies about chess").titles[1:] == ()
    # Words with a gap between them are no title that was typed.
    assert read("looking for silent movies era").titles[1:] == ()


@pytest.mark.parametrize(
    ("typed", "quoted"),
    [
        ('the line "here\'s looking at you"', True),
        ("\u201eohne Titel\u201c", True),
        ("\u00absans titre\u00bb", True),
        ("it's o'clock", False),
        ('a 12" record', False),
        ('""', False),
    ],
)
def test_quotation_marks(typed: str, quoted: bool) -> None:
    """A pair of double quotation marks around a word quotes; apostrophes and inches do not."""
    assert read(typed).quoted is quoted


def test_words_beyond_the_limit_are_cut() -> None:
    """The first 64 words count, a character each where there are no blanks, and the reading tells
    that more were there."""
    assert MAX_WORDS == 64
    long = read("sea " * (MAX_WORDS + 1))
    assert (len(long.typed.split()), long.cut) == (MAX_WORDS, True)
    assert read("sea " * MAX_WORDS).cut is False
    unspaced = read("\u6d77" * (MAX_WORDS + 1))
    assert (len(unspaced.typed), unspaced.cut) == (MAX_WORDS, True)


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
    """No text is left without words, and nothing is made up."""
    reading = read(text)
    assert reading.wording.strip()
    assert set(reading.wording.split()) <= set(text.split())
