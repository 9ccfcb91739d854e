"""What every keyword engine promises. A new engine joins by a line in `lexical`."""

import math
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.engines.deadline import Deadline
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.engines.lexical.tantivy import TANTIVY_FOLDER, TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.phrase_films import MAX_PHRASES
from hybrid.engines.protocols import LexicalEngine
from hybrid.movie import Movie, content_number, keyword_text
from hybrid.query import Filters
from hybrid.query_language.conditions import Conditions, Phrase
from hybrid.query_language.film_words import FilmWords, WordField
from hybrid.query_language.language import conditions_of, read
from tests import corpus
from tests.command import PREFIX
from tests.fakes import FakeLexical
from tests.fakes import words as fake_words

NONE = Filters()

FIELDS_OF_WORDS: tuple[WordField, ...] = ("text", "title", "person")

SPECIAL = [
    Movie(id=2**62, title="Twin Comet", year=1999, description="A comet over Malmö."),
    Movie(id=0, title="Twin Comet", year=1999, description="A comet over Malmö."),
    Movie(id=5, title="L'été \U0001f3ac", genres=("Été",), cast=("Penélope Núñez", "周迅")),
    Movie(id=8, title="Nothing Else", directors=("Agnieszka Żuk",), writers=("Ole Grøn",)),
]

MOVIES = [*corpus.films(400), *SPECIAL]

BY_ID = {movie.id: movie for movie in MOVIES}

WORDS = {movie.id: FilmWords.of(movie) for movie in MOVIES}


@pytest.fixture(
    scope="module", params=["elasticsearch", "elasticsearch-3-shards", "embedded", "fake"]
)
def lexical(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LexicalEngine]:
    """Give every engine in turn, filled with the same films."""
    if request.param == "fake":
        yield FakeLexical(MOVIES)
        return
    if request.param == "embedded":
        folder = tmp_path_factory.mktemp("embedded")
        embedded = TantivyWriter(folder)
        embedded.prepare(None)
        embedded.write(MOVIES, (), len(MOVIES))
        yield TantivyEngine(folder / TANTIVY_FOLDER)
        return
    client = connect(request.getfixturevalue("elasticsearch_url"), None, 10)
    shards = 3 if request.param.endswith("shards") else 1
    writer = ElasticsearchWriter(client, PREFIX, f"{shards}-contract", "contract", shards)
    writer.prepare(None)
    writer.write(MOVIES, (), len(MOVIES))
    yield ElasticsearchEngine(client, writer.name)
    writer.discard()
    client.close()


def test_filters_hold_as_defined(lexical: LexicalEngine) -> None:
    """300 random filters let through exactly the films that Filters.matches lets through."""
    everything = " ".join(corpus.WORDS)
    holders = set(lexical.search(everything, NONE, 1000).ids.tolist())
    for filters in corpus.filters(300):
        found = lexical.search(everything, filters, 1000).ids.tolist()
        expected = {i for i in holders if filters.matches(BY_ID[i])}
        assert set(found) == expected, filters


def conditions_of_query(text: str) -> Conditions:
    """Return what a query requires of films."""
    return conditions_of(read(text).parts)


def test_conditions_hold_as_defined(lexical: LexicalEngine) -> None:
    """500 random queries find exactly the films that `Conditions.matches` lets through."""
    everything = " ".join(corpus.WORDS)
    holders = set(lexical.search(everything, NONE, 1000).ids.tolist())
    sizes = []
    for text in corpus.limited_queries(500):
        conditions = conditions_of_query(text)
        found = lexical.search(everything, NONE, 1000, conditions=conditions).ids.tolist()
        assert set(found) == {i for i in holders if conditions.matches(BY_ID[i], WORDS[i])}, text
        sizes.append(len(found))
    assert sum(0 < size < len(holders) for size in sizes) > 250


def test_conditions_hold_before_the_cut(lexical: LexicalEngine) -> None:
    """With filters the list is the best of what is allowed, each with the score it has without."""
    everything = " ".join(corpus.WORDS)
    pairs = zip(corpus.limited_queries(60), corpus.filters(60), strict=True)
    for text, filters in pairs:
        conditions = conditions_of_query(text)
        free = lexical.search(everything, filters, 1000)
        expected = [
            (film, score)
            for film, score in zip(free.ids.tolist(), free.scores.tolist(), strict=True)
            if conditions.matches(BY_ID[film], WORDS[film])
        ]
        found = lexical.search(everything, filters, 5, conditions=conditions)
        assert found.ids.tolist() == [film for film, _ in expected[:5]], text
        assert found.scores.tolist() == pytest.approx([score for _, score in expected[:5]])


