"""Measurements: speed, recall, relevance. Run by hand, never in CI."""
