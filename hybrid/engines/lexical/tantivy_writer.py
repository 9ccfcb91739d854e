"""The embedded keyword engine: BM25 by Tantivy in a folder of the generation, no server needed."""

import errno
import os
from collections.abc import Collection
from pathlib import Path

import tantivy

from hybrid.engines.lexical.tantivy import ANALYSIS, ANALYZER, REPEATS, TANTIVY_FOLDER, schema
from hybrid.errors import BuildFailed
from hybrid.movie import Movie, content_number, genre_keys, keyword_text
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical
from hybrid.text.analysis import analyzer

WRITER_BYTES = 256_000_000


class TantivyWriter:
    """Writes one generation's index into a folder of its own."""

    def __init__(self, generation: Path) -> None:
        self.folder = generation / TANTIVY_FOLDER

    def manifest(self) -> Lexical:
        """Return what the manifest records."""
        return Lexical(engine="embedded", index=TANTIVY_FOLDER, analysis=ANALYSIS)

    def create(self) -> None:
        """Make the folder."""
        self.folder.mkdir()

    def write(self, movies: Collection[Movie]) -> None:
        """Write every film in one commit. Raises BuildFailed if one is missing."""
        self._write(movies, (), len(movies))

    def check_base(self, base: Generation) -> None:
        """Nothing: the manifest tells of every file."""

    def mend(self, base: Generation, catalogue: Catalogue) -> None:
        """Nothing: a generation's own folder holds what was published, or goes with it."""

    def take_over(self, base: Generation) -> None:
        """Share the files of the generation before: Tantivy replaces files, it changes none."""
        self.folder.mkdir()
        for file in base.file(TANTIVY_FOLDER).iterdir():
            if not file.name.endswith(".lock"):
                (self.folder / file.name).hardlink_to(file)

    def change(self, movies: Collection[Movie], gone: Collection[int], films: int) -> None:
        """Replace or add `movies` and remove `gone` in one commit.

        Raises BuildFailed if there are not as many `films` afterwards.
        """
        self._write(movies, [*gone, *(movie.id for movie in movies)], films)

    def _write(self, movies: Collection[Movie], outdated: Collection[int], films: int) -> None:
        try:
            found = self._commit(movies, outdated)
        except ValueError as error:  # all that tantivy raises
            full = os.strerror(errno.ENOSPC) if "StorageFull" in str(error) else None
            raise BuildFailed(f"{self.folder} cannot be written: {full or error}") from error
        if found != films:
            raise BuildFailed(f"{films} films should be in {self.folder}, {found} are there")

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
        found: int = index.searcher().num_docs
        return found

    def _open_to_readers(self) -> None:
        """Let all read the index who may read its folder: two files Tantivy keeps to its user."""
        for name in ("meta.json", ".managed.json"):
            (self.folder / name).chmod(self.folder.stat().st_mode & 0o666)

    def discard(self) -> None:
        """Nothing: the folder goes with its generation."""

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Nothing: so do those of outdated generations."""
        return []


def _document(movie: Movie) -> tantivy.Document:
    """Return the film with its text said over and over.

    Text said r times has r times the frequencies and the length, and so has the average:
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
    return document
