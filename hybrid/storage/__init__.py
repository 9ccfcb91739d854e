"""The files of a generation."""
