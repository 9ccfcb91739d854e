"""Runs the command line of the query side."""

from hybrid.cli import main

main(prog_name="python -m hybrid")
