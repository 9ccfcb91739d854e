"""The language of queries: what it requires of a film, and which part of it is plain text."""
