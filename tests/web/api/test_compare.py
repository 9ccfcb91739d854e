"""/compare over HTTP, with stand-in engines: its numbers, its twins and its errors."""

import json
from collections.abc import Iterator
from importlib import util
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from hybrid.fusion.preferences import Preferences
from hybrid.query import Query
from hybrid.search import HybridSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.fakes import FakeLexical
from tests.web.http import Service, serving

MOVIES = corpus.films(200)

KEYS = (
    "query understood runs pairs movies lists swaps degraded warnings timings_ms generation".split()
)

ECHO = ["query", *list(Query.model_fields)[1:]]

RUN_KEYS = "mode fusion alpha alpha_reason hits measures".split()

PAIR_KEYS = "a b common jaccard rbo kendall_tau moves".split()

MOVIE_KEYS = (
    "title year genres keyword keyword_rank semantic semantic_rank sentence preferred runs "
    "details".split()
)

FIGURES = "count lowest highest mean deviation".split()

LINEAR = ("attainable", "min_max", "z_score", "dbsf")

FUSIONS = {
    method: {"mode": "hybrid", "fusion": method, "alpha": 0.4} for method in (*LINEAR, "rrf")
}

TEXTS = [*corpus.queries(12), "xyzzy"]


@pytest.fixture(scope="module")
def service(search: HybridSearch) -> Iterator[Service]:
    """Give the service."""
    with serving(create_app(search)) as running:
        yield running


def compared(service: Service, text: str, **fields: object) -> Any:
    """Return what a body gets."""
    status, answer = service.post("/compare", {"query": text} | fields)
    assert status == 200, answer
    return answer


def test_the_answer_has_always_the_same_keys(service: Service) -> None:
    """In their order, full or empty, with the three modes where no run is named."""
    for text, year in (("captain mirror", None), ("xyzzy", None), ("captain", 2099)):
        answer = compared(service, text, year_from=year)
        assert list(answer) == KEYS
        assert list(answer["query"]) == ECHO
        assert list(answer["runs"]) == ["keyword", "semantic", "hybrid"]
        assert all(list(run) == RUN_KEYS for run in answer["runs"].values())
        assert [list(pair) for pair in answer["pairs"]] == [PAIR_KEYS] * 3
        assert all(list(movie) == MOVIE_KEYS for movie in answer["movies"].values())
        assert list(answer["lists"]) == ["keyword", "semantic"]
        assert all(list(side) == FIGURES for side in answer["lists"].values())
    assert answer["movies"] == {}
    assert answer["lists"]["semantic"] == {"count": 0} | dict.fromkeys(FIGURES[1:])
    assert [pair["kendall_tau"] for pair in answer["pairs"]] == [None] * 3


def test_twins_answer_alike(service: Service) -> None:
    """Runs in a URL and in a body are the same; their order is kept."""
    fields = {"genre": ["drama"], "year_from": 1952, "limit": 4}
    typed = ["z:keyword", "a:hybrid,rrf,0.4", "hybrid", "m:hybrid,min_max"]
    named = {
        "z": {"mode": "keyword"},
        "a": {"mode": "hybrid", "fusion": "rrf", "alpha": 0.4},
        "hybrid": {},
        "m": {"fusion": "min_max", "alpha": None},
    }
    status, by_url = service.get("/compare", q="captain river", run=typed, **fields)
    assert status == 200
    by_body = compared(service, "captain river", runs=named, **fields)
    assert list(by_url["runs"]) == ["z", "a", "hybrid", "m"]
    for part in KEYS[:6]:
        assert by_url[part] == by_body[part]


def test_a_run_is_what_a_search_of_it_shows(service: Service) -> None:
    """Films, ranks, scores, alpha and its reason are those of /search."""
    for text in TEXTS:
        runs = FUSIONS | {"words": {"mode": "keyword"}, "auto": {"mode": "hybrid"}}
        for name, run in runs.items():
            answer = compared(service, text, runs={name: run, "other": {"mode": "semantic"}})
            _, alone = service.post("/search", {"query": text} | run)
            found = answer["runs"][name]
            assert [(h["id"], h["rank"], h["score"]) for h in found["hits"]] == [
                (h["id"], h["rank"], h["score"]) for h in alone["hits"]
            ]
            assert found["mode"] == alone["query"]["mode"]
            assert found["fusion"] == alone["query"]["fusion"]
            assert found["alpha"] == alone["alpha"]
            assert found["alpha_reason"] == alone["alpha_reason"]
            assert answer["warnings"] == alone["warnings"] or name == "words"


