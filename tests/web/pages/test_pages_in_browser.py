"""The pages in a real browser: what people do with them, and what they must never do."""

import csv
import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from hybrid.comparison.agreement import jaccard, kendall_tau, rbo
from hybrid.query import FusionMethod
from hybrid.web.app import create_app
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small
from tests.web.conftest import LARGE, Tab
from tests.web.hostile import PAYLOADS
from tests.web.http import Service, serving

COLUMNS = ("keyword", "hybrid", "semantic")

FUSIONS: Sequence[FusionMethod] = ("attainable", "min_max", "z_score", "dbsf", "rrf")

AXE = Axe()


def films(page: Page, column: str = "hybrid") -> list[str]:
    """Return the ids of the films that a column shows, from the top."""
    script = "buttons => buttons.map(button => button.dataset.film)"
    found: list[str] = page.locator(f".column.{column} li button").evaluate_all(script)
    return found


def titles(page: Page) -> list[str]:
    """Return the titles that the search shows, from the top."""
    return page.locator(".hits h2").all_inner_texts()


def compare(page: Page, query: str, **view: str | float) -> None:
    """Open the comparison of a query and wait until it is there."""
    page.goto(f"/side-by-side?{urlencode({'q': query} | view)}")
    expect(page.locator(".bench")).to_be_visible()


def layout_shift(page: Page) -> float:
    """Return how far a page has shifted since it was opened, without what its user did."""
    shift: float = page.evaluate(
        """() => new Promise((done) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const { hadRecentInput, value } of list.getEntries()) {
              if (!hadRecentInput) sum += value;
            }
          }).observe({ type: "layout-shift", buffered: true });
          requestAnimationFrame(() => setTimeout(() => done(sum), 50));
        })"""
    )
    return shift


def slide(page: Page, alpha: float) -> None:
    """Move the slider, and wait until the films have moved."""
    page.locator("#alpha").evaluate(
        """(slider, alpha) => {
          slider.value = alpha;
          slider.dispatchEvent(new Event("input", { bubbles: true }));
          return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }""",
        alpha,
    )


def searched(site: Service, query: str, **fields: Any) -> list[str]:
    """Return the ids that the service finds."""
    _, answer = site.get("/search", q=query, limit=20, **fields)
    return [str(hit["id"]) for hit in answer["hits"]]


def test_search_and_filter(tab: Tab) -> None:
    """A query typed at the opening finds films; chips, years and modes narrow them at once."""
    page = tab.page
    page.goto("/")
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # no motion is wished
    page.keyboard.type("captain mirror")
    page.keyboard.press("Enter")
    expect(page.locator(".hits > li")).to_have_count(20)
    page.wait_for_load_state()  # its scripts, which narrow at once
    assert page.locator(".hits mark").first.inner_text() in ("Captain", "Mirror")
    page.get_by_label("Drama").check(force=True)
    expect(page.locator("#status")).to_have_text("20 films")
    for facts in page.locator(".hit .facts").all():
        expect(facts).to_contain_text("Drama")
    page.locator("[name=year_from]").fill("1960")
    expect(page).to_have_url(re.compile("year_from=1960"))
    expect(page.locator("#results[aria-busy]")).to_have_count(0)
    assert all(int(year) >= 1960 for year in page.locator(".hits .year").all_inner_texts())
    page.get_by_role("radio", name="By words").check(force=True)
    expect(page.locator(".weighing")).to_have_count(0)
    shown = titles(page)
    page.reload()
    assert titles(page) == shown
    page.go_back()
    expect(page.get_by_role("radio", name="By both")).to_be_checked()
    expect(page.locator(".weighing")).to_be_visible()
    expect(page.get_by_label("Drama")).to_be_checked()


