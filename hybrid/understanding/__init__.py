"""What plain text mentions: years, genres, people and films of the catalogue."""
