"""How a run with several workers divides the tests."""

import pytest

from tests.units import unit


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/test_cli.py::test_help[command0]", "tests/test_cli.py"),
        ("tests/test_cli.py::test_verified[embedded-index]", "embedded-index"),
        ("tests/test_docs.py::test_curl[elasticsearch-index-curl x]", "elasticsearch-index"),
        ("tests/engines/test_x.py::test_x[elasticsearch]", "tests/engines/test_x.py"),
        ("tests/faults/test_kill.py::test_x[a/b::c]", "tests/faults/test_kill.py::test_x[a/b::c]"),
        ("tests/web/test_x.py::test_x[/faults/]", "tests/web/test_x.py"),
    ],
)
def test_units(nodeid: str, expected: str) -> None:
    """Tests of one index are one unit, tests of a file another, and those of faults stand alone."""
    assert unit(nodeid) == expected