def test_suggestions_by_keyboard(tab: Tab) -> None:
    """While one types a list opens; arrows walk through it and back to what was typed, Escape
    closes it, Enter searches for what is active. A screen reader is told each step."""
    page = tab.page
    page.goto("/")
    field = page.get_by_role("combobox", name="Search for films")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("hostil")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(options.filter(has_text="genre")).to_have_count(1)
    assert AXE.run(page).violations_count == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    active = options.nth(1).get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", str(active))
    expect(field).to_have_value(str(options.nth(1).get_attribute("data-text")))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("hostil")
    expect(field).not_to_have_attribute("aria-activedescendant", re.compile(""))
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(field).to_have_value("hostil")
    expect(options).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    chosen = str(options.first.get_attribute("data-text"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Search for films")).to_have_value(chosen)
    expect(page.locator(".hits > li").first).to_be_visible()


@pytest.mark.screen(390, 844, False)
def test_suggestions_by_touch(tab: Tab) -> None:
    """A tap on a suggestion searches for it, on the landing page and among results."""
    page = tab.page
    for path in ("/", "/?q=captain"):
        page.goto(path)
        page.wait_for_load_state()
        field = page.get_by_role("combobox", name="Search for films")
        field.fill("")
        field.press_sequentially("enormou")
        page.get_by_role("option").filter(has_text="Enormous").first.click()
        expect(page.locator(".hits h2").first).to_contain_text("Enormous")
        expect(page.get_by_role("option")).to_have_count(0)


def test_late_suggestions_are_dropped(tab: Tab) -> None:
    """Typing is not answered letter by letter; an answer that comes after that of a later request,
    or after the field was left, is not shown."""
    page = tab.page
    asked: list[str] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(parse_qs(urlsplit(route.request.url).query)["q"][0])
        if asked[-1] == "hostil":
            held.append(route)
        else:
            route.continue_()

    page.route("**/suggest?*", hold)
    page.goto("/")
    with page.expect_request(re.compile(r"/suggest\?q=hostil(&|$)")):  # a slow typist asks for less
        page.keyboard.type("hostil")
    page.get_by_role("combobox").fill("captain")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text(re.compile("captain", re.IGNORECASE))
    shown = options.all_inner_texts()
    held[0].fulfill(json={"suggestions": [{"kind": "genre", "text": "Stale", "films": 1}]})
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert options.all_inner_texts() == shown
    page.get_by_role("combobox").blur()
    expect(options).to_have_count(0)
    assert asked == ["hostil", "captain"]


def test_the_search_says_why(tab: Tab) -> None:
    """Every film says why it is there, and leads to its ranks side by side."""
    page = tab.page
    page.goto("/?q=captain+mirror")
    why = page.locator("details.why").first
    why.locator("summary").click()
    expect(why).to_contain_text("ranks first")
    expect(why.locator(".terms")).to_contain_text("captain")
    why.get_by_role("link").click()
    expect(page.locator("#why h2")).to_be_visible()
    assert page.locator(".column.hybrid .lit").count() == 1


def test_states_that_find_nothing(tab: Tab) -> None:
    """No film, a wrong field, no such page: each says so and leads on. Empty lists do not agree."""
    page = tab.page
    page.goto("/?q=captain&genre=Hostile&year_from=2001")
    expect(page.get_by_role("heading", name="No films found")).to_be_visible()
    page.get_by_role("link", name="Remove all filters").click()
    expect(page.locator(".hits > li").first).to_be_visible()
    page.locator("[name=year_from]").fill("20x1")
    page.locator("[name=year_from]").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The first year")
    compare(page, "captain", genre="Unheard")
    expect(page.locator("#notices")).to_contain_text("No films found")
    assert {row.split("\t", 1)[1] for row in _rows(page)} == {"0\t–\t–\t–"}
    page.goto("/nothing")
    page.get_by_role("link", name="Search films").click()
    expect(page.get_by_label("Search for films")).to_be_focused()


def test_comparison_shows_the_three_rankings(tab: Tab, site: Service) -> None:
    """Each column is what the service finds in its mode; lines join what two of them show."""
    compare(tab.page, "captain mirror island")
    shown = {name: films(tab.page, name) for name in COLUMNS}
    for name in COLUMNS:
        assert shown[name] == searched(site, "captain mirror island", mode=name)
    for gutter, (a, b) in enumerate((COLUMNS[:2], COLUMNS[1:])):
        lines = tab.page.locator(".lines").nth(gutter).locator("path:not(.out)")
        assert lines.count() == len(set(shown[a]) & set(shown[b]))
    expect(tab.page.locator("#auto")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("fusion", ["attainable", "dbsf", "rrf"])
def test_the_slider_ranks_like_the_service(tab: Tab, site: Service, fusion: str) -> None:
    """At random alphas the browser's order is the service's, film by film."""
    query = "captain mirror island"
    compare(tab.page, query)
    tab.page.select_option("#fusion", fusion)
    choose = random.Random(fusion)
    orders = set()
    for alpha in [0.0, 1.0, *(round(choose.random(), 2) for _ in range(48))]:
        slide(tab.page, alpha)
        shown = films(tab.page)
        assert shown == searched(site, query, fusion=fusion, alpha=alpha), alpha
        orders.add(tuple(shown))
    assert len(orders) > 5


def test_scores_are_the_services_to_the_last_bit(tab: Tab, site: Service) -> None:
    """Every candidate's score, by every fusion, of queries of which some find little or nothing;
    and where neighbours swap."""
    tab.page.goto("/side-by-side")
    script = """async ({ movies, lists, swaps, method, alpha }) => {
      const fusion = await import("/static/side-by-side/fusion.js");
      const candidates = fusion.candidatesOf(movies);
      const normalised = fusion.normalise(candidates, lists, method);
      const scores = fusion.fuse(normalised, alpha);
      const row = (film) => candidates.ids.indexOf(film);
      const alphas = swaps.map(([above, below]) =>
        fusion.swapAlpha(normalised, row(above), row(below)));
      const order = fusion.rank(candidates, scores).map((row) => candidates.ids[row]);
      const pairs = candidates.ids.map((id, row) => [id, scores[row]]);
      return { scores: Object.fromEntries(pairs), order, alphas };
    }"""
    choose = random.Random(5)
    for query in ("captain mirror", "enormous", "unheard", "the", "Amélie river train café"):
        for method in FUSIONS:
            alpha = round(choose.random(), 4)
            runs = [f"a:hybrid,{method},{alpha}", "b:keyword"]
            _, answer = site.get("/compare", q=query, run=runs, limit=100)
            asked = {"movies": answer["movies"], "lists": answer["lists"]}
            swaps = [(str(swap["above"]), str(swap["below"])) for swap in answer["swaps"]]
            asked |= {"swaps": swaps, "method": method, "alpha": alpha}
            found = tab.page.evaluate(script, asked)
            assert found["alphas"] == [swap["alpha"] for swap in answer["swaps"]]
            runs_of = {film: movie["runs"]["a"] for film, movie in answer["movies"].items()}
            assert found["scores"] == {film: run["score"] for film, run in runs_of.items()}
            listed = [film for film, run in runs_of.items() if run["rank"]]
            assert found["order"] == sorted(listed, key=lambda film: runs_of[film]["rank"])


def test_ids_beyond_javascripts_numbers(tab: Tab) -> None:
    """Films of equal scores are in the order of ids, also of those that numbers there confuse."""
    compare(tab.page, "enormous", alpha=0)
    assert films(tab.page, "keyword")[:4] == [str(LARGE + offset) for offset in range(4)]
    assert films(tab.page)[:4] == [str(LARGE + offset) for offset in range(4)]
    tab.page.locator(f".column.hybrid [data-film='{LARGE + 3}']").click()
    expect(tab.page.locator("#why .words blockquote")).to_contain_text("An enormous number")


def test_agreement_is_the_services(tab: Tab) -> None:
    """The measures of pairs are computed as they are there."""
    tab.page.goto("/side-by-side")
    script = """async ([a, b, x, y]) => {
      const { jaccard, kendallTau, rbo } = await import("/static/side-by-side/agreement.js");
      return [jaccard(a, b), rbo(a, b), kendallTau(x, y)];
    }"""
    choose = random.Random(3)
    for _ in range(40):
        pool = range(choose.randint(1, 40))
        a, b = (choose.sample(pool, choose.randint(0, len(pool))) for _ in range(2))
        x, y = ([choose.randint(0, 9) / 3 for _ in pool] for _ in range(2))
        tau = kendall_tau(np.array(x), np.array(y))
        found = tab.page.evaluate(script, [a, b, x, y])
        assert found == pytest.approx([jaccard(a, b), rbo(a, b), tau], abs=1e-12)


def test_the_table_of_pairs_follows_the_slider(tab: Tab, site: Service) -> None:
    """What the table says after a move is what the service says of that alpha."""
    compare(tab.page, "captain mirror island")
    slide(tab.page, 0.9)
    expect(tab.page.locator("#keep input")).to_have_attribute("placeholder", "attainable-90")
    runs = ["keyword", "semantic", "hybrid:hybrid,attainable,0.9"]
    _, answer = site.get("/compare", q="captain mirror island", run=runs, limit=20)
    rows = {row.split("\t")[0]: row.split("\t")[1:] for row in _rows(tab.page)}
    for pair in answer["pairs"]:
        names = (pair["a"], pair["b"])
        row = rows.get(" – ".join(names)) or rows[" – ".join(reversed(names))]
        measures = (pair["jaccard"], pair["rbo"], pair["kendall_tau"])
        assert row == [str(pair["common"]), *(f"{value:.2f}" for value in measures)]


def _rows(page: Page) -> list[str]:
    return page.locator("#pairs tr").all_inner_texts()


def test_links_reproduce_the_view(tab: Tab) -> None:
    """The URL says all of what is seen; back and forward go through what was looked at."""
    page = tab.page
    compare(page, "captain mirror island", genre="Drama")
    page.select_option("#fusion", "z_score")
    expect(page).to_have_url(re.compile("fusion=z_score"))
    first = films(page)
    slide(page, 0.83)
    expect(page).to_have_url(re.compile("alpha=0.83"))
    second = films(page)
    assert second != first
    page.locator(".column.semantic li button").first.click()
    expect(page).to_have_url(re.compile("film="))
    expect(page.locator("#why .words blockquote").first).to_be_visible()
    seen = page.locator(".with-aside").inner_text()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#why .words blockquote").first).to_be_visible()
    assert other.locator(".with-aside").inner_text() == seen
    assert layout_shift(other) < 0.02
    page.go_back()
    expect(page.locator("#why")).to_be_hidden()
    assert films(page) == second  # a place of the slider is no step of the history
    page.go_forward()
    expect(page.locator("#why")).to_be_visible()
    page.locator("#auto").click()
    expect(page).not_to_have_url(re.compile("alpha="))
    assert films(page) == first


def test_the_url_of_a_view_gives_the_view(tab: Tab) -> None:
    """Any view comes back from its URL, which keeps its other fields and leaves out defaults;
    an invalid field counts as not given."""
    tab.page.goto("/side-by-side")
    script = """async ([search, view]) => {
      const { parseView, viewURL } = await import("/static/shared/url.js");
      const url = viewURL(search, view);
      return [url, parseView(url)];
    }"""
    default: dict[str, Any] = {"fusion": None, "alpha": None, "film": None, "open": "hybrid"}
    default["runs"] = []
    kept = ["keyword", "hybrid", "fast:hybrid,rrf,0.3"]
    choose = random.Random(7)
    for _ in range(40):
        view = {
            "fusion": choose.choice([None, *FUSIONS]),
            "alpha": choose.choice([None, 0, 1, round(choose.random(), 5)]),
            "film": choose.choice([None, "0", str(LARGE)]),
            "open": choose.choice(COLUMNS[:2]),
            "runs": choose.choice([[], kept]),
        }
        before = "?q=rock+%26+roll&genre=Drama&genre=War&fusion=rrf&alpha=0.5&film=7&open=semantic"
        url, parsed = tab.page.evaluate(script, [before, view])
        assert parsed == view
        fields = parse_qs(urlsplit(url).query)
        expected = {name: [str(value)] for name, value in view.items() if value != default[name]}
        expected = {**expected, "run": kept} if expected.pop("runs", None) else expected
        assert fields == {"q": ["rock & roll"], "genre": ["Drama", "War"]} | expected
    for invalid in ("?alpha=2", "?alpha=-1", "?alpha=x", "?film=x1", "?open=all", "?fusion="):
        assert tab.page.evaluate(script, [invalid, {}])[1] == default


def test_the_view_goes_along_to_the_next_query(tab: Tab) -> None:
    """A new query keeps fusion and alpha, and forgets the film."""
    compare(tab.page, "captain mirror", film=1)
    slide(tab.page, 0.25)
    expect(tab.page).to_have_url(re.compile("alpha=0.25"))
    tab.page.fill("#q", "winter violin")
    tab.page.keyboard.press("Enter")
    expect(tab.page).to_have_url(re.compile("winter.*alpha=0.25"))
    assert "film=" not in tab.page.url
    expect(tab.page.locator("#semantic-share")).to_have_text("25%")


def test_swaps_happen_where_the_page_says(tab: Tab) -> None:
    """The next swap that shows, in either direction, is one press away."""
    compare(tab.page, "captain mirror island", alpha=0.5)
    before = films(tab.page)
    change = tab.page.locator("#swaps button").last
    passes, passed = change.locator("i").all_inner_texts()
    change.click()
    expect(tab.page).to_have_url(re.compile(r"alpha=0\.5\d+"))
    after = films(tab.page)
    assert after != before
    lines = tab.page.locator(".column.hybrid .name").all_inner_texts()
    names = [line.rpartition(" ")[0] for line in lines]
    # The last film shown is passed by one that was not shown.
    assert (passes, passed) in pairwise(names) or (names[-1] == passes and len(before) == 20)


def test_keyboard_alone(tab: Tab) -> None:
    """Searching, filtering, opening, weighing, lighting and explaining films take no pointer."""
    page = tab.page
    page.goto("/")
    page.keyboard.type("captain")
    page.keyboard.press("Enter")
    expect(page.locator(".hits > li").first).to_be_visible()
    page.wait_for_load_state()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    page.locator("#q").focus()
    _tab_to(page, "input[name=genre]")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("genre="))
    assert page.evaluate("document.activeElement.name") == "genre"
    _tab_to(page, "#results h2 a")
    page.keyboard.press("Enter")
    expect(page.locator(".sheet h1")).to_be_visible()
    _tab_to(page, ".reason a")
    page.keyboard.press("Enter")
    expect(page.locator("#why h2")).to_be_visible()
    page.goto("/side-by-side?q=captain+mirror")
    expect(page.locator(".bench")).to_be_visible()
    page.locator("#q").focus()
    _tab_to(page, "#alpha")
    before = films(page)
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#semantic-share")).to_have_text("80%")
    assert films(page) != before
    _tab_to(page, ".column.keyword li button")
    film = page.evaluate("document.activeElement.dataset.film")
    lit = page.locator(".columns .lit")
    assert set(lit.evaluate_all("found => found.map(one => one.dataset.film)")) == {film}
    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.film") == film


@pytest.mark.screen(1280, 720, False)
def test_the_panel_is_in_sight(tab: Tab) -> None:
    """However far down a film is, the head of its explanation is below the controls that stay, and
    above the fold; a filter keeps the film that is explained."""
    page = tab.page
    compare(page, "captain mirror")
    page.locator(".column.hybrid li button").nth(15).click()
    expect(page.locator("#why h2")).to_be_visible()
    head, controls = page.locator("#why h2").bounding_box(), page.locator(".weigh").bounding_box()
    assert head
    assert controls
    assert controls["y"] + controls["height"] <= head["y"] < 600
    expect(page).to_have_url(re.compile("film="))
    film = parse_qs(urlsplit(page.url).query)["film"]
    genre = page.locator("#why header p").first.inner_text().rpartition("· ")[2].split(", ")[0]
    page.get_by_role("button", name="Filters").click()
    page.get_by_label(genre).first.check()
    expect(page).to_have_url(re.compile("genre="))
    assert parse_qs(urlsplit(page.url).query)["film"] == film
    expect(page.locator("#why h2")).to_be_visible()


def test_columns_are_chosen(tab: Tab, site: Service) -> None:
    """What the slider shows is kept as a column of a name; columns go away again, down to two. A
    link has them, each is what the service finds, and each pair has its agreement."""
    page = tab.page
    compare(page, "captain mirror", fusion="rrf", alpha=0.3)
    page.locator("#keep input").fill("mostly words")
    page.get_by_role("button", name="Add a column").click()
    expect(page).to_have_url(re.compile("run=mostly-words"))
    kept = films_of(page, "mostly-words")
    assert kept == searched(site, "captain mirror", fusion="rrf", alpha=0.3)
    slide(page, 0.9)
    assert films_of(page, "mostly-words") == kept != films(page)
    assert page.locator("#pairs tr").count() == 6
    page.get_by_role("button", name="Remove Semantic").click()
    expect(page.locator(".column")).to_have_count(3)
    expect(page).not_to_have_url(re.compile("run=semantic"))
    expect(page).to_have_url(re.compile("alpha=0.9"))
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".column")).to_have_count(3)
    assert films_of(other, "mostly-words") == kept
    page.get_by_role("button", name="Remove Keyword").click()
    expect(page.locator(".column")).to_have_count(2)
    expect(page.locator(".remove")).to_have_count(0)


