"""Comparison of several rankings of a query."""
