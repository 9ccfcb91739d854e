"""How few requests Elasticsearch gets, and that they find the same all the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from elasticsearch import ConnectionTimeout

from hybrid.engines.deadline import Deadline
from hybrid.engines.lexical import elasticsearch
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect, document
from hybrid.engines.lexical.elasticsearch_node import BoundedNode
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.errors import EngineUnavailable
from hybrid.query import Filters
from hybrid.query_language.conditions import Phrase
from tests import corpus
from tests.command import PREFIX

MOVIES = corpus.films(200)
IDS = np.array([movie.id for movie in MOVIES], np.int64)
NONE = Filters()

Requests = list[tuple[str, int]]


@pytest.fixture(scope="module")
def writer(elasticsearch_url: str) -> Iterator[ElasticsearchWriter]:
    """Give the writer of a filled index."""
    client = connect(elasticsearch_url, None, 10)
    writer = ElasticsearchWriter(client, PREFIX, "1-requests", "requests", 1)
    writer.prepare(None)
    writer.write(MOVIES, (), len(MOVIES))
    yield writer
    writer.discard()
    client.close()


@pytest.fixture
def engine(writer: ElasticsearchWriter) -> ElasticsearchEngine:
    """Give an engine that knows no word yet."""
    return ElasticsearchEngine(writer._client, writer.name)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the API of each request that follows, and the number of searches that it makes."""
    noted: list[tuple[str, int]] = []
    perform = BoundedNode.perform_request

    def note(node: BoundedNode, method: str, target: str, **options: Any) -> Any:
        noted.append(
            (target.partition("?")[0].rpartition("/")[2], options["body"].count(b"\n") // 2)
        )
        return perform(node, method, target, **options)

    monkeypatch.setattr(BoundedNode, "perform_request", note)
    return noted


def test_a_search_brings_its_bound(engine: ElasticsearchEngine, requests: Requests) -> None:
    """The list, which films have which phrase and what its words can attain come by one request,
    which asks for no word again; the scores of other films come by another."""
    engine.search_with_phrases("mirror winter", NONE, 10, [Phrase(("mirror", "winter"))])
    bound = engine.attainable("mirror winter")
    engine.search("Winter, the captain's mirror", NONE, 10)
    assert engine.attainable("Winter, the captain's mirror") > bound
    engine.score("mirror winter captain", IDS)
    assert requests == [("_msearch", 4), ("_msearch", 2), ("_msearch", 1)]


def test_the_bound_is_the_same_without_a_search(
    engine: ElasticsearchEngine, requests: Requests, writer: ElasticsearchWriter
) -> None:
    """`attainable` alone asks for words it does not know, once, and gives the same."""
    alone = ElasticsearchEngine(writer._client, writer.name)
    for text in ["comet mirror xyzzy", "Comet's e-mail, naïve CAFÉ mirror", "3.5 winter", "the"]:
        engine.search(text, NONE, 10)
        bound = engine.attainable(text)
        assert alone.attainable(text) == bound
        requests.clear()
        assert alone.attainable(text) == engine.attainable(text) == bound
        assert requests == []


def test_words_of_other_scripts_are_analysed_once(
    engine: ElasticsearchEngine, requests: Requests
) -> None:
    """All of them by one request, and their scores come by another."""
    engine.attainable("naïve Война 周迅 comet 3.5")
    assert requests == [("_analyze", 0), ("_msearch", 6)]  # 周迅 is two
    requests.clear()
    engine.attainable("周迅 naïve comet")
    assert requests == []


def test_every_term_of_a_word_counts(engine: ElasticsearchEngine) -> None:
    """A part of the text that only Elasticsearch can split attains what its terms do."""
    assert engine.attainable("mirror\u2014winter") == engine.attainable("mirror winter")
    assert engine.attainable("mirror\u2014the") == engine.attainable("mirror")
    assert engine.attainable("\u2014") == 0


def test_few_words_are_kept(engine: ElasticsearchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many words come, no more than the maximum are kept, and bounds stay right."""
    bounds = {text: engine.attainable(text) for text in corpus.queries(30)}
    monkeypatch.setattr(elasticsearch, "KNOWN_WORDS", 12)
    engine._tops.clear()
    for text, bound in bounds.items():
        engine.search(text, NONE, 10)
        assert engine.attainable(text) == bound
        assert len(engine._tops) <= 12


def test_a_deadline_is_that_of_its_request(engine: ElasticsearchEngine) -> None:
    """One that has passed asks for nothing more, and has no effect on what follows."""
    with pytest.raises(EngineUnavailable, match="no time was left"):
        engine.search("mirror", NONE, 10, Deadline.after(0))
    engine.check()
    assert len(engine.search("mirror", NONE, 10))


def test_a_rejected_search_says_why(writer: ElasticsearchWriter) -> None:
    """One of several searches in a request fails like a request of its own."""
    engine = ElasticsearchEngine(writer._client, f"{PREFIX}-nowhere")
    with pytest.raises(EngineUnavailable, match=r"rejected.*404.*index_not_found") as error:
        engine.search("comet", NONE, 10)
    assert "\n" not in error.value.message
    with pytest.raises(EngineUnavailable, match="index_not_found"):
        engine.score("comet", IDS)


def test_a_new_index_has_one_segment(elasticsearch_url: str) -> None:
    """However many it was written in."""
    client = connect(elasticsearch_url, None, 10)
    writer = ElasticsearchWriter(client, PREFIX, "2-requests", "requests", 1)
    writer.prepare(None)
    for movie in MOVIES[:3]:
        client.index(index=writer.name, id=str(movie.id), document=document(movie, 2), refresh=True)
    writer.write(MOVIES, (), len(MOVIES))
    shards = client.indices.segments(index=writer.name)["indices"][writer.name]["shards"]
    segments = [part for (shard,) in shards.values() for part in shard["segments"].values()]
    assert [part["num_docs"] for part in segments if part["search"]] == [len(MOVIES)]
    writer.discard()
    client.close()


def test_a_long_merge_is_not_waited_for(
    elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elasticsearch goes on with it; the films are there all the same."""

    def slow(*_: object, **__: object) -> None:
        raise ConnectionTimeout("Connection timed out")

    client = connect(elasticsearch_url, None, 10)
    monkeypatch.setattr(type(client.indices), "forcemerge", slow)
    writer = ElasticsearchWriter(client, PREFIX, "3-requests", "requests", 1)
    writer.prepare(None)
    writer.write(MOVIES, (), len(MOVIES))
    assert ElasticsearchEngine(client, writer.name).count() == len(MOVIES)
    writer.discard()
    client.close()