def films_of(page: Page, run: str) -> list[str]:
    """Return the ids of the films in the column of a run, from the top."""
    script = "buttons => buttons.map(button => button.dataset.film)"
    found: list[str] = page.locator(f"[data-run='{run}'] li button").evaluate_all(script)
    return found


def test_the_comparison_can_be_taken_away(tab: Tab) -> None:
    """The command and the table that are copied say what is seen; the command's URL answers."""
    page = tab.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    compare(page, "captain mirror", alpha=0.25)
    page.get_by_role("button", name="curl").click()
    expect(page.locator("#status")).to_have_text("curl copied")
    command = page.evaluate("navigator.clipboard.readText()")
    answer = page.request.get(command.removeprefix("curl '").removesuffix("'")).json()
    assert [str(hit["id"]) for hit in answer["runs"]["hybrid"]["hits"]] == films(page)
    page.get_by_role("button", name="CSV").click()
    expect(page.locator("#status")).to_have_text("CSV copied")
    rows = list(csv.DictReader(page.evaluate("navigator.clipboard.readText()").splitlines()))
    assert [row["id"] for row in rows if row["ranking"] == "hybrid"] == films(page)
    ranked = answer["movies"]
    assert all(row["title"] == ranked[row["id"]]["title"] for row in rows)
    listed = page.locator("#one-sided").inner_text()
    alone = [film for film in films(page, "semantic") if ranked[film]["keyword_rank"] is None]
    assert f"By meaning alone {len(alone)}" in listed
    first = page.locator(".column.hybrid .snippet").first.inner_text()
    assert first == ranked[films(page)[0]]["sentence"]


