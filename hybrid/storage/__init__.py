"""One generation on disk."""
