"""Retrieval: a query to candidates."""