def test_the_focus_stays_with_its_film(tab: Tab) -> None:
    """A row keeps the focus while films move, its explanation opened by a key takes it, and closing
    that gives it back to this row, not to the same film in another column."""
    page = tab.page
    compare(page, "captain mirror island", alpha=0.5)
    before = films(page)
    slide(page, 0.3)
    assert page.evaluate("document.getAnimations().length") == 0  # no motion is wished
    after = films(page)
    assert after != before
    common = set(before) & set(films(page, "keyword"))
    button = page.locator(f".column.hybrid [data-film='{next(f for f in after if f in common)}']")
    slide(page, 0.5)
    button.focus()
    slide(page, 0.3)
    assert films(page) == after
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#why h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until something that matches has the focus, and see that it is visible."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached")


def test_pointing_lights_a_film_everywhere(tab: Tab) -> None:
    """The film under the pointer is lit in every column that shows it, with its lines."""
    compare(tab.page, "captain mirror island")
    both = next(film for film in films(tab.page, "keyword") if film in films(tab.page))
    tab.page.locator(f".column.keyword [data-film='{both}']").hover()
    assert tab.page.locator(f".columns .lit[data-film='{both}']").count() >= 3
    tab.page.locator("#fusion").hover()
    assert tab.page.locator(".columns .lit").count() == 0


