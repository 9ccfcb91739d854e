"""The audit log: a line for each change that a service publishes, on the logger `hybrid.audit`."""

import logging
import sys

from hybrid.schemas.changes import Kind

AUDIT = logging.getLogger("hybrid.audit")


def record_change(
    key: str | None, film: int, change: Kind, contents: tuple[str | None, str | None], to: str
) -> None:
    """Log a change: the id of the key that it was sent with, the film, and the generation `to`.

    `contents` are the hashes of the film before and after, None where there was or is no film.
    """
    before, after = contents
    fields = {
        "key": key,
        "film": film,
        "change": change,
        "before": before,
        "after": after,
        "generation": to,
    }
    text = " ".join(f"{name}={'-' if value is None else value}" for name, value in fields.items())
    AUDIT.info("%s", text, extra={"audit": fields})


def log_changes() -> None:
    """Write the audit log to standard error, unless the logger has handlers already."""
    AUDIT.setLevel(logging.INFO)
    if not AUDIT.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s audit %(message)s"))
        AUDIT.addHandler(handler)
        AUDIT.propagate = False
