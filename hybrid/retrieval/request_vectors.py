"""The vectors of what is searched for: of a long request, its sentences count, too."""

from collections.abc import Sequence

import numpy as np

from hybrid.engines.protocols import Encoder
from hybrid.text.sentences import sentence_spans
from hybrid.vectors import Vectors

LONG_REQUEST = 30
"""Words from which a request of several sentences is long: a model reads it as one blurred whole.
docs/ranking.md gives the measured gain."""


def request_vectors(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Return the vector of each request, float32 (len(texts), d), of length 1.

    That of a long one is the direction of its own vector plus the mean of those of its sentences.
    """
    sentences = [_sentences(text) for text in texts]
    vectors = encoder.encode(texts)
    if not any(sentences):
        return vectors
    # Requests that differ by a word share most sentences: each is encoded once.
    distinct = list(dict.fromkeys(sentence for some in sentences for sentence in some))
    known = dict(zip(distinct, encoder.encode(distinct), strict=True))
    joined = vectors.copy()
    for row, some in enumerate(sentences):
        if some:
            total = vectors[row] + np.mean([known[sentence] for sentence in some], axis=0)
            joined[row] = total / (np.linalg.norm(total) or 1)
    return joined


def _sentences(text: str) -> list[str]:
    """Return the sentences of a long request that has several, else none."""
    if len(text.split()) < LONG_REQUEST:
        return []
    spans = sentence_spans(text)
    return [text[start:end] for start, end in spans] if len(spans) > 1 else []
