"""Stores that do not agree are named, film by film, and written again from the catalogue."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock
from time import sleep
from unittest.mock import patch
from zlib import crc32

import faiss
import numpy as np
import pytest
from click.testing import CliRunner

from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.protocols import LexicalEngine
from hybrid.engines.semantic.ivfpq import read_index, write_index
from hybrid.errors import EngineUnavailable, GenerationUnusable
from hybrid.movie import Movie
from hybrid.retrieval.suggestion_index import SuggestionIndex
from hybrid.retrieval.title_index import TitleIndex
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import (
    CATALOGUE,
    COLUMNS,
    DELTA,
    DELTA_VECTORS,
    FAISS_INDEX,
    MANIFEST,
    SUGGESTIONS,
    TITLES,
    CurrentEntry,
    Generation,
    open_current,
    open_described,
    published,
)
from hybrid.vectors import Vectors
from indexer.cli import main
from indexer.embedding.cache import CACHE
from indexer.generations.publish import file_digests, write_current
from indexer.group_commit import PAUSE
from indexer.repair import repair
from indexer.update import change, upsert
from indexer.verify import _named, _of_encoder, _Opened, verify
from tests import corpus
from tests.fakes import HashingEncoder
from tests.stores import build_stores, put, tools
from tests.stores_agree import assert_holds

FILMS = corpus.films(150)
NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of two generations, the second a change."""
    data = tmp_path_factory.mktemp("verify") / "data"
    build_stores(data, FILMS)
    put(data, NEW)
    return data


def findings(data: Path, full: bool = False) -> dict[str, tuple[str, ...]]:
    """Return what is wrong, by what was looked at."""
    return {c.name: c.findings for c in verify(data, tools(), full).checks if c.findings}


def current(data: Path) -> Generation:
    """Return the published generation, however damaged."""
    return open_described(data, published(data)[0])


def seal(data: Path) -> None:
    """Make the manifest say of the files what they are now, as if they had been written so."""
    generation = current(data)
    (generation.folder / MANIFEST).unlink()
    manifest = generation.manifest.model_copy(update={"files": file_digests(generation.folder, {})})
    text = manifest.model_dump_json().encode()
    (generation.folder / MANIFEST).write_bytes(text)
    lines = [CurrentEntry(manifest.name, hashlib.sha256(text).hexdigest()), *published(data)[1:]]
    write_current(data, lines)


def test_nothing_is_wrong(data: Path) -> None:
    """A generation as it was published is clean, by sample and in full."""
    for full in (False, True):
        verified = verify(data, tools(), full)
        assert verified.clean
        assert [check.name for check in verified.checks] == [
            "files",
            "catalogue",
            "titles",
            "keyword",
            "vectors",
            "encoder",
            "index",
        ]


def without_a_film(generation: Generation) -> None:
    """Take a film out of the keyword index, and put another in."""
    shutil.copytree(generation.file("tantivy"), generation.folder / "new")
    shutil.rmtree(generation.file("tantivy"))
    (generation.folder / "new").rename(generation.file("tantivy"))
    stranger = Movie(id=7777, title="Stranger")
    renamed = FILMS[1].model_copy(update={"title": "Renamed"})
    TantivyWriter(generation.folder)._commit(
        generation.file("tantivy"), [stranger, renamed], [FILMS[0].id, renamed.id]
    )


def without_a_label(generation: Generation) -> None:
    """Take a film out of the FAISS index."""
    index = read_index(generation.file(FAISS_INDEX))
    index.remove_ids(faiss.IDSelectorBatch(np.array([FILMS[1].id], np.int64)))
    write_index(index, generation.file(FAISS_INDEX))


def with_other_vectors(generation: Generation) -> None:
    """Make the vectors of the first piece those of other sentences."""
    vectors = np.load(generation.file("vectors-0.npy"))
    np.save(generation.file("vectors-0.npy"), np.roll(vectors, 7, axis=0))


