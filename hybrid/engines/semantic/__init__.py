"""Semantic engines: sentence vectors."""
