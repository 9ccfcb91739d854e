"""The two command lines as a user types them, on real engines and the real model."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from elasticsearch import Elasticsearch

from hybrid.cli import main
from hybrid.query import Query, RankedQuery, SearchQuery, Selection
from hybrid.settings import Settings
from indexer.cli import main as indexer
from tests.command import PREFIX, Index, run, run_code
from tests.indexer.film_files import KAGGLE_FILMS, kaggle_csv
from tests.web.http import Service


@pytest.mark.parametrize(
    "command",
    [
        ["hybrid"],
        ["hybrid", "search"],
        ["hybrid", "compare"],
        ["hybrid", "evaluate"],
        ["indexer", "build"],
        ["indexer", "rollback"],
        ["indexer", "upsert"],
        ["indexer", "verify"],
    ],
)
def test_help_comes_without_torch(command: list[str]) -> None:
    """Help is there at once: neither torch nor any engine or measure is imported for it."""
    code = (
        "import runpy, sys, atexit\n"
        "atexit.register(lambda: print('IMPORTED', [m for m in sys.modules if m in "
        "('torch', 'faiss', 'sentence_transformers', 'elasticsearch', 'transformers', "
        "'ir_measures', 'jinja2')]))\n"
        f"sys.argv = {[*command, '--help']!r}\n"
        f"runpy.run_module({command[0]!r}, run_name='__main__')"
    )
    printed = run_code(code)
    assert "Usage" in printed
    assert "IMPORTED []" in printed


@pytest.mark.parametrize(
    ("command", "model"), [("search", SearchQuery), ("compare", Query), ("similar", RankedQuery)]
)
def test_every_field_is_an_option(command: str, model: type[Selection]) -> None:
    """Its description is the help, its values the choices; numbers are checked by the option."""
    options = {option.name: option for option in main.commands[command].params}
    for name in model.model_fields.keys() - {"text", "highlight", "explain"}:
        option = options[name]
        assert isinstance(option, click.Option)
        assert option.opts == [f"--{name.replace('_', '-')}"]
        assert (option.help or "").startswith(model.model_fields[name].description or "missing")
    assert options["genre"].multiple
    assert isinstance(options["genre_match"].type, click.Choice)
    assert list(options["genre_match"].type.choices) == ["any", "all"]
    assert (options["year_to"].type, options["limit"].type) == (click.INT, click.INT)


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["hybrid", "compare"], {}, "Missing argument 'TEXT'"),
        (["hybrid", "search", "x", "--alpha", "2"], {}, "alpha: is neither"),
        (["hybrid", "search", "x", "--year-from", "2000", "--year-to", "1990"], {}, "swap them"),
        (["hybrid", "search", "x", "--mode", "magic"], {}, "'magic' is not one of"),
        (["hybrid", "search", "x", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (["hybrid", "compare", ""], {}, "q: is empty"),
        (["hybrid", "compare", "x", "--run", "hybrid"], {}, "run: are 1: compare 2 to 8"),
        (["hybrid", "compare", "x", "--run", "a:rrf", "--run", "b:hybrid"], {}, "run 'a:rrf'"),
        (["hybrid", "compare", "x", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (["hybrid", "serve", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (["indexer", "update", "sample", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (["indexer", "delete", "7", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (["indexer", "rollback", "--data", "/nowhere"], {}, "no index in /nowhere"),
        (
            ["hybrid", "serve", "--data", "/nowhere", "--wait", "0.1"],
            {},
            "Gave up waiting for the first index in /nowhere.\nError: no index in /nowhere",
        ),
        (["hybrid", "serve"], {"HYBRID_PORT": "abc"}, "HYBRID_PORT"),
        (["hybrid", "serve"], {"HYBRID_DEPTH": "0"}, "HYBRID_DEPTH"),
        (["indexer", "build", "/nowhere.csv"], {"HYBRID_DATA": "{tmp}"}, "/nowhere.csv"),
        (["indexer", "build", "{csv}", "--data", "{csv}"], {}, "{csv}"),
        (["indexer", "build", "{csv}", "--model", "{tmp}"], {}, "no sentence-transformers model"),
        (
            ["indexer", "build", "{csv}", "--elasticsearch-url", "http://127.0.0.1:9"],
            {"HYBRID_DATA": "{tmp}", "HYBRID_WAIT": "0.1"},
            "Waiting up to 0.1 s for Elasticsearch ...\nGave up waiting for Elasticsearch.\n"
            "Error: Elasticsearch does not answer",
        ),
        (
            ["indexer", "build", "{csv}", "--elasticsearch-url", "localhost"],
            {"HYBRID_DATA": "{tmp}"},
            "HYBRID_ELASTICSEARCH_URL: needs scheme",
        ),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    """A mistake is reported in a line that names it, with exit code 1 or 2 and no stack trace."""
    csv = str(kaggle_csv(tmp_path / "films.csv"))
    program, *filled = (argument.format(csv=csv, tmp=tmp_path) for argument in arguments)
    set_ = {name: value.format(tmp=tmp_path) for name, value in variables.items()}
    if "serve" in arguments:  # which sets up its process for good
        process = run(program, *filled, **set_)
        code, said = process.returncode, process.stderr
    else:
        done = CliRunner().invoke(indexer if program == "indexer" else main, filled, env=set_)
        assert isinstance(done.exception, SystemExit)  # any other would be a stack trace
        code, said = done.exit_code, done.stderr
    assert code in (1, 2)
    assert message.format(csv=csv) in said
    assert "Traceback" not in said


@pytest.mark.parametrize("program", ["hybrid", "indexer"])
def test_a_process_that_fails_says_why(program: str) -> None:
    """As its command does, and nothing else."""
    commands = {"hybrid": ("search", "x"), "indexer": ("rollback",)}
    done = run(program, *commands[program], "--data", "/nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: no index in /nowhere")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_settings_are_documented() -> None:
    """docs/settings.md names every variable with its default, and no other."""
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| `HYBRID_")]
    documented = {name.strip(" `"): default.strip(" `") for name, default, _ in rows}
    expected = {
        f"HYBRID_{name.upper()}": "" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert documented == expected


def test_empty_variables_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable without a value, as Compose passes it, gives the default."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HYBRID_{name.upper()}", raising=False)
    defaults = Settings.load()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"HYBRID_{name.upper()}", "")
    assert Settings.load() == defaults


def in_elasticsearch(index: Index) -> None:
    """Skip what only an index in Elasticsearch can show."""
    if index.engine != "elasticsearch":
        pytest.skip("about Elasticsearch alone")


def test_elasticsearch_holds_the_films(index: Index) -> None:
    """Every film is there whole, under the ids of the file, in a strict mapping that names its
    owner; the alias points to it."""
    in_elasticsearch(index)
    with Elasticsearch(index.variables["HYBRID_ELASTICSEARCH_URL"]) as client:
        found = client.search(index=f"{PREFIX}-cli", size=100, query={"match_all": {}})["hits"][
            "hits"
        ]
        assert {int(hit["_id"]) for hit in found} == set(KAGGLE_FILMS)
        amelie = next(hit["_source"] for hit in found if hit["_id"] == "211915")
        assert amelie["title"] == "Amélie"
        assert amelie["genres"] == ["Comedy", "Romance"]
        assert amelie["duration_minutes"] == 122
        (mapping,) = (
            entry["mappings"]
            for entry in client.indices.get_mapping(index=f"{PREFIX}-cli").values()
        )
        assert mapping["dynamic"] == "strict"
        assert mapping["_meta"]["deployment"] == (index.data / "DEPLOYMENT").read_text()


def test_the_service_answers_by_words_and_by_meaning(service: Service) -> None:
    """Names find by keyword, a paraphrase by meaning, and filters change the answer."""
    _, keyword = service.get("/search", q="mifune swordsmen", mode="keyword")
    assert keyword["hits"][0]["movie"]["title"] == "Seven Samurai"
    paraphrase = "peasants pay warriors to protect them from robbers"
    _, semantic = service.get("/search", q=paraphrase, mode="semantic")
    assert semantic["hits"][0]["movie"]["title"] == "Seven Samurai"
    assert semantic["hits"][0]["semantic"]["sentence"] in (
        "Farmers hire masterless swordsmen.",
        "Bandits come after the harvest.",
    )
    _, other = service.get("/search", q=paraphrase, genre="romance")
    assert [hit["movie"]["title"] for hit in other["hits"]] == ["Amélie"]
    _, undated = service.get("/search", q="city", year_from=1900)
    assert 17136 not in [hit["id"] for hit in undated["hits"]]
    _, bare = service.get("/search", q="Helen Gardner")
    assert bare["hits"][0]["id"] == 2101
    assert bare["hits"][0]["semantic"]["score"] is None


def test_what_a_query_mentions_counts(service: Service) -> None:
    """On both engines: films of the genre, the year and the person gain, are the only ones, or are
    found by the words alone; a film that others should be like is left out."""

    def found(text: str, understand: str) -> tuple[list[str], list[str]]:
        _, answer = service.get("/search", q=text, understand=understand)
        parts = [f"{part['field']} {part['value']}" for part in answer["understood"]["parts"]]
        return parts, [hit["movie"]["title"] for hit in answer["hits"]]

    mentioned = ["genre romantic comedy", "year 2001"]
    parts, titles = found("romantic comedy 2001", "prefer")
    assert (parts, titles[0]) == (mentioned, "Amélie")
    assert len(titles) > 1
    assert found("romantic comedy 2001", "filter") == (mentioned, ["Amélie"])
    assert found("romantic comedy 2001", "off")[0] == []
    parts, titles = found("films with al pacino", "filter")
    assert (parts, titles) == (["person al pacino"], ["The Godfather"])
    parts, titles = found("movies like Amélie", "prefer")
    assert parts == ["like Amélie"]
    assert "Amélie" not in titles


def test_a_long_query_fits_into_an_address(service: Service) -> None:
    """A thousand characters of any script are taken, and one more is refused in the usual shape."""
    assert service.get("/search", q="映" * 1000)[0] == 200
    status, answer = service.get("/search", q="映" * 1001)
    assert (status, list(answer["error"]["fields"])) == (422, ["q"])


def test_the_service_is_ready_and_fast_to_say_so(service: Service) -> None:
    """Both engines are searched."""
    status, ready = service.get("/health/ready")
    assert status == 200
    assert ready["engines"] == {"keyword": "ok", "semantic": "ok"}


def test_many_at_once_get_their_own_answers(service: Service) -> None:
    """Requests side by side get what they get alone."""
    from concurrent.futures import ThreadPoolExecutor

    texts = ["samurai", "hacker", "waitress", "banker", "don", "schools", "city", "Cleopatra"] * 8
    alone = {text: service.get("/search", q=text)[1]["hits"] for text in set(texts)}
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: service.get("/search", q=text)[1]["hits"], texts))
    assert found == [alone[text] for text in texts]


def test_a_second_server_reports_that_the_port_is_taken(service: Service, index: Index) -> None:
    """The error names the port and the remedy."""
    port = service.url.rpartition(":")[2]
    done = run("hybrid", "serve", "--port", port, **index.variables)
    assert done.returncode == 1
    assert "is taken: choose another with --port" in done.stderr


@pytest.mark.parametrize(
    ("typed", "message"),
    [("", "no film given"), ('{"id": 1}', "title: is missing"), ("[1]", "not a JSON object")],
)
def test_invalid_films_are_reported(index: Index, typed: str, message: str) -> None:
    """What is wrong with a film given by hand is one line."""
    done = run("indexer", "upsert", typed=typed, **index.variables)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_index_is_verified(index: Index) -> None:
    """Every store is looked at and agrees."""
    done = run("indexer", "verify", "--full", **index.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    looked_at = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
    names = ("files", "catalogue", "titles", "keyword", "vectors", "encoder", "index")
    assert looked_at == [[name, "ok"] for name in names]


def test_an_unknown_film_cannot_be_deleted(index: Index) -> None:
    """Its id is named."""
    done = run("indexer", "delete", "77", "2101", **index.variables)
    assert done.returncode == 1
    assert "no film with the id 77" in done.stderr


def test_search_in_the_terminal(index: Index) -> None:
    """Films come with rank, score, year and the sentence that matched; --json is the service's."""
    done = run("hybrid", "search", "shy waitress", "--limit", "2", **index.variables)
    assert done.returncode == 0, done.stderr
    assert "1.  " in done.stdout
    assert "Amélie (2001)" in done.stdout
    assert "A shy waitress on Montmartre" in done.stdout
    facets = ("--facets", "decade,director", "--director", "jean-pierre jeunet")
    shown = run("hybrid", "search", "--json", *facets, **index.variables)
    assert json.loads(shown.stdout)["total"]["value"] == 1
    done = run("hybrid", "search", "waitress", *facets, **index.variables)
    assert "decade of candidates: 2000 1" in done.stdout
    assert "director of candidates: " in done.stdout
    shown = run("hybrid", "search", "waitress", "--mode", "keyword", "--json", **index.variables)
    assert json.loads(shown.stdout)["hits"][0]["id"] == 211915