def test_runs_that_say_nothing_are_ranked_as_preferred(
    search: HybridSearch, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run leaves out is what /search would take: the preferences of the service."""
    monkeypatch.setattr(search, "preferences", Preferences(fusion="dbsf", alpha=0.7))
    runs = compared(service, "captain", runs={"a": {}, "b": {"fusion": "rrf"}})["runs"]
    assert (runs["a"]["fusion"], runs["a"]["alpha"]) == ("dbsf", 0.7)
    assert (runs["b"]["fusion"], runs["b"]["alpha"]) == ("rrf", 0.7)
    assert compared(service, "captain")["runs"]["hybrid"]["fusion"] == "dbsf"


def normalised(score: float | None, method: str, of: dict[str, Any]) -> float:
    """Return the share as a page would compute it, from the answer alone."""
    if method == "attainable":
        return score or 0.0
    if not of["count"]:
        return 0.0
    if of["lowest"] == of["highest"]:
        return normalised_in_equal(score, method, of["lowest"])
    if score is None:
        return 0.0
    if method == "z_score":
        return float((score - of["mean"]) / of["deviation"])
    if method == "min_max":
        share = (score - of["lowest"]) / (of["highest"] - of["lowest"])
    else:
        share = (score - (of["mean"] - 3 * of["deviation"])) / (6 * of["deviation"])
    return float(min(max(share, 0.0), 1.0))


def normalised_in_equal(score: float | None, method: str, listed: float) -> float:
    """Return the share beside a list whose scores are all `listed`."""
    if method == "z_score" or score is None:
        return 0.0
    if method == "min_max":
        return float(score >= listed)
    return float(np.sign(score - listed) + 1) / 2


def test_a_page_can_fuse_again(service: Service) -> None:
    """Every score and rank of every linear fusion follows, to the bit, from movies and lists."""
    for text in TEXTS:
        answer = compared(service, text, runs=FUSIONS, limit=100)
        for method in LINEAR:
            scores = {
                film: 0.6 * normalised(movie["keyword"], method, answer["lists"]["keyword"])
                + 0.4 * normalised(movie["semantic"], method, answer["lists"]["semantic"])
                for film, movie in answer["movies"].items()
            }
            given = {f: m["runs"][method]["score"] for f, m in answer["movies"].items()}
            assert scores == given
            order = sorted(scores, key=lambda film: (-scores[film], int(film)))
            ranks = [answer["movies"][film]["runs"][method]["rank"] for film in order]
            assert ranks == list(range(1, len(order) + 1))


def test_movies_are_all_candidates(service: Service) -> None:
    """In the order of ids: each with its title, and no rank in a run that does not list it."""
    answer = compared(service, "captain mirror")
    by_id = {movie.id: movie for movie in MOVIES}
    assert list(answer["movies"]) == sorted(answer["movies"], key=int)
    for film, movie in answer["movies"].items():
        assert movie["title"] == by_id[int(film)].title
        assert movie["genres"] == list(by_id[int(film)].genres)
        assert movie["runs"]["keyword"]["rank"] == movie["keyword_rank"]
        assert movie["runs"]["semantic"]["rank"] == movie["semantic_rank"]
        assert movie["runs"]["hybrid"]["rank"]
    shown = {str(hit["id"]) for run in answer["runs"].values() for hit in run["hits"]}
    assert shown <= set(answer["movies"])


def test_pairs_say_how_far_runs_agree(service: Service) -> None:
    """Common films and moves are those of the lists shown; tau is scipy's over both rankings."""
    for text in TEXTS:
        answer = compared(service, text, runs=FUSIONS | {"k": {"mode": "keyword"}}, limit=7)
        assert len(answer["pairs"]) == 6 * 5 / 2
        for pair in answer["pairs"]:
            shown = [
                {hit["id"]: hit["rank"] for hit in answer["runs"][pair[side]]["hits"]}
                for side in ("a", "b")
            ]
            both, either = set(shown[0]) & set(shown[1]), set(shown[0]) | set(shown[1])
            assert pair["common"] == len(both)
            assert pair["jaccard"] == (len(both) / len(either) if either else 1)
            moved = {film for film in either if shown[0].get(film) != shown[1].get(film)}
            sizes = [abs((move["a"] or 8) - (move["b"] or 8)) for move in pair["moves"]]
            assert sizes == sorted(sizes, reverse=True)
            assert len(sizes) == min(10, len(moved))
            for move in pair["moves"]:
                a, b = (ranks.get(move["id"]) for ranks in shown)
                assert (move["a"], move["b"]) == (a, b)
                assert move["by"] == (a - b if a and b else None)
                assert move["title"] == answer["movies"][str(move["id"])]["title"]
            candidates = [movie["runs"] for movie in answer["movies"].values()]
            listed = [p for p in candidates if p[pair["a"]]["rank"] and p[pair["b"]]["rank"]]
            scores = [[p[pair[side]]["score"] for p in listed] for side in ("a", "b")]
            theirs = kendalltau(*scores).statistic if len(listed) > 1 else float("nan")
            if pair["kendall_tau"] is None:
                assert np.isnan(theirs)
            else:
                assert pair["kendall_tau"] == pytest.approx(theirs)


def test_swaps_are_where_neighbours_score_the_same(service: Service) -> None:
    """At the alpha given both score the same, on its two sides they stand in opposite orders, and
    no neighbours that would swap are left out."""
    for text in TEXTS:
        answer = compared(service, text, runs=FUSIONS, limit=8)
        assert {swap["run"] for swap in answer["swaps"]} <= set(LINEAR)
        given = {(swap["run"], swap["above"], swap["below"]) for swap in answer["swaps"]}
        for method in LINEAR:
            hits = [hit["id"] for hit in answer["runs"][method]["hits"]]
            shares = {
                film: [
                    normalised(answer["movies"][str(film)][side], method, answer["lists"][side])
                    for side in ("keyword", "semantic")
                ]
                for film in hits
            }
            for above, below in pairwise(hits):
                gaps = [shares[above][side] - shares[below][side] for side in (0, 1)]
                swap_expected = gaps[0] != gaps[1] and min(gaps) <= 0 <= max(gaps)
                assert ((method, above, below) in given) == swap_expected
            for swap in answer["swaps"]:
                if swap["run"] == method:
                    a, b = shares[swap["above"]], shares[swap["below"]]
                    alpha = swap["alpha"]
                    assert (1 - alpha) * a[0] + alpha * a[1] == pytest.approx(
                        (1 - alpha) * b[0] + alpha * b[1]
                    )
                    assert 0 <= alpha <= 1


def test_judgments_are_measured_by(service: Service) -> None:
    """Each run has nDCG@10, MRR@10 and unjudged@10 of its whole ranking, whatever the limit."""
    answer = compared(service, "captain mirror", limit=10)
    first, second = (hit["id"] for hit in answer["runs"]["keyword"]["hits"][:2])
    judged = compared(service, "captain mirror", limit=1, judgments={str(first): 0, str(second): 3})
    found = judged["runs"]["keyword"]["measures"]
    assert found == pytest.approx(
        {"nDCG@10": 1 / np.log2(3), "MRR@10": 1 / 2, "unjudged@10": 8 / 10}
    )
    assert all(run["measures"] is None for run in answer["runs"].values())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"runs": {"a": {}}}, "runs"),
        ({"runs": {}}, "runs"),
        ({"runs": {str(n): {} for n in range(9)}}, "runs"),
        ({"runs": ["keyword", "hybrid"]}, "runs"),
        ({"runs": {"a b": {}, "c": {}}}, "runs.a b.[key]"),
        ({"runs": {"a": {"mode": "magic"}, "b": {}}}, "runs.a.mode"),
        ({"runs": {"a": {"alpha": 2}, "b": {}}}, "runs.a.alpha"),
        ({"runs": {"a": {"colour": 2}, "b": {}}}, "runs.a.colour"),
        ({"judgments": {"x": 1}}, "judgments.x.[key]"),
        ({"judgments": {"1": 11}}, "judgments.1"),
        ({"judgments": {"1": True}}, "judgments.1"),
        ({"judgments": {"1": 0}}, "judgments"),
        ({"judgments": {}}, "judgments"),
        ({"mode": "keyword"}, "mode"),
        ({"fusion": "rrf"}, "fusion"),
        ({"run": "a:hybrid"}, "run"),
        ({"limit": 101}, "limit"),
        ({"query": " "}, "query"),
    ],
)
def test_bad_fields_are_named(service: Service, fields: dict[str, Any], field: str) -> None:
    """A field of a body that cannot be understood is refused by its name."""
    status, answer = service.post("/compare", {"query": "captain"} | fields)
    assert (status, answer["error"]["code"]) == (422, "invalid_input")
    assert list(answer["error"]["fields"]) == [field]


