"""A generation while it is written: published in one step, or removed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from hybrid.engines.lexical.writer_protocol import LexicalWriter, Previous
from hybrid.engines.semantic.encoder import MEAN_FILE, MODEL_FILES, WEIGHTS_SUFFIX, folder_of
from hybrid.errors import BuildFailed, EngineUnavailable, GenerationUnusable
from hybrid.settings import Precision
from hybrid.storage import durable
from hybrid.storage.generation import (
    CURRENT,
    DELTA,
    GENERATIONS,
    UNFINISHED,
    CurrentEntry,
    Generation,
    base_files,
    number_of,
    published,
)
from hybrid.storage.manifest import Manifest
from indexer.generations.cleanup import FOLDER_NAME, tidy
from indexer.generations.lock import deployment_id
from indexer.generations.publish import Digests, file_digests, publish
from indexer.generations.smoke_test import probe


@dataclass(frozen=True)
class Draft:
    """A generation that is being written: its data folder, its own, and its keyword writer."""

    data: Path
    folder: Path
    writer: LexicalWriter

    @property
    def name(self) -> str:
        """The name of the generation once it is published."""
        return self.folder.name.removesuffix(UNFINISHED)

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name

    def link(self, generation: Generation, name: str) -> None:
        """Share a file, or every file of a folder, with a published generation."""
        _link(generation.file(name), self.file(name))

    def share(self, generation: Generation, name: str) -> None:
        """Share a file with a published generation, if that has it."""
        if name in generation.manifest.files:
            self.link(generation, name)

    def share_base(self, generation: Generation) -> None:
        """Share the base of a published generation, and copy its delta, to be changed."""
        for name in base_files(generation.manifest.pieces):
            self.share(generation, name)
        shutil.copyfile(generation.file(DELTA), self.file(DELTA))

    def share_model(
        self, generation: Generation, number: int, precision: Precision, shared_as: int
    ) -> bool:
        """Share the model of this number of a published generation as the one `shared_as`, as far
        as queries need it in this precision, without its mean.

        Returns False, and shares nothing, if it has to be exported for it.
        """
        other = generation.manifest.model.queries.precision
        if precision not in (other, "float32"):
            return False
        left_out = {MEAN_FILE}
        if precision != other:
            left_out |= {MODEL_FILES[other], MODEL_FILES[other] + WEIGHTS_SUFFIX}
        target = self.file(folder_of(shared_as))
        target.mkdir()
        for path in generation.file(folder_of(number)).iterdir():
            if path.is_file() and path.name not in left_out:
                (target / path.name).hardlink_to(path)
        return True

    def commit(
        self, manifest: Manifest, known: Digests, instead: CurrentEntry | None = None
    ) -> Generation:
        """Publish the generation, `instead` of one of the same films if there is one, with the
        digests of its files in the manifest.

        Files whose digests are `known` are not read. Raises BuildFailed if the stores disagree,
        NotDurable if it is published but a power cut may undo that, OSError if it is not.
        """
        digests = file_digests(self.folder, known)
        manifest = manifest.model_copy(update={"files": digests})
        probe(Generation(self.folder, manifest))
        return Generation(publish(self.data, self.folder, manifest, instead), manifest)

    def tidy(self) -> list[str]:
        """Remove what the published generations do not need; return warnings."""
        return tidy(self.data, self.writer)


@contextmanager
def draft_generation(
    data: Path, writer_in: Callable[[Path, str], LexicalWriter], previous: Previous | None = None
) -> Iterator[Draft]:
    """Give a draft, to be committed inside; whatever stops that before removes all it wrote.

    `writer_in` takes the draft's folder and the name of the deployment. The draft starts empty, or
    from `previous`. The caller holds the lock. Raises EngineUnavailable, or BuildFailed if the
    keyword index of `previous` is not the one that was written.
    """
    deployment = deployment_id(data)
    folder = _create_folder(data)
    draft = Draft(data, folder, writer_in(folder, deployment))
    try:
        # First, so that an engine that is away, or another's index, costs no embedding.
        draft.writer.prepare(previous)
        yield draft
    except BaseException:
        # What stops us after the commit must not undo it.
        if not _may_be_published(draft):
            _remove(draft)
        raise


def _create_folder(data: Path) -> Path:
    """Create the folder of a draft, `<n>-<uuid>.unfinished`, with n above all others."""
    durable.make_folder(data / GENERATIONS)
    names = [folder.name for folder in (data / GENERATIONS).glob("*")]
    numbers = [number_of(name) for name in names if FOLDER_NAME.fullmatch(name)]
    name = f"{max(numbers, default=0) + 1}-{uuid4().hex[:12]}"
    folder = data / GENERATIONS / f"{name}{UNFINISHED}"
    folder.mkdir()
    return folder


def _may_be_published(draft: Draft) -> bool:
    """Whether CURRENT names the draft or, if CURRENT cannot be read, was about to."""
    try:
        return any(line.name == draft.name for line in published(draft.data))
    except GenerationUnusable:
        final = draft.folder.with_name(draft.name)
        return (draft.data / CURRENT).exists() and final.exists()


def _remove(draft: Draft) -> None:
    shutil.rmtree(draft.folder, ignore_errors=True)
    shutil.rmtree(draft.folder.with_name(draft.name), ignore_errors=True)
    # What cannot be undone now is undone by the next writer.
    with suppress(BuildFailed, EngineUnavailable):
        draft.writer.discard()


def _link(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir()
        for file in source.iterdir():
            _link(file, target / file.name)
    else:
        target.hardlink_to(source)
