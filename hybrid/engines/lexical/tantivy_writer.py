"""The embedded keyword engine: BM25 by Tantivy in a folder of the generation, no server needed."""

import errno
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import tantivy

from hybrid.engines.lexical.film_keys import film_keys
from hybrid.engines.lexical.tantivy import (
    ANALYSIS,
    ANALYZER,
    NUMBER_TYPES,
    REPEATS,
    TANTIVY_FOLDER,
    schema,
)
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.errors import BuildFailed
from hybrid.movie import Movie, content_number, keyword_text
from hybrid.query_language.film_words import WORD_FIELDS, FilmWords
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical
from hybrid.storage.scratch import remove_leftovers, scratch_folder
from hybrid.text.analysis import analyzer

WRITER_BYTES = 256_000_000

CHANGE_BYTES = 16_000_000
"""Room that a change needs beside that for two copies of the index."""


class TantivyWriter:
    """Writes one generation's index into a folder of its own."""

    def __init__(self, generation: Path) -> None:
        self.folder = generation / TANTIVY_FOLDER
        self._previous: Previous | None = None

    def prepare(self, previous: Previous | None) -> None:
        """Create the folder; that of `previous` is shared when it is written."""
        self._previous = previous
        if previous is None:
            self.folder.mkdir()

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Add or replace `movies` and remove `gone` in one commit.

        Raises BuildFailed if it cannot be written, or if there are not `total` films afterwards.
        """
        try:
            if self._previous:
                films = tuple(movies)
                outdated = [*gone, *(movie.id for movie in films)]
                count = self._change(self._previous.generation, films, outdated)
            else:
                count = self._commit(self.folder, movies, ())
        except ValueError as error:  # all that tantivy raises
            full = os.strerror(errno.ENOSPC) if "StorageFull" in str(error) else None
            raise BuildFailed(f"{self.folder} cannot be written: {full or error}") from error
        if count != total:
            raise BuildFailed(f"{total} films should be in {self.folder}, {count} are there")
        return Lexical(engine="embedded", index=TANTIVY_FOLDER, analysis=ANALYSIS)

    def discard(self) -> None:
        """Do nothing: the index is in the folder of its generation."""

    def tidy(self, _: Collection[str], /) -> list[str]:
        """Do nothing: an index is removed with the folder of its generation."""
        return []

    def check_index(self, generation: Generation) -> None:
        """Do nothing: the files of the index are in the manifest."""

    def _change(
        self, generation: Generation, movies: Collection[Movie], outdated: Collection[int]
    ) -> int:
        """Write an index that shares the files of a generation; return its number of films.

        Tantivy replaces files, it never changes one. It syncs each file by itself, some thirty for
        one film, which all other files of a generation are together: so it writes into a scratch
        folder of links.
        """
        before, place = generation.file(TANTIVY_FOLDER), generation.folder.parent.stat()
        prefix = f"hybrid-{place.st_dev}-{place.st_ino}-"
        remove_leftovers(prefix)
        size = sum(file.stat().st_size for file in before.iterdir())
        scratch = scratch_folder(prefix, 2 * size + CHANGE_BYTES)
        try:
            for file in _files(before):
                (scratch / file.name).symlink_to(file.absolute())
            count = self._commit(scratch, movies, outdated)
            self.folder.mkdir()
            for file in _files(scratch):
                if file.is_symlink():
                    (self.folder / file.name).hardlink_to(before / file.name)
                else:
                    shutil.copyfile(file, self.folder / file.name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return count

    def _commit(self, folder: Path, movies: Iterable[Movie], outdated: Collection[int]) -> int:
        index = tantivy.Index(schema(), str(folder))
        index.register_tokenizer(ANALYZER, analyzer())
        # Not as a context manager: that would commit even after an exception.
        writer = index.writer(WRITER_BYTES, num_threads=1)
        for film in outdated:
            writer.delete_documents_by_term("id", film)
        for movie in movies:
            writer.add_document(_document(movie))
        writer.commit()
        writer.wait_merging_threads()
        # Let everyone who may read the folder read the two files that Tantivy restricts.
        for name in ("meta.json", ".managed.json"):
            (folder / name).chmod(folder.stat().st_mode & 0o666)
        index.reload()
        count: int = index.searcher().num_docs
        return count


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if not file.name.endswith(".lock"))


def _document(movie: Movie) -> tantivy.Document:
    """Return the film with its text repeated.

    Text repeated r times has r times the frequencies and the length, and so has the average:
    r tf / (r tf + k1 norm) is tf / (tf + (k1 / r) norm), BM25 with k1 / r.
    """
    document = tantivy.Document()
    document.add_integer("id", movie.id)
    document.add_integer("content", content_number(movie))
    for _ in range(REPEATS):
        document.add_text("text", keyword_text(movie))
    for number_field, kind in NUMBER_TYPES.items():
        if (number := getattr(movie, number_field)) is not None:
            integer = kind == tantivy.FieldType.Integer
            add = document.add_integer if integer else document.add_float
            add(number_field, number)
    for key_field, keys in film_keys(movie).items():
        for key in keys:
            document.add_text(key_field, key)
    words = FilmWords.of(movie)
    for name, field in WORD_FIELDS.items():
        document.add_text(field, words.of_field(name))
    return document
