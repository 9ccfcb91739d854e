"""Query to candidates."""
