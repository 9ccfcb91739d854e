"""Explanations of a film's rank, and highlights."""
