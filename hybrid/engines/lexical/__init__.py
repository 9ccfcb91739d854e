"""BM25 engines."""
