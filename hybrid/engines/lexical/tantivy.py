"""The embedded keyword engine: BM25 by Tantivy in a folder of the generation, without a server."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import tantivy
from tantivy import Occur, Query

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.lexical.bm25 import K1, analysis_digest, attainable_score, telling_words
from hybrid.engines.lexical.film_keys import KEY_FIELDS
from hybrid.engines.phrase_films import MANY_FILMS, PhraseFilms
from hybrid.engines.protocols import TermScore
from hybrid.errors import GenerationUnusable
from hybrid.limits import NameSet, NumberField, Range
from hybrid.query import Filters
from hybrid.query_language.conditions import NO_CONDITIONS, Condition, Conditions, Phrase
from hybrid.query_language.film_words import WORD_FIELDS
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.storage.scratch import scratch_folder
from hybrid.text.analysis import WORD, analyze, analyzer, tokens
from hybrid.text.stop_words import STOP_WORDS

TANTIVY_FOLDER = "tantivy"

ANALYZER = "film"

TANTIVY_K1 = 1.2
"""Tantivy's k1 is fixed, as is its b of .75, which is ours too. See the writer's `_document`."""

REPEATS = round(TANTIVY_K1 / K1)

SCALE = (K1 + 1) / (TANTIVY_K1 + 1)
"""Scales scores to those of BM25 with our k1: its factor k1 + 1 is smaller."""

ANALYSIS = analysis_digest("tantivy with words and filters", WORD, STOP_WORDS, "english", REPEATS)
"""Recorded in the manifest. Change the first argument when anything else here changes."""

NUMBER_TYPES: Mapping[NumberField, tantivy.FieldType] = {
    "year": tantivy.FieldType.Integer,
    "rating": tantivy.FieldType.Float,
    "votes": tantivy.FieldType.Integer,
    "duration_minutes": tantivy.FieldType.Integer,
}

COLUMNS: tuple[NumberField, ...] = ("votes",)
"""Numbers that are compared film by film: of those with many values, that takes a sixth of the time
of looking up each value in the range."""


def schema() -> tantivy.Schema:
    """Return the fields of an index."""
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_integer_field("content", indexed=False, fast=True)
    for name, kind in NUMBER_TYPES.items():
        integer = kind == tantivy.FieldType.Integer
        add = builder.add_integer_field if integer else builder.add_float_field
        add(name, indexed=name not in COLUMNS, fast=name in COLUMNS)
    for field in KEY_FIELDS.values():
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name=ANALYZER, index_option="freq")
    for field in WORD_FIELDS.values():
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="position")
    return builder.build()


class TantivyEngine:
    """BM25 of one index, read-only."""

    is_remote = False

    def __init__(self, folder: Path) -> None:
        self._schema = schema()
        try:
            self._searcher = _searcher(folder, self._schema)
        except (OSError, ValueError) as error:
            raise GenerationUnusable(
                f"the keyword index in {folder} cannot be opened: {error}"
            ) from error
        # Only words that films contain are cached, so the vocabulary bounds the size.
        self._tops: dict[str, float] = {}

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
        words = analyze(text)
        if not words:
            return Ranking.empty()
        required = [query for one in conditions.required for query in self._condition(one)]
        excluded = [query for one in conditions.excluded for query in self._condition(one)]
        limits = [*self._filter(filters), *required]
        return self._ranking(self._within(self._any_word(words), limits, excluded), depth)

    def search_with_phrases(
        self,
        text: str,
        filters: Filters,
        depth: int,
        phrases: Sequence[Phrase],
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> tuple[Ranking, PhraseFilms | None]:
        """Return what `search` does, and which films match which phrase: None if many do."""
        ranking = self.search(text, filters, depth, deadline, conditions)
        if not phrases:
            return ranking, PhraseFilms.none(0)
        films = self._scored(self._any_phrase(phrases), MANY_FILMS)
        return ranking, PhraseFilms.listed(films, len(phrases))

    def films_with(self, phrase: Phrase, deadline: Deadline = NEVER) -> Ids:
        """Return all films that match the phrase, int64 ascending."""
        query = Query.const_score_query(self._phrase(phrase), 1.0)
        hits = self._searcher.search(query, max(self.count(), 1), count=False).hits
        return np.sort(self._ids(hits))

    def have_phrases(
        self, phrases: Sequence[Phrase], ids: Ids, deadline: Deadline = NEVER
    ) -> PhraseFilms:
        """Return which of these films match which phrase."""
        if not len(ids) or not phrases:
            return PhraseFilms.none(len(phrases))
        query = self._within(self._any_phrase(phrases), [self._films(ids)])
        return PhraseFilms(self._scored(query, len(ids)), len(phrases))

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Return BM25 of each film, float64 (len(ids),); 0 where no word of `text` occurs."""
        words = analyze(text)
        if not words or not len(ids):
            return np.zeros(len(ids), np.float64)
        query = self._within(self._any_word(words), [self._films(ids)])
        return SCALE * self._scored(query, len(ids)).scores_of(ids)

    def explain(
        self, text: str, ids: Ids, deadline: Deadline = NEVER
    ) -> Sequence[Sequence[TermScore]]:
        """Return what each distinct word of `text` adds to each film's `score`."""
        words = tokens(text)
        typed = {token.term: text[token.start : token.end] for token in reversed(words)}
        times = Counter(token.term for token in words)
        by_term = {
            term: self._term_scores(word, term, times[term], ids) for term, word in typed.items()
        }
        return [
            [by_term[term].get(film, TermScore(typed[term], term)) for term in times]
            for film in ids.tolist()
        ]

    def _term_scores(self, word: str, term: str, times: int, ids: Ids) -> dict[int, TermScore]:
        """Return what a word that occurs `times` in the query adds to each film that has it."""
        if not len(ids):
            return {}
        query = self._term(term)
        these = self._within(query, [self._films(ids)])
        hits = self._searcher.search(these, len(ids), count=False).hits
        films: list[int] = self._ids(hits).tolist()
        scores = {}
        for film, (score, address) in zip(films, hits, strict=True):
            # The factors are k1 + 1, idf and the saturated frequency, whose first detail is the
            # frequency.
            _, idf, saturated = json.loads(query.explain(self._searcher, address).to_json())[
                "details"
            ]
            scores[film] = TermScore(
                word,
                term,
                frequency=round(saturated["details"][0]["value"] / REPEATS),
                idf=idf["value"],
                score=times * SCALE * score,
            )
        return scores

    def telling(self, text: str, least: int, deadline: Deadline = NEVER) -> Sequence[str]:
        """Return the words of `text` that tell most about it, the most telling first."""
        words = [(text[token.start : token.end], token.term) for token in tokens(text)]
        terms = {term for _, term in words}
        films_with = {term: self._searcher.doc_freq("text", term) for term in terms}
        return telling_words(words, films_with, self.count(), least)

    def attainable(self, text: str, deadline: Deadline = NEVER) -> float:
        """Return an upper bound of any film's BM25 for `text`."""
        return attainable_score([self._top(word) for word in analyze(text)])

    def count(self) -> int:
        """Return the number of films."""
        count: int = self._searcher.num_docs
        return count

    def contents(self) -> dict[int, int]:
        """Return by id the `content_number` of every film as it was indexed."""
        if not self.count():
            return {}
        hits = self._searcher.search(Query.all_query(), self.count(), count=False).hits
        addresses = [address for _, address in hits]
        ids = self._searcher.fast_field_values("id", addresses)
        contents = self._searcher.fast_field_values("content", addresses)
        return {int(i or 0): int(c or 0) for i, c in zip(ids, contents, strict=True)}

    def check(self) -> None:
        """Do nothing: an open index can always be searched."""

    def _top(self, word: str) -> float:
        if word not in self._tops:
            hits = self._searcher.search(self._term(word), 1, count=False).hits
            if not hits:
                return 0.0
            self._tops[word] = SCALE * hits[0][0]
        return self._tops[word]

    def _term(self, word: str) -> Query:
        return Query.term_query(self._schema, "text", word, "freq")

    def _films(self, ids: Ids) -> Query:
        """Return a query for these films. A term-set query takes three times as long for 200."""
        return Query.boolean_query(
            [(Occur.Should, Query.term_query(self._schema, "id", film)) for film in ids.tolist()]
        )

    def _any_word(self, words: list[str]) -> Query:
        return Query.boolean_query([(Occur.Should, self._term(word)) for word in words])

    def _filter(self, filters: Filters) -> list[Query]:
        names = [query for one in filters.name_sets for query in self._names(one)]
        return [*names, *map(self._range, filters.ranges)]

    def _names(self, names: NameSet) -> list[Query]:
        field = KEY_FIELDS[names.field]
        have = [Query.term_query(self._schema, field, key) for key in names.keys]
        if names.match == "all":
            return have
        if names.match == "any":
            return [Query.boolean_query([(Occur.Should, one) for one in have])]
        without = [(Occur.MustNot, one) for one in have]
        return [Query.boolean_query([(Occur.Must, Query.all_query()), *without])]

    def _range(self, limit: Range) -> Query:
        kind, inverted = NUMBER_TYPES[limit.field], limit.field not in COLUMNS
        return Query.range_query(
            self._schema, limit.field, kind, limit.first, limit.last, use_inverted_index=inverted
        )

    def _condition(self, condition: Condition) -> list[Query]:
        """Return a query for what a condition requires."""
        if isinstance(condition, Filters):
            return self._filter(condition)
        return [self._phrase(condition)]

    def _phrase(self, phrase: Phrase) -> Query:
        field = WORD_FIELDS[phrase.field]
        if len(phrase.words) == 1:
            return Query.term_query(self._schema, field, phrase.words[0], "basic")
        return Query.phrase_query(self._schema, field, list(phrase.words))

    def _any_phrase(self, phrases: Sequence[Phrase]) -> Query:
        return Query.boolean_query(
            [
                (Occur.Should, Query.const_score_query(self._phrase(phrase), float(1 << number)))
                for number, phrase in enumerate(phrases)
            ]
        )

    def _within(self, query: Query, limits: list[Query], excluded: Sequence[Query] = ()) -> Query:
        """Return `query` restricted to what all `limits` match, with unchanged scores.

        What one of `excluded` matches is left out. A clause that must match adds its own score,
        which is made a constant of 0.
        """
        constant = [(Occur.Must, Query.const_score_query(limit, 0.0)) for limit in limits]
        without = [(Occur.MustNot, other) for other in excluded]
        return Query.boolean_query([(Occur.Must, query), *constant, *without])

    def _scored(self, query: Query, most: int) -> Ranking:
        """Return the best `most` films with Tantivy's scores, equal ones in any order."""
        hits = self._searcher.search(query, most, count=False).hits
        return Ranking(self._ids(hits), np.array([score for score, _ in hits], np.float64))

    def _ids(self, hits: Sequence[tuple[Any, tantivy.DocAddress]]) -> Ids:
        """Return the id of each hit, int64."""
        addresses = [address for _, address in hits]
        return np.array(self._searcher.fast_field_values("id", addresses), np.int64)

    def _ranking(self, query: Query, depth: int) -> Ranking:
        """Return the best `depth` films; equal scores are ordered by id.

        Tantivy orders them by position in the index, so hits are fetched until one scores lower
        than the last one wanted.
        """
        wanted = depth + 1
        while True:
            hits = self._searcher.search(query, wanted, count=False).hits
            if len(hits) < wanted or hits[-1][0] < hits[depth - 1][0]:
                break
            wanted *= 2
        scores = np.array([SCALE * score for score, _ in hits])
        return Ranking.sorted(self._ids(hits), scores, depth)


def _searcher(folder: Path, schema: tantivy.Schema) -> tantivy.Searcher:
    """Return a searcher of the index in `folder`, which may be read-only.

    Tantivy creates a lock file beside an index that it opens. So it opens a temporary folder of
    links, which can be removed afterwards: by then the files are mapped into memory.
    """
    links = scratch_folder("tantivy-")
    try:
        for file in folder.iterdir():
            if file.suffix != ".lock":
                (links / file.name).symlink_to(file.absolute())
        index = tantivy.Index(schema, str(links))
        index.config_reader("Manual", 0)  # published files never change
        index.register_tokenizer(ANALYZER, analyzer())
        index.reload()
        return index.searcher()
    finally:
        _remove(links)


def _remove(links: Path) -> None:
    """Remove the folder of links, even if Tantivy creates a lock file in it meanwhile.

    A thread that Tantivy starts with every index may read it once more after it was opened.
    """
    for _ in range(100):
        shutil.rmtree(links, ignore_errors=True)
        if not links.exists():
            return
        sleep(0.01)
