"""Films that are like another one, or like a text: by its telling words, its meaning or both."""

import numpy as np

from hybrid.engines.deadline import Deadline
from hybrid.errors import unknown_film
from hybrid.fusion.fused_ranking import rank_candidates
from hybrid.hydration import build_hits
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import Fusion, SimilarQuery
from hybrid.retrieval.likeness import MAX_VECTORS, Likeness, mean_vector
from hybrid.schemas.search import SimilarResponse, Total
from hybrid.search import HybridSearch
from hybrid.text.sentences import sentence_spans


def similar(
    search: HybridSearch, query: SimilarQuery, deadline: Deadline | None = None
) -> SimilarResponse:
    """Return the films that are most like what `query` names, in the order of a search.

    Never the film itself, nor a duplicate of it. Raises NotFound if there is no such film, and
    EngineUnavailable like a search.
    """
    _ = search.duplicates  # found once, and before the time starts
    deadline = deadline or Deadline.after(search.seconds)
    query = query.resolved(Fusion())
    watch = Stopwatch()
    with watch.stage("total"):
        likeness = _of_film(search, query.id) if query.text is None else _of_text(search, query)
        candidates = search.retriever.retrieve_similar(query, likeness, watch, deadline)
        with watch.stage("fuse"):
            weight = search.preferences.text_weight
            ranked = rank_candidates(candidates, query.mode, query.fusion_spec, weight)
            fused = search.once(ranked)
        with watch.stage("hydrate"):
            ids = fused.ranking.top(query.limit).ids.tolist()
            details = search.details(candidates, ids, deadline)
            hits = build_hits(fused, ids, details)
    return SimilarResponse(
        query=query,
        hits=hits,
        total=Total(value=len(fused.ranking)),
        alpha=fused.alpha.value,
        alpha_reason=fused.alpha.reason,
        **search.answer_fields(candidates, details, watch),
    )


def _of_film(search: HybridSearch, film: int | None) -> Likeness:
    if film is None:
        raise unknown_film(-1)
    search.movie(film)  # there may be none
    return search.retriever.likeness_of(film)


def _of_text(search: HybridSearch, query: SimilarQuery) -> Likeness:
    text = " ".join((query.text or "").split())
    sentences = [text[start:end] for start, end in sentence_spans(text)][:MAX_VECTORS]
    vector = None
    if sentences and query.mode != "keyword":
        vector = mean_vector(search.engines.encoder.encode(sentences))
    return Likeness(text, 1, vector, np.empty(0, np.int64))
