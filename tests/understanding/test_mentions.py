"""What queries mention, and how films gain by it, on the bundled films and the embedded engine."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.evaluation.evaluate import kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.measures import NDCG, measure_queries
from hybrid.evaluation.rankings import rank_queries
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import FusionMethod, SearchQuery, SimilarQuery, Understand
from hybrid.schemas.runs import parse_runs
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.similar import similar
from indexer.cli import SAMPLE
from indexer.films.clean import clean
from indexer.sources import read_source
from tests.small import open_small_embedded

QUERIES = Path(__file__).parent / "queries.jsonl"

ALIEN, PSYCHO, TIGHTROPE = 281, 201, 439


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give a search over the bundled films."""
    folder = tmp_path_factory.mktemp("sample")
    with closing(open_small_embedded(folder, clean(read_source(SAMPLE)).movies)) as search:
        yield search


def ask(films: HybridSearch, text: str, **fields: object) -> SearchResponse:
    """Return the answer to a query."""
    return films.search(SearchQuery.model_validate({"query": text} | fields))


def read(films: HybridSearch, text: str) -> list[str]:
    """Return what a query mentions, as "field value"."""
    return [f"{part.field} {part.value}" for part in ask(films, text, limit=1).understood.parts]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hitchcock 1960", ["person hitchcock", "year 1960"]),
        ("80s sci-fi", ["year 80s", "genre sci-fi"]),
        ("'80s science fiction", ["year 80s", "genre science fiction"]),
        ("a horror film made in 1973", ["genre horror", "year 1973"]),
        ("rom-coms from the thirties", ["genre rom-coms", "year thirties"]),
        ("Films with Humphrey Bogart", ["person Humphrey Bogart"]),
        ("miyazaki's films", ["person miyazaki's"]),
        ("war films about snipers", ["genre war"]),
        ("spielberg war films", ["person spielberg", "genre war"]),
        ("movies like Alien", ["like Alien"]),
        ("movies like alien but funny", ["like alien"]),
        ("something similar to psycho 1960", ["like psycho 1960"]),
        ("sci-fi like 2001: A Space Odyssey", ["genre sci-fi", "like 2001: A Space Odyssey"]),
        ("genre:comedy 90s -murray", ["genre comedy", "year 90s", "text murray"]),
        # A title wins, and what is merely a word is one.
        ("All Quiet on the Western Front", []),
        ("all quiet on the western front 2022", ["year 2022"]),
        ("2001 a space odyssey hal", []),
        ("west side story gangs", []),
        ("a boy in the war", []),
        ("a family drama about divorce", []),
        ("occupied paris in 1942", []),
        ("1950s new york waitress", []),
        ("a thief aged 3000", []),
        ("a woman steals money, meets a strange young man in 1960", []),
        ("kitchen films", []),
        ("i like alien planets", []),
        ("movies like nothing else", []),
    ],
)
def test_what_a_query_mentions(films: HybridSearch, text: str, parts: list[str]) -> None:
    """Years, genres, people and films are found where they are likely meant, and only there."""
    assert read(films, text) == parts


def test_parts_can_be_removed(films: HybridSearch) -> None:
    """Each part says where it stands, that it is preferred, and the text without it."""
    year, genre = ask(films, "80s sci-fi about robots").understood.parts
    assert year.span
    assert (year.span.start, year.span.end) == (0, 3)
    assert (year.preferred, year.excluded, year.without) == (True, False, "sci-fi about robots")
    assert genre.without == "80s about robots"
    (liked,) = ask(films, "movies like Alien").understood.parts
    assert (liked.preferred, liked.without) == (False, "")


