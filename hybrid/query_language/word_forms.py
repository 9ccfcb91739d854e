"""Singular and plural of an English word."""

_ENDINGS = (("ies", "y"), ("es", ""), ("s", ""), ("y", "ies"), ("x", "xes"))
"""An ending, and what may take its place."""

_HISSING = ("s", "z", "ch", "sh")


def word_forms(word: str) -> tuple[str, ...]:
    """Return a word, and what may be its singular or its plural."""
    found = [word, f"{word}s"]
    for ending, other in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            found.append(word.removesuffix(ending) + other)
    if word.endswith(_HISSING):
        found.append(f"{word}es")
    return tuple(dict.fromkeys(found))