PHRASES = [
    Phrase(words, field)
    for words in (
        *(("river",), ("ruiz",), ("ana", "ruiz"), ("ruiz", "costa"), ("twin", "comet")),
        *(
            ("comet", "over"),
            ("a", "comet"),
            ("over", "comet"),
            ("lete",),
            ("周", "迅"),
            ("odell",),
        ),
        *(("unheard",), ("comet", "unheard"), ("river", "river"), ("luc", "bo"), ("bo", "ek")),
    )
    for field in FIELDS_OF_WORDS
]


def test_films_with_a_phrase_are_all_found(lexical: LexicalEngine) -> None:
    """Words count as typed, stop words too, and no phrase extends from one name to the next."""
    found = [lexical.films_with(phrase).tolist() for phrase in PHRASES]
    assert found == [
        sorted(i for i, movie in BY_ID.items() if Conditions(required=(phrase,)).matches(movie))
        for phrase in PHRASES
    ]
    assert sum(map(bool, found)) > 15
    assert lexical.films_with(Phrase(("comets",))).tolist() == []


def test_which_film_has_which_phrase(lexical: LexicalEngine) -> None:
    """Of as many phrases as can be asked at once, in the order of the ids given; found among these
    films, and beside a list, which is the same with and without and whose filters do not count."""
    ids = np.array([77777777, *random.Random(3).sample(list(BY_ID), 300)], np.int64)
    filters, conditions = Filters(year_from=1950), Conditions(required=(Phrase(("river",)),))
    alone = lexical.search("comet river", filters, 20, conditions=conditions)
    for phrases in (PHRASES[:MAX_PHRASES], PHRASES[-5:], PHRASES[:1], []):
        ranking, films = lexical.search_with_phrases(
            "comet river", filters, 20, phrases, conditions=conditions
        )
        assert ranking.ids.tolist() == alone.ids.tolist()
        assert ranking.scores.tolist() == alone.scores.tolist()
        assert films is not None
        for have in (films.of(ids), lexical.have_phrases(phrases, ids).of(ids)):
            for number, phrase in enumerate(phrases):
                assert have[:, number].tolist() == np.isin(ids, lexical.films_with(phrase)).tolist()
    assert lexical.have_phrases([], ids).of(ids).shape == (301, 0)
    assert lexical.have_phrases(PHRASES[:2], ids[:0]).of(ids[:0]).shape == (0, 2)


