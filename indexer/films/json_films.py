"""Films as JSON, changed by hand: checked and cleaned like those of a file."""

import json
from collections.abc import Mapping

from hybrid.bounds import MAX_SENTENCES
from hybrid.errors import InvalidInput
from hybrid.movie import MAX_ID, Movie
from hybrid.validation import one_line
from indexer.films.field_values import InvalidValue, is_empty, parse_value
from indexer.films.fit import fit

NO_ID = f"is not an id: expected a whole number from 0 to {MAX_ID}, such as 111161"


def film(values: Mapping[str, object], max_sentences: int = MAX_SENTENCES) -> Movie:
    """Return the film of these fields. Raises InvalidInput naming each field that is wrong.

    A description may have `max_sentences`; `hybrid/bounds.py` has the other bounds.
    """
    problems = {name: "is unknown" for name in values if name not in Movie.model_fields}
    fields: dict[str, object] = {}
    for name in Movie.model_fields:
        value = values.get(name)
        if name in ("id", "title") and is_empty(value):
            problems[name] = "is missing"
        elif not is_empty(value):
            try:
                fields[name], excess = fit(name, parse_value(name, value), max_sentences)
                if excess:
                    problems[name] = f"is too long: {excess}"
                if name == "title" and not fields[name]:
                    problems[name] = "is missing"
            except InvalidValue as error:
                problems[name] = NO_ID if name == "id" else f"is {error.kind}: {error.problem}"
    if problems:
        raise InvalidInput(one_line(problems), problems)
    return Movie.model_validate(fields)


def films_of(content: bytes, max_sentences: int = MAX_SENTENCES) -> list[Movie]:
    """Return the films of a JSON object or of JSON lines; of several with one id the last.

    Raises InvalidInput naming the line.
    """
    try:
        text = content.decode("utf-8-sig")
        return [film(_object(text, "the input"), max_sentences)]
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the input is not UTF-8: {error}") from None
    except json.JSONDecodeError:
        pass  # more than one line
    films: dict[int, Movie] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            movie = _film_of_line(line, f"line {number}", max_sentences)
            films[movie.id] = movie
    if not films:
        raise InvalidInput("no film given: write a JSON object, or one a line, to standard input")
    return list(films.values())


def _film_of_line(line: str, where: str, max_sentences: int) -> Movie:
    try:
        values = _object(line, where)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{where} is not JSON: {error.msg}") from None
    try:
        return film(values, max_sentences)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}", error.fields) from None


def _object(text: str, where: str) -> dict[str, object]:
    """Return what a JSON object holds. Raises JSONDecodeError, or InvalidInput naming `where`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise InvalidInput(f"{where} is nested too deeply") from None
    except ValueError:  # the only one left: Python reads no longer integers
        raise InvalidInput(f"{where} has a number of more than 4,300 digits") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} is not a JSON object")
    return value
