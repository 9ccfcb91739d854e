"""The model that embeds the queries of a changed index, and how well it does so in int8."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from hybrid.engines.factory import encoder_in
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.engines.semantic.encoder import ENCODER_FOLDER, MEAN_FILE, folder_of
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.errors import BuildFailed
from hybrid.query import Filters
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import DELTA_VECTORS, piece_file
from hybrid.storage.manifest import ModelName, QueryEncoder
from hybrid.storage.sentence_vectors import read_sentences
from hybrid.vectors import QueryVector, Vectors
from indexer.backends import EncoderChange
from indexer.embedding.export import CHECKED_TEXTS, EXPORT
from indexer.films.sentences import StoredSentences
from indexer.generations.draft import Draft
from indexer.semantic_index.recall import PROBES, ROUNDING, best_scores


def share_or_export(
    draft: Draft, previous: Previous, change: EncoderChange | None
) -> tuple[ModelName, ...]:
    """Share the models of `previous`, or export them again if a change of precision requires that.

    Returns the models, without figures of their queries if their precision is another. Raises
    BuildFailed if a model itself is another one now.
    """
    before, models = previous.generation, previous.generation.manifest.models
    if change is None or change.precision == models[0].queries.precision:
        draft.link(before, ENCODER_FOLDER)
        return models
    changed = []
    for number, used in enumerate(models):
        changed.append(_in_precision(draft, previous, change, number))
        if used.centred:
            draft.link(before, f"{folder_of(number)}/{MEAN_FILE}")
    return tuple(changed)


def _in_precision(
    draft: Draft, previous: Previous, change: EncoderChange, number: int
) -> ModelName:
    """Share or export the model of this number in the precision of the change."""
    used = previous.generation.manifest.models[number]
    queries = {"queries": QueryEncoder(precision=change.precision)}
    if draft.share_model(previous.generation, number, change.precision, number):
        return used.model_copy(update=queries)
    model = change.load_model(used.name)
    if model.fingerprint != used.fingerprint:
        raise BuildFailed(
            f"queries cannot be embedded in {change.precision}: the model {used.name} is no longer "
            "the one that the index was built with; build the index again"
        )
    texts = StoredSentences(previous.catalogue).sample(CHECKED_TEXTS)
    model.export(draft.file(folder_of(number)), texts, change.precision)
    return used.model_copy(update=queries | {"export": EXPORT})


def compared(
    models: Sequence[ModelName], before: ModelName, folder: Path, pieces: Sequence[int]
) -> tuple[ModelName, ...]:
    """Return the `models` of the draft in `folder` with the figures of its queries.

    They are those of the model `before` unless its queries were embedded in another precision.
    """
    if models[0].queries.precision == before.queries.precision:
        return tuple(models)
    queries = compare_encoders(folder, pieces, models)
    return tuple(model.model_copy(update={"queries": queries}) for model in models)


def compare_encoders(
    folder: Path, pieces: Sequence[int], models: Sequence[ModelName]
) -> QueryEncoder:
    """Return how queries of the generation in `folder` are embedded, with figures if in int8."""
    precision = models[0].queries.precision
    if precision == "float32" or not pieces:
        return QueryEncoder(precision=precision)
    files = [folder / piece_file(number) for number in pieces]
    with closing(Catalogue(folder)) as catalogue:
        sentences = read_sentences(files, folder / DELTA_VECTORS, catalogue.sentences)
        exact = ExactEngine(sentences, catalogue.columns)
        probes = _probes(StoredSentences(catalogue))
        originals = encoder_in(folder, models, "float32", "query").encode(probes)
        others = encoder_in(folder, models, precision, "query").encode(probes)
        overlap = overlap_at_10(exact, originals, others)
    cosines = (originals * others).sum(axis=1)
    return QueryEncoder(
        precision=precision,
        least_cosine=round(float(cosines.min()), 4),
        mean_cosine=round(float(cosines.mean()), 4),
        overlap_at_10=round(overlap, 4),
    )


def overlap_at_10(exact: ExactEngine, originals: Vectors, others: Vectors) -> float:
    """Return the mean share of the ten best films by the original vectors that the others find.

    Both are float32 (queries, dimension). A film counts as found if its score by the original is
    that of the tenth best or higher, since many films may have the same sentence.
    """
    best = best_scores(exact.sentences, originals)
    shares = []
    for original, other, tenth in zip(originals, others, best.min(axis=1).tolist(), strict=True):
        found = exact.search(QueryVector(other), Filters(), best.shape[1]).ids
        scores = exact.score(QueryVector(original), found)
        shares.append((scores >= tenth - ROUNDING).sum() / best.shape[1])
    return float(np.mean(shares))


def _probes(sentences: StoredSentences) -> list[str]:
    """Return the first halves of up to 200 sentences: a whole one would find itself."""
    count = len(sentences)
    chosen = set(np.linspace(0, count - 1, min(PROBES, count), dtype=int).tolist())
    words = [text.split() for number, text in enumerate(sentences) if number in chosen]
    return [" ".join(some[: (len(some) + 1) // 2]) for some in words]
