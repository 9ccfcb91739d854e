"""Records to films."""
