"""The log of the service: lines of JSON, or of text for people, on standard error.

All code logs with the standard library: `logging.getLogger(__name__).warning("what happened",
extra={"engine": "keyword"})`. structlog writes the lines: fields of `extra` become fields of the
line, and so does the id of the request that a thread answers.
"""

import logging
import sys
from typing import Literal

import structlog
from structlog.stdlib import ProcessorFormatter

Format = Literal["json", "text"]


def configure(chosen: Format | None) -> None:
    """Log in this format; without one, text on a terminal and JSON elsewhere."""
    terminal = sys.stderr.isatty()
    text = chosen == "text" or (chosen is None and terminal)
    renderer = _text(terminal) if text else structlog.processors.JSONRenderer(ensure_ascii=False)
    exceptions = [] if text else [structlog.processors.format_exc_info]
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for package in ("hybrid", "indexer"):
        logging.getLogger(package).setLevel(logging.INFO)


def _text(terminal: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=terminal,
        timestamp_key="time",
        # Otherwise a value could send the terminal control characters.
        repr_native_str=True,
        # Rich would print the values of variables, such as the query.
        exception_formatter=structlog.dev.plain_traceback,
    )
