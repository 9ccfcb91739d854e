"""Why a film ranks where it does."""