def with_turned_vectors(generation: Generation) -> None:
    """Turn the vectors of the first piece by a little, as another version of a model might: the
    cosine with what they were is .995."""
    vectors = np.load(generation.file("vectors-0.npy"))
    other = np.roll(vectors, 1, axis=1)
    other -= (other * vectors).sum(axis=1, keepdims=True) * vectors
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    turned = 0.995 * vectors + np.sqrt(1 - 0.995**2) * other
    np.save(generation.file("vectors-0.npy"), turned.astype(np.float32))


def with_other_content(generation: Generation) -> None:
    """Change a film behind the catalogue's back."""
    with sqlite3.connect(generation.file(CATALOGUE)) as connection:
        connection.execute(
            "UPDATE documents SET film = json_set(film, '$.title', 'Else') WHERE id = ?",
            (FILMS[0].id,),
        )
    connection.close()


def with_another_year(generation: Generation) -> None:
    """Let a film be found by another year than it has."""
    with sqlite3.connect(generation.file(CATALOGUE)) as connection:
        connection.execute("UPDATE movies SET year = 1900 WHERE id = ?", (FILMS[3].id,))
    connection.close()


def with_other_words(generation: Generation) -> None:
    """Index a film under other words than it has, and say that they are its own."""
    for file in generation.file("tantivy").iterdir():
        shutil.copy(file, generation.folder / "copy")
        (generation.folder / "copy").replace(file)
    with patch("hybrid.engines.lexical.tantivy_writer.keyword_text", lambda _: "nonsense"):
        TantivyWriter(generation.folder)._commit(
            generation.file("tantivy"), [FILMS[4]], [FILMS[4].id]
        )


def without_a_document(generation: Generation) -> None:
    """Take away what is shown of a film."""
    with sqlite3.connect(generation.file(CATALOGUE)) as connection:
        connection.execute("DELETE FROM documents WHERE id = ?", (FILMS[2].id,))
    connection.close()


def with_other_suggestions(generation: Generation) -> None:
    """Let nothing of the base be suggested."""
    file = generation.file(SUGGESTIONS)
    file.unlink()
    SuggestionIndex.of().write(file)


@pytest.mark.parametrize(
    ("damage", "name", "expected"),
    [
        (with_other_suggestions, "titles", "the suggestions of its base are not those of its"),
        (without_a_film, "keyword", f"1 films are missing: {FILMS[0].id}"),
        (without_a_film, "keyword", "1 films are there that the catalogue does not have: 7777"),
        (without_a_film, "keyword", f"1 films have other content: {FILMS[1].id}"),
        (without_a_label, "index", f"1 films lack sentences: {FILMS[1].id}"),
        (with_other_vectors, "vectors", "films have other vectors: "),
        (with_turned_vectors, "vectors", "films have other vectors: "),
        (with_other_content, "catalogue", f"have another content than was hashed: {FILMS[0].id}"),
        (
            with_another_year,
            "catalogue",
            f"by other values, than their document has: {FILMS[3].id}",
        ),
        (with_other_words, "keyword", f"by the words of their titles: {FILMS[4].id}"),
        (without_a_document, "catalogue", f"1 films have no document: {FILMS[2].id}"),
    ],
)
def test_what_differs_is_named(
    data: Path, damage: Callable[[Generation], None], name: str, expected: str
) -> None:
    """A store that was written wrongly is found although its files are as they were written."""
    damage(current(data))
    seal(data)
    found = findings(data)
    assert "files" not in found
    assert any(expected in finding for finding in found.get(name, ())), found


@pytest.mark.parametrize("damage", [without_a_film, without_a_label, with_other_vectors])
def test_what_differs_is_repaired(data: Path, damage: Callable[[Generation], None]) -> None:
    """Both engines are written again from the catalogue, the vectors from its sentences."""
    damage(current(data))
    seal(data)
    repair(data, tools(), embed_again=damage is with_other_vectors)
    assert findings(data, full=True) == {}
    assert_holds(open_current(data), [*FILMS, NEW])
    put(data, FILMS[0].model_copy(update={"title": "Renamed"}))
    assert findings(data, full=True) == {}


