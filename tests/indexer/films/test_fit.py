"""Descriptions and lists that are too long: what a build keeps of them, and what it reports."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.bounds import MAX_SENTENCES
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.errors import InvalidInput
from hybrid.storage.generation import REJECTS
from hybrid.text.sentences import sentence_spans
from indexer.build import BuildOptions, build
from indexer.films.clean import clean
from indexer.films.film_file import FileOptions, read_films
from indexer.films.fit import fit
from indexer.films.json_films import film, films_of
from indexer.inspect import inspect_file
from indexer.report import report_build, report_update
from indexer.sources import read_source
from indexer.update import change, match_source
from tests.fakes import HashingEncoder
from tests.indexer.film_files import json_lines
from tests.stores import of_source, tools

SENTENCES = " ".join(f"Sentence number {n} ends here." for n in range(MAX_SENTENCES + 5))

WORDS = st.sampled_from(
    ["Dr. Who", "she", "wins!", "Why?", "no.", "\u7d42\u308f\u308a\u3002", "x" * 900]
)

LONG = {
    "title": "Long",
    "year": 1950,
    "genres": [f"Genre {n}" for n in range(51)],
    "cast": ["Ann", "y" * 201, "Bob"],
    "extract": SENTENCES,
}


def kept(text: object) -> int:
    """Return the number of sentences."""
    return len(sentence_spans(str(text)))


@given(st.lists(WORDS, min_size=1, max_size=60).map(" ".join), st.integers(1, 20))
def test_a_description_keeps_its_first_sentences(text: str, most: int) -> None:
    """As many as allowed, the same as before, and whole where there are no more."""
    found, excess = fit("description", text, most)
    before, after = sentence_spans(text), sentence_spans(str(found))
    assert after == before[:most]
    assert (excess is None) == (found == text) == (len(before) <= most)


def test_a_description_keeps_its_first_characters() -> None:
    """It is cut at a blank, and the error has the limit."""
    found, excess = fit("description", "word " * 10_001, 300)
    assert found == ("word " * 10_000).strip()
    assert excess == "50,005 characters, expected 50,000 at most"


@given(st.lists(st.text("ab", min_size=1, max_size=120), max_size=70).map(tuple))
def test_a_list_keeps_its_first_entries(names: tuple[str, ...]) -> None:
    """Those that are not too long themselves, 50 genres at most."""
    found, excess = fit("genres", names, 300)
    short = [name for name in names if len(name) <= 100]
    assert found == tuple(short[:50])
    assert (excess is None) == (found == names)


def test_entries_have_their_longest() -> None:
    """An entry of 100 characters is kept, one of 101 is not, and the error has the limit."""
    names = ("x" * 100, "y" * 101)
    assert fit("genres", names, 300) == (
        names[:1],
        "an entry of 101 characters, expected 100 at most",
    )


def test_other_values_are_not_cut() -> None:
    """Titles have their limit where they are parsed, and numbers have no length."""
    assert fit("title", "x" * 5_000, 300) == ("x" * 5_000, None)
    assert fit("year", 1950, 300) == (1950, None)


def test_what_is_cut_is_counted_by_film_and_field(tmp_path: Path) -> None:
    """The film stays, with the beginning of each field; its neighbour is not named."""
    rows = [{"title": "Short", "year": 1950, "cast": [], "genres": []}, LONG]
    cleaned = clean(read_source(json_lines(tmp_path / "films.jsonl", rows)))
    assert [movie.title for movie in cleaned.movies] == ["Short", "Long"]
    assert cleaned.rejects == ()
    long = cleaned.movies[1]
    assert (len(long.genres), long.cast, kept(long.description)) == (50, ("Ann", "Bob"), 300)
    assert [(cut.line, cut.film, cut.title, cut.field, cut.reason) for cut in cleaned.cuts] == [
        (2, 1, "Long", "genres", "cut genres: 51 entries, expected 50 at most"),
        (
            2,
            1,
            "Long",
            "description",
            "cut description: 305 sentences, expected 300 at most",
        ),
        (2, 1, "Long", "cast", "cut cast: an entry of 201 characters, expected 200 at most"),
    ]
    assert clean(read_source(tmp_path / "films.jsonl"), 400).movies[1].description == SENTENCES


def test_a_rejected_film_is_not_cut(tmp_path: Path) -> None:
    """Only films that are indexed count."""
    file = json_lines(tmp_path / "films.jsonl", [LONG | {"year": 1}, LONG, LONG])
    cleaned = clean(read_source(file))
    assert (len(cleaned.rejects), cleaned.duplicates) == (1, 1)
    assert {cut.line for cut in cleaned.cuts} == {2}


def test_reports_count_what_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A build, an update and `inspect` count the fields; each is in the file of the rejects, with
    its film; the setting says how many sentences are kept."""
    file = json_lines(tmp_path / "films.jsonl", [LONG, LONG | {"title": "Too"}])
    data, options = tmp_path / "data", BuildOptions(quiet=True, max_sentences=7)
    built = build(
        file, data, "hashing", HashingEncoder(), lambda folder, _: TantivyWriter(folder), options
    )
    report_build(built)
    assert "cut                  2  description: too long" in capsys.readouterr().out
    assert built.manifest.counts.sentences == 14
    lines = [json.loads(line) for line in (built.folder / REJECTS).read_text().splitlines()]
    assert [(line["film"], line["field"]) for line in lines] == [
        (film, field) for film in (0, 1) for field in ("genres", "description", "cast")
    ]
    source = read_films(file, FileOptions(max_sentences=7))
    films = match_source(of_source(source.cleaned.movies), source.cleaned.numbered, False)
    report_update(change(data, films, tools(), source), source, data)
    found = capsys.readouterr().out
    assert "Nothing changed" in found
    assert "cut                  2  genres: too long" in found
    assert "6 fields cut" in found
    report = inspect_file(file, None, None, 7)
    assert "cut                 2  cast: too long" in report
    assert "line 2, Too: cut description: 305 sentences, expected 7 at most" in report


def test_a_film_by_hand_must_fit() -> None:
    """It is refused, naming field and limit; nothing of it is cut."""
    values = {"id": 1, "title": "A film", "description": "One. Two. Three."}
    assert film(values, 3).description == values["description"]
    with pytest.raises(InvalidInput) as refused:
        film(values, 2)
    problem = "is too long: 3 sentences, expected 2 at most"
    assert refused.value.fields == {"description": problem}
    with pytest.raises(InvalidInput, match="line 2: description: is too long"):
        films_of(b'{"id": 2, "title": "Other"}\n' + json.dumps(values).encode(), 2)
