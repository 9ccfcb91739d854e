"""Benchmarks. Run by hand, never in CI."""
