"""Texts of queries, as many as a benchmark needs, of which no two are equal."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from hybrid.evaluation.formats import read_judgements


def read_texts(files: Sequence[Path]) -> list[str]:
    """Return the distinct texts of the judged queries of these files.

    Raises InvalidInput, and OSError.
    """
    texts = (query.text for file in files for query in read_judgements(file).queries)
    return list(dict.fromkeys(texts))


def new_texts(texts: Sequence[str], seed: int = 0) -> Iterator[str]:
    """Yield texts none of which comes twice, each the first half of one text and the second half
    of another: a cache has none of them, and they are as long as real ones.

    They end when all pairs have had their turn, at the latest.
    """
    chance = random.Random(seed)
    words = [text.split() for text in texts]
    firsts = [" ".join(some[: len(some) // 2]) for some in words]
    seconds = [" ".join(some[len(some) // 2 :]) for some in words]
    seen = set(texts)
    for _ in range(len(texts) ** 2):
        text = f"{chance.choice(firsts)} {chance.choice(seconds)}".strip()
        if text not in seen:
            seen.add(text)
            yield text
