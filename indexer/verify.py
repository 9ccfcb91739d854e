"""Whether the stores of the published generation hold the same films, and what does not agree."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.factory import open_sentences
from hybrid.engines.lexical import tantivy
from hybrid.engines.protocols import LexicalEngine
from hybrid.engines.semantic import encoder
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import IvfPqEngine, read_index
from hybrid.errors import HybridError
from hybrid.movie import Movie, content_hash
from hybrid.ranking import Ids
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_schema import found_by
from hybrid.storage.generation import (
    FAISS_INDEX,
    Generation,
    damaged_files,
    open_described,
    published,
)
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.text.analysis import analyze
from indexer.backends import Backends
from indexer.embedding.embed import ExportedModel
from indexer.films.sentences import sentence_texts
from indexer.generations import lock as publish
from indexer.semantic_index.recall import RecallProbes
from indexer.semantic_index.update import LEAST_RECALL

SAMPLE = 200
"""Films whose content is hashed and whose sentences are embedded again, unless all are."""

SAME_COSINE = 0.999
"""Between a sentence's stored vector and the one that the model gives it now, at least."""

LOST_RECALL = 0.01
"""So much less than was measured is a finding."""

SHOWN = 5
"""Ids that a finding names."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, or `skipped`: what it covers, and what is wrong with it."""

    name: str
    covers: str
    findings: tuple[str, ...]
    skipped: bool = False


