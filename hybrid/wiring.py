"""Opens what the settings name. The only module of `hybrid` that imports `indexer`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hybrid.engines.factory import open_lexical, open_query_encoder, open_semantic
from hybrid.engines.protocols import Encoder, Engines
from hybrid.fusion.preferences import Preferences
from hybrid.search import HybridSearch
from hybrid.serving.watcher import GenerationWatcher
from hybrid.serving.workers import Worker
from hybrid.serving.writes import Writes
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, KnownDigests, open_current


def open_search(settings: Settings) -> HybridSearch:
    """Return a search over the published generation, ranked by the data folder's preferences.

    Raises GenerationUnusable if none is published or it is damaged, InvalidInput if ranking.toml is
    wrong. Elasticsearch is not contacted before the first query.
    """
    preferences = Preferences.load(settings.data)
    generation = open_current(settings.data)
    return open_generation(settings, generation, preferences, open_query_encoder)


def open_generation(
    settings: Settings,
    generation: Generation,
    preferences: Preferences,
    encoder_of: Callable[[Generation], Encoder],
) -> HybridSearch:
    """Return a search over this generation. Raises GenerationUnusable."""
    # Python can do other things while a model is loaded.
    with ThreadPoolExecutor(1) as pool:
        encoder = pool.submit(encoder_of, generation)
        catalogue = Catalogue(generation.folder)
        lexical = open_lexical(settings, generation)
        semantic = open_semantic(generation, catalogue)
    engines = Engines(lexical, semantic, encoder.result())
    search = HybridSearch(
        generation.manifest.name,
        catalogue,
        engines,
        settings.depth,
        preferences,
        settings.deadline,
    )
    search.match = generation.manifest.match
    search.source_format = generation.manifest.source_format
    return search


def follow(
    settings: Settings,
    encoder_of: Callable[[Generation], Encoder],
    digests: KnownDigests | None = None,
    worker: Worker | None = None,
) -> GenerationWatcher:
    """Return the watcher that serves the published generation, and later ones as they appear.

    `digests` and `worker` as for `GenerationWatcher`.
    Raises GenerationUnusable if none is published yet, InvalidInput if ranking.toml is wrong.
    """

    def open_search_of(generation: Generation, preferences: Preferences) -> HybridSearch:
        return open_generation(settings, generation, preferences, encoder_of)

    return GenerationWatcher(settings.data, open_search_of, digests, worker)


def open_writes(settings: Settings, encoder_of: Callable[[Generation], Encoder]) -> Writes:
    """Return the writer of changes to the films of the data folder, which `encoder_of` embeds."""
    from indexer.group_commit import open_writes as open_group

    return open_group(settings, encoder_of)