@pytest.mark.parametrize(
    "typed",
    [
        ["a:hybrid"],
        ["a:hybrid", "a:keyword"],
        ["a:magic", "b:hybrid"],
        ["a:keyword,rrf", "b:hybrid"],
        ["a b:keyword", "b:hybrid"],
        ["a:hybrid,rrf,7", "b:hybrid"],
        ["", ""],
        [f"{n}:hybrid" for n in range(9)],
    ],
)
def test_bad_runs_in_a_url_are_reported(service: Service, typed: list[str]) -> None:
    """A run that cannot be read, one alone, nine, or two of one name."""
    status, answer = service.get("/compare", q="captain", run=typed)
    assert (status, list(answer["error"]["fields"])) == (422, ["run"])


def test_measuring_needs_its_library(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ir-measures is not installed the field is named, and what installs it."""
    monkeypatch.setattr("hybrid.comparison.compare.find_spec", lambda name: None)
    assert util.find_spec("ir_measures")
    fields = {"query": "captain", "judgments": {"1": 1}}
    status, answer = service.post("/compare", fields)
    assert (status, list(answer["error"]["fields"])) == (422, ["judgments"])
    assert "make install" in answer["error"]["message"]


def test_without_the_keyword_engine(service: Service, lexical: FakeLexical) -> None:
    """Runs that can do without it are answered and the answer is degraded; one that needs it
    alone is 503 and named."""
    lexical.away = True
    try:
        runs = {"s": {"mode": "semantic"}, "h": {"mode": "hybrid", "fusion": "min_max"}}
        answer = compared(service, "captain lantern", runs=runs)
        assert answer["degraded"] == ["keyword"]
        assert all(run["hits"] for run in answer["runs"].values())
        status, answer = service.get("/compare", q="captain lantern")
        assert (status, answer["error"]["code"]) == (503, "engine_unavailable")
        assert "'keyword'" in answer["error"]["message"]
    finally:
        lexical.away = False


def test_hits_are_explained_and_highlighted_on_request(service: Service) -> None:
    """In every run, each with its own formula and no rank that its mode does not give."""
    answer = compared(service, "captain mirror", explain="summary", highlight=True, limit=3)
    for name, run in answer["runs"].items():
        assert len(run["hits"]) == 3
        for hit in run["hits"]:
            details = answer["movies"][str(hit["id"])]["details"]
            assert details["highlight"]["title"] is not None
            assert hit["why"]["fusion"]["formula"].endswith(f"= {hit['score']:.3f}")
            ranks = hit["why"]["ranks"]
            assert ranks["hybrid"] == (hit["rank"] if name == "hybrid" else None)
            if name != "hybrid":
                assert ranks[f"{name}_only"] == hit["rank"]


def test_a_hit_and_its_details_are_the_hit_of_a_search(service: Service) -> None:
    """What a run shows of a film, and what is the same in all runs, are together all that a search
    shows of it; other candidates have no details."""
    fields = {"explain": "full", "highlight": True, "limit": 3}
    answer = compared(service, "captain mirror", runs=FUSIONS, **fields)
    shown = set()
    for name, run in FUSIONS.items():
        _, alone = service.post("/search", {"query": "captain mirror"} | run | fields)
        for hit, whole in zip(answer["runs"][name]["hits"], alone["hits"], strict=True):
            details = answer["movies"][str(hit["id"])]["details"]
            assert whole.pop("duplicates") == []  # of a search, where each film is there once
            assert hit | details | {"why": hit["why"] | details["why"]} == whole
            shown.add(str(hit["id"]))
    assert shown == {film for film, movie in answer["movies"].items() if movie["details"]}
    assert len(shown) < len(answer["movies"])


def test_every_number_is_json(service: Service) -> None:
    """No NaN and no infinity: a browser could not read them."""
    for text in TEXTS:
        answer = compared(service, text, runs=FUSIONS)
        json.dumps(answer, allow_nan=False)


def test_openapi_describes_comparisons(service: Service) -> None:
    """Every field of a URL and a body, and every key of an answer."""
    _, document = service.get("/openapi.json")
    schemas = document["components"]["schemas"]
    url = {p["name"] for p in document["paths"]["/compare"]["get"]["parameters"]}
    body = set(schemas["CompareRequest"]["properties"])
    assert url - {"q", "run"} == body - {"query", "runs", "judgments"}
    assert list(schemas["CompareResponse"]["properties"]) == KEYS