def test_hostile_films_and_queries_do_nothing(tab: Tab) -> None:
    """Texts that would run or load something are shown: no dialog, no breach, no request."""
    page = tab.page
    page.goto("/?q=hostile&genre=hostile&limit=100")
    expect(page.locator(".hits > li")).to_have_count(len(PAYLOADS))
    page.locator("details.why").evaluate_all("all => all.forEach(why => { why.open = true })")
    compare(page, "hostile", genre="hostile", limit=100)
    rows = page.locator(".column.hybrid li button")
    expect(rows).to_have_count(len(PAYLOADS))
    for row in rows.all()[::8]:
        row.click()
        named = row.locator(".name").inner_text().rpartition(" ")[0]
        expect(page.locator("#why .words > p")).to_contain_text(f"{named} ranks")
    for text in PAYLOADS:
        page.goto(f"/?q={quote(text)}&limit=1")
        page.goto(f"/side-by-side?q={quote(text)}&limit=2")
        expect(page.locator(".bench")).to_be_visible()
        assert page.locator("#q").input_value() == text.replace("\x00", "\ufffd")


def test_misdeeds_would_be_seen(tab: Tab) -> None:
    """What the other tests rely on: a dialog, a script inside and a request elsewhere are noted."""
    page = tab.page
    page.goto("/")
    page.evaluate("alert(1)")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "1";
          document.body.append(script);
          document.body.append(Object.assign(new Image(), { src: "http://127.0.0.2:9/x" }));
        }"""
    )
    page.wait_for_timeout(200)
    seen = " ".join(tab.misdeeds)
    tab.misdeeds.clear()
    assert "dialog" in seen
    assert "script-src" in seen
    assert "img-src" in seen


def _explain(page: Page) -> None:
    page.locator(".column.hybrid li button").first.click()
    expect(page.locator("#why blockquote").first).to_be_visible()


def _open_film(page: Page) -> None:
    page.locator(".hits h2 a").first.click()
    expect(page.locator(".alike .covers li").first).to_be_visible()


def _open_filters(page: Page) -> None:
    page.wait_for_load_state()
    opener = page.locator(".opener")
    if opener.is_visible():  # on a phone
        opener.click()
    expect(page.get_by_label("Drama")).to_be_visible()


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "opening": ("/", lambda page: expect(page.locator(".shelf")).to_be_visible()),
    "films": ("/?q=captain&genre=Drama", lambda page: page.locator(".why summary").first.click()),
    "nothing": (
        "/?q=captain&genre=Nothing",
        lambda page: expect(page.locator(".nothing")).to_be_visible(),
    ),
    "problem": (
        "/?q=x&year_from=9&year_to=8",
        lambda page: expect(page.locator("#problem")).to_be_visible(),
    ),
    "film": ("/?q=captain", _open_film),
    "listed": (
        "/?genre=Drama&sort=title",
        lambda page: expect(page.locator(".hits > li").first).to_be_visible(),
    ),
    "filters": ("/?q=captain&genre=Drama", _open_filters),
    "similar": (
        "/similar/1",
        lambda page: expect(page.locator(".hits > li").first).to_be_visible(),
    ),
    "lost": ("/nothing", lambda page: expect(page.locator(".error-message")).to_be_visible()),
    "comparing": ("/side-by-side", lambda page: expect(page.locator(".sketch")).to_be_visible()),
    "compared": ("/side-by-side?q=captain+mirror&alpha=.5", _explain),
}


@pytest.mark.screen(1280, 900, False)
def test_accessible_in_the_light(tab: Tab) -> None:
    """axe finds nothing serious in any state."""
    _check_states(tab.page)


@pytest.mark.screen(360, 740, True)
def test_accessible_on_a_phone_in_the_dark(tab: Tab) -> None:
    """axe finds nothing serious there either, and no page is wider than the screen."""
    _check_states(tab.page)


def _check_states(page: Page) -> None:
    for name, (path, arrive) in STATES.items():
        page.goto(path)
        arrive(page)
        found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
            for violation in found
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == [], name
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, name


def test_without_the_keyword_engine(chromium: Browser, tmp_path: Path) -> None:
    """Both pages say that it is away and show what there is; keyword alone offers a way on."""
    movies = corpus.films(60)
    lexical = FakeLexical(movies)
    lexical.away = True
    search = open_small(tmp_path, movies, lexical)
    with serving(create_app(search)) as service:
        page = chromium.new_page(base_url=service.url)
        page.goto("/?q=captain")
        expect(page.locator(".degraded")).to_contain_text("does not answer")
        expect(page.locator(".hits > li").first).to_be_visible()
        page.goto("/?q=captain&mode=keyword")
        page.get_by_role("link", name="Search by meaning").click()
        expect(page.locator(".hits > li").first).to_be_visible()
        page.goto("/side-by-side?q=captain")
        expect(page.locator("#notices")).to_contain_text("does not answer")
        expect(page.locator(".column.hybrid li").first).to_be_visible()
        page.close()
    search.close()


def test_a_poster_that_does_not_come(chromium: Browser, tmp_path: Path) -> None:
    """Its film gets the drawn tile, on both pages."""
    movies = [
        movie.model_copy(update={"thumbnail": f"https://posters.invalid/{movie.id}.jpg"})
        for movie in corpus.films(20)
    ]
    search = open_small(tmp_path, movies, FakeLexical(movies))
    with serving(create_app(search, "posters.invalid")) as service:
        page = chromium.new_page(base_url=service.url)
        for path in ("/?q=captain", "/side-by-side?q=captain"):
            page.goto(path)
            image = page.locator("img").first
            expect(image).to_have_attribute("src", re.compile(r"/tiles/\d+\?drawn$"))
            expect(image).to_have_js_property("naturalWidth", 80)
        page.close()
    search.close()


def test_when_the_service_is_gone(tab: Tab) -> None:
    """A comparison that does not come says so and can be asked for again."""
    tab.page.route("**/compare?*", lambda route: route.abort())
    tab.page.goto("/side-by-side?q=captain")
    expect(tab.page.get_by_role("alert")).to_contain_text("cannot be compared")
    tab.page.unroute("**/compare?*")
    tab.page.get_by_role("link", name="Try again").click()
    expect(tab.page.locator(".bench")).to_be_visible()


def test_a_search_without_script(chromium: Browser, site: Service) -> None:
    """The page at / works with scripts off; the other one says what it needs."""
    context = chromium.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?q=captain")
    page.get_by_label("Drama").check(force=True)
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".hits > li")).to_have_count(20)
    page.goto("/side-by-side?q=captain")
    # Playwright turns scripts off after the parser has left <noscript> out.
    assert "Comparing needs JavaScript" in page.content()
    expect(page.locator("#waiting")).to_be_hidden()
    context.close()


def test_how_fast_the_slider_is(tab: Tab, capsys: pytest.CaptureFixture[str]) -> None:
    """Print how long it takes from a move of the slider until 400 candidates are painted anew."""

    def grown(route: Route) -> None:
        answer = route.fetch().json()
        movies = answer["movies"]
        for film in list(movies)[: 400 - len(movies)]:
            movies[f"{film}0000000"] = movies[film]
        route.fulfill(json=answer)

    tab.page.route("**/compare?*", grown)
    compare(tab.page, "captain mirror island river")
    clock = tab.page.context.new_cdp_session(tab.page)
    clock.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    clock.send("Performance.enable")
    before = _thread_seconds(clock)
    took = tab.page.evaluate(
        """async () => {
          const slider = document.getElementById("alpha");
          const took = [];
          for (let step = 0; step < 40; step += 1) {
            slider.value = 0.3 + step / 100;
            let start;
            requestAnimationFrame(() => { start = performance.now(); });
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((done) => requestAnimationFrame(() => {
              const channel = new MessageChannel();
              channel.port1.onmessage = done;
              channel.port2.postMessage(null);
            }));
            took.push(performance.now() - start);
          }
          return took.sort((a, b) => a - b);
        }"""
    )
    processor = 1000 * (_thread_seconds(clock) - before) / len(took)
    candidates = tab.page.locator("#status").inner_text()
    with capsys.disabled():
        print(
            f" [slider, from the start of a frame to its paint: median {took[20]:.1f} ms, "
            f"worst {took[-1]:.1f}; processor {processor:.1f} ms a move; {candidates}] "
        )


def _thread_seconds(clock: CDPSession) -> float:
    """Return the processor time that the page's main thread has taken."""
    metrics = clock.send("Performance.getMetrics")["metrics"]
    seconds: float = next(each["value"] for each in metrics if each["name"] == "ThreadTime")
    return seconds


