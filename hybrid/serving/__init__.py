"""A search that follows what is published."""
