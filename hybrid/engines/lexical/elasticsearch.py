"""An Elasticsearch index of films: its mapping and documents, and BM25 searches of it."""

import re
import ssl
from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np
from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    Elasticsearch,
    SerializationError,
    SSLError,
    TransportError,
)
from elasticsearch.exceptions import HTTP_EXCEPTIONS

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.lexical.bm25 import K1, B, analysis_digest, attainable_score, telling_words
from hybrid.engines.lexical.elasticsearch_node import (
    MAX_ANSWER,
    BoundedNode,
    ResponseTooLong,
    until,
)
from hybrid.engines.lexical.film_keys import KEY_FIELDS, film_keys
from hybrid.engines.lexical.query_words import is_plain, query_words
from hybrid.engines.phrase_films import MANY_FILMS, PhraseFilms
from hybrid.engines.protocols import TermScore
from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.limits import NameSet, Range
from hybrid.movie import MAX_ID, Movie, content_number, keyword_text
from hybrid.query import Filters
from hybrid.query_language.conditions import NO_CONDITIONS, Condition, Conditions, Phrase
from hybrid.query_language.film_words import WORD_FIELDS, FilmWords
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.text.stop_words import STOP_WORDS

ANALYSIS = {
    "filter": {
        "film_stop": {"type": "stop", "stopwords": STOP_WORDS},
        # `english` is Porter's first algorithm, which the embedded engine lacks.
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

# Words between blanks: hybrid/query_language/film_words.py makes them.
_WORDS = {"type": "text", "analyzer": "whitespace", "norms": False}

# Fields that nobody searches or sorts by are only in `_source`, where any length is allowed.
_SOURCE_ONLY = {"type": "keyword", "index": False, "doc_values": False}

PROPERTIES: dict[str, dict[str, Any]] = {
    "id": {"type": "long"},  # ties are broken by number, and `_id` is a string
    "text": {"type": "text", "analyzer": "film", "similarity": "film"},
    # Titles are compared by hybrid/retrieval/title_index.py; this field is for other clients.
    "title": {"type": "text", "analyzer": "film"},
    **dict.fromkeys(WORD_FIELDS.values(), _WORDS),
    **{field: {"type": "keyword"} for field in KEY_FIELDS.values()},
    "year": {"type": "integer"},
    "rating": {"type": "double"},
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
"""Films per response when all are read: the maximum that an index allows."""

KNOWN_WORDS = 20_000
"""Maximum number of words whose highest score is kept; some 3 MB."""

INDEX_ANALYSIS = analysis_digest("elasticsearch", ANALYSIS, SIMILARITY, PROPERTIES)
"""Recorded in the manifest."""


def mapping(deployment: str, generation: str) -> dict[str, Any]:
    """Return the strict mapping, whose `_meta` names the owner of the index."""
    source_only = {field: _SOURCE_ONLY for field in Movie.model_fields if field not in PROPERTIES}
    return {
        "dynamic": "strict",
        "_meta": {"deployment": deployment, "generation": generation},
        # Redundant: the film's own fields hold them.
        "_source": {"excludes": ["text", *WORD_FIELDS.values(), *KEY_FIELDS.values()]},
        "properties": PROPERTIES | source_only,
    }


def document(movie: Movie, generation: int) -> dict[str, Any]:
    """Return the document of a film.

    Beside its own fields it has the combined text, its words, its names as filters compare them,
    `content_number`, and the number of the generation that wrote it.
    """
    words = FilmWords.of(movie)
    return movie.model_dump(exclude_none=True) | {
        "text": keyword_text(movie),
        **{field: words.of_field(name) for name, field in WORD_FIELDS.items()},
        **film_keys(movie),
        "content": content_number(movie),
        "generation": generation,
    }


CONNECTIONS = 32
"""Requests that a client sends at once; more would wait without a bound. Searches send 16."""


def connect(url: str, api_key: str | None, timeout: float, ca: Path | None = None) -> Elasticsearch:
    """Return a client that never retries: a slow engine is reported instead.

    `timeout` is the seconds that a request without a deadline may take in total. With `ca` the
    certificate of Elasticsearch must be one of this authority. Raises InvalidInput if that file
    holds no certificate, or the URL is not https.
    """
    return Elasticsearch(
        url,
        api_key=api_key,
        node_class=BoundedNode,
        connections_per_node=CONNECTIONS,
        request_timeout=timeout,
        max_retries=0,
        retry_on_timeout=False,
        ssl_context=_trusting(ca, url) if ca else None,
    )


def _trusting(ca: Path, url: str) -> ssl.SSLContext:
    """Return the TLS of a client that trusts this authority alone."""
    if not url.startswith("https:"):
        raise InvalidInput(
            "HYBRID_ELASTICSEARCH_CA is set, so HYBRID_ELASTICSEARCH_URL must begin with https",
            {"elasticsearch_url": "must begin with https"},
        )
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        problem = "is not a certificate in PEM"
        raise InvalidInput(f"{ca} {problem}", {"elasticsearch_ca": problem}) from error


PRODUCT = "x-elastic-product"
"""The header that Elasticsearch sends with every response."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn the client's errors into EngineUnavailable.

    Code that reads a response belongs inside: a response without the expected keys does not come
    from Elasticsearch.
    """
    try:
        yield
    except (AuthenticationException, AuthorizationException) as error:
        # Elasticsearch does not name itself to those it refuses.
        raise EngineUnavailable(
            f"the server at HYBRID_ELASTICSEARCH_URL refuses access ({error.status_code}): check "
            "HYBRID_ELASTICSEARCH_API_KEY and the privileges of that key (docs/access.md)"
        ) from error
    except ApiError as error:
        if error.meta.headers.get(PRODUCT) != "Elasticsearch":
            raise _not_elasticsearch() from error
        raise EngineUnavailable(f"Elasticsearch rejected the request: {error}") from error
    except SerializationError as error:
        raise _not_elasticsearch() from error
    except SSLError as error:
        raise EngineUnavailable(
            "the certificate of Elasticsearch is not trusted: HYBRID_ELASTICSEARCH_CA names the "
            "file of the authority that signed it"
        ) from error
    except TransportError as error:
        if isinstance(error.__cause__, ResponseTooLong):
            raise EngineUnavailable(
                f"the response of HYBRID_ELASTICSEARCH_URL has more than {MAX_ANSWER >> 20} MB: "
                "check that the server there is Elasticsearch"
            ) from error
        raise EngineUnavailable(
            f"Elasticsearch does not answer ({type(error).__name__}): is it running, and is "
            "HYBRID_ELASTICSEARCH_URL right?"
        ) from error
    except (
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        RecursionError,
    ) as error:
        raise _not_elasticsearch() from error


def _not_elasticsearch() -> EngineUnavailable:
    return EngineUnavailable(
        "the server at HYBRID_ELASTICSEARCH_URL is not Elasticsearch: check the URL, and any "
        "proxy in front of it"
    )


def is_ready(client: Elasticsearch, indices: str) -> bool:
    """Return whether Elasticsearch has started and can search all of `indices`, a pattern.

    If it rejects the request it has started: the command that follows reports the rejection.
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
    """BM25 of one physical index. The alias is for people: it may already point to another one."""

    is_remote = True

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self.index = index
        self._tops: dict[str, tuple[float, ...]] = {}

    def search(
        self,
        text: str,
        filters: Filters,
        depth: int,
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Ranking:
        """Return the best `depth` films that contain a word of `text`.

        Only films that pass the filters and match the conditions.
        """
        return self.search_with_phrases(text, filters, depth, (), deadline, conditions)[0]

    def search_with_phrases(
        self,
        text: str,
        filters: Filters,
        depth: int,
        phrases: Sequence[Phrase],
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> tuple[Ranking, PhraseFilms | None]:
        """Return what `search` does, and which films match which phrase: None if many do.

        The one request also asks for the highest scores of words that are not known yet, so that
        `attainable` rarely needs one.
        """
        clauses = [*_clauses(filters), *_conditions(conditions)]
        words = dict.fromkeys(query_words(text))
        new = [word for word in words if is_plain(word) and word not in self._tops]
        searches = [_ranked(text, clauses, depth), *(_best(_match(word)) for word in new)]
        if phrases:
            searches.append(_with_phrases(phrases, [], MANY_FILMS))
        with answering(), until(deadline):
            found, *others = self._responses(searches)
            films = _ranking(others.pop()) if phrases else Ranking.empty()
            self._learn({word: (_top(top),) for word, top in zip(new, others, strict=True)})
            return _ranking(found), PhraseFilms.listed(films, len(phrases))

    def films_with(self, phrase: Phrase, deadline: Deadline = NEVER) -> Ids:
        """Return all films that match the phrase, int64 ascending.

        This takes a request for each SCAN films.
        """
        query = {"constant_score": {"filter": _phrase(phrase)}}
        found: list[Ids] = []
        after: dict[str, Any] = {}
        while True:
            search = _LEAN | {"query": query, "sort": _BY_SCORE, "size": SCAN} | after
            with answering(), until(deadline):
                (response,) = self._responses([search])
                films = _ranking(response)
            found.append(films.ids)
            if len(films) < SCAN:
                return np.concatenate(found)
            after = {"search_after": [float(films.scores[-1]), int(films.ids[-1])]}

    def have_phrases(
        self, phrases: Sequence[Phrase], ids: Ids, deadline: Deadline = NEVER
    ) -> PhraseFilms:
        """Return which of these films match which phrase."""
        if not len(ids) or not phrases:
            return PhraseFilms.none(len(phrases))
        search = _with_phrases(phrases, [{"terms": {"id": ids.tolist()}}], len(ids))
        with answering(), until(deadline):
            (response,) = self._responses([search])
            return PhraseFilms(_ranking(response), len(phrases))

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Return BM25 of each film, float64 (len(ids),); 0 where no word of `text` occurs."""
        if not len(ids):
            return np.empty(0, np.float64)
        these = [{"terms": {"id": ids.tolist()}}]
        with answering(), until(deadline):
            (found,) = self._responses([_ranked(text, these, len(ids))])
            ranking = _ranking(found)
        return ranking.scores_of(ids)

    def count(self) -> int:
        """Return the number of films."""
        with answering():
            return int(self._client.count(index=self.index)["count"])

    def contents(self, newer_than: int = -1) -> dict[int, int]:
        """Return by id the `content_number` of every film as it was indexed.

        With `newer_than`, only of the films that a later generation wrote. A document that is not
        one of our films has the id -1 or the content 0.
        """
        newer = {"range": {"generation": {"gt": newer_than}}}
        contents: dict[int, int] = {}
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
                contents |= {
                    _film(hit): hit.get("fields", {}).get("content", [0])[0] for hit in hits
                }
                if len(hits) < SCAN:
                    return contents
                after = hits[-1]["sort"]

    def _responses(self, searches: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the responses to several searches, which are made in one request.

        Of each hit they have nothing but what it is sorted by: reading stored fields takes more
        than half of the time of a search.
        """
        answer = self._client.msearch(
            index=self.index,
            searches=[part for search in searches for part in (_WHOLE, search)],
            search_type=_SAME_STATISTICS,
            filter_path=_READ,
        )
        responses: list[Mapping[str, Any]] = answer["responses"]
        if len(responses) != len(searches):
            raise ValueError("a search was not answered")
        for response in responses:
            if "error" in response:
                status, kind = response["status"], response["error"]["type"]
                meta = replace(answer.meta, status=status)
                raise HTTP_EXCEPTIONS.get(status, ApiError)(kind, meta, response)
        return responses

    def explain(
        self, text: str, ids: Ids, deadline: Deadline = NEVER
    ) -> Sequence[Sequence[TermScore]]:
        """Return what each distinct word of `text` adds to each film's `score`.

        This takes two requests for any number of words and films.
        """
        if not len(ids):
            return []
        with answering(), until(deadline):
            words = [(typed, term) for typed, term, _ in self._analyzed(text)]
            explanations = self._explanations(text, ids)
            typed = {term: word for word, term in reversed(words)}
            by_film = {film: _term_scores(parts, typed) for film, parts in explanations.items()}
        return [
            [
                by_film.get(film, {}).get(term, TermScore(typed[term], term))
                for term in dict.fromkeys(term for _, term in words)
            ]
            for film in ids.tolist()
        ]

    def _explanations(self, text: str, ids: Ids) -> dict[int, Mapping[str, Any]]:
        """Return the explanation of the score of each film that has one."""
        answer = self._client.search(
            index=self.index,
            query=_any_word(text, [{"terms": {"id": ids.tolist()}}]),
            size=len(ids),
            source=False,
            explain=True,
            track_total_hits=False,
            allow_partial_search_results=False,
            search_type=_SAME_STATISTICS,
        )
        return {int(hit["_id"]): hit["_explanation"] for hit in answer["hits"]["hits"]}

    def _analyzed(self, text: str) -> list[tuple[str, str, int]]:
        """Return each word of `text` as typed, as analysed, and its start in UTF-16 code units."""
        units = text.encode("utf-16-le")
        answer = self._client.indices.analyze(index=self.index, analyzer="film", text=text)
        words = []
        for token in answer["tokens"]:
            start, end = token["start_offset"], token["end_offset"]
            words.append((units[2 * start : 2 * end].decode("utf-16-le"), token["token"], start))
        return words

    def telling(self, text: str, least: int, deadline: Deadline = NEVER) -> Sequence[str]:
        """Return the words of `text` that tell most about it, the most telling first.

        Films are counted by an aggregation: term vectors have the statistics of one shard.
        """
        with answering(), until(deadline):
            words = [(typed, term) for typed, term, _ in self._analyzed(text)]
            terms = sorted({term for _, term in words})
            if not terms:
                return []
            answer = self._client.search(
                index=self.index,
                size=0,
                track_total_hits=True,
                aggs={"films": {"filters": {"filters": [{"term": {"text": t}} for t in terms]}}},
                allow_partial_search_results=False,
            )
            buckets = answer["aggregations"]["films"]["buckets"]
            counts = [bucket["doc_count"] for bucket in buckets]
            films_with = dict(zip(terms, counts, strict=True))
            return telling_words(words, films_with, answer["hits"]["total"]["value"], least)

    def attainable(self, text: str, deadline: Deadline = NEVER) -> float:
        """Return an upper bound of any film's BM25 for `text`."""
        words = query_words(text)
        known = {word: tops for word in words if (tops := self._tops.get(word)) is not None}
        unknown = [word for word in dict.fromkeys(words) if word not in known]
        if unknown:
            with answering(), until(deadline):
                known |= self._look_up(unknown)
        return attainable_score([top for word in words for top in known[word]])

    def _look_up(self, words: Collection[str]) -> dict[str, tuple[float, ...]]:
        """Return the highest score that each term of each of these different words gives a film."""
        queries = self._term_queries([word for word in words if not is_plain(word)])
        queries |= {word: [_match(word)] for word in words if is_plain(word)}
        searches = [_best(query) for of_word in queries.values() for query in of_word]
        tops = map(_top, self._responses(searches) if searches else [])
        found = {word: tuple(islice(tops, len(of_word))) for word, of_word in queries.items()}
        self._learn(found)
        return found

    def _term_queries(self, words: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the queries of each word's terms, by one request for all of the words."""
        queries: dict[str, list[dict[str, Any]]] = {word: [] for word in words}
        if words:
            ends = list(accumulate(len(f"{word} ".encode("utf-16-le")) // 2 for word in words))
            for _, term, start in self._analyzed(" ".join(words)):
                queries[words[bisect(ends, start)]].append({"term": {"text": term}})
        return queries

    def _learn(self, tops: Mapping[str, tuple[float, ...]]) -> None:
        """Keep the highest scores of words, by the terms that a word has."""
        if len(self._tops) + len(tops) > KNOWN_WORDS:
            self._tops.clear()
        self._tops |= tops

    def check(self) -> None:
        """Check that the index can be searched now."""
        with answering():
            answer = self._client.search(
                index=self.index,
                size=0,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
            len(answer["hits"]["hits"])


_LEAN = {"_source": False, "stored_fields": "_none_", "track_total_hits": False}

_BY_SCORE = [{"_score": "desc"}, {"id": "asc"}]

_WHOLE = {"allow_partial_search_results": False}
"""The header of a search that fails where a shard does."""

_SAME_STATISTICS = "dfs_query_then_fetch"
"""The type of a search that scores alike on every shard."""

_READ = ",".join(
    f"responses.{part}" for part in ("status", "error", "hits.max_score", "hits.hits.sort")
)
"""The parts of a response that are read; without `status` those with no hit would be left out."""

_WEIGHT = re.compile(r"weight\(text:(.*) in \d+\) \[")
"""Starts the description of the part of an explanation that is about one word."""


def _film(hit: Mapping[str, Any]) -> int:
    """Return the id of the film, -1 if the document is not a film: no catalogue has that id."""
    name: str = hit["_id"]
    return int(name) if name.isdecimal() and int(name) <= MAX_ID else -1


def _match(text: str) -> dict[str, Any]:
    return {"match": {"text": text}}


def _any_word(text: str, clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"must": _match(text), "filter": clauses}}


def _ranked(text: str, clauses: list[dict[str, Any]], size: int) -> dict[str, Any]:
    """Return the search for the best films that contain a word of `text`."""
    return _LEAN | {
        "query": _any_word(text, clauses),
        "sort": _BY_SCORE,
        "size": size,
    }


def _with_phrases(
    phrases: Sequence[Phrase], clauses: list[dict[str, Any]], size: int
) -> dict[str, Any]:
    """Return the search for films that have a phrase, scored by the sum of 2^n of theirs."""
    scored = [
        {"constant_score": {"filter": _phrase(phrase), "boost": float(1 << number)}}
        for number, phrase in enumerate(phrases)
    ]
    return _LEAN | {
        "query": {"bool": {"should": scored, "filter": clauses, "minimum_should_match": 1}},
        "sort": _BY_SCORE,
        "size": size,
    }


def _best(query: dict[str, Any]) -> dict[str, Any]:
    """Return the search for the highest score of any film."""
    return _LEAN | {"query": query, "size": 1}


def _ranking(response: Mapping[str, Any]) -> Ranking:
    """Return the films of a response to `_ranked`. A document without an id has MAX_ID."""
    parts = response["hits"]
    if "hits" not in parts and parts["max_score"] is None:
        return Ranking.empty()  # `filter_path` leaves out an empty list
    hits = [hit["sort"] for hit in parts["hits"]]
    return Ranking(
        np.array([film for _, film in hits], np.int64),
        np.array([float(score) for score, _ in hits], np.float64),
    )


def _top(response: Mapping[str, Any]) -> float:
    """Return the highest score of a response to `_best`, 0 without a film."""
    return float(response["hits"]["max_score"] or 0.0)


def _term_scores(
    explanation: Mapping[str, Any], typed: Mapping[str, str]
) -> Mapping[str, TermScore]:
    """Return what each word adds to the film's score, by term; a repeated word has more boost."""
    weights = [
        (match[1], part)
        for part in _parts(explanation)
        if (match := _WEIGHT.match(part["description"]))
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
    """Yield the explanation and every part of it."""
    yield explanation
    for detail in explanation["details"]:
        yield from _parts(detail)


def _value(explanation: Mapping[str, Any], prefix: str) -> float:
    """Return the value of the first part whose description starts with `prefix`."""
    parts = _parts(explanation)
    (value, *_) = (part["value"] for part in parts if part["description"].startswith(prefix))
    return float(value)


def _clauses(filters: Filters) -> list[dict[str, Any]]:
    names = [clause for one in filters.name_sets for clause in _names(one)]
    return [*names, *map(_range, filters.ranges)]


def _names(names: NameSet) -> list[dict[str, Any]]:
    field, keys = KEY_FIELDS[names.field], sorted(names.keys)
    if names.match == "all":
        return [{"term": {field: key}} for key in keys]
    any_of = {"terms": {field: keys}}
    return [any_of if names.match == "any" else {"bool": {"must_not": any_of}}]


def _range(limit: Range) -> dict[str, Any]:
    bounds = {"gte": limit.first, "lte": limit.last}
    return {"range": {limit.field: {k: v for k, v in bounds.items() if v is not None}}}


def _conditions(conditions: Conditions) -> list[dict[str, Any]]:
    """Return the clauses of the conditions, for a filter."""
    required = [clause for one in conditions.required for clause in _condition(one)]
    excluded = [clause for one in conditions.excluded for clause in _condition(one)]
    return [*required, {"bool": {"must_not": excluded}}] if excluded else required


def _condition(condition: Condition) -> list[dict[str, Any]]:
    return _clauses(condition) if isinstance(condition, Filters) else [_phrase(condition)]


def _phrase(phrase: Phrase) -> dict[str, Any]:
    return {"match_phrase": {WORD_FIELDS[phrase.field]: phrase.text}}
