"""One Elasticsearch index of films: its mapping, its bulk writing and its BM25, in one place."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from elasticsearch import ApiError, Elasticsearch, SerializationError, TransportError

from hybrid.engines.lexical.bm25 import K1, B, analysis_digest, attainable
from hybrid.engines.protocols import TermScore
from hybrid.errors import EngineUnavailable
from hybrid.movie import MAX_ID, Movie, content_number, genre_keys, keyword_text
from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.text.stop_words import STOP_WORDS

ANALYSIS = {
    "filter": {
        "film_stop": {"type": "stop", "stopwords": STOP_WORDS},
        # `english` would be Porter's first algorithm, which the embedded engine does not have.
        "film_stemmer": {"type": "stemmer", "language": "porter2"},
    },
    "analyzer": {
        "film": {
            "type": "custom",
            "tokenizer": "standard",
            "filter": ["lowercase", "asciifolding", "film_stop", "film_stemmer"],
        }
    },
}

SIMILARITY = {"film": {"type": "BM25", "k1": K1, "b": B}}

# What nobody searches or sorts by is only kept in `_source`, where any length is welcome.
_KEPT = {"type": "keyword", "index": False, "doc_values": False}

PROPERTIES: dict[str, dict[str, Any]] = {
    "id": {"type": "long"},  # `_id` is a string: ties are broken by number
    "text": {"type": "text", "analyzer": "film", "similarity": "film"},
    # Titles are compared by hybrid/retrieval/title_index.py; this field is for other clients.
    "title": {"type": "text", "analyzer": "film"},
    "genre_keys": {"type": "keyword"},
    "year": {"type": "integer"},
    "rating": {"type": "float"},
    "votes": {"type": "integer"},
    "duration_minutes": {"type": "integer"},
    "metascore": {"type": "integer"},
    "reviews_from_users": {"type": "integer"},
    "reviews_from_critics": {"type": "integer"},
    "revenue_millions": {"type": "float"},
    "content": {"type": "long", "index": False},
    "generation": {"type": "integer"},
}

SCAN = 10_000
"""Films in one answer where all are wanted: the most that an index gives."""

INDEX_ANALYSIS = analysis_digest("elasticsearch", ANALYSIS, SIMILARITY, PROPERTIES)
"""What the manifest records."""


def mapping(deployment: str, generation: str) -> dict[str, Any]:
    """Return the strict mapping, which tells in `_meta` whose index it is."""
    kept = {field: _KEPT for field in Movie.model_fields if field not in PROPERTIES}
    return {
        "dynamic": "strict",
        "_meta": {"deployment": deployment, "generation": generation},
        "_source": {"excludes": ["text"]},  # said already by the film's own fields
        "properties": PROPERTIES | kept,
    }


def document(movie: Movie, generation: int) -> dict[str, Any]:
    """Return the film as Elasticsearch holds it: itself, the combined text and the genre keys, a
    number for its content, and the number of the generation that wrote it."""
    return movie.model_dump(exclude_none=True) | {
        "text": keyword_text(movie),
        "genre_keys": genre_keys(movie),
        "content": content_number(movie),
        "generation": generation,
    }


def connect(url: str, api_key: str | None, timeout: float) -> Elasticsearch:
    """Return a client that never asks twice: a slow engine is reported, not waited for."""
    return Elasticsearch(
        url, api_key=api_key, request_timeout=timeout, max_retries=0, retry_on_timeout=False
    )


PRODUCT = "x-elastic-product"
"""The header by which Elasticsearch says, in every answer, that it is Elasticsearch."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn the client's many errors into EngineUnavailable.

    What reads an answer belongs inside: one without the expected keys is not Elasticsearch's.
    """
    try:
        yield
    except ApiError as error:
        if error.meta.headers.get(PRODUCT) != "Elasticsearch":
            raise _not_elasticsearch() from error
        raise EngineUnavailable(f"Elasticsearch refused the request: {error}") from error
    except SerializationError as error:
        raise _not_elasticsearch() from error
    except TransportError as error:
        raise EngineUnavailable(
            f"Elasticsearch does not answer ({type(error).__name__}): is it running, and is "
            "HYBRID_ELASTICSEARCH_URL its address?"
        ) from error
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _not_elasticsearch() from error


def _not_elasticsearch() -> EngineUnavailable:
    return EngineUnavailable(
        "what answers at HYBRID_ELASTICSEARCH_URL is not Elasticsearch: check the URL, and any "
        "proxy before it"
    )


def is_ready(client: Elasticsearch, indices: str) -> bool:
    """Return whether Elasticsearch has started and can search all of `indices`, a pattern.

    Where it refuses the request it has started: the command that follows reports the refusal.
    """
    try:
        client.search(
            index=indices, size=0, track_total_hits=False, allow_partial_search_results=False
        )
    except ApiError as error:
        return error.status_code < 500
    except TransportError:
        return False
    return True


class ElasticsearchEngine:
    """BM25 of one physical index. The alias is for humans: it may point elsewhere already."""

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self.index = index
        # Only words that films hold are kept, so the vocabulary bounds it.
        self._tops: dict[str, float] = {}
        self.attainable = lru_cache(maxsize=1024)(self._attainable)

    def search(self, text: str, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow and that hold a word of `text`."""
        return self._ranking(text, _clauses(filters), depth)

    def score(self, text: str, ids: Ids) -> Scores:
        """Return BM25 of each film, 0 where no word of `text` occurs."""
        if not len(ids):
            return np.empty(0, np.float64)
        found = self._ranking(text, [{"terms": {"id": ids.tolist()}}], len(ids))
        scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
        return np.array([scores.get(film, 0.0) for film in ids.tolist()])

    def count(self) -> int:
        """Return the number of films."""
        with answering():
            return int(self._client.count(index=self.index)["count"])

    def contents(self, newer_than: int = -1) -> dict[int, int]:
        """Return the number for the content of every film, by id.

        Or only of those that a generation after `newer_than` wrote. What is no film of ours has the
        id -1, or the content 0.
        """
        newer = {"range": {"generation": {"gt": newer_than}}}
        found: dict[int, int] = {}
        after: list[Any] | None = None
        while True:
            with answering():
                answer = self._client.search(
                    index=self.index,
                    query={"match_all": {}} if newer_than < 0 else newer,
                    sort=[{"id": {"order": "asc"}}],
                    search_after=after,
                    size=SCAN,
                    source=False,
                    docvalue_fields=[{"field": "content"}],
                    allow_partial_search_results=False,
                )
                hits = answer["hits"]["hits"]
                found |= {_film(hit): hit.get("fields", {}).get("content", [0])[0] for hit in hits}
                if len(hits) < SCAN:
                    return found
                after = hits[-1]["sort"]

    def _ranking(self, text: str, clauses: list[dict[str, Any]], size: int) -> Ranking:
        with answering():
            hits = self._hits(text, clauses, size)
            return Ranking(
                np.array([_film(hit) for hit in hits], np.int64),
                np.array([float(hit["_score"]) for hit in hits], np.float64),
            )

    def _hits(
        self, text: str, clauses: list[dict[str, Any]], size: int, explain: bool = False
    ) -> list[dict[str, Any]]:
        """Return what was found, for callers that are `answering` to read."""
        answer = self._client.search(
            index=self.index,
            query={"bool": {"must": {"match": {"text": text}}, "filter": clauses}},
            sort=[{"_score": "desc"}, {"id": "asc"}],
            size=size,
            source=False,
            explain=explain,
            track_total_hits=False,
            allow_partial_search_results=False,
            search_type="dfs_query_then_fetch",  # the same statistics on every shard
        )
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits

    def explain(self, text: str, ids: Ids) -> Sequence[Sequence[TermScore]]:
        """Return what each different word of `text` gives each film; it adds up to `score`.

        Two requests, however many the words and the films are.
        """
        if not len(ids):
            return []
        words = self._analyzed(text)
        typed = {term: word for word, term in reversed(words)}
        terms = dict.fromkeys(term for _, term in words)
        with answering():
            hits = self._hits(text, [{"terms": {"id": ids.tolist()}}], len(ids), explain=True)
            told = {int(hit["_id"]): _term_scores(hit["_explanation"], typed) for hit in hits}
        return [
            [told.get(film, {}).get(term, TermScore(typed[term], term)) for term in terms]
            for film in ids.tolist()
        ]

    def _analyzed(self, text: str) -> list[tuple[str, str]]:
        """Return each word of `text` as typed and as searched."""
        units = text.encode("utf-16-le")  # what offsets count
        with answering():
            answer = self._client.indices.analyze(index=self.index, analyzer="film", text=text)
            return [
                (
                    units[2 * token["start_offset"] : 2 * token["end_offset"]].decode("utf-16-le"),
                    token["token"],
                )
                for token in answer["tokens"]
            ]

    def _attainable(self, text: str) -> float:
        """Return what no film's BM25 for `text` exceeds."""
        words = [term for _, term in self._analyzed(text)]
        self._look_up_tops({word for word in words if word not in self._tops})
        return attainable([self._tops.get(word, 0.0) for word in words])

    def _look_up_tops(self, words: Collection[str]) -> None:
        if not words:
            return
        searches: list[dict[str, Any]] = []
        for word in words:
            searches += [
                {"search_type": "dfs_query_then_fetch", "allow_partial_search_results": False},
                {"query": {"term": {"text": word}}, "size": 1, "_source": False},
            ]
        with answering():
            answers = self._client.msearch(index=self.index, searches=searches)
            for word, answer in zip(words, answers["responses"], strict=True):
                if "error" in answer:
                    raise EngineUnavailable(f"Elasticsearch refused a search: {answer['error']}")
                if answer["hits"]["hits"]:
                    self._tops[word] = float(answer["hits"]["hits"][0]["_score"])

    def check(self) -> None:
        """Return if the index can be searched now."""
        with answering():
            answer = self._client.search(
                index=self.index,
                size=0,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
            len(answer["hits"]["hits"])


_WEIGHT = re.compile(r"weight\(text:(.*) in \d+\) \[")
"""Begins the part of an explanation that is about one word."""


def _film(hit: Mapping[str, Any]) -> int:
    """Return the id of the film that was found, -1 if that is none: no catalogue has it."""
    name: str = hit["_id"]
    return int(name) if name.isdecimal() and int(name) <= MAX_ID else -1


def _term_scores(
    explanation: Mapping[str, Any], typed: Mapping[str, str]
) -> Mapping[str, TermScore]:
    """Return what each word gives the film, by term; a word asked twice has twice the boost."""
    weights = [
        (found[1], part)
        for part in _parts(explanation)
        if (found := _WEIGHT.match(part["description"]))
    ]
    return {
        term: TermScore(
            typed[term],
            term,
            frequency=round(_value(part, "freq,")),
            idf=_value(part, "idf,"),
            score=part["value"],
        )
        for term, part in weights
    }


def _parts(explanation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the explanation and every part of it."""
    yield explanation
    for detail in explanation["details"]:
        yield from _parts(detail)


def _value(explanation: Mapping[str, Any], named: str) -> float:
    """Return the value of the part whose description begins so."""
    parts = _parts(explanation)
    (value, *_) = (part["value"] for part in parts if part["description"].startswith(named))
    return float(value)


def _clauses(filters: Filters) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = []
    keys = sorted(filters.genre_keys)
    if keys and filters.genre_match == "any":
        clauses.append({"terms": {"genre_keys": keys}})
    else:
        clauses += [{"term": {"genre_keys": key}} for key in keys]
    if filters.has_years:
        bounds = {"gte": filters.year_from, "lte": filters.year_to}
        clauses.append({"range": {"year": {k: v for k, v in bounds.items() if v is not None}}})
    return clauses
