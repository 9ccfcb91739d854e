"""Several rankings of one query."""
