"""What must hold of a published generation whatever was done to it."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from hybrid.engines.semantic.ivfpq import read_index
from hybrid.movie import Movie, content_number
from hybrid.query import Filters
from hybrid.storage.generation import FAISS_INDEX, Generation
from hybrid.text.sentences import sentence_spans
from hybrid.vectors import QueryVector
from indexer.films.sentences import sentence_texts
from indexer.verify import labels
from tests.fakes import HashingEncoder
from tests.stores import open_stores


def assert_holds(generation: Generation, movies: Iterable[Movie]) -> None:
    """Every store of the generation holds exactly these films, with these contents."""
    films = {movie.id: movie for movie in movies}
    search = open_stores(generation)
    try:
        catalogue = search.catalogue
        assert {movie.id: movie for movie in catalogue.all_films()} == films
        assert catalogue.columns.ids.tolist() == sorted(films)
        assert catalogue.highest_id() >= max(films, default=-1)
        assert search.engines.lexical.contents() == {i: content_number(m) for i, m in films.items()}
        texts = {
            i: sentence_texts(m, sentence_spans(m.description or "")) for i, m in films.items()
        }
        assert generation.manifest.counts.movies == len(films)
        assert generation.manifest.counts.sentences == sum(map(len, texts.values()))
        if generation.file(FAISS_INDEX).exists():
            held = labels(read_index(generation.file(FAISS_INDEX)))
            for film in catalogue.delta.outdated.tolist():
                held.pop(film, None)
            new = catalogue.delta.ids.tolist()
            assert not held.keys() & set(new)
            assert held | {i: len(texts[i]) for i in new if texts[i]} == Counter(
                {i: len(t) for i, t in texts.items() if t}
            )
        encoder = HashingEncoder()
        for film, sentences in texts.items():
            for number, text in enumerate(sentences):
                meaning = QueryVector(encoder.encode([text])[0])
                (score,), (found,) = search.engines.semantic.best_sentences(
                    meaning, np.array([film])
                )
                assert sentences[found] == text or found <= number
                assert score > 0.9999
        if any(texts.values()):
            probe = QueryVector(encoder.encode(["captain"])[0])
            found_ids = search.engines.semantic.search(probe, Filters(), 10_000).ids.tolist()
            assert set(found_ids) <= {film for film, held in texts.items() if held}
    finally:
        search.close()
