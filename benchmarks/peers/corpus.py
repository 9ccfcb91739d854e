"""What every peer is given: films with one text and one vector each, and queries with vectors.

The files of a folder, so that a peer's environment needs nothing of this project: `films.jsonl`
(id, text, title, year, genres), `films.npy` float32 (films, d), `queries.jsonl` (text, filters, and
whether it is judged; the judged ones first) and `queries.npy` float32 (queries, d).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np

from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.side_by_side import Share
from hybrid.movie import Movie, keyword_text
from hybrid.query import Filters
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from indexer.embedding.cache import CACHE
from indexer.embedding.embed import WeightedModel, embed
from indexer.embedding.model import load_model

FILMS, FILM_VECTORS = "films.jsonl", "films.npy"

QUERIES, QUERY_VECTORS = "queries.jsonl", "queries.npy"


@dataclass(frozen=True)
class EmbeddedFilms:
    """How many films there are, how many of their texts were encoded, and in how many seconds."""

    films: int
    encoded: int
    seconds: float


def write_films(folder: Path, generation: Generation) -> EmbeddedFilms:
    """Write the films of a generation and the vectors of their texts by its model.

    A film's text is that which BM25 scores; the model reads its beginning. Vectors are cached in
    the folder, so that films are embedded once, however often the peers are measured.
    """
    with closing(Catalogue(generation.folder)) as catalogue:
        films = list(catalogue.all_films())
    with (folder / FILMS).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in _records(films))
    start = monotonic()
    model = load_model(generation.manifest.model.name)
    texts = [keyword_text(film) for film in films]
    embedded = embed(texts, [WeightedModel(model, Share())], folder / CACHE, folder / FILM_VECTORS)
    return EmbeddedFilms(len(films), embedded.encoded, monotonic() - start)


def _records(films: Sequence[Movie]) -> Iterator[dict[str, object]]:
    for film in films:
        yield {
            "id": film.id,
            "text": keyword_text(film),
            "title": film.title,
            "year": film.year,
            "genres": list(film.genres),
        }


def write_queries(
    folder: Path,
    judged: Sequence[tuple[str, Filters]],
    others: Sequence[str],
    encoder: Encoder,
) -> None:
    """Write judged queries with their filters, the texts of others, and the vectors of all."""
    queries = [(text, filters, True) for text, filters in judged]
    queries += [(text, Filters(), False) for text in others]
    with (folder / QUERIES).open("w", encoding="utf-8") as out:
        for text, filters, is_judged in queries:
            fields = filters.model_dump(exclude_defaults=True)
            record = {"text": text, "filters": fields, "judged": is_judged}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    vectors = [encoder.encode([text])[0] for text, _, _ in queries]
    np.save(folder / QUERY_VECTORS, np.array(vectors, np.float32))
