"""Generated posters."""
