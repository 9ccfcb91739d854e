"""The semantic share chosen for a query, and why."""

from typing import NamedTuple

TITLE, EVEN, MEANING_ALONE = 0.2, 0.5, 1.0
"""Alpha where a title is typed, where the words of the query are found, and where they are not."""

FEW, MANY = 0.25, 0.35
"""Best keyword share of any film up to which words say nothing, and from which on they count."""


class AlphaChoice(NamedTuple):
    """`value`, 0 to 1, is the semantic share of the score; `reason` says in words why."""

    value: float
    reason: str


def chosen(
    best_words: float, best_title: float, name: str | None, quoted: bool, degraded: bool
) -> AlphaChoice:
    """Return the alpha for a query whose best film has these keyword shares, 0 to 1.

    `name` is a person's whole name that the query holds; `quoted`, whether it quotes something.
    Both are meant literally, however few of the other words are found. `degraded` tells that the
    keyword engine did not answer. What this gains over any fixed alpha is measured in
    docs/ranking.md.
    """
    if best_title == 1:
        return AlphaChoice(TITLE, "a film's title, to the letter: words count most")
    if name:
        return AlphaChoice(
            EVEN, f"'{name}' is a name in the catalogue: words and meaning count alike"
        )
    if quoted:
        return AlphaChoice(EVEN, "what is quoted is meant literally: words and meaning count alike")
    best = max(best_words, best_title)
    found = f"title or words of the best film cover {best:.0%} of the query"
    if degraded:
        found = "only titles could be compared, as the keyword engine does not answer"
    if best >= MANY:
        return AlphaChoice(EVEN, f"{found}: words and meaning count alike")
    if best <= FEW:
        return AlphaChoice(MEANING_ALONE, f"{found}, no more than chance: meaning alone decides")
    words = (best - FEW) / (MANY - FEW)
    value = MEANING_ALONE + words * (EVEN - MEANING_ALONE)
    return AlphaChoice(value, f"{found}: meaning counts more than words")
