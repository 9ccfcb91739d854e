"""Measurements: speed, recall. Run by hand, never in CI."""
