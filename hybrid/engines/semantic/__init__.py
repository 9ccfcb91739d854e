"""Engines of sentence vectors."""
