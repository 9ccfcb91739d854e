"""Why a film ranks where it does, in one sentence of plain words."""

from textwrap import shorten

from hybrid.schemas.explanation import FusionWhy, KeywordWhy, SemanticWhy
from hybrid.text.analysis import analyze

MOST_NAMED = 4
"""So many words of a query are named; the rest is counted."""

SENTENCE = 140
"""Characters of a sentence that are shown."""

ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()


def summary(
    rank: int | None,
    allowed: bool,
    keyword: KeywordWhy | None,
    semantic: SemanticWhy | None,
    fusion: FusionWhy,
) -> str:
    """Return the place of a film, what counts most for it, and what else is to be said.

    `allowed` tells whether the filters let the film through.
    """
    reason, more = _reason(keyword, semantic, fusion)
    clauses = "; ".join(clause for clause in more if clause)
    place = _place(rank, allowed)
    if rank is None:
        return f"{place}: {clauses}" if clauses else place
    return f"{place} {reason}: {clauses}" if clauses else f"{place} {reason}"


def _place(rank: int | None, allowed: bool) -> str:
    if not allowed:
        return "is left out by the filters"
    return f"ranks {_ordinal(rank)}" if rank else "is not among the films found"


def _ordinal(rank: int) -> str:
    if rank <= len(ORDINALS):
        return ORDINALS[rank - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}th" if rank % 100 in (11, 12, 13) else f"{rank}{ending}"


def _reason(
    keyword: KeywordWhy | None, semantic: SemanticWhy | None, fusion: FusionWhy
) -> tuple[str, list[str]]:
    """Return what counts most, and the clauses on it and on the rest in the order of weight."""
    words = _words(keyword)
    told = semantic is not None and bool(semantic.sentences)
    if keyword and keyword.counts and not (told and fusion.semantic > fusion.keyword):
        if keyword.counts == "title":
            near = "it is what you typed" if keyword.title == 1 else "it is near what you typed"
            return "for its title", [near, words]
        return "for its words", [words, _sentence(semantic, "the nearest sentence is '{}'")]
    if semantic and told:
        return "for its plot", [_sentence(semantic, _saying(keyword, semantic)), words]
    return "for nothing", [words, "it has no description" if semantic else ""]


def _saying(keyword: KeywordWhy | None, semantic: SemanticWhy) -> str:
    """Return how the best sentence says what was asked: in the query's own words or in others."""
    if keyword is None or keyword.terms is None:
        return "the sentence '{}' comes nearest"
    typed = set(analyze(" ".join(term.word for term in keyword.terms)))
    if typed & set(analyze(semantic.sentences[0].sentence)):
        return "the sentence '{}' comes nearest"
    return "the sentence '{}' says it in other words"


def _sentence(semantic: SemanticWhy | None, clause: str) -> str:
    if not semantic or not semantic.sentences:
        return ""
    return clause.format(shorten(semantic.sentences[0].sentence, SENTENCE, placeholder=" ..."))


def _words(keyword: KeywordWhy | None) -> str:
    """Return which of the query's words occur, none said where there are none to look for."""
    if keyword is None or keyword.terms is None:
        return ""
    found = [term.word for term in keyword.terms]
    count = len(found) + len(keyword.not_found)
    if not count:
        return ""
    if not found:
        return "none of your words occurs"
    if len(found) == count:
        return f"'{found[0]}' occurs" if count == 1 else "all of your words occur"
    if len(found) == 1:
        return f"only '{found[0]}' of your words occurs"
    named = ", ".join(f"'{word}'" for word in found[:MOST_NAMED])
    others = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"{len(found)} of your {count} words occur: {named}{others}"
