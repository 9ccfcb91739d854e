"""The embedded keyword engine: BM25 by Tantivy in a folder of the generation, no server needed."""

import errno
import os
from collections.abc import Collection
from pathlib import Path

import tantivy

from hybrid.engines.lexical.tantivy import ANALYSIS, ANALYZER, REPEATS, TANTIVY_FOLDER, schema
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.errors import BuildFailed
from hybrid.movie import Movie, content_number, genre_keys, keyword_text
from hybrid.query_language.film_words import WORD_FIELDS, FilmWords
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical
from hybrid.text.analysis import analyzer

WRITER_BYTES = 256_000_000


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

    def write(self, movies: Collection[Movie], gone: Collection[int], total: int) -> Lexical:
        """Add or replace `movies` and remove `gone` in one commit.

        Raises BuildFailed if it cannot be written, or if there are not `total` films afterwards.
        """
        outdated: Collection[int] = ()
        if self._previous:
            self._link_files(self._previous.generation)
            outdated = [*gone, *(movie.id for movie in movies)]
        try:
            count = self._commit(movies, outdated)
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

    def _link_files(self, generation: Generation) -> None:
        """Share the files of a generation: Tantivy replaces files, it never changes one."""
        self.folder.mkdir()
        for file in generation.file(TANTIVY_FOLDER).iterdir():
            if not file.name.endswith(".lock"):
                (self.folder / file.name).hardlink_to(file)

    def _commit(self, movies: Collection[Movie], outdated: Collection[int]) -> int:
        index = tantivy.Index(schema(), str(self.folder))
        index.register_tokenizer(ANALYZER, analyzer())
        # Not as a context manager: that would commit even after an exception.
        writer = index.writer(WRITER_BYTES, num_threads=1)
        for film in outdated:
            writer.delete_documents_by_term("id", film)
        for movie in movies:
            writer.add_document(_document(movie))
        writer.commit()
        writer.wait_merging_threads()
        self._open_to_readers()
        index.reload()
        count: int = index.searcher().num_docs
        return count

    def _open_to_readers(self) -> None:
        """Let everyone who may read the folder read the two files that Tantivy restricts."""
        for name in ("meta.json", ".managed.json"):
            (self.folder / name).chmod(self.folder.stat().st_mode & 0o666)


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
    if movie.year is not None:
        document.add_integer("year", movie.year)
    for key in genre_keys(movie):
        document.add_text("genre", key)
    words = FilmWords.of(movie)
    for name, field in WORD_FIELDS.items():
        document.add_text(field, words.of_field(name))
    return document
