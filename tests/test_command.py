"""What tests start commands with: waits that end, and ports that no two processes are given."""

import subprocess
import sys

import pytest

from tests.command import free_port, read_until, run_code


@pytest.mark.parametrize(
    ("then", "code"), [("sys.exit(3)", "3"), ("__import__('time').sleep(600)", "-9")]
)
def test_a_wait_for_a_line_ends(then: str, code: str) -> None:
    """A process that ends, or hangs, before it prints the line is an error with what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; print('loading', flush=True); {then}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, pytest.raises(AssertionError, match=rf"ended with {code}.*ready.*loading"):
        read_until(process, "ready\n", seconds=2)


def test_two_processes_are_given_different_ports() -> None:
    """A port stays taken from when it is given, before anybody listens on it."""
    port = free_port()
    assert int(run_code("from tests.command import free_port; print(free_port())")) != port
