"""The settings file of the ranking: what is written is read, what is wrong is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid.errors import InvalidInput
from hybrid.fusion.preferences import FILE, Preferences


@pytest.mark.parametrize(
    ("preferences", "text"),
    [
        (Preferences(), 'fusion = "attainable"\nalpha = "auto"\ntext_weight = 0.85\nprior = 0.0\n'),
        (
            Preferences(fusion="rrf", alpha=0.25, text_weight=0.5, prior=0.1),
            'fusion = "rrf"\nalpha = 0.25\ntext_weight = 0.5\nprior = 0.1\n',
        ),
        (
            Preferences(alpha=1),
            'fusion = "attainable"\nalpha = 1.0\ntext_weight = 0.85\nprior = 0.0\n',
        ),
    ],
)
def test_what_is_saved_is_loaded(preferences: Preferences, text: str, tmp_path: Path) -> None:
    """The file has a line for each preference, can be loaded, and is alone in its folder."""
    assert preferences.save(tmp_path) == tmp_path / FILE
    assert (tmp_path / FILE).read_text() == text
    assert Preferences.load(tmp_path) == preferences
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_no_file_is_the_default(tmp_path: Path) -> None:
    """Without a file the built-in preferences hold; a file may say only part of them."""
    assert Preferences.load(tmp_path) == Preferences()
    (tmp_path / FILE).write_text("alpha = 0.4\n")
    assert Preferences.load(tmp_path) == Preferences(alpha=0.4)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("alpha = 2", "alpha: is neither a number from 0 to 1 nor auto"),
        ("alhpa = 0.5", "alhpa: is unknown"),
        ("fusion = 'sum'", "fusion: "),
        ("text_weight = 'much'", "text_weight: "),
        ("prior = 1", "prior: "),
        ("alpha = ", "is not a TOML file"),
        ("\xff", "is not a TOML file"),
        ("alpha = " + "9" * 5000, "is not a TOML file"),
        ("alpha = " + "[" * 5000, "is not a TOML file"),
    ],
)
def test_a_wrong_file_is_named(text: str, problem: str, tmp_path: Path) -> None:
    """The error names the file and the field, and says what is wrong."""
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInput, match=FILE) as error:
        Preferences.load(tmp_path)
    assert problem in error.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """What is there but cannot be read is an error, and not taken for no file."""
    (tmp_path / FILE).symlink_to(FILE)
    with pytest.raises(InvalidInput, match=f"{FILE} cannot be read: Too many levels"):
        Preferences.load(tmp_path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_named(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A folder cannot be read, and a pipe that nobody writes to would freeze a service."""
    make(tmp_path / FILE)
    with pytest.raises(InvalidInput, match=f"{FILE} is not a regular file"):
        Preferences.load(tmp_path)