def test_on_the_production_server(chromium: Browser, service: Service) -> None:
    """Templates, scripts and styles are all there in production, over a built index."""
    page = chromium.new_page(base_url=service.url)
    page.goto("/")
    expect(page.locator(".shelf li").first).to_be_visible()
    page.goto("/side-by-side?q=love")
    expect(page.locator(".column.hybrid li").first).to_be_visible()
    page.close()


def test_a_failed_fetch_keeps_what_is_shown(tab: Tab) -> None:
    """Where the films of a filter do not come, or an error page does, those before stay where they
    are, the page says so to eyes and ears, and trying again shows them."""
    page = tab.page
    page.goto("/?q=captain")
    page.wait_for_load_state()
    shown = titles(page)
    page.route("**/?q=captain&*", lambda route: route.abort())
    page.get_by_label("Drama").check(force=True)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("could not be loaded")
    expect(alert).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
    assert titles(page) == shown
    page.unroute("**/?q=captain&*")
    lost = page.request.get("/nothing", headers={"Accept": "text/html"}).text()
    page.route("**/?q=captain&*", lambda route: route.fulfill(status=503, body=lost))
    with page.expect_response(re.compile("q=captain")):
        page.get_by_role("button", name="Try again").click()
    expect(page.locator("#results[aria-busy]")).to_have_count(0)
    expect(alert).to_contain_text("could not be loaded")
    assert titles(page) == shown
    page.unroute("**/?q=captain&*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_have_text("20 films")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.screen(390, 844, False)
def test_a_phone_shows_a_film_at_once(tab: Tab) -> None:
    """The first film, with its sentence, is above the fold; all filters are behind one button; more
    films come while one scrolls, and none comes twice."""
    page = tab.page
    page.goto("/?q=captain+mirror&genre=Drama")
    page.wait_for_load_state()
    box = page.locator(".hits .passage").first.bounding_box()
    assert box
    assert box["y"] + box["height"] < 844
    expect(page.get_by_label("Film-Noir")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_label("Film-Noir")).to_be_visible()
    page.get_by_role("button", name="Show the films").click()
    expect(page.get_by_label("Film-Noir")).to_be_hidden()
    page.locator(".further").scroll_into_view_if_needed()
    expect(page.locator(".hits > li")).to_have_count(40)
    links = page.locator(".hit h2 a").evaluate_all("all => all.map(link => link.pathname)")
    assert len(set(links)) == 40
    compare(page, "captain mirror", film=links[0].rpartition("/")[2])
    expect(page.locator("#why blockquote").first).to_be_visible()
    assert layout_shift(page) < 0.02


def test_years_are_dragged_and_films_ordered(tab: Tab) -> None:
    """Dragging across the bars chooses the years below them; an order is kept, in the URL and by a
    step back; a chip lets go of a year in place."""
    page = tab.page
    page.goto("/?q=captain")
    page.wait_for_load_state()
    bars = page.locator(".histogram").bounding_box()
    assert bars
    page.mouse.move(bars["x"] + bars["width"] / 2, bars["y"] + 5)
    page.mouse.down()
    page.mouse.move(bars["x"] + bars["width"] + 30, bars["y"] + 5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("year_from=1965.*year_to=1980"))
    expect(page.locator(".hits .year").first).to_have_text(re.compile("19(6[5-9]|7|80)"))
    page.get_by_label("Sort by").select_option("title")
    expect(page).to_have_url(re.compile("sort=title"))
    expect(page.locator("#results[aria-busy]")).to_have_count(0)
    shown = page.locator(".hits h2 a").all_inner_texts()
    assert shown == sorted(shown, key=str.casefold)
    page.locator(".part", has_text="from 1965").click()
    expect(page).not_to_have_url(re.compile("year_from"))
    expect(page.locator("[name=year_from]")).to_have_value("")
    expect(page.locator("#results")).to_be_focused()
    page.go_back()
    expect(page.locator("[name=year_from]")).to_have_value("1965")
    expect(page.get_by_label("Sort by")).to_have_value("title")
