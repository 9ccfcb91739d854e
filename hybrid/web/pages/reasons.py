"""Why a film is there, in one plain line; its numbers are in the full explanation."""

from collections.abc import Sequence

from hybrid.schemas.explanation import KeywordWhy, SemanticWhy, Why

MAX_NAMED = 3
"""Words of the query that are named."""


def reason(why: Why) -> str:
    """Return why a film matches a query: what matched, then which words of the query occur."""
    keyword, semantic = why.keyword, why.semantic
    matched = _matched(why, keyword, semantic)
    words = _words(keyword)
    return f"{matched}; {words}" if words else matched


def likeness(why: Why) -> str:
    """Return why a film is like another one: its plot, and the telling words that both have."""
    shared = [term.word for term in (why.keyword and why.keyword.terms) or ()]
    is_plot = why.fusion.semantic > why.fusion.keyword
    if not shared:
        return "Alike by plot"
    named = _listed(shared, "and")
    return f"Alike by plot; both have {named}" if is_plot else f"Both have {named}"


def _matched(why: Why, keyword: KeywordWhy | None, semantic: SemanticWhy | None) -> str:
    by_words = bool(keyword and keyword.counts)
    by_plot = bool(semantic and semantic.sentences) and why.fusion.semantic > 0
    if by_plot and why.fusion.semantic > why.fusion.keyword:
        return "Matched by plot"
    if keyword and keyword.counts == "title":
        exact = keyword.title == 1
        return "The title is what you typed" if exact else "The title is close to what you typed"
    if by_words:
        return "Matched by words"
    return "Matched by plot" if by_plot else "Not a close match"


def _words(keyword: KeywordWhy | None) -> str:
    """Return which words of the query occur, nothing where there are none to look for."""
    if keyword is None or keyword.terms is None:
        return ""
    found = [term.word for term in keyword.terms]
    missing = len(keyword.not_found)
    if not found:
        return "none of your words occur" if missing > 1 else "your word does not occur" * missing
    if missing:
        occur = "occurs" if len(found) == 1 else "occur"
        return f"{_listed(found, 'and')} {occur}"
    if len(found) == 1:
        return "your word occurs"
    return "both of your words occur" if len(found) == 2 else "all of your words occur"


def _listed(words: Sequence[str], last: str) -> str:
    """Return the first words in quotation marks, and how many more there are."""
    named = [f"“{word}”" for word in words[:MAX_NAMED]]
    if len(words) > MAX_NAMED:
        return f"{', '.join(named)} {last} {len(words) - MAX_NAMED} more"
    return f" {last} ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
