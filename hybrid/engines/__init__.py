"""Keyword and semantic engines, each behind a protocol."""
