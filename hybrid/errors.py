"""Every error that a user may see. Each says what is wrong and what to do about it."""

from collections.abc import Mapping


class HybridError(Exception):
    """An error for the user's eyes: shown as its message, never as a stack trace.

    `code` is the stable name a program can test for; `fields` maps a name in the user's input to
    what is wrong with it.
    """

    code = "error"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class InvalidInput(HybridError):
    """A request that cannot be understood."""

    code = "invalid_input"


class NotFound(HybridError):
    """The thing asked for by name or id does not exist."""

    code = "not_found"


class WritesOff(HybridError):
    """A change asked of a service that takes none."""

    code = "writes_off"


class EngineUnavailable(HybridError):
    """An engine does not answer, or not in time."""

    code = "engine_unavailable"


class GenerationUnusable(HybridError):
    """No generation is published, or the published one is damaged or does not fit."""

    code = "generation_unusable"


class SourceUnreadable(HybridError):
    """A file of films that cannot be read as one."""

    code = "source_unreadable"


class BuildFailed(HybridError):
    """A build that stopped before it published anything."""

    code = "build_failed"


class NotDurable(BuildFailed):
    """A change is published, but was not synced: a power cut may undo it."""

    code = "not_durable"


class TooManyChanges(HybridError):
    """More changes at once than a service takes."""

    code = "too_many_changes"


class AnotherWriter(BuildFailed):
    """Another process writes to the data folder."""

    code = "another_writer"
