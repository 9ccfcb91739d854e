"""What embedding queries in int8 costs on judged queries: nDCG@10 of one index by both encoders."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from hybrid.engines.factory import open_original_encoder, open_query_encoder
from hybrid.engines.protocols import Encoder
from hybrid.evaluation.judgements import Judgements
from hybrid.evaluation.measures import NDCG, measure_queries
from hybrid.evaluation.rankings import rank_queries
from hybrid.fusion.preferences import Preferences
from hybrid.query import Mode
from hybrid.schemas.runs import Run
from hybrid.settings import Settings
from hybrid.storage.generation import Generation, open_current
from hybrid.wiring import open_generation

MODES: tuple[Mode, ...] = ("hybrid", "semantic")
"""The rankings measured: that by keywords needs no encoder."""


@dataclass(frozen=True)
class EncoderLoss:
    """The mean nDCG@10 of a mode, 0 to 1, with queries embedded in float32 and in int8."""

    mode: Mode
    float32: float
    int8: float


def encoder_losses(settings: Settings, judgements: Judgements) -> list[EncoderLoss]:
    """Measure the published index, one result a mode; none if its queries are in float32.

    Raises GenerationUnusable if nothing is published, EngineUnavailable if the keyword engine does
    not answer.
    """
    generation = open_current(settings.data)
    if generation.manifest.model.queries.precision == "float32":
        return []
    preferences = Preferences.load(settings.data)

    def means(encoder_of: Callable[[Generation], Encoder]) -> dict[Mode, float]:
        runs = [Run(name=mode, mode=mode) for mode in MODES]
        with closing(open_generation(settings, generation, preferences, encoder_of)) as search:
            rankings = rank_queries(search, judgements.queries, runs)
        scores = {
            mode: measure_queries(judgements.queries, rankings[mode], (NDCG,))[NDCG]
            for mode in MODES
        }
        return {mode: float(values.mean()) for mode, values in scores.items()}

    original, quantised = means(open_original_encoder), means(open_query_encoder)
    return [EncoderLoss(mode, original[mode], quantised[mode]) for mode in MODES]
