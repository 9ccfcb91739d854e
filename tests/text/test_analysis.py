"""Words with their positions, against the analysis that indexes and searches them."""

from hypothesis import example, given
from hypothesis import strategies as st

from hybrid.text.analysis import Token, analyze, fold_to_ascii, tokens
from tests.engines.lexical.test_congruence import TEXTS


def test_tokens_are_words_with_their_places() -> None:
    """Stop words are left out, words joined by a mark are one, and positions are characters."""
    text = "The 🎬 O’Neil's running, a café 七人"
    assert tokens(text) == [
        Token(6, 14, "o'neil"),
        Token(15, 22, "run"),
        Token(26, 30, "cafe"),
        Token(31, 32, "七"),
        Token(32, 33, "人"),
    ]


@given(st.text(max_size=60) | st.sampled_from(TEXTS))
def test_tokens_have_the_terms_of_the_analysis(text: str) -> None:
    """The terms of any text are those it is searched by, in order and without overlap."""
    found = tokens(text)
    assert [token.term for token in found] == analyze(text)
    positions = [position for token in found for position in (token.start, token.end)]
    assert positions == sorted(positions)
    for token in found:
        assert analyze(text[token.start : token.end]) == [token.term]


@given(st.text(max_size=60) | st.sampled_from(TEXTS))
@example("")
@example("Æon Flux in Łódź")
def test_folded_text_is_searched_by_the_same_terms(text: str) -> None:
    """Folding changes no term of any single word, as the analysis folds the same letters."""
    for word in text.split():
        if word.isalpha():
            assert analyze(fold_to_ascii(word)) == analyze(word)
    assert fold_to_ascii(fold_to_ascii(text)) == fold_to_ascii(text)


def test_only_latin_letters_are_folded() -> None:
    """Letters of other scripts, and text that is ASCII already, stay as they are."""
    assert fold_to_ascii("ÆØß Łódź Ωμέγα 七人 ") == "AEOss Lodz Ωμέγα 七人 "
    assert fold_to_ascii("") == ""
