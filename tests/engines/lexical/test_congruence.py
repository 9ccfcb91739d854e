"""The two keyword engines asked the same: a film is found by both or by neither."""

import random
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.text.analysis import analyze
from tests import corpus
from tests.command import PREFIX

MOVIES = corpus.films(600)

Engines = tuple[Elasticsearch, ElasticsearchEngine, TantivyEngine]


@pytest.fixture(scope="module")
def engines(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Give both engines, filled with the same films."""
    client = connect(elasticsearch_url, None, 10)
    there = ElasticsearchWriter(client, PREFIX, "1-congruence", "congruence", 1)
    here = TantivyWriter(tmp_path_factory.mktemp("congruence"))
    for writer in (there, here):
        writer.prepare(None)
        writer.write(MOVIES, (), len(MOVIES))
    yield client, ElasticsearchEngine(client, there.name), TantivyEngine(here.folder)
    there.discard()
    client.close()


def test_both_find_the_same_films(engines: Engines) -> None:
    """300 random queries under random filters: the same set, the same scores, the same top ten."""
    _, there, here = engines
    overlaps = []
    for text, filters in zip(corpus.queries(300), corpus.filters(300), strict=True):
        one, other = (engine.search(text, filters, 1000) for engine in (there, here))
        assert set(one.ids.tolist()) == set(other.ids.tolist()), (text, filters)
        # Both round a text's length to a byte, and three times a length rounds elsewhere.
        assert here.attainable(text) == pytest.approx(there.attainable(text), rel=0.02)
        top = min(10, len(one))
        if top:
            common = set(one.ids[:top].tolist()) & set(other.ids[:top].tolist())
            overlaps.append(len(common) / top)
    print(f"overlap of top tens: {sum(overlaps) / len(overlaps):.4f} of {len(overlaps)}")
    assert sum(overlaps) / len(overlaps) > 0.97


TEXTS = [
    "The Captain's winter: O’Neil's 3 boxers, running and ran, in 1984!",
    "Amélie naïve CAFÉ Zürich Şehir Straße",
    "rock'n'roll can't won’t e-mail twenty-one half/half",
    "Dr. No U.S.A. C3PO 12:30 3.5 1,000 $5 50% end.Next",
    "七人の侍 周迅 genèse ДРАМА Война Δράμα",
    "generously generous generals generate organ police policy news happy happily dying skis",
    "university universities evening organize biologist",
]

KNOWN_DIFFERENCES = {
    ("univers", "universiti"),
    ("even", "evening"),
    ("organ", "organiz"),
    ("biologist", "biolog"),
}
"""Elasticsearch's Porter2 and Tantivy's, a newer release of the same algorithm; docs/ranking.md."""


def test_both_read_words_alike(engines: Engines) -> None:
    """500 texts give the same words in both, but for the differences that docs/ranking.md lists."""
    client, there, _ = engines
    choose = random.Random(5)
    texts = [" ".join(choose.choices(corpus.WORDS, k=12)) for _ in range(500 - len(TEXTS))]
    different: set[tuple[str, str]] = set()
    for text in [*texts, *TEXTS]:
        answer = client.indices.analyze(index=there.index, analyzer="film", text=text)
        words = [token["token"] for token in answer["tokens"]]
        assert len(words) == len(analyze(text)), (words, analyze(text))
        pairs = zip(words, analyze(text), strict=True)
        different |= {(one, other) for one, other in pairs if one != other}
    assert different == KNOWN_DIFFERENCES
