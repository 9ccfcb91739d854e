"""Whether the stores of the published generation hold the same films, and what differs."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.factory import (
    open_original_encoder,
    open_query_encoder,
    open_sentences,
    unindexed,
)
from hybrid.engines.lexical import tantivy
from hybrid.engines.protocols import LexicalEngine
from hybrid.engines.semantic import encoder
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import IvfPqEngine, read_index
from hybrid.errors import HybridError
from hybrid.movie import Movie, content_hash
from hybrid.ranking import Ids
from hybrid.retrieval.suggestions import same_suggestions
from hybrid.retrieval.titles import same_titles
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import FilterValues, ids_sha256
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
from indexer.embedding.embed import WeightedModel, encode_joined
from indexer.embedding.export import LEAST_COSINE
from indexer.films.sentences import sentence_texts
from indexer.generations import lock
from indexer.semantic_index.recall import RecallProbes
from indexer.semantic_index.update import LEAST_RECALL

SAMPLE = 200
"""Films whose content is hashed and whose sentences are embedded again, unless `full`."""

SAME_COSINE = 0.999
"""The least cosine of a sentence's stored vector and the one that the model gives it now."""

LOST_RECALL = 0.01
"""A recall lower by more than this than the measured one is a finding."""

SHOWN = 5
"""Maximum number of ids in a finding."""


@dataclass(frozen=True)
class Check:
    """One check: what it covers and what it found, or why it was `skipped`."""

    name: str
    covers: str
    findings: tuple[str, ...]
    skipped: bool = False


