"""The audit log: a line for each change that a service publishes, on the logger `hybrid.audit`."""

import logging

from hybrid.schemas.changes import Kind


def record_change(
    key: str | None, film: int, change: Kind, contents: tuple[str | None, str | None], to: str
) -> None:
    """Log a change: the id of the key that it was sent with, the film, and the generation `to`.

    `contents` are the hashes of the film before and after, None where there was or is no film.
    """
    before, after = contents
    fields = {"film": film, "change": change, "before": before, "after": after, "generation": to}
    logging.getLogger("hybrid.audit").info("film changed", extra=fields | {"key": key})
