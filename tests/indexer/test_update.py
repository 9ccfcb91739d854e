"""Changes to what is published: what they write, what they share, and what they leave alone."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import log2
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hybrid.errors import BuildFailed, EngineUnavailable, GenerationUnusable, InvalidInput, NotFound
from hybrid.movie import MAX_ID, Movie
from hybrid.query import SearchQuery
from hybrid.storage import generation
from hybrid.storage.generation import (
    CATALOGUE,
    CURRENT,
    MANIFEST,
    REJECTS,
    CurrentEntry,
    Generation,
    open_current,
    open_published,
    published,
)
from hybrid.storage.manifest import Lexical, Semantic
from indexer.backends import Backends
from indexer.cli import main
from indexer.films.film_file import FileOptions, spool_films
from indexer.films.film_spool import film_spool
from indexer.films.json_films import film, films_of
from indexer.films.matching import MatchKey, MatchKeys, match_ids
from indexer.generations.lock import writer_lock
from indexer.semantic_index.vector_files import plan
from indexer.update import change, match_source, rollback, upsert
from tests import corpus
from tests.fakes import FakeLexical, HashingEncoder
from tests.stores import (
    build_stores,
    films_file,
    follow_films,
    of_source,
    open_stores,
    put,
    remove,
    tools,
)
from tests.stores_agree import assert_holds

FILMS = corpus.films(150)
BY_ID = {movie.id: movie for movie in FILMS}
NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation of 150 films, 350 sentences."""
    data = tmp_path_factory.mktemp("update") / "data"
    build_stores(data, FILMS)
    return data


def digests(folder: Path) -> dict[str, str]:
    """Return what every file of a folder holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_source_is_followed(data: Path) -> None:
    """What is new, changed and gone in a source is so in all stores; the rest is not touched."""
    changed = FILMS[9].model_copy(update={"description": "A new plot. In two sentences."})
    films = [m for m in FILMS if m.id not in (FILMS[3].id, FILMS[9].id)] + [changed, NEW]
    done = follow_films(data, films)
    assert (done.added, done.changed, done.removed, done.unchanged) == (1, 1, 1, 148)
    assert done.embedded.texts == 4
    generation = open_current(data)
    assert generation.manifest == done.manifest
    assert generation.manifest.previous == published(data)[1].name
    assert_holds(generation, films)


def test_nothing_changed_publishes_nothing(data: Path) -> None:
    """A source that holds what is published leaves everything as it is, and says so."""
    text = (data / CURRENT).read_text()
    for done in (follow_films(data, FILMS), put(data, *FILMS[:3])):
        assert not done.published
        assert done.unchanged == len(FILMS)
        assert done.manifest == open_current(data).manifest
    assert (data / CURRENT).read_text() == text


def test_missing_films_may_be_kept(data: Path) -> None:
    """With keep_missing a source adds and changes, and removes nothing."""
    done = follow_films(data, [NEW], keep_missing=True)
    assert (done.added, done.removed) == (1, 0)
    assert_holds(open_current(data), [*FILMS, NEW])


def test_what_did_not_change_is_shared(data: Path) -> None:
    """Model, vectors and the keyword engine's large files are the same files as before, and no
    byte of the generation before is changed."""
    before = open_current(data)
    shared = digests(before.folder)
    done = put(data, NEW, FILMS[0].model_copy(update={"title": "Renamed"}))
    after = data / "generations" / done.manifest.name
    for name in ("encoder/words", "vectors-0.npy", "rejects.jsonl"):
        assert (after / name).samefile(before.file(name))
    segments = [name for name in shared if name.endswith((".idx", ".term", ".store"))]
    assert segments
    assert all((after / name).samefile(before.file(name)) for name in segments)
    assert not (after / "tantivy/meta.json").samefile(before.file("tantivy/meta.json"))
    assert digests(before.folder) == shared
    remove(data, FILMS[1].id)
    assert not before.folder.exists()
    assert (after / "vectors-0.npy").exists()


def test_the_generation_before_stays_as_it_was(data: Path) -> None:
    """Whatever a change does, the one before can be opened, checked and served."""
    line = published(data)[0]
    put(data, NEW, *(movie.model_copy(update={"title": "Renamed"}) for movie in FILMS[:40]))
    assert_holds(open_published(data, line), FILMS)


def test_films_by_id(data: Path) -> None:
    """Films are added, replaced and removed one by one, and an unknown id is reported."""
    assert put(data, NEW).added == 1
    assert put(data, NEW.model_copy(update={"year": 1999})).changed == 1
    assert remove(data, NEW.id, FILMS[0].id).removed == 2
    assert_holds(open_current(data), FILMS[1:])
    with pytest.raises(NotFound, match="5000, 6000"):
        remove(data, 6000, NEW.id, FILMS[1].id)
    assert_holds(open_current(data), FILMS[1:])


def test_people_are_known_while_a_film_names_them(data: Path) -> None:
    """A name is found in queries from the first film that names it to the last."""

    def knows(name: str) -> bool:
        search = open_stores(open_current(data))
        found = search.catalogue.person_in(f"a film with {name}") is not None
        search.close()
        return found

    put(data, NEW.model_copy(update={"cast": ("Toshirô Mifune", "Setsuko Hara")}))
    put(data, Movie(id=5001, title="Another", directors=("Setsuko Hara",)))
    assert knows("toshiro mifune")
    put(data, NEW.model_copy(update={"cast": ("Setsuko Hara",)}))
    assert not knows("toshiro mifune")
    remove(data, NEW.id)
    assert knows("setsuko hara")
    remove(data, 5001)
    assert not knows("setsuko hara")


@pytest.fixture
def merging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge every change into a new base at once."""
    monkeypatch.setattr("indexer.merge.LEAST", 0)
    monkeypatch.setattr("indexer.merge.SHARE", 0.0)


