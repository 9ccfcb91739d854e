"""The sentences of a source embedded ahead of a build: all of them, or a part."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid.text.sentences import sentence_spans
from indexer.embedding.cache import CACHE, key_of
from indexer.embedding.embed import Embedder, embed_into
from indexer.films.film_file import AS_IT_IS, FileOptions, film_batches


@dataclass(frozen=True)
class Part:
    """The part `number` of `total`, counted from 1: a sentence is in the same one always."""

    number: int
    total: int

    def holds(self, key: bytes) -> bool:
        """Whether the sentence of this key in the cache is in this part."""
        return int.from_bytes(key[:8]) % self.total == self.number - 1


WHOLE = Part(1, 1)


@dataclass(frozen=True)
class SourceSentences:
    """The sentences of a source that are in a part, read from the file each time."""

    source: Path
    options: FileOptions
    fingerprint: str
    part: Part

    def __iter__(self) -> Iterator[str]:
        for batch in film_batches(self.source, self.options):
            for movie in batch.movies:
                text = movie.description or ""
                for start, end in sentence_spans(text):
                    if self.part.holds(key_of(self.fingerprint, text[start:end])):
                        yield text[start:end]


def embed_part(
    source: Path,
    data: Path,
    model: Embedder,
    part: Part = WHOLE,
    options: FileOptions = AS_IT_IS,
    quiet: bool = False,
) -> int:
    """Embed the sentences of a source that are in a part and that the cache of `data` lacks.

    Returns how many were embedded. Raises SourceUnreadable, and BuildFailed if the cache cannot be
    used.
    """
    data.mkdir(parents=True, exist_ok=True)
    sentences = SourceSentences(source, options, model.fingerprint, part)
    return embed_into(data / CACHE, sentences, model, quiet)
