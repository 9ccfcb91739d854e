"""pydantic's validation errors by field, worded for users."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "model_type": "is not a JSON object",
    "model_attributes_type": "is not a JSON object",
    "dict_type": "is not a JSON object",
    "string_type": "is not text",
    "string_unicode": "is not text: it contains half of a surrogate pair",
    "tuple_type": "is not a list",
    "finite_number": "is not a finite number",
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "int_parsing_size": "is too large a number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
}


def problems(error: ValidationError) -> dict[str, str]:
    """Return what is wrong with each field, by name; names of nested fields are dotted."""
    messages: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        # Alternatives of a union fail one by one; the field is the same.
        name = ".".join(str(part) for part in detail["loc"]) or "body"
        messages.setdefault(name, []).append(_message(detail))
    return {name: "; ".join(dict.fromkeys(of_field)) for name, of_field in messages.items()}


def one_line(problems: Mapping[str, str]) -> str:
    """Return problems by field as one line."""
    return "; ".join(f"{name}: {message}" for name, message in problems.items())


def _message(detail: ErrorDetails) -> str:
    if detail["type"] in MESSAGES:
        return MESSAGES[detail["type"]]
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]
