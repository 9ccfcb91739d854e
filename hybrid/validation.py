"""What is wrong with which field, in words for users instead of pydantic's for programmers."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "model_type": "is no JSON object",
    "model_attributes_type": "is no JSON object",
    "dict_type": "is no JSON object",
    "string_type": "is no text",
    "string_unicode": "is no text: it holds half of a surrogate pair",
    "tuple_type": "is no list",
    "finite_number": "is no finite number",
}


def problems(error: ValidationError) -> dict[str, str]:
    """Return each field that `error` complains of, dotted, with what is wrong with it."""
    found: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        # Alternatives of a union fail one by one; the field is the same.
        name = ".".join(str(part) for part in detail["loc"]) or "body"
        found.setdefault(name, []).append(_message(detail))
    return {name: "; ".join(dict.fromkeys(messages)) for name, messages in found.items()}


def listed(found: dict[str, str]) -> str:
    """Return the problems in one line."""
    return "; ".join(f"{name}: {message}" for name, message in found.items())


def _message(detail: ErrorDetails) -> str:
    known = MESSAGES.get(detail["type"])
    if known:
        return known
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]