def test_films_with_phrases_are_listed_up_to_a_number(
    lexical: LexicalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where as many films have one, the list does not tell which do."""
    phrases = [Phrase(("river",)), Phrase(("comet",))]
    having = len(set(lexical.films_with(phrases[0])) | set(lexical.films_with(phrases[1])))
    for many in (having, having + 1):
        for module in ("phrase_films", "lexical.tantivy", "lexical.elasticsearch"):
            monkeypatch.setattr(f"hybrid.engines.{module}.MANY_FILMS", many)
        _, films = lexical.search_with_phrases("comet", NONE, 5, phrases)
        assert (films is None) == (many == having)


def test_filters_leave_scores_alone(lexical: LexicalEngine) -> None:
    """A film has the same BM25 under a filter as without one."""
    for text, filters in zip(corpus.queries(40), corpus.filters(40), strict=True):
        free = lexical.search(text, NONE, 1000)
        scores = dict(zip(free.ids.tolist(), free.scores.tolist(), strict=True))
        held = lexical.search(text, filters, 1000)
        assert [scores[i] for i in held.ids.tolist()] == pytest.approx(held.scores.tolist())


def test_scores_are_complete(lexical: LexicalEngine) -> None:
    """`score` gives any film what `search` gives it, and 0 where no word occurs."""
    ids = np.array([movie.id for movie in MOVIES], np.int64)
    for text in corpus.queries(30):
        found = lexical.search(text, NONE, 1000)
        scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
        expected = [scores.get(i, 0.0) for i in ids.tolist()]
        assert lexical.score(text, ids).tolist() == pytest.approx(expected)


def test_ranking_is_by_score_then_id(lexical: LexicalEngine) -> None:
    """Equal scores stand in the order of their numbers, also where the list is cut between them."""
    found = lexical.search("comet", NONE, 10)
    assert found.ids.tolist() == [0, 2**62]
    assert found.scores[0] == found.scores[1]
    assert lexical.search("comet", NONE, 1).ids.tolist() == [0]
    for text in corpus.queries(30):
        whole = lexical.search(text, NONE, 1000)
        ordered = sorted(zip(-whole.scores, whole.ids, strict=True))
        assert [i for _, i in ordered] == whole.ids.tolist()
        assert lexical.search(text, NONE, 7).ids.tolist() == whole.ids.tolist()[:7]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*corpus.WORDS, "unheard", "the"]), min_size=1, max_size=70))
def test_nothing_exceeds_the_attainable(lexical: LexicalEngine, words: list[str]) -> None:
    """No film scores more than `attainable`, whatever the words and however often they stand."""
    text = " ".join(words)
    best = lexical.search(text, NONE, 1).scores
    bound = lexical.attainable(text)
    assert best.max(initial=0.0) <= bound * (1 + 1e-6)
    assert (bound > 0) == (len(best) > 0)


def test_one_word_alone_is_attained(lexical: LexicalEngine) -> None:
    """The bound of a single word is what its best film has."""
    assert lexical.search("mirror", NONE, 1).scores[0] == pytest.approx(
        lexical.attainable("mirror")
    )


def test_attainable_counts_every_word(lexical: LexicalEngine) -> None:
    """A repeated word counts twice, an unknown word like the rarest, a stop word not at all."""
    once = lexical.attainable("comet")
    assert lexical.attainable("comet comet") == pytest.approx(2 * once)
    assert lexical.attainable("comet xyzzy") == pytest.approx(2 * once)
    assert lexical.attainable("the comet") == pytest.approx(once)
    assert lexical.attainable("xyzzy") == 0


@pytest.mark.parametrize(
    "text", ["the of and", "!?", "xyzzy", "\U0001f9ff", "-", "title:comet AND"]
)
def test_text_without_a_known_word_finds_nothing(lexical: LexicalEngine, text: str) -> None:
    """Stop words, punctuation and unknown words give an empty list; no syntax is interpreted."""
    found = lexical.search(text.replace("comet", "xyzzy"), NONE, 10)
    assert len(found) == 0
    assert found.ids.dtype == np.int64


def test_every_film_is_there_with_its_content(lexical: LexicalEngine) -> None:
    """The films can be counted and compared, without asking for their words."""
    assert lexical.count() == len(MOVIES)
    assert lexical.contents() == {movie.id: content_number(movie) for movie in MOVIES}


def test_unknown_ids_and_none_score(lexical: LexicalEngine) -> None:
    """Ids that are not there score 0, and no ids give no scores."""
    assert lexical.score("comet", np.array([77777777, 0], np.int64))[0] == 0
    assert len(lexical.score("comet", np.empty(0, np.int64))) == 0


@pytest.mark.parametrize(
    ("text", "film"),
    [
        ("penelope", 5),
        ("NUÑEZ", 5),
        ("nun\u0303ez", 5),
        ("ete", 5),
        ("周迅", 5),
        ("zuk", 8),
        ("MALMO", 0),
    ],
)
def test_case_and_accents_do_not_matter(lexical: LexicalEngine, text: str, film: int) -> None:
    """A name is found however it is typed: case, accents, scripts, composed or not."""
    from hybrid.movie import normalise

    assert film in lexical.search(normalise(text), NONE, 10).ids.tolist()


def test_genres_compare_without_case(lexical: LexicalEngine) -> None:
    """A genre beyond ASCII is matched in any case, and 'ß' as 'ss'."""
    for name in ("été", "ÉTÉ", "E\u0301te\u0301"):
        assert lexical.search("núñez", Filters(genres=(name,)), 10).ids.tolist() == [5]
    everything = " ".join(corpus.WORDS)
    wide = [lexical.search(everything, Filters(genres=(n,)), 999) for n in ("Straße", "STRASSE")]
    assert wide[0].ids.tolist() == wide[1].ids.tolist() != []


def test_many_threads_get_the_same(lexical: LexicalEngine) -> None:
    """Answers do not depend on what else is asked at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    texts = corpus.queries(60)
    alone = [lexical.search(text, NONE, 20).ids.tolist() for text in texts]
    shuffled = random.Random(1).sample(range(60), 60)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: lexical.search(texts[n], NONE, 20).ids.tolist(), shuffled))
    assert found == [alone[n] for n in shuffled]


def test_a_deadline_that_does_not_come_changes_nothing(lexical: LexicalEngine) -> None:
    """With time enough every answer is what it is without a deadline."""
    until, text = Deadline.after(600), "comet mirror"
    ids = np.array([movie.id for movie in MOVIES], np.int64)[:20]
    found, expected = lexical.search(text, NONE, 20, until), lexical.search(text, NONE, 20)
    assert found.ids.tolist() == expected.ids.tolist()
    assert lexical.score(text, ids, until).tolist() == lexical.score(text, ids).tolist()
    assert lexical.explain(text, ids, until) == lexical.explain(text, ids)
    assert lexical.attainable("winter " + text, until) > 0