@pytest.mark.usefixtures("merging")
def test_many_changes_train_the_index_anew(data: Path) -> None:
    """After half of the sentences came or went the index is trained and all vectors lie in one
    file again; below 256 sentences there is none, and above there is one again."""
    assert open_current(data).manifest.semantic.engine == "ivfpq"
    other = [movie.model_copy(update={"description": f"Plot {movie.id}."}) for movie in FILMS[:100]]
    first = put(data, *other[:10]).manifest
    assert (first.pieces, first.semantic.changed > 0) == ((0, 1), True)
    second = put(data, *other).manifest
    assert len(second.pieces) == 1
    assert second.semantic.changed == 0
    assert_holds(open_current(data), [*other, *FILMS[100:]])
    assert remove(data, *(movie.id for movie in FILMS[30:])).manifest.semantic.engine == "exact"
    assert_holds(open_current(data), other[:30])
    assert follow_films(data, FILMS).manifest.semantic.engine == "ivfpq"
    assert_holds(open_current(data), FILMS)


@pytest.mark.usefixtures("merging")
def test_recall_is_measured_again_after_a_twentieth(data: Path) -> None:
    """So many sentences may come or go before it is measured, and no more."""
    total = open_current(data).manifest.counts.sentences

    def put_sentences(count: int) -> Semantic:
        film = 6000 + count
        text = " ".join(f"Captain {number}." for number in range(count))
        return put(data, Movie(id=film, title="New", description=text)).manifest.semantic

    few = put_sentences(total // 20)
    assert (few.changed, few.changed_when_measured) == (total // 20, 0)
    assert put_sentences(5).changed_when_measured == total // 20 + 5
    assert put_sentences(4).changed_when_measured == total // 20 + 5


@pytest.mark.usefixtures("merging")
@pytest.mark.parametrize(("recall", "trained"), [(0.991, False), (0.989, True)])
def test_recall_that_falls_trains_the_index_anew(
    data: Path, monkeypatch: pytest.MonkeyPatch, recall: float, trained: bool
) -> None:
    """Recall is measured again after so many changes, and what it is now stands in the manifest."""
    monkeypatch.setattr("indexer.semantic_index.update.MEASURED_EVERY", 0.0)
    with monkeypatch.context() as measuring:
        measuring.setattr(
            "indexer.semantic_index.update.RecallProbes.recall_at_10", lambda *_: recall
        )
        semantic = put(data, NEW).manifest.semantic
    assert (semantic.changed == 0) == trained
    assert semantic.recall_at_10 == recall
    assert semantic.changed_when_measured == semantic.changed
    assert_holds(open_current(data), [*FILMS, NEW])


def test_rejects_are_those_of_the_last_source(data: Path, tmp_path: Path) -> None:
    """Rejects of a file that is followed are recorded beside the generation, as a build does;
    a change by hand leaves it there. The name that is given is recorded."""
    file = films_file(tmp_path / "source", [*FILMS[1:], NEW])
    with file.open("a") as out:
        out.write('{"id": 7000, "title": "Too early", "year": 1492}\n')
    options = FileOptions(file.with_name("mapping.toml"), name="../my films.csv")
    with film_spool(tmp_path) as spool:
        read = spool_films(file, options, spool)
        done = change(data, match_source(spool, False, False), tools(), read)
    assert (done.added, done.removed, done.manifest.counts.rejected) == (1, 1, 1)
    assert done.manifest.source == "my films.csv"
    put(data, FILMS[0])
    (reject,) = open_current(data).file(REJECTS).read_text().splitlines()
    assert json.loads(reject)["line"] == len(FILMS) + 1
    assert "1492" in json.loads(reject)["reason"]


def test_a_file_of_no_film_removes_nothing(data: Path, tmp_path: Path) -> None:
    """A file that was cut, or is another, is refused by name before it empties the index."""
    file = films_file(tmp_path / "source", [NEW])
    file.write_text(file.read_text().replace(NEW.title, ""))
    mapping = str(file.with_name("mapping.toml"))
    arguments = ["update", str(file), "--mapping", mapping, "--data", str(data), "--quiet"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert f"{file} holds no film: line 1: no title" in done.output
    assert_holds(open_current(data), FILMS)


def test_everything_may_go(data: Path) -> None:
    """An index of no film is one, and films can be added to it."""
    remove(data, *BY_ID)
    assert_holds(open_current(data), [])
    put(data, NEW)
    assert_holds(open_current(data), [NEW])


class Failing(FakeLexical):
    """A keyword engine that fails when it is changed."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    "error", [EngineUnavailable("gone"), OSError(28, "x"), KeyboardInterrupt()]
)
def test_a_failed_change_leaves_the_old_state(data: Path, error: BaseException) -> None:
    """Whatever stops a change, the published generation stays and nothing of the new one does."""
    text = (data / CURRENT).read_text()
    failing = Backends(lambda *_: Failing(error), lambda _: HashingEncoder(), tools().lexical_of)
    with pytest.raises(type(error)):
        change(data, upsert([NEW]), failing)
    assert (data / CURRENT).read_text() == text
    assert len(list((data / "generations").iterdir())) == 1
    put(data, NEW)
    assert_holds(open_current(data), [*FILMS, NEW])


def test_a_change_needs_an_index_and_the_lock(data: Path, tmp_path: Path) -> None:
    """Nothing to change, or another at work: both are reported."""
    with pytest.raises(GenerationUnusable, match="no index"):
        put(tmp_path / "none", NEW)
    with writer_lock(data), pytest.raises(BuildFailed, match="another command"):
        put(data, NEW)


def test_a_deployment_without_a_name_is_reported(data: Path) -> None:
    """Without its UUID a folder cannot tell its indices from those of others."""
    file = data / "DEPLOYMENT"
    for content in (b"", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(GenerationUnusable, match="DEPLOYMENT"):
            put(data, NEW)
    assert_holds(open_current(data), FILMS)


def test_a_lock_that_was_deleted_is_made_anew(data: Path) -> None:
    """Who finds the file of another's lock deleted takes one that others see."""
    with writer_lock(data):
        (data / "WRITER").unlink()
        with writer_lock(data), pytest.raises(BuildFailed, match="another command"):
            put(data, NEW)


def test_a_lock_that_is_a_link_is_refused(data: Path, tmp_path: Path) -> None:
    """A link planted in its place makes no file elsewhere."""
    (data / "WRITER").unlink()
    (data / "WRITER").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="WRITER"):
        put(data, NEW)
    assert not (tmp_path / "elsewhere").exists()


def test_a_generation_that_is_a_link_is_collected(data: Path, tmp_path: Path) -> None:
    """What was moved to another disk and linked is let go, and stays where it is."""
    folder = open_current(data).folder
    moved = folder.rename(tmp_path / "moved")
    folder.symlink_to(moved)
    for number in range(3):
        build_stores(data, FILMS[: 10 + number])
    assert not folder.is_symlink()
    assert moved.is_dir()


def test_what_a_killed_writer_left_is_collected(data: Path) -> None:
    """Folders that were never published go with the next command, even one that changes nothing."""
    for name in (f"7-{'0' * 12}.unfinished", f"8-{'0' * 12}"):
        (data / "generations" / name).mkdir()
    follow_films(data, FILMS)
    assert len(list((data / "generations").iterdir())) == 1


def test_rollback_of_a_change(data: Path) -> None:
    """What was changed is undone, and the next change is made to what was gone back to."""
    put(data, NEW)
    name = published(data)[1].name
    assert rollback(data, tools())[1:] == (name, [])
    assert_holds(open_current(data), FILMS)
    put(data, FILMS[0].model_copy(update={"title": "Renamed"}))
    assert_holds(open_current(data), [FILMS[0].model_copy(update={"title": "Renamed"}), *FILMS[1:]])


def test_no_way_back_to_a_damaged_generation(data: Path) -> None:
    """A rollback reads every byte of the generation before, and else publishes nothing."""
    put(data, NEW)
    before = published(data)
    with (data / "generations" / before[1].name / CATALOGUE).open("r+b") as file:
        file.write(b"damaged")
    with pytest.raises(GenerationUnusable, match=CATALOGUE):
        rollback(data, tools())
    assert published(data) == before


class Gone(FakeLexical):
    """A keyword engine whose index was removed."""

    def check_index(self, generation: Generation) -> None:
        """Miss it."""
        raise BuildFailed("gone")


def test_no_way_back_without_the_keyword_side(data: Path) -> None:
    """A rollback looks for the keyword index of the generation before, and else publishes
    nothing."""
    put(data, NEW)
    before = published(data)
    with pytest.raises(BuildFailed, match=f"no way back to generation {before[1].name}"):
        rollback(data, replace(tools(), writer_in=lambda *_: Gone()))
    assert published(data) == before


def test_a_manifest_of_another_digest_is_refused(data: Path) -> None:
    """One that could be read but is not the one that was published."""
    manifest = open_current(data).file(MANIFEST)
    text = manifest.read_text()
    changed = text.replace('"source": "', '"source": "another ')
    assert changed != text
    manifest.write_text(changed)
    with pytest.raises(GenerationUnusable, match=MANIFEST):
        open_current(data)


def test_a_generation_that_is_outdated_while_it_is_opened(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes published after CURRENT was read remove what it named: it is read again."""
    real = generation.open_described

    def overtaken(folder: Path, line: CurrentEntry) -> Generation:
        monkeypatch.undo()
        put(data, NEW)
        put(data, NEW.model_copy(update={"year": 1999}))
        assert line not in published(data)
        return real(folder, line)

    monkeypatch.setattr(generation, "open_described", overtaken)
    assert open_current(data).manifest.name == published(data)[0].name


def test_ids_of_a_numbered_source() -> None:
    """Films keep the ids of the same page, else of title, year and occurrence; the new ones get
    numbers that no film ever had."""
    known = [
        Movie(id=0, title="Page", year=1990, href="p"),
        Movie(id=1, title="Twin", year=1991),
        Movie(id=2, title="Twin", year=1991),
        Movie(id=3, title="Gone", year=1992),
    ]
    films = [
        Movie(id=0, title="New", year=2000),
        Movie(id=1, title="Twin", year=1991, description="first"),
        Movie(id=2, title="Page renamed", year=1993, href="p"),
        Movie(id=3, title="Twin", year=1991, description="second"),
        Movie(id=4, title="Twin", year=1991, description="third"),
        Movie(id=5, title="Gone", year=1993),
    ]
    found = matched(films, known, highest=9)
    assert [(movie.id, movie.title) for movie in found] == [
        (0, "Page renamed"),
        (1, "Twin"),
        (2, "Twin"),
        (10, "New"),
        (11, "Twin"),
        (12, "Gone"),
    ]
    assert [movie.description for movie in found[1:3]] == ["first", "second"]
    assert matched(found, found, highest=12) == found


def keys_of(films: Sequence[Movie]) -> MatchKeys:
    """Return the keys of films."""
    return MatchKeys.of(map(MatchKey.of, films))


def matched(films: Sequence[Movie], known: Sequence[Movie], highest: int) -> tuple[Movie, ...]:
    """Return the films under the ids of those that are known, sorted by id."""
    ids = match_ids(keys_of(films), keys_of(known), highest)
    pairs = zip(films, ids.tolist(), strict=True)
    return tuple(sorted((m.model_copy(update={"id": i}) for m, i in pairs), key=lambda m: m.id))


FEW = st.lists(
    st.builds(
        Movie,
        id=st.just(0),
        title=st.sampled_from("AB"),
        year=st.sampled_from([None, 1990]),
        href=st.sampled_from([None, "", "p", "q"]),
    ),
    max_size=8,
)


@given(films=FEW, known=FEW)
def test_ids_are_given_as_one_after_the_other_would(films: list[Movie], known: list[Movie]) -> None:
    """First each film with a page takes the first film with it that is left, then each film
    without an id the first one with its title and year."""
    left = [movie.model_copy(update={"id": n}) for n, movie in enumerate(known)]
    ids: dict[int, int] = {}
    for key in (lambda m: m.href, lambda m: (m.title, m.year)):
        for row, movie in enumerate(films):
            same = [other for other in left if key(other) == key(movie)]
            if row not in ids and key(movie) and same:
                ids[row] = same[0].id
                left.remove(same[0])
    new = iter(range(101, 200))
    expected = [ids[row] if row in ids else next(new) for row in range(len(films))]
    numbered = [movie.model_copy(update={"id": n}) for n, movie in enumerate(known)]
    assert match_ids(keys_of(films), keys_of(numbered), 100).tolist() == expected


def test_ids_that_run_out_are_told() -> None:
    """A film with the highest id of all leaves none for those of a numbered source."""
    with pytest.raises(BuildFailed, match="no ids are left"):
        matched([Movie(id=0, title="New")], [], highest=MAX_ID)
    known = [Movie(id=7, title="Known")]
    assert matched([Movie(id=0, title="Known")], known, highest=MAX_ID) == tuple(known)


def test_ids_are_never_used_again(data: Path) -> None:
    """The id of a film that is gone is not given to another, whatever came between."""
    put(data, NEW)
    remove(data, NEW.id)
    source = of_source([Movie(id=0, title="Unheard of")])
    done = change(data, match_source(source, True, True), tools())
    assert done.added == 1
    ids = [movie.id for movie in open_stores(open_current(data)).catalogue.all_films()]
    assert ids[-1] == NEW.id + 1


@given(st.lists(st.integers(1, 1000), max_size=200))
def test_vectors_lie_in_few_files(changes: list[int]) -> None:
    """However many changes of whatever size: each file is twice as large as the next, so that there
    are few, and no sentence is lost."""
    pieces: tuple[int, ...] = (0,)
    live = {0: 1000}
    for rows in changes:
        result = plan(pieces, live, rows)
        live[result.number] = rows + sum(live[number] for number in result.absorbed)
        pieces = (*result.kept, result.number)
        sizes = [live[number] for number in pieces]
        assert all(size >= 2 * after for size, after in pairwise(sizes))
    sizes = [live[number] for number in pieces]
    assert sum(sizes) == 1000 + sum(changes)
    assert len(sizes) <= log2(sum(sizes)) + 1


def test_a_file_of_no_film_is_dropped() -> None:
    """Where all films of a file are gone it is not shared; nothing is written without need."""
    result = plan((0, 1, 2), {0: 10, 2: 5}, 0)
    assert (result.kept, result.absorbed) == ((0, 2), ())


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"title": "x"}, {"id": "is missing"}),
        ({"id": 1}, {"title": "is missing"}),
        ({"id": 1, "title": " "}, {"title": "is missing"}),
        ({"id": 1, "title": "\u200b\ufeff"}, {"title": "is missing"}),
        ({"id": 1, "title": "x", "colour": 7}, {"colour": "is unknown"}),
        ({"id": -1, "title": "x"}, {"id": "is not an id: expected a whole number"}),
        ({"id": "tt1", "title": "x"}, {"id": "is not an id: expected a whole number"}),
        ({"id": 1, "title": ["x"]}, {"title": "is wrong: ['x'], expected text"}),
        ({"id": 1, "title": "x", "year": 1492}, {"year": "is impossible: 1492"}),
        ({"id": 1, "title": "x", "genres": "Drama"}, {"genres": "expected a list"}),
        (
            {"id": 1, "title": "x", "votes": 2**40},
            {"votes": "a whole number from 0 to 2,147"},
        ),
        ({"id": 1, "title": "x", "rating": float("nan")}, {"rating": "a number from 0 to 10"}),
        ({"id": 1, "title": "x", "description": "y" * 100_001}, {"description": "too long"}),
    ],
)
def test_films_given_by_hand_are_checked(
    values: dict[str, object], problems: dict[str, str]
) -> None:
    """An error names each field and what is wrong with it."""
    with pytest.raises(InvalidInput) as error:
        film(values)
    assert error.value.fields.keys() == problems.keys()
    for name, problem in problems.items():
        assert problem in error.value.fields[name]
        assert name in error.value.message


def test_films_given_by_hand_are_cleaned() -> None:
    """Texts come into the form that those of files have; null is nothing."""
    values = {"id": 7, "title": " Ame\u0301lie\x00 ", "cast": ["A  B", "a b", " "], "year": None}
    assert film(values) == Movie(id=7, title="Amélie", cast=("A B",))


@pytest.mark.parametrize("values", [{"title": "\x00"}, {"title": "x", "cast": ["\ud800"]}])
def test_texts_that_are_none(values: dict[str, object]) -> None:
    """Control characters alone, or half of a surrogate pair, are reported by field."""
    with pytest.raises(InvalidInput) as error:
        film({"id": 1, **values})
    assert list(error.value.fields) == [list(values)[-1]]


def test_films_as_json_lines() -> None:
    """One object, over as many lines as it likes, or one a line; the last of an id counts."""
    one = {"id": 1, "title": "One"}
    assert films_of(json.dumps(one, indent=2).encode()) == [Movie(id=1, title="One")]
    lines = f'{json.dumps(one)}\n\n{{"id": 2, "title": "Two"}}\n{{"id": 1, "title": "New"}}\n'
    assert {m.id: m.title for m in films_of(lines.encode())} == {1: "New", 2: "Two"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no film given"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{", "line 1 is not JSON"),
        (b'{"id": 1, "title": "x"}\n{"id": 2}', "line 2: title: is missing"),
        (b'{"id": 1, "title": "x"}\n7', "line 2 is not a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"id": ' + b"9" * 5000 + b"}", "the input has a number of more than 4,300 digits"),
        (
            b'{"id": 1, "title": "x"}\n{"id": ' + b"9" * 5000 + b"}",
            "line 2 has a number of more than 4,300 digits",
        ),
        (b'{"id": 1, "title": "x"}\n' + b"[" * 100_000, "line 2 is nested too deeply"),
    ],
)
def test_input_that_is_not_a_film(content: bytes, message: str) -> None:
    """What cannot be read is reported with its line."""
    with pytest.raises(InvalidInput, match=message):
        films_of(content)


def test_changed_generations_rank_like_built_ones(data: Path, tmp_path: Path) -> None:
    """The semantic scores after changes are those of a build of the same films, to the bit."""
    films = [*FILMS[20:], *(m.model_copy(update={"year": 1951}) for m in FILMS[:10]), NEW]
    for start in range(0, 160, 40):
        change(data, match_source(of_source(films[start : start + 40]), False, True), tools())
    follow_films(data, films)
    build_stores(tmp_path / "fresh", films)
    ids = np.array(sorted(movie.id for movie in films), np.int64)
    answers = []
    for folder in (data, tmp_path / "fresh"):
        search = open_stores(open_current(folder))
        candidates = [search.retrieve(query) for query in map(as_query, corpus.queries(20))]
        answers.append(
            [
                search.engines.semantic.score(c.query_vector, ids).tolist()
                for c in candidates
                if c.query_vector
            ]
        )
        search.close()
    assert np.array_equal(answers[0], answers[1], equal_nan=True)


def as_query(text: str) -> SearchQuery:
    """Return a query of this text."""
    return SearchQuery(query=text)
