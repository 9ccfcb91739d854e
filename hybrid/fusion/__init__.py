"""Fusion of candidates to one ranking."""