def test_explanations_add_up(lexical: LexicalEngine) -> None:
    """What the words give a film is its score, whether it holds all of them, some or none."""
    ids = np.array([movie.id for movie in MOVIES], np.int64)[:80]
    for text in corpus.queries(30):
        found = lexical.explain(text, ids)
        sums = [sum(term.score for term in terms) for terms in found]
        assert sums == pytest.approx(lexical.score(text, ids).tolist(), rel=1e-5)
        for terms in found:
            assert all((term.score > 0) == (term.frequency > 0) for term in terms)


def test_explanations_count_alike(lexical: LexicalEngine) -> None:
    """Words, frequencies and idf are those of plain counting, however an engine indexes."""
    counting = FakeLexical(MOVIES)
    ids = np.array([movie.id for movie in MOVIES], np.int64)[::9]
    for text in corpus.queries(30):
        pairs = zip(lexical.explain(text, ids), counting.explain(text, ids), strict=True)
        for terms, expected in pairs:
            assert [term.word for term in terms] == [term.word for term in expected]
            assert [term.frequency for term in terms] == [term.frequency for term in expected]
            assert [term.idf for term in terms] == pytest.approx(
                [term.idf for term in expected], rel=1e-5
            )


def test_explanations_name_words_as_typed(lexical: LexicalEngine) -> None:
    """A word comes once, as typed first, with what all its repetitions give; stop words do not
    come, and a word that the film has not gives nothing."""
    text = "\U00010437 The COMET, a xyzzy over comet Malmo"
    ((_, comet, unheard, over, malmo),) = lexical.explain(text, np.array([0], np.int64))
    assert [comet.word, unheard.word, over.word, malmo.word] == ["COMET", "xyzzy", "over", "Malmo"]
    assert comet.frequency == 2
    assert malmo.frequency == 1
    assert (unheard.frequency, unheard.idf, unheard.score) == (0, 0, 0)
    ((once,),) = lexical.explain("comet", np.array([0], np.int64))
    assert comet.score == pytest.approx(2 * once.score)


def test_unknown_films_and_words_are_explained_by_nothing(lexical: LexicalEngine) -> None:
    """A film that is not there has no word; no film, or no word, gives no explanation."""
    ((comet,),) = lexical.explain("comet", np.array([77777777], np.int64))
    assert (comet.word, comet.frequency, comet.score) == ("comet", 0, 0)
    assert list(lexical.explain("comet", np.empty(0, np.int64))) == []
    assert [list(terms) for terms in lexical.explain("the of", np.array([0, 5]))] == [[], []]


def test_what_tantivy_locks_late_is_removed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of Tantivy's may lock a file in the folder of links while that is removed: the index
    is open all the same, and nothing of the folder stays."""
    writer = TantivyWriter(tmp_path)
    writer.prepare(None)
    writer.write(corpus.films(3), (), 3)
    real = shutil.rmtree
    removed: list[Path] = []

    def late(folder: Path, ignore_errors: bool = False) -> None:
        real(folder, ignore_errors=ignore_errors)
        removed.append(folder)
        if len(removed) < 3:
            folder.mkdir()
            (folder / ".tantivy-meta.lock").touch()

    monkeypatch.setattr("hybrid.engines.lexical.tantivy.shutil.rmtree", late)
    assert TantivyEngine(tmp_path / TANTIVY_FOLDER).count() == 3
    assert len(removed) == 3
    assert not removed[0].exists()


def test_telling_words_are_by_frequency_and_rarity(lexical: LexicalEngine) -> None:
    """The words of a text come by saturated frequency times idf, counted over all films, each once
    and as it is typed first; words of too few films and stop words are left out."""
    films_with = Counter(w for m in MOVIES for w in set(fake_words(keyword_text(m))))
    text = "The CAPTAIN of captain mirrors Comet comet Malmö xyzzy, the naïve orchestra"
    typed = ["CAPTAIN", "mirrors", "Comet", "Malmö", "xyzzy", "naïve", "orchestra"]
    counts = {"captain": 2, "comet": 2}
    weights = {}
    for word in typed:
        (stem,) = fake_words({"mirrors": "mirror"}.get(word, word))
        n, films = counts.get(stem, 1), films_with[stem]
        if films:
            rarity = math.log(1 + (len(MOVIES) - films + 0.5) / (films + 0.5))
            weights[word] = n / (n + 0.4) * rarity, films
    for least in (1, 2, 3):
        told = list(lexical.telling(text, least))
        expected = [w for w, (_, films) in weights.items() if films >= least]
        if isinstance(lexical, FakeLexical):  # it has no stemmer
            told, expected = ([w for w in ws if w != "mirrors"] for ws in (told, expected))
        assert told == sorted(expected, key=lambda word: -weights[word][0])
    assert list(lexical.telling("the of !?", 1)) == []
    assert len(lexical.telling(" ".join(str(year) for year in range(3000)) + text, 0)) == 25
