"""Titles: the film whose title was typed, however it was typed."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybrid.ranking import Scores
from hybrid.retrieval.title_index import TitleIndex
from hybrid.text.analysis import fold_to_ascii
from hybrid.text.normalise import plain
from hybrid.text.title_words import title_words, whole_title

FILMS = [
    ("The Wind and the Lion", 1975),
    ("Lion", 2016),
    ("12 Monkeys", 1995),
    ("Rocky II", 1979),
    ("Rocky", 1976),
    ("S.O.B.", 1981),
    ("S*P*Y*S", 1974),
    ("Lost Boulevard", 1950),
    ("The Thing", 1951),
    ("The Thing", 1982),
    ("Bluebeard's Eighth Wife", 1938),
    ("Spider-Man: No Way Home", 2021),
    ("!!!", 1990),
    ("M", 1931),
    ("七人の侍", 1954),
    ("Äkta människor", 2012),
    ("Blade Runner", 1982),
]

INDEX = TitleIndex.of(
    list(enumerate(title for title, _ in FILMS)), np.array([year for _, year in FILMS], np.int32)
)


def shares(index: TitleIndex, texts: list[str]) -> Scores:
    """Return the share of every film, also of those that do not match."""
    return index.matches(texts).of(np.arange(len(index.years)))


def nearest(text: str) -> tuple[str, int]:
    """Return the film whose title is nearest, the first of equals."""
    return FILMS[int(shares(INDEX, [text]).argmax())]


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("wind and lion", "The Wind and the Lion"),
        ("lion", "Lion"),
        ("twelve monkeys", "12 Monkeys"),
        ("rocky 2", "Rocky II"),
        ("rocky part two", "Rocky II"),
        ("sob", "S.O.B."),
        ("s o b", "S.O.B."),
        ("spys", "S*P*Y*S"),
        ("lost blvd", "Lost Boulevard"),
        ("lots boulevarde", "Lost Boulevard"),
        ("blue beards 8th wife", "Bluebeard's Eighth Wife"),
        ("bluebeards eight wife", "Bluebeard's Eighth Wife"),
        ("spiderman", "Spider-Man: No Way Home"),
        ("spider man", "Spider-Man: No Way Home"),
        ("!!!", "!!!"),
        ("m", "M"),
        ("七人の侍", "七人の侍"),
        ("akta manniskor", "Äkta människor"),
    ],
)
def test_a_title_is_found_however_it_is_typed(typed: str, title: str) -> None:
    """Partial, misspelt, joined, cut, in numerals, abbreviated, without articles or accents."""
    assert nearest(typed)[0] == title


def test_a_year_tells_namesakes_apart() -> None:
    """Of films of one title the one of the year that is named is nearest; a far title stays far."""
    assert nearest("the thing 1982") == ("The Thing", 1982)
    assert nearest("the thing 1951") == ("The Thing", 1951)
    found = shares(INDEX, ["the thing 1982"])
    assert found[9] == 1.0
    assert found[8] == pytest.approx(0.75)
    assert shares(INDEX, ["thing 1982"])[9] == pytest.approx(0.75 * 0.95 + 0.25)
    assert found[FILMS.index(("Blade Runner", 1982))] == 0.0


@pytest.mark.parametrize("year", [1870, 1896, 1929, 2000, 2099])
def test_years_are_those_of_films(year: int) -> None:
    """From 1870 to 2099 a number beside a title is a year."""
    index = TitleIndex.of([(0, "The Kiss"), (1, "The Kiss")], np.array([year, 1950], np.int32))
    assert shares(index, [f"the kiss {year}"]).tolist() == [1.0, 0.75]


@pytest.mark.parametrize(
    ("typed", "title", "share"),
    [
        ("rocky", "Rocky", 1.0),
        # "lionz" between its ends: ^li lio ion onz nz$; "lion": ^li lio ion on$.
        ("lionz", "Lion", 0.7 * 3 / 5 + 0.3 * 3 / (5 + 4 - 3)),
        # "rocky": ^ro roc ock cky ky$; "rocky2": ^ro roc ock cky ky2 y2$. A beginning: .8 and more.
        ("rocky", "Rocky II", 0.8 + 0.2 * (0.7 * 4 / 5 + 0.3 * 4 / 7)),
        # A beginning is whole words: "lion" does not begin "lions", "on$" and "ons ns$" differ.
        ("lion", "Lions", 0.7 * 3 / 4 + 0.3 * 3 / 6),
        # The same words without the article are not the title to the letter.
        ("golden", "The Golden", 0.95),
        # "lama": ^la lam ama ma$; "lamb": ^la lam amb mb$.
        ("lama", "Lamb", 0.7 * 2 / 4 + 0.3 * 2 / 6),
        # .7 * 2 / 5 + .3 * 2 / 7 is .366: below .4 the likeness is chance.
        ("lambs", "Lama", 0.0),
    ],
)
def test_shares_are_what_the_formula_says(typed: str, title: str, share: float) -> None:
    """A title is 1, nearly .95, a beginning at least .8, a far title 0; the sums are by hand."""
    index = TitleIndex.of([(0, title)], np.zeros(1, np.int32))
    assert shares(index, [typed])[0] == pytest.approx(share)


def test_a_film_counts_by_its_nearest_title() -> None:
    """Where a film has two titles the nearer one counts; one without any is far from all."""
    index = TitleIndex.of([(0, "Spirited Away"), (0, "Sen to Chihiro")], np.zeros(2, np.int32))
    assert shares(index, ["sen to chihiro"]).tolist() == [1.0, 0.0]
    assert shares(index, ["spirited away"]).tolist() == [1.0, 0.0]
    assert shares(TitleIndex.of([], np.zeros(0, np.int32)), ["any"]).tolist() == []


def test_only_the_title_to_the_letter_is_whole() -> None:
    """Without its article, or as what is left of a longer query, a title is nearly itself."""
    assert shares(INDEX, ["The Wind & the Lion"])[0] == 1.0
    assert shares(INDEX, ["wind lion"])[0] == 0.95
    assert shares(INDEX, ["looking for lion", "lion"])[1] == 0.95
    assert shares(INDEX, ["lion", "blade runner"])[1] == 1.0


@pytest.mark.parametrize(
    ("title", "ascii_title"),
    [
        ("Æon Flux", "Aeon Flux"),
        ("Łódź", "Lodz"),
        ("Blåbærsyltetøy", "Blabaersyltetoy"),
        ("Đorđe", "Dorde"),
        ("Straße", "Strasse"),
        ("Œdipe", "Oedipe"),
        ("Þór", "Thor"),
        ("Kış Uykusu", "Kis Uykusu"),
    ],
)
def test_special_letters_may_be_typed_or_not(title: str, ascii_title: str) -> None:
    """A title is the same to the letter with æ or ae, ł or l, in the index and in the query."""
    for indexed, typed in ((title, ascii_title), (ascii_title, title)):
        index = TitleIndex.of([(0, indexed)], np.zeros(1, np.int32))
        assert shares(index, [typed])[0] == 1.0
        assert shares(index, [typed.upper()])[0] == 1.0


european = st.text(
    # n with an apostrophe before it is two characters to Unicode, and an n to the keyword side.
    st.characters(max_codepoint=0x17F, categories=["Lu", "Ll", "Zs"], exclude_characters="\u0149"),
    max_size=20,
)


@given(european)
@example("ÆØÅ æøå ß Łł Đđ Þþ Œœ ı Ŋŋ")
def test_a_title_is_found_by_its_letters_in_ascii(title: str) -> None:
    """What the keyword side takes for the same letters is the same title, either way round."""
    for indexed, typed in ((title, fold_to_ascii(title)), (fold_to_ascii(title), title)):
        index = TitleIndex.of([(0, indexed)], np.zeros(1, np.int32))
        assert shares(index, [typed])[0] == 1.0


@given(st.text(max_size=40))
@example("\u1d2d\u1d00\u03f2\u1fb3\u24d0\u210c")
def test_folding_twice_changes_nothing(text: str) -> None:
    """Folded text stays as it is, so that it does not matter which side has folded it already."""
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("typed", "figures"),
    [
        ("eighty days", ["80", "days"]),
        ("twenty one grams", ["21", "grams"]),
        ("one hundred and one dogs", ["101", "dogs"]),
        ("one two three", ["1", "2", "3"]),
        ("one hundred twenty days", ["120", "days"]),
        ("twenty eleven", ["20", "11"]),
        ("twenty and one", ["20", "1"]),
        ("eighth wife", ["8", "wife"]),
        ("8th wife", ["8", "wife"]),
        ("rocky v", ["rocky", "5"]),
        ("v for vendetta", ["v", "vendetta"]),
        ("hundred steps", ["hundred", "steps"]),
        ("twenty ten", ["20", "10"]),
        ("one hundred ten", ["110"]),
        ("two hundred and one and two", ["201", "2"]),
        ("zero one", ["0", "1"]),
    ],
)
def test_numbers_are_figures(typed: str, figures: list[str]) -> None:
    """Number words, ordinals and Roman numerals, but for a letter that begins a title."""
    assert [*title_words(typed)] == figures


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("Main St.", "Main Street"),
        ("Sunset Blvd.", "Sunset Boulevard"),
        ("Fury Rd.", "Fury Road"),
        ("Fifth Ave.", "Fifth Avenue"),
        ("Mt. Rainier", "Mount Rainier"),
        ("Ft. Apache", "Fort Apache"),
        ("Dr. Zhivago", "Doctor Zhivago"),
        ("Mr. Ripley", "Mister Ripley"),
        ("Sherlock Jr.", "Sherlock Junior"),
        ("Sgt. York", "Sergeant York"),
        ("Capt. Blood", "Captain Blood"),
        ("Bad Lt.", "Bad Lieutenant"),
        ("Kramer vs. Kramer", "Kramer Versus Kramer"),
        ("Hot Shots Pt. 2", "Hot Shots Part Two"),
        ("Gone w the Wind", "Gone With the Wind"),
        ("Nite Moves", "Night Moves"),
        ("Drive-Thru", "Drive Through"),
    ],
)
def test_abbreviations_are_words(typed: str, title: str) -> None:
    """What is abbreviated on posters is the same title in full."""
    assert title_words(typed) == title_words(title)
    assert len(title_words(typed)) >= 2


def test_small_words_do_not_count() -> None:
    """Articles, prepositions and what only says that it is a film or a part of one are left out;
    words that make titles different stay, and so do all if nothing else is left."""
    ignored = "the a of in and from part episode chapter volume vol movie film"
    assert title_words(f"{ignored} matrix") == ("matrix",)
    kept = ("no", "not", "they", "what", "who", "will")
    assert title_words(" ".join(kept)) == kept
    assert title_words("from the movie") == ("from", "the", "movie")


def test_spaced_letters_are_a_word() -> None:
    """However they are spaced; one letter between words stays apart."""
    for typed in ("M*A*S*H", "m a s h", "M.A.S.H."):
        assert title_words(typed) == ("mash",)
    assert title_words("plan b again") == ("plan", "b", "again")
    assert whole_title("Fast & Furious: the (real) one!") == "fast and furious the real one"


letters = st.text("abc", min_size=1, max_size=7)


@given(st.lists(letters, min_size=1, max_size=4), letters)
@example(["aaaba"], "aaabbaa")
def test_trigrams_are_counted_as_sets(titles: list[str], text: str) -> None:
    """Whatever the other titles, a share is what the trigrams of query and title alone give."""

    def trigrams(word: str) -> set[str]:
        ended = f"^{word}$"
        return {ended[position : position + 3] for position in range(len(ended) - 2)}

    index = TitleIndex.of(list(enumerate(titles)), np.zeros(len(titles), np.int32))
    asked = trigrams("".join(title_words(text)))
    for title, share in zip(titles, shares(index, [text]).tolist(), strict=True):
        if whole_title(title) != whole_title(text):
            own = trigrams("".join(title_words(title)))
            common = len(asked & own)
            # In the order of the formula: at the very limit the last digit decides.
            of_query, of_either = common / len(asked), common / len(asked | own)
            alike = 0.7 * of_query + (1 - 0.7) * of_either
            if title_words(title) == title_words(text):
                alike = 1.0
            assert share == pytest.approx(min(alike, 0.95) if alike >= 0.4 else 0.0)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_has_a_share(title: str, text: str) -> None:
    """Whatever the title and the query, the share is 0 or from .4 to 1; the title itself is 1."""
    index = TitleIndex.of([(0, title)], np.array([1990], np.int32))
    share = shares(index, [text])[0]
    assert share == 0 or 0.4 * 0.75 <= share <= 1
    assert shares(index, [title])[0] == 1


@given(st.lists(st.text("abcd ", min_size=1, max_size=30), min_size=1, max_size=30), st.data())
def test_other_titles_change_nothing(titles: list[str], data: st.DataObject) -> None:
    """A title's share is the same alone and among many, whatever their lengths."""
    text = data.draw(st.one_of(st.sampled_from(titles), st.text("abcd ", min_size=1, max_size=30)))
    years = np.zeros(len(titles), np.int32)
    among_others = shares(TitleIndex.of(list(enumerate(titles)), years), [text])
    alone = [shares(TitleIndex.of([(0, title)], years[:1]), [text])[0] for title in titles]
    assert among_others.tolist() == alone


def test_indices_are_equal_if_their_titles_are() -> None:
    """The same titles of the same films; their years are elsewhere."""
    titles = [(0, "The Thing"), (1, "Rocky II"), (1, "Rocky Two")]

    def index(entries: list[tuple[int, str]], year: int = 1950) -> TitleIndex:
        return TitleIndex.of(entries, np.full(2, year, np.int32))

    assert index(titles).equals(index(titles[::-1], 1960))
    assert not index(titles).equals(index(titles[:2]))
    assert not index(titles).equals(index([(1, "The Thing"), *titles[1:]]))
    assert not index(titles).equals(index([*titles[:2], (1, "Rocky Too")]))