def test_wrong_vectors_of_the_cache_are_embedded_again(data: Path) -> None:
    """A cache that holds other vectors than the model gives is repaired with all from it."""
    with closing(sqlite3.connect(data / CACHE)) as cache, cache:
        keys, vectors = zip(*cache.execute("SELECT key, vector FROM sentences"), strict=True)
        wrong = [(vectors[0], crc32(key + vectors[0]), key) for key in keys]
        cache.executemany("UPDATE sentences SET vector = ?, crc = ? WHERE key = ?", wrong)
    build_stores(data, FILMS)
    found = verify(data, tools())
    assert found.wrong_vectors
    repair(data, tools(), found.wrong_vectors)
    assert verify(data, tools(), full=True).clean
    put(data, NEW)
    build_stores(data, FILMS)
    assert verify(data, tools(), full=True).clean


def test_a_damaged_cache_is_not_believed(data: Path) -> None:
    """A vector that is not as it was kept is embedded again."""
    with closing(sqlite3.connect(data / CACHE)) as cache, cache:
        cache.execute("UPDATE sentences SET vector = zeroblob(length(vector))")
    build_stores(data, FILMS)
    assert verify(data, tools(), full=True).clean


def test_verify_beside_a_writer(data: Path) -> None:
    """Changes go on while it looks, and none of them is taken for a fault."""
    done, behind = Event(), Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            patient = replace(tools(), patience=30.0)
            change(data, upsert([NEW.model_copy(update={"title": f"{number}"})]), patient)
            behind.set()
            sleep(PAUSE)  # as a service does

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        found = []
        for _ in range(5):
            behind.clear()
            assert behind.wait(60)
            found.append(verify(data, tools(), full=True))
        done.set()
        writing.result(60)
    assert [verified.checks for verified in found if not verified.clean] == []


@pytest.mark.parametrize(
    ("measured", "now", "expected"),
    [(1.0, 0.9899, True), (1.0, 0.9901, False), (0.95, 0.9399, True), (0.95, 0.9401, False)],
)
def test_recall_that_was_lost_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, measured: float, now: float, expected: bool
) -> None:
    """An index that finds less than .99, and a hundredth less than when it was measured, is a
    finding."""
    monkeypatch.setattr("indexer.semantic_index.update.MEASURED_EVERY", 0.0)
    monkeypatch.setattr("indexer.merge.LEAST", 0)
    monkeypatch.setattr("indexer.merge.SHARE", 0.0)
    with monkeypatch.context() as measuring:
        measuring.setattr("indexer.semantic_index.update.LEAST_RECALL", 0.0)
        measuring.setattr(
            "indexer.semantic_index.update.RecallProbes.recall_at_10", lambda *_: measured
        )
        put(data, NEW.model_copy(update={"title": "Measured"}))
    assert current(data).manifest.semantic.recall_at_10 == measured
    monkeypatch.setattr("indexer.verify.RecallProbes.recall_at_10", lambda *_: now)
    found = findings(data).get("index", ())
    assert [f"recall@10 is {now:.4f}" in finding for finding in found] == [True] * expected


def test_the_exit_code_tells(data: Path) -> None:
    """0 for a clean index and a repaired one, 1 for one that is wrong."""
    command = ["verify", "--data", str(data)]
    with patch("indexer.backends.backends_for", lambda _: tools()):
        assert CliRunner().invoke(main, command).exit_code == 0
        without_a_film(current(data))
        seal(data)
        wrong = CliRunner().invoke(main, command)
        assert (wrong.exit_code, f"missing: {FILMS[0].id}" in wrong.output) == (1, True)
        repaired = CliRunner().invoke(main, [*command, "--repair"])
        assert (repaired.exit_code, "Repaired" in repaired.output) == (0, True)
        assert CliRunner().invoke(main, command).exit_code == 0


