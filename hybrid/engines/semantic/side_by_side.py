"""Several models as one: the vectors of a text by each, weighted, one after the other."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hybrid.engines.protocols import Encoder
from hybrid.vectors import Vectors


@dataclass(frozen=True)
class Share:
    """What becomes of a model's vectors in the joined ones.

    `mean`, float32 (d,), is subtracted first, if there is one; then they have length 1 again and
    are multiplied by `weight`, above 0. With weights w and w' the cosine of two texts is
    (w² c + w'² c') / (w² + w'²) of the cosines c and c' by each model.
    """

    weight: float = 1.0
    mean: Vectors | None = None


def join(blocks: Sequence[Vectors], shares: Sequence[Share]) -> Vectors:
    """Return the vectors of texts by all models as one, float32 (texts, sum of d), of length 1.

    `blocks` are those by each model, float32 (texts, d). Those of a single model that is not
    centred are returned as they are.
    """
    if len(blocks) == 1 and shares[0].mean is None:
        return blocks[0]
    parts = [
        share.weight * (block if share.mean is None else unit(block - share.mean))
        for block, share in zip(blocks, shares, strict=True)
    ]
    return unit(np.concatenate(parts, axis=1))


def unit(vectors: Vectors) -> Vectors:
    """Return each row with length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return divided


class SideBySide:
    """Several encoders as one; a single text is encoded by all of them at once."""

    def __init__(self, encoders: Sequence[Encoder], shares: Sequence[Share]) -> None:
        self.encoders = tuple(encoders)
        self._shares = tuple(shares)
        self._threads = ThreadPoolExecutor(max(1, len(self.encoders) - 1), "encoder")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, float32 (len(texts), dimension)."""
        others = [self._threads.submit(other.encode, texts) for other in self.encoders[1:]]
        first = self.encoders[0].encode(texts)
        return join([first, *(other.result() for other in others)], self._shares)


def side_by_side(encoders: Sequence[Encoder], shares: Sequence[Share]) -> Encoder:
    """Return the encoders as one: a single one that is not centred as it is."""
    if len(encoders) == 1 and shares[0].mean is None:
        return encoders[0]
    return SideBySide(encoders, shares)
