"""The query side: everything that a search request touches."""
