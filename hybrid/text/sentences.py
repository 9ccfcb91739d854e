"""A text cut into sentences."""

from collections.abc import Iterator

from sentencex import get_sentence_boundaries

MAX_CHARACTERS = 800
"""Longer sentences are cut at a space: the default model reads no more than 256 tokens, some 1,000
characters of English, and the rest would not be found by meaning."""

Span = tuple[int, int]
"""Half-open range of characters of the description."""


def sentence_spans(description: str) -> list[Span]:
    """Return the sentences of `description` as ranges of its characters, in order.

    Whitespace must be single spaces, as cleaning leaves it: the splitter panics on some other
    characters. Outer spaces are left out, and so is a sentence without a letter or digit.
    """
    spans: list[Span] = []
    for boundary in get_sentence_boundaries("en", description):
        whole = boundary["start_index"], boundary["end_index"]
        for start, end in _split_long(description, *whole):
            text = description[start:end]
            if any(character.isalnum() for character in text):
                first = start + len(text) - len(text.lstrip())
                spans.append((first, first + len(text.strip())))
    return spans


def _split_long(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > MAX_CHARACTERS:
        blank = text.rfind(" ", start, start + MAX_CHARACTERS)
        middle = blank if blank > start else start + MAX_CHARACTERS
        yield start, middle
        start = middle
    yield start, end