def files_of(name: str, data: Path) -> Path:
    """Return the largest file of the published generation whose name begins like this."""
    folder = current(data).folder
    found = [p for p in folder.rglob("*") if p.relative_to(folder).as_posix().startswith(name)]
    return max((p for p in found if p.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize(
    "name",
    [FAISS_INDEX, "vectors-0", DELTA_VECTORS, COLUMNS, TITLES, SUGGESTIONS, "tantivy/", "rejects"],
)
def test_a_damaged_file_is_named_and_replaced(data: Path, name: str) -> None:
    """Whatever can be made again from the catalogue is."""
    file = files_of(name, data)
    file.write_bytes(file.read_bytes()[:-1] + b"?" if file.stat().st_size else b"?")
    assert file.name in findings(data)["files"][0]
    repair(data, tools(), embed_again=False)
    assert findings(data, full=True) == {}
    assert_holds(open_current(data), [*FILMS, NEW])


@pytest.mark.parametrize("name", [CATALOGUE, DELTA, "encoder/"])
def test_what_cannot_be_made_again_is_told(data: Path, name: str) -> None:
    """Without its catalogue or its model a generation is lost; the remedy is reported."""
    file = files_of(name, data)
    file.unlink()
    assert file.name in findings(data)["files"][0]
    with pytest.raises(GenerationUnusable, match="rollback"):
        repair(data, tools(), embed_again=False)


ALL = ("catalogue", "titles", "keyword", "vectors", "encoder", "index")


def test_the_report_says_what_was_looked_at(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many films, and how many of them in full; a larger index is sampled unless it is not."""
    generation = current(data)
    covers = {check.name: check.covers for check in verify(data, tools()).checks}
    assert covers == {
        "files": f"{len(generation.manifest.files)} files by size and SHA-256",
        "catalogue": "ids of 151 films, content of 151",
        "titles": "titles of 151 films",
        "keyword": "ids and content of 151 films",
        "vectors": "sentences of 151 films, embedded again",
        "encoder": "queries in float32",
        "index": "sentences of 151 films, recall by 200 queries",
    }
    monkeypatch.setattr("indexer.verify.SAMPLE", 10)
    for full, sample in ((False, 10), (True, 151)):
        report = verify(data, tools(), full)
        covers = {check.name: check.covers for check in report.checks}
        assert covers["catalogue"] == f"ids of 151 films, content of {sample}"
        assert covers["vectors"] == f"sentences of {sample} films, embedded again"
        assert report.clean
        assert not report.wrong_vectors
        assert report.generation == generation.manifest.name
        assert not any(check.skipped for check in report.checks)


@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        (CATALOGUE, ALL),
        (DELTA, ALL),
        (COLUMNS, ALL),
        (TITLES, ("titles",)),
        (SUGGESTIONS, ("titles",)),
        ("tantivy/", ("keyword",)),
        ("vectors-0", ("vectors", "index")),
        (DELTA_VECTORS, ("vectors", "index")),
        (FAISS_INDEX, ("index",)),
        ("encoder/", ("vectors", "encoder")),
        ("rejects", ()),
    ],
)
def test_what_needs_a_damaged_file_is_skipped(
    data: Path, name: str, skipped: tuple[str, ...]
) -> None:
    """And says why; everything else is looked at, and is clean."""
    files_of(name, data).unlink()
    checks = verify(data, tools()).checks
    assert tuple(check.name for check in checks) == ("files", *ALL)
    assert tuple(check.name for check in checks if check.skipped) == skipped
    why = "the catalogue is damaged" if skipped == ALL else "its files are damaged"
    assert {(check.covers, check.findings) for check in checks if check.skipped} <= {(why, ())}
    assert [check.name for check in checks if check.findings] == ["files"]


def test_a_finding_names_some_films() -> None:
    """The five of the lowest ids."""
    assert list(_named("are missing", [])) == []
    assert list(_named("are missing", {9})) == ["1 films are missing: 9"]
    assert list(_named("are missing", range(5, 0, -1))) == ["5 films are missing: 1, 2, 3, 4, 5"]
    many = list(_named("are missing", range(1200)))
    assert many == ["1,200 films are missing: 0, 1, 2, 3, 4, ..."]


@pytest.mark.parametrize(("cosine", "expected"), [(0.951, 0), (0.949, 200)])
def test_queries_in_another_precision(
    data: Path, monkeypatch: pytest.MonkeyPatch, cosine: float, expected: int
) -> None:
    """They are compared with the original model on sentences of the films, 200 at most."""

    class Turned(HashingEncoder):
        """An encoder whose vectors have this cosine with what they were."""

        def encode(self, texts: Sequence[str]) -> Vectors:
            """Return float32 (len(texts), dimension)."""
            vectors = super().encode(texts)
            other = np.roll(vectors, 1, axis=1)
            other -= (other * vectors).sum(axis=1, keepdims=True) * vectors
            other /= np.linalg.norm(other, axis=1, keepdims=True)
            turned: Vectors = cosine * vectors + np.sqrt(1 - cosine**2).astype(np.float32) * other
            return turned

    generation = current(data)
    queries = generation.manifest.model.queries.model_copy(update={"precision": "int8"})
    model = generation.manifest.model.model_copy(update={"queries": queries})
    manifest = generation.manifest.model_copy(update={"model": model})
    monkeypatch.setattr("indexer.verify.open_query_encoder", lambda _: Turned())
    monkeypatch.setattr("indexer.verify.open_original_encoder", lambda _: HashingEncoder())
    with closing(Catalogue(generation.folder)) as catalogue:
        rows = np.arange(len(catalogue))
        for of, number in ((manifest, expected), (generation.manifest, 0)):
            opened = _Opened(Generation(generation.folder, of), catalogue, tools(), rows)
            found = list(_of_encoder(opened))
            assert len(found) == (number > 0)
            if found:
                assert f"int8 gives {number} of 200 sentences" in found[0]
                assert f"cosine {cosine:.4f}" in found[0]


def without_the_first_titles(generation: Generation) -> None:
    """Let films of the base be found by other titles than they have."""
    file = generation.file(TITLES)
    file.unlink()
    TitleIndex.of([(0, "Else")], np.zeros(1, np.int32)).write(file)


def test_titles_of_other_films_are_named(data: Path) -> None:
    """And nothing else is."""
    without_the_first_titles(current(data))
    seal(data)
    assert findings(data) == {"titles": ("the titles of its base are not those of its films",)}


def test_a_base_of_other_films_is_named(data: Path) -> None:
    """Than the manifest says."""
    generation = current(data)
    manifest = generation.manifest.model_copy(update={"ids_sha256": "0" * 64})
    with patch("indexer.verify.open_described", lambda *_: Generation(generation.folder, manifest)):
        found = findings(data)
    assert found == {"catalogue": ("the films of its base are not those of the manifest",)}


def test_an_engine_that_does_not_answer_is_a_finding(data: Path) -> None:
    """What else can be looked at is."""

    def away(_: Generation) -> LexicalEngine:
        raise EngineUnavailable("the keyword engine is away")

    backends = replace(tools(), lexical_of=away)
    checks = verify(data, backends).checks
    assert {c.name: c.findings for c in checks if c.findings} == {
        "keyword": ("the keyword engine is away",)
    }


def test_numbers_of_sentences_are_compared(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in memory with those of the catalogue."""
    counts = Catalogue.sentence_counts
    monkeypatch.setattr(Catalogue, "sentence_counts", lambda self: counts(self) + 1)
    assert findings(data) == {"catalogue": ("its columns are not those of its films",)}


def test_others_write_while_sentences_are_embedded(data: Path) -> None:
    """That takes long; everything that has to be open by then is, and is closed in the end."""
    written: list[str] = []
    lock = Lock()  # several sentences are embedded at once

    class Writing(HashingEncoder):
        """An encoder beside which others write."""

        def encode(self, texts: Sequence[str]) -> Vectors:
            """Return float32 (len(texts), dimension)."""
            with lock:
                if not written:
                    renamed = NEW.model_copy(update={"title": "Else"})
                    written.append(put(data, renamed).manifest.name)
            return super().encode(texts)

    before = current(data).manifest.name
    opened = set(Path("/proc/self/fd").iterdir())
    report = verify(data, replace(tools(), encoder_of=lambda _: Writing()))
    assert report.clean
    assert (report.generation, written) == (before, [current(data).manifest.name])
    assert not [fd for fd in set(Path("/proc/self/fd").iterdir()) - opened if is_catalogue(fd)]


def is_catalogue(descriptor: Path) -> bool:
    """Whether an open file is a catalogue."""
    return descriptor.is_symlink() and descriptor.readlink().name == CATALOGUE