@given(
    st.lists(
        st.sampled_from(
            "movies like alien 80s 1960 in from the films hitchcock war family horror -sci-fi"
            ' western "noir" similar to title:psycho kurosawa\'s ( 1999) é 周迅 drama'.split()
        ),
        max_size=9,
    ).map(" ".join)
)
def test_any_text_is_understood(films: HybridSearch, text: str) -> None:
    """Whatever is typed has an answer; parts do not overlap and hold what stands there."""
    if not text.strip():
        return
    answer = ask(films, text, limit=1)
    spans = [(part.span.start, part.span.end) for part in answer.understood.parts if part.span]
    assert spans == sorted(spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for part in answer.understood.parts:
        assert part.span
        assert part.value in text[part.span.start : part.span.end]


def ndcg(films: HybridSearch, understand: Understand) -> dict[str, float]:
    """Return the mean nDCG@10 of each kind of the judged queries."""
    queries = read_judgements(QUERIES, None).queries
    (run,) = parse_runs([f"a=hybrid,attainable,auto,{understand}"])
    scores = measure_queries(queries, rank_queries(films, queries, [run])["a"], [NDCG])[NDCG]
    return {kind: float(scores[list(rows)].mean()) for kind, rows in kinds(queries).items()}


def test_judged_queries_gain(films: HybridSearch) -> None:
    """Each kind of judged query gains, most those of decades and years; none loses."""
    off, preferred = ndcg(films, "off"), ndcg(films, "prefer")
    assert len(read_judgements(QUERIES, None).queries) == 60
    assert preferred["decade"] > off["decade"] + 0.3
    assert preferred["year"] > off["year"] + 0.2
    assert all(preferred[kind] >= off[kind] for kind in off)


def test_off_is_plain_text(films: HybridSearch) -> None:
    """Nothing is understood, and films rank as by the words alone."""
    answer = ask(films, "hitchcock 1960", understand="off", explain="summary")
    assert answer.understood.parts == ()
    for hit in answer.hits:
        assert hit.why
        assert hit.why.preferred == ()
        assert hit.score == hit.why.fusion.keyword + hit.why.fusion.semantic


@pytest.mark.parametrize("mode", ["keyword", "semantic", "hybrid"])
def test_filter_requires_what_is_mentioned(films: HybridSearch, mode: str) -> None:
    """No film lacks a part, in any mode, and every film that has all parts can be found."""
    for text in ("hitchcock films of the 30s", "80s horror", "war films with humphrey bogart"):
        answer = ask(films, text, understand="filter", mode=mode, limit=100)
        assert not any(part.preferred for part in answer.understood.parts)
        conditions = films.retriever.retrieve(
            SearchQuery.model_validate({"query": text, "understand": "filter"}), _watch()
        ).parsed.conditions
        meet = {m.id for m in films.catalogue.all_films() if conditions.matches(m)}
        assert meet
        found = {hit.id for hit in answer.hits}
        assert found <= meet
        if mode != "keyword":
            assert found == meet


def _watch() -> Stopwatch:
    return Stopwatch()


@pytest.mark.parametrize("fusion", ["attainable", "min_max", "z_score", "dbsf", "rrf"])
def test_explanations_show_what_a_film_gains(films: HybridSearch, fusion: FusionMethod) -> None:
    """The parts of the score add up, with what each mention adds; by default, films that have all
    come first where the query says nothing else."""
    answer = ask(films, "80s sci-fi", fusion=fusion, explain="summary", limit=20)
    gains = []
    for hit in answer.hits:
        assert hit.why
        sides = hit.why.fusion
        assert hit.score == pytest.approx(sides.keyword + sides.semantic + sides.preferred)
        assert sides.preferred == pytest.approx(sum(part.gain for part in hit.why.preferred))
        for part, has in zip(
            hit.why.preferred,
            (1980 <= (hit.movie.year or 0) < 1990, "Sci-Fi" in hit.movie.genres),
            strict=True,
        ):
            assert part.met == has == (part.gain > 0)
        gains.append(sides.preferred)
    assert fusion != "attainable" or gains.index(min(gains)) >= 6  # there are six
    first = answer.hits[0].why
    assert first
    both = "it is of '80s', 'sci-fi'"
    assert both in first.summary or "it is of 'sci-fi', but not of '80s'" in first.summary
    decimals = 4 if fusion == "rrf" else 3
    assert f" + {first.fusion.preferred:.{decimals}f}" in first.fusion.formula


def test_films_like_another(films: HybridSearch) -> None:
    """They are those of the request for similar films, never the film itself; what else the query
    says counts, too."""
    liked = ask(films, "movies like Alien", limit=20)
    alike = similar(films, SimilarQuery.model_validate({"id": ALIEN, "limit": 20}))
    assert [hit.id for hit in liked.hits] == [hit.id for hit in alike.hits]
    assert ALIEN not in {hit.id for hit in liked.hits}
    assert liked.confident is None
    of_1960s = ask(films, "movies like Alien from the 60s", understand="filter")
    assert {(hit.movie.year or 0) // 10 for hit in of_1960s.hits} == {196}
    words = ask(films, "movies like Alien with a tightrope walker")
    assert TIGHTROPE in {hit.id for hit in words.hits}
    assert TIGHTROPE not in {hit.id for hit in liked.hits}


def test_a_film_is_explained_among_those_like_another(films: HybridSearch) -> None:
    """The film itself is not found."""
    query = SearchQuery.model_validate({"query": "movies like Alien"})
    assert films.explain(query, ALIEN).hit.rank is None
    assert films.explain(query, PSYCHO).hit.why.preferred == ()
