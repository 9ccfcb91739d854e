"""Why a film ranks where it does, in one plain sentence."""

from collections.abc import Sequence
from textwrap import shorten

from hybrid.schemas.explanation import FusionWhy, KeywordWhy, PreferredWhy, SemanticWhy
from hybrid.text.analysis import analyze

MAX_NAMED_WORDS = 4
"""Words of a query that are named; further ones are counted."""

MAX_SENTENCE = 140
"""Characters of a sentence that are shown."""

ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()


def summary(
    rank: int | None,
    allowed: bool,
    keyword: KeywordWhy | None,
    semantic: SemanticWhy | None,
    fusion: FusionWhy,
    preferred: Sequence[PreferredWhy] = (),
) -> str:
    """Return the rank of a film, the main reason for it, and details.

    `rank` is None if the film is not in the ranking, `allowed` whether it passes the filters
    and matches the conditions.
    """
    reason, more = _reason(keyword, semantic, fusion)
    clauses = "; ".join(clause for clause in [*more, _preferred(preferred)] if clause)
    outcome = _outcome(rank, allowed)
    if rank is None:
        return f"{outcome}: {clauses}" if clauses else outcome
    return f"{outcome} {reason}: {clauses}" if clauses else f"{outcome} {reason}"


def _outcome(rank: int | None, allowed: bool) -> str:
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
    """Return the main reason, and clauses on it and on the other side, by importance."""
    words = _words(keyword)
    has_sentence = semantic is not None and bool(semantic.sentences)
    if keyword and keyword.counts and not (has_sentence and fusion.semantic > fusion.keyword):
        if keyword.counts == "title":
            near = "it is what you typed" if keyword.title == 1 else "it is near what you typed"
            return "for its title", [near, words]
        return "for its words", [words, _sentence(semantic, "the nearest sentence is '{}'")]
    if semantic and has_sentence:
        return "for its plot", [_sentence(semantic, _sentence_clause(keyword, semantic)), words]
    return "for nothing", [words, "it has no description" if semantic else ""]


def _preferred(parts: Sequence[PreferredWhy]) -> str:
    """Return what of the query the film gains by, and what not; empty if there is nothing."""
    met = ", ".join(f"'{part.value}'" for part in parts if part.met)
    unmet = ", ".join(f"'{part.value}'" for part in parts if not part.met)
    clauses = [f"it is of {met}" if met else "", f"not of {unmet}" if unmet else ""]
    return ", but ".join(clause for clause in clauses if clause)


def _sentence_clause(keyword: KeywordWhy | None, semantic: SemanticWhy) -> str:
    """Return the clause on the best sentence: has it words of the query, or only other ones?"""
    if keyword is None or keyword.terms is None:
        return "the sentence '{}' comes nearest"
    typed = set(analyze(" ".join(term.word for term in keyword.terms)))
    if typed & set(analyze(semantic.sentences[0].sentence)):
        return "the sentence '{}' comes nearest"
    return "the sentence '{}' says it in other words"


def _sentence(semantic: SemanticWhy | None, clause: str) -> str:
    if not semantic or not semantic.sentences:
        return ""
    return clause.format(shorten(semantic.sentences[0].sentence, MAX_SENTENCE, placeholder=" ..."))


def _words(keyword: KeywordWhy | None) -> str:
    """Return which words of the query occur; empty if the query has no words to look for."""
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
    names = ", ".join(f"'{word}'" for word in found[:MAX_NAMED_WORDS])
    others = f" and {len(found) - MAX_NAMED_WORDS} more" if len(found) > MAX_NAMED_WORDS else ""
    return f"{len(found)} of your {count} words occur: {names}{others}"