@dataclass(frozen=True)
class VerifyReport:
    """What was found of the published generation."""

    generation: str
    checks: tuple[Check, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(check.findings for check in self.checks)

    @property
    def wrong_vectors(self) -> bool:
        """Whether vectors are not those of their sentences, though their files are whole."""
        return any(check.name == "vectors" and check.findings for check in self.checks)


@dataclass(frozen=True)
class _Opened:
    """The generation that is looked at; `places` are those of the films of the sample."""

    generation: Generation
    catalogue: Catalogue
    tools: Backends
    places: Ids

    @property
    def sentences(self) -> SentenceVectors:
        """The vectors of all films."""
        return open_sentences(self.generation, self.catalogue)


def verify(data: Path, tools: Backends, full: bool = False) -> VerifyReport:
    """Compare all stores of the published generation with its catalogue and its manifest.

    `full` looks at the content and the vectors of every film, not of a sample. Nobody writes while
    stores are compared; only embedding sentences again, which takes longer, holds nobody up. Raises
    GenerationUnusable where nothing is published or the manifest itself is damaged, AnotherWriter
    if one goes on for a minute.
    """
    with ExitStack() as opened_files:
        with publish.writer_lock(data, publish.PATIENCE):
            generation = open_described(data, published(data)[0])
            damaged = damaged_files(generation)
            covers = f"{len(generation.manifest.files)} files by size and SHA-256"
            findings = [f"{name} is missing or not as it was written" for name in damaged]
            begun: list[Callable[[], Check]] = [lambda: Check("files", covers, tuple(findings))]
            if files.CATALOGUE not in damaged:
                catalogue = Catalogue(generation.file(files.CATALOGUE))
                opened_files.enter_context(closing(catalogue))
                opened = _Opened(generation, catalogue, tools, _sample(len(catalogue), full))
                begun += [_begun(part, opened, damaged) for part in PARTS]
            else:
                begun += [_skipped(part, "the catalogue is damaged") for part in PARTS]
        return VerifyReport(generation.manifest.name, tuple(check() for check in begun))


@dataclass(frozen=True)
class _Part:
    """A check, what it covers, and how the names of the files that it needs begin.

    `find` opens all that it needs at once; what it returns looks as it is iterated, which may be
    done `later`, while others write.
    """

    name: str
    covers: str
    needs: tuple[str, ...]
    find: Callable[[_Opened], Iterable[str]]
    later: bool = False


def _begun(part: _Part, opened: _Opened, damaged: Sequence[str]) -> Callable[[], Check]:
    """Open what a check needs; return what ends it."""
    if any(name.startswith(part.needs) for name in damaged):
        return _skipped(part, "its files are damaged")
    covers = part.covers.format(films=len(opened.catalogue), sample=len(opened.places))
    findings: Iterable[str]
    try:
        findings = part.find(opened) if part.later else tuple(part.find(opened))
    except HybridError as error:
        findings = [error.message]
    return lambda: Check(part.name, covers, tuple(findings))


def _skipped(part: _Part, why: str) -> Callable[[], Check]:
    return lambda: Check(part.name, why, (), skipped=True)


def _sample(films: int, full: bool) -> Ids:
    """Return the places of all films, or of some that are other ones every time."""
    if full or films <= SAMPLE:
        return np.arange(films)
    return np.sort(np.random.default_rng().choice(films, SAMPLE, replace=False))


def _of_catalogue(opened: _Opened) -> Iterator[str]:
    catalogue, manifest = opened.catalogue, opened.generation.manifest
    if catalogue.columns.ids_sha256 != manifest.ids_sha256:
        yield "its films are not those that the manifest tells of"
    ids = catalogue.columns.ids[opened.places].tolist()
    contents = catalogue.contents()
    films = {movie.id: movie for movie in catalogue.some_films(ids)}
    yield from _named("have no document", set(ids) - films.keys())
    yield from _named(
        "have another content than was hashed",
        [film for film, movie in films.items() if content_hash(movie) != contents[film]],
    )
    columns = catalogue.found_by()
    yield from _named(
        "are found by another year, title or genre than their document has",
        [film for film, movie in films.items() if found_by(movie) != columns[film]],
    )


def _of_keyword(opened: _Opened) -> Iterator[str]:
    generation, tools = opened.generation, opened.tools
    deployment = publish.deployment_id(generation.folder.parents[1])
    writer = tools.writer_in(generation.manifest.lexical.engine, generation.folder, deployment)
    writer.check_index(generation)
    engine = tools.lexical_of(generation)
    found = engine.contents()
    wanted = opened.catalogue.content_numbers()
    yield from _named("are missing", wanted.keys() - found.keys())
    yield from _named("are there that the catalogue does not have", found.keys() - wanted.keys())
    both = wanted.keys() & found.keys()
    yield from _named("have other content", [film for film in both if found[film] != wanted[film]])
    # A request a film, while nobody writes: never of all.
    sample = _sample(len(opened.catalogue), full=False)
    films = opened.catalogue.some_films(opened.catalogue.columns.ids[sample].tolist())
    yield from _named(
        "are not found by the words of their titles",
        [movie.id for movie in films if movie.id in both and not _is_found(engine, movie)],
    )


def _is_found(engine: LexicalEngine, movie: Movie) -> bool:
    """Whether a film scores for its own title, if that has words that are looked for."""
    score = engine.score(movie.title, np.array([movie.id], np.int64))[0]
    return bool(score) or not analyze(movie.title)


def _of_vectors(opened: _Opened) -> Iterator[str]:
    generation = opened.generation
    model = ExportedModel(
        generation.manifest.model.fingerprint, opened.tools.encoder_of(generation)
    )
    return _embedded_again(opened, opened.sentences, model)


def _embedded_again(
    opened: _Opened, sentences: SentenceVectors, model: ExportedModel
) -> Iterator[str]:
    ids = opened.catalogue.columns.ids
    other_sentences: list[int] = []
    other_vectors: set[int] = set()
    for start in range(0, len(opened.places), SAMPLE):
        places = opened.places[start : start + SAMPLE]
        films = opened.catalogue.films(ids[places].tolist())
        if len(films) < len(places):
            continue  # their documents are missing, which is told of the catalogue
        ordered = [films[film] for film in ids[places].tolist()]
        texts = [sentence_texts(film.movie, film.spans) for film in ordered]
        counts = np.array([len(of_film) for of_film in texts], np.int64)
        wrong = ids[places][counts != sentences.counts[places]].tolist()
        other_sentences += wrong
        stored = sentences.vectors(sentences.rows(places))
        if not wrong and len(stored):
            again = model.encode([text for of_film in texts for text in of_film])
            far = (stored * again).sum(axis=1) < SAME_COSINE
            other_vectors.update(np.repeat(ids[places], counts)[far].tolist())
    yield from _named("have other sentences than vectors", other_sentences)
    yield from _named("have other vectors", other_vectors)


def _of_index(opened: _Opened) -> Iterator[str]:
    semantic, sentences = opened.generation.manifest.semantic, opened.sentences
    if semantic.engine == "exact" or semantic.nprobe is None:
        return
    index = read_index(opened.generation.file(FAISS_INDEX))
    columns = opened.catalogue.columns
    wanted = Counter(dict(zip(columns.ids.tolist(), sentences.counts.tolist(), strict=True)))
    found = labels(index)
    yield from _named("lack sentences", (wanted - found).keys())
    yield from _named("have sentences that the catalogue does not have", (found - wanted).keys())
    exact = ExactEngine(sentences, columns)
    recall = RecallProbes.of(exact).recall_at_10(IvfPqEngine(index, semantic.nprobe, exact))
    if recall < min(LEAST_RECALL, (semantic.recall_at_10 or 1.0) - LOST_RECALL):
        yield f"recall@10 is {recall:.4f}, where it was {semantic.recall_at_10}"


def labels(index: "faiss.IndexIVF") -> Counter[int]:
    """Return how many sentences an index holds of each film."""
    found: Counter[int] = Counter()
    for number in range(index.nlist):
        size = index.invlists.list_size(number)
        if size:
            held = faiss.rev_swig_ptr(index.invlists.get_ids(number), size)
            found.update(held.tolist())
    return found


def _named(what: str, films: Collection[int]) -> Iterator[str]:
    """Give one finding about films, by the lowest of their ids, or none."""
    if films:
        first = ", ".join(map(str, sorted(films)[:SHOWN]))
        more = ", ..." if len(films) > SHOWN else ""
        yield f"{len(films):,} films {what}: {first}{more}"


PARTS = (
    _Part("catalogue", "ids of {films:,} films, content of {sample:,}", (), _of_catalogue),
    _Part(
        "keyword",
        "ids and content of {films:,} films",
        (f"{tantivy.TANTIVY_FOLDER}/",),
        _of_keyword,
    ),
    _Part(
        "vectors",
        "sentences of {sample:,} films, embedded again",
        (files.PIECES, f"{encoder.ENCODER_FOLDER}/"),
        _of_vectors,
        later=True,
    ),
    _Part(
        "index",
        "sentences of {films:,} films, recall by 200 queries",
        (files.PIECES, FAISS_INDEX),
        _of_index,
    ),
)
