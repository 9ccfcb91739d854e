"""Descriptions and lists within the bounds of a film: what of a value fits, and what does not."""

from typing import NamedTuple

from hybrid.bounds import max_characters, max_entries
from hybrid.movie import Names
from hybrid.text.sentences import sentence_spans


class Fit(NamedTuple):
    """What is within the bounds, and what of the value is not; None if all of it is."""

    value: object
    excess: str | None


def fit(field: str, value: object, max_sentences: int) -> Fit:
    """Return the beginning of a parsed description or list that is within the bounds of a film.

    Entries of a list that are too long are left out. Other values are returned as they are.
    """
    if field == "description" and isinstance(value, str):
        return _description(value, max_sentences)
    if isinstance(value, tuple):
        return _names(field, value)
    return Fit(value, None)


def _description(text: str, max_sentences: int) -> Fit:
    longest = max_characters("description")
    excess = None
    if len(text) > longest:
        excess = f"{len(text):,} characters, expected {longest:,} at most"
        text = text[:longest].rpartition(" ")[0] or text[:longest]
    if len(text) < 2 * max_sentences:  # a sentence has a letter and ends with another character
        return Fit(text, excess)
    spans = sentence_spans(text)
    if len(spans) > max_sentences:
        excess = excess or f"{len(spans):,} sentences, expected {max_sentences:,} at most"
        text = text[: spans[max_sentences - 1][1]]
    return Fit(text, excess)


def _names(field: str, names: Names) -> Fit:
    longest, most = max_characters(field), max_entries(field)
    kept = tuple(name for name in names if len(name) <= longest)
    if len(kept) < len(names):
        size = max(map(len, names))
        excess = f"an entry of {size:,} characters, expected {longest:,} at most"
    else:
        excess = f"{len(names):,} entries, expected {most:,} at most"
    return Fit(kept[:most], None if kept[:most] == names else excess)