def test_similar_films_in_the_terminal(index: Index) -> None:
    """Films like one, or like a text, come as a table or as the JSON of the service."""
    done = run("hybrid", "similar", "211915", "--json", **index.variables)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["query"]["id"] == 211915
    assert answer["hits"]
    assert 211915 not in {hit["id"] for hit in answer["hits"]}
    done = run("hybrid", "similar", "--text", "A shy waitress on Montmartre.", **index.variables)
    assert "Amélie (2001)" in done.stdout.splitlines()[0]
    done = run("hybrid", "similar", **index.variables)
    assert done.returncode == 2
    assert "--text" in done.stderr


def test_suggestions_in_the_terminal(index: Index) -> None:
    """A line for each, or the JSON of the service; a typo is forgiven."""
    done = run("hybrid", "suggest", "amelei", **index.variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "title   Amélie (2001)"
    done = run("hybrid", "suggest", "amél", "--limit", "1", "--json", **index.variables)
    assert [one["id"] for one in json.loads(done.stdout)["suggestions"]] == [211915]


def test_compare_in_the_terminal(index: Index) -> None:
    """Three columns without colours, the measures of pairs; --json is the service's answer."""
    done = run("hybrid", "compare", "shy waitress in a city", "--limit", "3", **index.variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:3] == ["keyword", "hybrid", "semantic"]
    assert "Amélie 2001" in done.stdout
    assert "hybrid, semantic" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    typed = ["--run", "a:hybrid,rrf,0.4", "--run", "keyword", "--json"]
    shown = run("hybrid", "compare", "waitress", *typed, **index.variables)
    answer = json.loads(shown.stdout)
    assert list(answer["runs"]) == ["a", "keyword"]
    assert answer["runs"]["a"]["alpha"] == 0.4
    assert "211915" in answer["movies"]


def test_an_index_in_elasticsearch_wants_its_address(index: Index) -> None:
    """Without an address the command says which option gives it."""
    in_elasticsearch(index)
    for command in (["search", "waitress"], ["serve", "--port", "8799"]):
        done = run("hybrid", *command, HYBRID_DATA=str(index.data))
        assert done.returncode != 0
        assert "--elasticsearch-url" in done.stderr
        assert "Traceback" not in done.stderr


def test_elasticsearch_down_is_reported(index: Index) -> None:
    """Keyword mode fails with a line; hybrid answers by meaning and says who is missing."""
    in_elasticsearch(index)
    away = index.variables | {"HYBRID_ELASTICSEARCH_URL": "http://127.0.0.1:9"}
    done = run("hybrid", "search", "waitress", "--mode", "keyword", **away)
    assert done.returncode == 1
    assert "Elasticsearch does not answer" in done.stderr
    done = run("hybrid", "search", "a shy woman helps others", **away)
    assert done.returncode == 0
    assert "the keyword engine does not answer" in done.stderr
    assert "Amélie" in done.stdout
