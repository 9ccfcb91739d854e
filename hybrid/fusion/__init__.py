"""Candidates to one ranking."""
