"""Writing and publishing generations."""
