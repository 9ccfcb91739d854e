"""What the settings ask for, put together. The only module of `hybrid` that imports `indexer`."""

from collections.abc import Callable

from hybrid.engines.factory import open_encoder, open_lexical, open_semantic
from hybrid.engines.semantic.encoder import Encoder
from hybrid.fusion.preferences import Preferences
from hybrid.search import HybridSearch
from hybrid.serving.watcher import GenerationWatcher
from hybrid.serving.writes import Writes
from hybrid.settings import Settings
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current


def open_search(settings: Settings) -> HybridSearch:
    """Return a search over the published generation, ranked by the data folder's preferences.

    Raises GenerationUnusable where there is none or it is damaged, InvalidInput where ranking.toml
    is wrong. Elasticsearch may be away: a query will tell.
    """
    preferences = Preferences.load(settings.data)
    generation = open_current(settings.data)
    return open_generation(settings, generation, preferences, open_encoder(generation))


def open_generation(
    settings: Settings, generation: Generation, preferences: Preferences, model: Encoder
) -> HybridSearch:
    """Return a search over this generation, whose encoder is `model`. Raises GenerationUnusable."""
    catalogue = Catalogue(generation.file(files.CATALOGUE))
    return HybridSearch(
        generation.manifest.name,
        catalogue,
        open_lexical(settings, generation),
        open_semantic(generation, catalogue),
        model,
        settings.depth,
        preferences,
    )


def follow(settings: Settings, encoder_of: Callable[[Generation], Encoder]) -> GenerationWatcher:
    """Return what serves the published generation of the settings, and those that follow it.

    Raises GenerationUnusable where there is none to begin with, InvalidInput where ranking.toml is
    wrong.
    """

    def opened(generation: Generation, preferences: Preferences) -> HybridSearch:
        return open_generation(settings, generation, preferences, encoder_of(generation))

    return GenerationWatcher(settings.data, opened)


def open_writes(settings: Settings, encoder_of: Callable[[Generation], Encoder]) -> Writes:
    """Return what changes films of the data folder of the settings."""
    from indexer.group_commit import open_writes as open_group

    return open_group(settings, encoder_of)