@dataclass(frozen=True)
class VerifyReport:
    """The checks of the published generation."""

    generation: str
    checks: tuple[Check, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(check.findings for check in self.checks)

    @property
    def wrong_vectors(self) -> bool:
        """Whether vectors are not those of their sentences though their files are undamaged."""
        return any(check.name == "vectors" and check.findings for check in self.checks)


@dataclass(frozen=True)
class _Opened:
    """The generation that is checked; `rows` are those of the films in the sample, int64 (n,)."""

    generation: Generation
    catalogue: Catalogue
    backends: Backends
    rows: Ids

    @property
    def sentences(self) -> SentenceVectors:
        """The vectors of all films."""
        return open_sentences(self.generation, self.catalogue)


def verify(data: Path, backends: Backends, full: bool = False) -> VerifyReport:
    """Compare all stores of the published generation with its catalogue and its manifest.

    `full` checks the content and the vectors of every film, not of a sample. Other writers wait
    while stores are compared, but not while sentences are embedded again, which takes longer.
    Raises GenerationUnusable if nothing is published or the manifest is damaged, AnotherWriter if
    another writer holds the lock for a minute.
    """
    with ExitStack() as opened_files:
        with lock.writer_lock(data, lock.PATIENCE):
            generation = open_described(data, published(data)[0])
            damaged = damaged_files(generation)
            covers = f"{len(generation.manifest.files)} files by size and SHA-256"
            findings = [f"{name} is missing or not as it was written" for name in damaged]
            checks: list[Callable[[], Check]] = [lambda: Check("files", covers, tuple(findings))]
            if not {files.CATALOGUE, files.DELTA, files.COLUMNS} & set(damaged):
                catalogue = Catalogue(generation.folder)
                opened_files.enter_context(closing(catalogue))
                opened = _Opened(generation, catalogue, backends, _sample(len(catalogue), full))
                checks += [_begin(part, opened, damaged) for part in PARTS]
            else:
                checks += [_skipped(part, "the catalogue is damaged") for part in PARTS]
        return VerifyReport(generation.manifest.name, tuple(check() for check in checks))


@dataclass(frozen=True)
class _Part:
    """A check, what it covers, and prefixes of the names of the files that it needs.

    `find` opens all that it needs at once. What it returns checks as it is iterated, which may be
    done `later`, while others write.
    """

    name: str
    covers: str
    needs: tuple[str, ...]
    find: Callable[[_Opened], Iterable[str]]
    later: bool = False


def _begin(part: _Part, opened: _Opened, damaged: Sequence[str]) -> Callable[[], Check]:
    """Open what a check needs; return the function that completes it."""
    if any(name.startswith(part.needs) for name in damaged):
        return _skipped(part, "its files are damaged")
    covers = part.covers.format(
        films=len(opened.catalogue),
        sample=len(opened.rows),
        precision=opened.generation.manifest.model.queries.precision,
    )
    findings: Iterable[str]
    try:
        findings = part.find(opened) if part.later else tuple(part.find(opened))
    except HybridError as error:
        findings = [error.message]
    return lambda: Check(part.name, covers, tuple(findings))


def _skipped(part: _Part, why: str) -> Callable[[], Check]:
    return lambda: Check(part.name, why, (), skipped=True)


def _sample(films: int, full: bool) -> Ids:
    """Return the rows of all films, or of a new random sample."""
    if full or films <= SAMPLE:
        return np.arange(films)
    return np.sort(np.random.default_rng().choice(films, SAMPLE, replace=False))


def _of_catalogue(opened: _Opened) -> Iterator[str]:
    catalogue, manifest = opened.catalogue, opened.generation.manifest
    if ids_sha256(catalogue.base.ids) != manifest.ids_sha256:
        yield "the films of its base are not those of the manifest"
    if not _same_columns(catalogue):
        yield "its columns are not those of its films"
    ids = catalogue.columns.ids[opened.rows].tolist()
    contents = catalogue.contents()
    films = {movie.id: movie for movie in catalogue.some_films(ids)}
    yield from _named("have no document", set(ids) - films.keys())
    yield from _named(
        "have another content than was hashed",
        [film for film, movie in films.items() if content_hash(movie) != contents[film]],
    )
    values = {film.id: film for film in catalogue.filter_values()}
    titles = {film: columns[2:] for film, columns in catalogue.search_columns().items()}
    yield from _named(
        "are found by another title, or by other values, than their document has",
        [
            film
            for film, movie in films.items()
            if FilterValues.of(movie) != values[film]
            or (movie.title, movie.original_title) != titles[film]
        ],
    )


def _same_columns(catalogue: Catalogue) -> bool:
    """Whether the columns of a catalogue are those that SQLite has."""
    base = catalogue.base
    again = replace(base, columns=catalogue.columns_of("base.movies"))
    return np.array_equal(catalogue.sentence_counts(), catalogue.sentences.counts) and all(
        map(np.array_equal, base.arrays(), again.arrays())
    )


def _of_titles(opened: _Opened) -> Iterator[str]:
    if not same_titles(opened.catalogue):
        yield "the titles of its base are not those of its films"
    if not same_suggestions(opened.catalogue):
        yield "the suggestions of its base are not those of its films"


def _of_keyword(opened: _Opened) -> Iterator[str]:
    generation, backends = opened.generation, opened.backends
    deployment = lock.deployment_id(generation.folder.parents[1])
    writer = backends.writer_in(generation.manifest.lexical.engine, generation.folder, deployment)
    writer.check_index(generation)
    engine = backends.lexical_of(generation)
    found = engine.contents()
    wanted = opened.catalogue.content_numbers()
    yield from _named("are missing", wanted.keys() - found.keys())
    yield from _named("are there that the catalogue does not have", found.keys() - wanted.keys())
    both = wanted.keys() & found.keys()
    yield from _named("have other content", [film for film in both if found[film] != wanted[film]])
    # One request for each film, while other writers wait: never for all.
    sample = _sample(len(opened.catalogue), full=False)
    films = opened.catalogue.some_films(opened.catalogue.columns.ids[sample].tolist())
    yield from _named(
        "are not found by the words of their titles",
        [movie.id for movie in films if movie.id in both and not _is_found(engine, movie)],
    )


def _is_found(engine: LexicalEngine, movie: Movie) -> bool:
    """Whether a film scores for its own title, or the title has no words to search for."""
    score = engine.score(movie.title, np.array([movie.id], np.int64))[0]
    return bool(score) or not analyze(movie.title)


def _of_vectors(opened: _Opened) -> Iterator[str]:
    models = opened.backends.models_of(opened.generation)
    return _embed_again(opened, opened.sentences, models)


def _embed_again(
    opened: _Opened, sentences: SentenceVectors, models: Sequence[WeightedModel]
) -> Iterator[str]:
    ids = opened.catalogue.columns.ids
    other_sentences: list[int] = []
    other_vectors: set[int] = set()
    for start in range(0, len(opened.rows), SAMPLE):
        rows = opened.rows[start : start + SAMPLE]
        films = opened.catalogue.films(ids[rows].tolist())
        if len(films) < len(rows):
            continue  # their documents are missing, which the check of the catalogue reports
        ordered = [films[film] for film in ids[rows].tolist()]
        texts = [sentence_texts(film.movie, film.spans) for film in ordered]
        counts = np.array([len(film_texts) for film_texts in texts], np.int64)
        wrong = ids[rows][counts != sentences.counts[rows]].tolist()
        other_sentences += wrong
        stored = sentences.vectors(sentences.sentence_rows(rows))
        if not wrong and len(stored):
            again = encode_joined(models, [text for one_film in texts for text in one_film])
            far = (stored * again).sum(axis=1) < SAME_COSINE
            other_vectors.update(np.repeat(ids[rows], counts)[far].tolist())
    yield from _named("have other sentences than vectors", other_sentences)
    yield from _named("have other vectors", other_vectors)


def _of_encoder(opened: _Opened) -> Iterator[str]:
    generation = opened.generation
    precision = generation.manifest.model.queries.precision
    if precision == "float32":
        return  # the same model embeds the films, whose vectors are checked
    ids = opened.catalogue.columns.ids[opened.rows[:SAMPLE]].tolist()
    films = opened.catalogue.films(ids).values()
    texts = [text for film in films for text in sentence_texts(film.movie, film.spans)][:SAMPLE]
    if texts:
        originals = open_original_encoder(generation).encode(texts)
        cosines = (originals * open_query_encoder(generation).encode(texts)).sum(axis=1)
        far = int((cosines < LEAST_COSINE[precision]).sum())
        if far:
            yield (
                f"{precision} gives {far} of {len(texts)} sentences another vector than float32 "
                f"(cosine {cosines.min():.4f}): update or build with --encoder float32"
            )


def _of_index(opened: _Opened) -> Iterator[str]:
    semantic, sentences = opened.generation.manifest.semantic, opened.sentences
    if semantic.engine == "exact" or semantic.nprobe is None:
        return
    index = read_index(opened.generation.file(FAISS_INDEX))
    columns, base = opened.catalogue.columns, opened.catalogue.base
    wanted = Counter(dict(zip(base.ids.tolist(), base.counts.tolist(), strict=True)))
    found = labels(index)
    yield from _named("lack sentences", (wanted - found).keys())
    yield from _named("have sentences that the catalogue does not have", (found - wanted).keys())
    exact = ExactEngine(sentences, columns)
    engine = IvfPqEngine(index, semantic.nprobe, exact, unindexed(opened.catalogue))
    recall = RecallProbes.of(exact).recall_at_10(engine)
    if recall < min(LEAST_RECALL, (semantic.recall_at_10 or 1.0) - LOST_RECALL):
        yield f"recall@10 is {recall:.4f}, where it was {semantic.recall_at_10}"


def labels(index: "faiss.IndexIVF") -> Counter[int]:
    """Return the number of sentences of each film in an index."""
    counts: Counter[int] = Counter()
    for number in range(index.nlist):
        size = index.invlists.list_size(number)
        if size:
            ids = faiss.rev_swig_ptr(index.invlists.get_ids(number), size)
            counts.update(ids.tolist())
    return counts


def _named(what: str, films: Collection[int]) -> Iterator[str]:
    """Yield one finding about films with the lowest of their ids, or none."""
    if films:
        first = ", ".join(map(str, sorted(films)[:SHOWN]))
        more = ", ..." if len(films) > SHOWN else ""
        yield f"{len(films):,} films {what}: {first}{more}"


PARTS = (
    _Part("catalogue", "ids of {films:,} films, content of {sample:,}", (), _of_catalogue),
    _Part("titles", "titles of {films:,} films", (files.TITLES, files.SUGGESTIONS), _of_titles),
    _Part(
        "keyword",
        "ids and content of {films:,} films",
        (f"{tantivy.TANTIVY_FOLDER}/",),
        _of_keyword,
    ),
    _Part(
        "vectors",
        "sentences of {sample:,} films, embedded again",
        (files.PIECES, files.DELTA_VECTORS, f"{encoder.ENCODER_FOLDER}/"),
        _of_vectors,
        later=True,
    ),
    _Part(
        "encoder",
        "queries in {precision}",
        (f"{encoder.ENCODER_FOLDER}/",),
        _of_encoder,
        later=True,
    ),
    _Part(
        "index",
        "sentences of {films:,} films, recall by 200 queries",
        (files.PIECES, files.DELTA_VECTORS, FAISS_INDEX),
        _of_index,
    ),
)
