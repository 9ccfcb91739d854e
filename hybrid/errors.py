"""The errors that users see. A message says what is wrong and how to fix it."""

from collections.abc import Mapping


class HybridError(Exception):
    """An error whose message is shown to the user, without a stack trace.

    `code` is a stable name that programs can test for; `fields` maps names in the user's input to
    what is wrong with them.
    """

    code = "error"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, fields)  # all of them, so that an error can be pickled
        self.message = message
        self.fields = dict(fields or {})

    def __str__(self) -> str:
        """Return the message."""
        return self.message


class InvalidInput(HybridError):
    """A request that cannot be understood."""

    code = "invalid_input"


class NotFound(HybridError):
    """A name or id that does not exist."""

    code = "not_found"


def unknown_film(*ids: int) -> NotFound:
    """Return the error for ids that no film has."""
    return NotFound(f"there is no film with the id {', '.join(map(str, ids))}", {"id": "unknown"})


class WritesOff(HybridError):
    """A change sent to a service that does not accept changes."""

    code = "writes_off"


class KeyRequired(HybridError):
    """A request without a key that needs one, or with one that does not exist."""

    code = "key_required"


class ScopeMissing(HybridError):
    """A request whose key does not allow it."""

    code = "scope_missing"


class ForeignHost(HybridError):
    """A request for a host that the service does not answer for."""

    code = "foreign_host"


class CrossSite(HybridError):
    """A change sent by a page of another site."""

    code = "cross_site"


class PreconditionFailed(HybridError):
    """A change of a film that is not in the state that the change requires."""

    code = "precondition_failed"


class EngineUnavailable(HybridError):
    """An engine did not answer, or not in time."""

    code = "engine_unavailable"


class GenerationUnusable(HybridError):
    """No generation is published, or the published one is damaged or incompatible."""

    code = "generation_unusable"


class SourceUnreadable(HybridError):
    """A file from which no films can be read."""

    code = "source_unreadable"


class BuildFailed(HybridError):
    """A build that failed before it published anything."""

    code = "build_failed"


class NotDurable(BuildFailed):
    """A change was published but not synced: a power cut may undo it."""

    code = "not_durable"


class TooManyChanges(HybridError):
    """More changes at a time than a service accepts."""

    code = "too_many_changes"


class AnotherWriter(BuildFailed):
    """Another process is writing to the data folder."""

    code = "another_writer"
