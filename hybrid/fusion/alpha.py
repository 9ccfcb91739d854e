"""Alpha, the semantic share of the score: how it is chosen for a query."""

from typing import NamedTuple

TITLE_ALPHA, EVEN_ALPHA, SEMANTIC_ALPHA = 0.2, 0.5, 1.0
"""Alpha if a title is typed, if the words of the query are found, and if they are not."""

LOW_SHARE, HIGH_SHARE = 0.25, 0.35
"""Up to the first, the best keyword share of any film is chance; from the second on, words count
fully."""

LIKENESS_ALPHA = 0.4
"""The semantic share of films like another one; docs/ranking.md gives its measured gain."""

LIKE_MOST = "as is best for most films"

NO_DESCRIPTION = "it has no description: its words alone decide"


class AlphaChoice(NamedTuple):
    """`value`, 0 to 1, is the semantic share of the score; `reason` explains it to the user."""

    value: float
    reason: str


def choose_alpha(
    best_text: float, best_title: float, person: str | None, has_quotation: bool, degraded: bool
) -> AlphaChoice:
    """Return the alpha for a query.

    `best_text` and `best_title` are the highest share of any film's text and title, 0 to 1.
    `person` is a full name in the query: names and quotations are meant literally, however few of
    the other words are found. `degraded` is whether the keyword engine did not answer.
    docs/ranking.md gives the measured gain over every fixed alpha.
    """
    if best_title == 1:
        return AlphaChoice(TITLE_ALPHA, "a film's title, to the letter: words count most")
    if person:
        return AlphaChoice(
            EVEN_ALPHA, f"'{person}' is a name in the catalogue: words and meaning count alike"
        )
    if has_quotation:
        return AlphaChoice(
            EVEN_ALPHA, "what is quoted is meant literally: words and meaning count alike"
        )
    best = max(best_text, best_title)
    coverage = f"title or words of the best film cover {best:.0%} of the query"
    if degraded:
        coverage = "only titles could be compared, as the keyword engine does not answer"
    if best >= HIGH_SHARE:
        return AlphaChoice(EVEN_ALPHA, f"{coverage}: words and meaning count alike")
    if best <= LOW_SHARE:
        return AlphaChoice(
            SEMANTIC_ALPHA, f"{coverage}, no more than chance: meaning alone decides"
        )
    fraction = (best - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE)
    value = SEMANTIC_ALPHA + fraction * (EVEN_ALPHA - SEMANTIC_ALPHA)
    return AlphaChoice(value, f"{coverage}: meaning counts more than words")
